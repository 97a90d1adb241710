/* SPDX-License-Identifier: MIT */
/* The names in a spool; see spool_name.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "spool_name.h"

#define SUFFIX ".events"
#define SLUG_MAX 60
#define STEM_MAX 40

void spool_name_queue(const char *url, char name[SPOOL_NAME_SIZE])
{
	const char *p = strstr(url, "://");
	size_t len = 0;

	for (p = p != NULL ? p + 3 : url; *p != '\0' && len < SLUG_MAX; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			     (*p >= '0' && *p <= '9') || *p == '-' || (*p == '.' && len > 0);

		name[len++] = plain ? *p : '_';
	}
	snprintf(name + len, SPOOL_NAME_SIZE - len, "-%016" PRIx64,
		hash_fnv1a(HASH_START, url, strlen(url)));
}

void spool_name_file(uint64_t number, uint64_t events, char name[SPOOL_NAME_SIZE])
{
	snprintf(name, SPOOL_NAME_SIZE, "%016" PRIu64 ".%" PRIu64 SUFFIX, number, events);
}

void spool_name_again(
	const char *name, const char *suffix, uint64_t events, char out[SPOOL_NAME_SIZE])
{
	int len = (int)strcspn(name, ".");

	snprintf(out, SPOOL_NAME_SIZE, "%.*s%s.%" PRIu64 SUFFIX, len < STEM_MAX ? len : STEM_MAX,
		name, suffix, events);
}

void spool_name_rest(const char *name, uint64_t events, char out[SPOOL_NAME_SIZE])
{
	snprintf(out, SPOOL_NAME_SIZE, "%.*s.%" PRIu64 SUFFIX, (int)strcspn(name, "."), name,
		events);
}

bool spool_name_read(const char *name, uint64_t *number, uint64_t *events)
{
	size_t len = strlen(name);
	const char *dot = strchr(name, '.');
	char *end = NULL;

	if (len <= strlen(SUFFIX) || strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0 ||
		*name < '0' || *name > '9' || len >= SPOOL_NAME_SIZE)
		return false;
	*number = strtoull(name, NULL, 10);
	*events = dot[1] >= '0' && dot[1] <= '9' ? strtoull(dot + 1, &end, 10) : 0;
	return *events > 0 && strcmp(end, SUFFIX) == 0;
}
