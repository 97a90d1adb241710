/* SPDX-License-Identifier: MIT */
/* The rules for what is kept; see retention_rules.h. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "number.h"
#include "retention_rules.h"
#include "topic.h"

#define LIMIT_TEXT 64

/* Keep only the newest event of each subject. */
#define LATEST "latest"

/* The three places of a limit, in their order. */
enum place { AGE, EVENTS, BYTES, PLACES };

static int wrong(const char *option, const char *text, const char *part, struct error *error)
{
	return error_set(error, EX_USAGE,
		"%s '%.80s': %s; give AGE,EVENTS,BYTES, each of which may be left empty: "
		"7d keeps a week, ,1M a million events, ,,10G ten gigabytes",
		option, text, part);
}

/* A number of events: k and M are thousands and millions. */
static int read_events(char *text, int64_t *events)
{
	size_t len = strlen(text);
	int64_t unit = 1;

	if (len > 1 && strchr("kKmM", text[len - 1]) != NULL) {
		unit = text[len - 1] == 'k' || text[len - 1] == 'K' ? 1000 : 1000000;
		text[len - 1] = '\0';
	}
	if (number_count(text, 1, INT64_MAX / 1000000, events, NULL) != 0)
		return -1;
	*events *= unit;
	return 0;
}

static int read_place(enum place place, char *text, struct retain *retain)
{
	const int64_t year = (int64_t)365 * 24 * 3600 * 1000;

	if (text[0] == '\0' || strcmp(text, "0") == 0)
		return 0;
	switch (place) {
	case AGE:
		/*
		 * A number without a unit would mean seconds, which no user intends for events to
		 * be removed.
		 */
		if (strspn(text, "0123456789.") == strlen(text))
			return -1;
		return number_duration(text, 1, 1000 * year, &retain->age, NULL);
	case EVENTS:
		return read_events(text, &retain->events);
	case BYTES:
		return number_size(text, 1, INT64_MAX / 2, &retain->bytes, NULL);
	default:
		return -1;
	}
}

/* A number alone is a number of events. */
static bool is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && strspn(text, "0123456789kM") == strlen(text);
}

/* ${shown} is what the user wrote, of which ${text} is the part to be read. */
static int read_retain(const char *option, const char *shown, const char *text,
	struct retain *retain, struct error *error)
{
	static const char *const faults[PLACES] = {
		"the first value is an age with a unit, such as 10m, 12h or 7d",
		"the second value is a number of events, such as 5000, 20k or 1M",
		"the third value is a size, such as 500M or 10G"};
	const char *rest = text;
	char part[LIMIT_TEXT];

	if (strcmp(text, "all") == 0)
		return 0;
	for (int place = is_number(text) ? EVENTS : AGE; rest != NULL; place++) {
		size_t len = strcspn(rest, ",");

		if (place == PLACES)
			return wrong(option, shown, "it has more than three values", error);
		if (len >= sizeof(part))
			return wrong(option, shown, faults[place], error);
		memcpy(part, rest, len);
		part[len] = '\0';
		if (read_place((enum place)place, part, retain) != 0)
			return wrong(option, shown, faults[place], error);
		rest = rest[len] == ',' ? rest + len + 1 : NULL;
	}
	if (retain->age == 0 && retain->events == 0 && retain->bytes == 0)
		return wrong(option, shown, "all three values are empty", error);
	return 0;
}

/* How much of its value says "latest", with the comma that more follows; 0: it does not begin so. */
static size_t latest_len(const char *text)
{
	size_t len = strcspn(text, ",");

	if (len != strlen(LATEST) || memcmp(text, LATEST, len) != 0)
		return 0;
	return text[len] == ',' ? len + 1 : len;
}

/* A rule's "latest" comes first, and is enough. */
static int read_topic_retain(
	const char *shown, const char *text, struct retain *retain, struct error *error)
{
	size_t len = latest_len(text);

	retain->latest = len > 0;
	if (len == strlen(LATEST))
		return 0;
	if (len > 0 && text[len] == '\0')
		return error_set(error, EX_USAGE,
			"--retain-topic '%.80s': nothing follows the comma; leave it out, or give a "
			"limit too, as in latest,7d",
			shown);
	return read_retain("--retain-topic", shown, text + len, retain, error);
}

static int read_rule(const char *text, struct retention_rule *rule, struct error *error)
{
	const char *equals = strchr(text, '=');
	struct error reason = {0};

	if (equals == NULL)
		return error_set(error, EX_USAGE,
			"--retain-topic '%.80s': it takes PATTERN=AGE,EVENTS,BYTES, as in "
			"'logs/**=1d', or PATTERN=latest",
			text);
	rule->pattern = text;
	rule->pattern_len = (size_t)(equals - text);
	if (topic_pattern_check(text, rule->pattern_len, &reason) != 0)
		return error_set(
			error, EX_USAGE, "--retain-topic '%.80s': %.200s", text, reason.text);
	return read_topic_retain(text, equals + 1, &rule->retain, error);
}

int retention_rules_parse(const char *all, const struct option_list *topics,
	struct retention_rules *retention_rules, struct error *error)
{
	*retention_rules = (struct retention_rules){0};
	if (all != NULL && latest_len(all) > 0)
		return error_set(error, EX_USAGE,
			"--retain '%.80s': latest is a rule for topics: --retain-topic '**=latest' "
			"makes it that of all",
			all);
	if (all != NULL && read_retain("--retain", all, all, &retention_rules->all, error) != 0)
		return -1;
	if (topics->count == 0)
		return 0;
	retention_rules->rules = calloc(topics->count, sizeof(*retention_rules->rules));
	if (retention_rules->rules == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	for (; retention_rules->count < topics->count; retention_rules->count++) {
		if (read_rule(topics->values[retention_rules->count],
			    &retention_rules->rules[retention_rules->count], error) != 0)
			return -1;
	}
	return 0;
}

const struct retain *retention_rules_of(
	const struct retention_rules *retention_rules, const char *topic)
{
	for (size_t i = 0; i < retention_rules->count; i++) {
		const struct retention_rule *rule = &retention_rules->rules[i];
		char pattern[TOPIC_NAME_MAX + 1];

		memcpy(pattern, rule->pattern, rule->pattern_len);
		pattern[rule->pattern_len] = '\0';
		if (topic_matches(pattern, topic))
			return &rule->retain;
	}
	return NULL;
}

void retention_rules_free(struct retention_rules *retention_rules)
{
	free(retention_rules->rules);
	*retention_rules = (struct retention_rules){0};
}
