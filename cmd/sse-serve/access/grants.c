/* SPDX-License-Identifier: MIT */
/* What somebody may do; see grants.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "grants.h"
#include "log/topic_name.h"

const char *verb_name(enum verb verb)
{
	static const char *const names[VERB_COUNT] = {
		"", "", "publish", "read", "delete", "status"};

	return names[verb];
}

static int add_copy(struct grants *grants, enum verb verb, const char *pattern, size_t len)
{
	char **grown = realloc(grants->patterns[verb], (grants->counts[verb] + 1) * sizeof(*grown));

	if (grown == NULL)
		return -1;
	grants->patterns[verb] = grown;
	grown[grants->counts[verb]] = strndup(pattern, len);
	if (grown[grants->counts[verb]] == NULL)
		return -1;
	grants->counts[verb]++;
	return 0;
}

int grants_add(
	struct grants *grants, enum verb verb, const char *pattern, size_t len, struct error *error)
{
	struct error reason;

	if (topic_pattern_check(pattern, len, &reason) != 0)
		return error_set(error, EX_DATAERR, "%s", reason.text);
	if (add_copy(grants, verb, pattern, len) != 0)
		return error_set(error, EX_OSERR, "out of memory");
	return 0;
}

int grants_add_all(struct grants *grants, const struct grants *more)
{
	grants->status |= more->status;
	for (enum verb verb = 0; verb < VERB_COUNT; verb++) {
		for (size_t i = 0; i < more->counts[verb]; i++) {
			const char *pattern = more->patterns[verb][i];

			if (add_copy(grants, verb, pattern, strlen(pattern)) != 0)
				return -1;
		}
	}
	return 0;
}

bool grants_cover(const struct grants *grants, enum verb verb, const char *topic)
{
	if (verb == VERB_FREE)
		return true;
	if (verb == VERB_STATUS)
		return grants->status;
	if (topic == NULL)
		return grants->counts[verb] > 0;
	for (size_t i = 0; i < grants->counts[verb]; i++) {
		if (topic_covers(grants->patterns[verb][i], topic))
			return true;
	}
	return false;
}

bool grants_equal(const struct grants *a, const struct grants *b)
{
	if (a->status != b->status)
		return false;
	for (enum verb verb = 0; verb < VERB_COUNT; verb++) {
		if (a->counts[verb] != b->counts[verb])
			return false;
		for (size_t i = 0; i < a->counts[verb]; i++) {
			if (strcmp(a->patterns[verb][i], b->patterns[verb][i]) != 0)
				return false;
		}
	}
	return true;
}

void grants_free(struct grants *grants)
{
	for (enum verb verb = 0; verb < VERB_COUNT; verb++) {
		for (size_t i = 0; i < grants->counts[verb]; i++)
			free(grants->patterns[verb][i]);
		free(grants->patterns[verb]);
	}
	*grants = (struct grants){0};
}
