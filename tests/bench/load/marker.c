/* SPDX-License-Identifier: MIT */
/* What events carry; see marker.h. */
#include <string.h>
#include <time.h>

#include "marker.h"

#define PUBLISHER 2 /* where the numbers stand, and how many digits they have */
#define PUBLISHER_DIGITS 4
#define NUMBER (PUBLISHER + PUBLISHER_DIGITS)
#define NUMBER_DIGITS 12
#define SENT (NUMBER + NUMBER_DIGITS)
#define SENT_DIGITS 16
#define END (SENT + SENT_DIGITS)

void marker_fill(char *event, size_t size)
{
	memset(event, 'x', size);
	event[0] = MARKER_FIRST;
	event[1] = MARKER_SECOND;
	event[END] = '#';
	event[END + 1] = '>';
	event[size - 1] = MARKER_LAST;
}

static void write_hex(char *text, int digits, uint64_t value)
{
	while (digits-- > 0) {
		text[digits] = "0123456789abcdef"[value & 15];
		value >>= 4;
	}
}

void marker_write(char *event, const struct marker *marker)
{
	write_hex(event + PUBLISHER, PUBLISHER_DIGITS, marker->publisher);
	write_hex(event + NUMBER, NUMBER_DIGITS, marker->number);
	write_hex(event + SENT, SENT_DIGITS, marker->sent);
}

/* The digits are ours, or the event is torn: then what is no digit sets a high bit of *bad. */
static uint64_t read_hex(const char *text, int digits, unsigned *bad)
{
	uint64_t value = 0;

	for (int i = 0; i < digits; i++) {
		unsigned c = (unsigned char)text[i];
		unsigned digit = c - '0' < 10 ? c - '0' : c - 'a' + 10;

		*bad |= digit;
		value = value << 4 | (digit & 15);
	}
	return value;
}

bool marker_read(const char *event, struct marker *marker)
{
	unsigned bad = 0;
	uint64_t number = read_hex(event + NUMBER, NUMBER_DIGITS, &bad);

	marker->publisher = (unsigned)read_hex(event + PUBLISHER, PUBLISHER_DIGITS, &bad);
	marker->sent = read_hex(event + SENT, SENT_DIGITS, &bad);
	marker->number = (uint32_t)number;
	return bad < 16 && number <= UINT32_MAX && event[END] == '#' && event[END + 1] == '>';
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
