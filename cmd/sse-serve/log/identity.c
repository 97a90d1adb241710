/* SPDX-License-Identifier: MIT */
/* Event ids; see identity.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include "identity.h"
#include "number.h"

void identity_write_tag(uint64_t number, char tag[IDENTITY_TAG + 1])
{
	static const char letters[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (int i = 0; i < IDENTITY_TAG; i++) {
		tag[i] = letters[number % 62];
		number /= 62;
	}
	tag[IDENTITY_TAG] = '\0';
}

int identity_new_tag(char tag[IDENTITY_TAG + 1])
{
	uint64_t random;

	if (getentropy(&random, sizeof(random)) != 0)
		return -1;
	identity_write_tag(random, tag);
	return 0;
}

int identity_add(struct identity *identity, const char *tag, uint64_t opened)
{
	struct incarnation *grown =
		realloc(identity->incarnations, (identity->count + 1) * sizeof(*grown));

	if (grown == NULL)
		return -1;
	identity->incarnations = grown;
	grown[identity->count] = (struct incarnation){.opened = opened};
	snprintf(grown[identity->count].tag, sizeof(grown->tag), "%s", tag);
	identity->count++;
	return 0;
}

/* The incarnation that wrote ${position}: the last one opened before it; the first for 0. */
static const struct incarnation *writer_of(const struct identity *identity, uint64_t position)
{
	size_t low = 0, high = identity->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (identity->incarnations[middle].opened < position)
			low = middle;
		else
			high = middle;
	}
	return &identity->incarnations[low];
}

size_t identity_format(const struct identity *identity, uint64_t position, char text[IDENTITY_TEXT])
{
	const struct incarnation *writer = writer_of(identity, position);
	char digits[20];
	size_t len = 0, start = sizeof(digits);

	/* On the path of every event: no printf. */
	do {
		digits[--start] = (char)('0' + position % 10);
		position /= 10;
	} while (position > 0);
	memcpy(text, writer->tag, IDENTITY_TAG);
	len = IDENTITY_TAG;
	text[len++] = ':';
	memcpy(text + len, digits + start, sizeof(digits) - start);
	len += sizeof(digits) - start;
	text[len] = '\0';
	return len;
}

bool identity_parse(
	const struct identity *identity, const char *text, uint64_t head, uint64_t *position)
{
	int64_t number;

	if (strnlen(text, IDENTITY_TAG + 1) <= IDENTITY_TAG || text[IDENTITY_TAG] != ':' ||
		number_count(text + IDENTITY_TAG + 1, 0, INT64_MAX, &number, NULL) != 0)
		return false;
	for (size_t i = identity->count; i-- > 0;) {
		const struct incarnation *one = &identity->incarnations[i];
		uint64_t end = i + 1 < identity->count ? one[1].opened : head;

		if (memcmp(one->tag, text, IDENTITY_TAG) != 0)
			continue;
		*position = (uint64_t)number;
		return *position >= one->opened && *position <= end;
	}
	return false;
}

void identity_free(struct identity *identity)
{
	free(identity->incarnations);
	*identity = (struct identity){0};
}
