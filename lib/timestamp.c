/* SPDX-License-Identifier: MIT */
/* Points in time as text; see timestamp.h. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "timestamp.h"

char *timestamp_format(int64_t ms, char text[TIMESTAMP_TEXT])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc;
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(text, TIMESTAMP_TEXT - 8, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, TIMESTAMP_TEXT - len, ".%03dZ", (int)(ms % 1000));
	return text;
}

int timestamp_parse(const char *text, int64_t *ms)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = 0, offset = 0;
	int hours, minutes, used = 0;
	char sign;

	if (rest == NULL)
		return -1;
	if (*rest == '.') {
		int64_t scale = 100;

		for (rest++; *rest >= '0' && *rest <= '9'; rest++, scale /= 10)
			fraction += (*rest - '0') * scale;
	}
	if (strcmp(rest, "Z") != 0 && strcmp(rest, "z") != 0) {
		/* A plus that was not escaped in a query has become a space. */
		if (sscanf(rest, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 ||
			rest[used] != '\0' || (sign != '+' && sign != '-' && sign != ' '))
			return -1;
		offset = (hours * 60 + minutes) * (sign == '-' ? -60000 : 60000);
	}
	*ms = (int64_t)timegm(&tm) * 1000 + fraction - offset;
	return *ms >= 0 ? 0 : -1;
}
