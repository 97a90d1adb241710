/* SPDX-License-Identifier: MIT */
/* Telling event streams from other text; see sniff.h. */
#include <string.h>

#include "sniff.h"

static bool is_field(const char *name, size_t len)
{
	static const char *const names[] = {"data", "event", "id", "retry"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (len == strlen(names[i]) && memcmp(name, names[i], len) == 0)
			return true;
	}
	return false;
}

/* A line, or its name, ended. */
static void end_name(struct sniff *sniff, bool colon)
{
	size_t len = sniff->len < sizeof(sniff->head) ? sniff->len : sizeof(sniff->head);
	const char *name = sniff->head;

	/* A stream may begin with a byte order mark. */
	if (!sniff->seen && len >= 3 && memcmp(name, "\xef\xbb\xbf", 3) == 0) {
		name += 3;
		len -= 3;
	}
	if ((colon && len == 0) || is_field(name, len)) {
		sniff->is_stream = true;
	} else if (len > 0) {
		sniff->brace = sniff->brace || (!sniff->seen && *name == '{');
		sniff->seen = true;
	}
}

void sniff_feed(struct sniff *sniff, const char *data, size_t len, bool ended)
{
	for (size_t i = 0; i < len && !sniff->is_stream && sniff->taken < SNIFF_MAX; i++) {
		bool ends = data[i] == '\n' || data[i] == '\r';

		sniff->taken++;
		if (ends || data[i] == ':')
			end_name(sniff, !ends);
		if (ends) {
			sniff->len = 0;
			continue;
		}
		if (sniff->len < sizeof(sniff->head))
			sniff->head[sniff->len] = data[i];
		sniff->len++;
	}
	if (ended && !sniff->is_stream)
		end_name(sniff, false);
}

bool sniff_is_other(const struct sniff *sniff, bool ended)
{
	return !sniff->is_stream && sniff->seen && (ended || sniff->taken >= SNIFF_MAX);
}
