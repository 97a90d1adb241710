/* SPDX-License-Identifier: MIT */
/* The value of --rate; see rate_rules.h. */
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#include "number.h"
#include "rate_rules.h"

/* The longest number, with its end. */
#define NUMBER_MAX 24

static const char *const names[RATE_KINDS] = {"publish", "stream"};

static int wrong(const char *text, size_t len, const char *fault, struct error *error)
{
	return error_set(error, EX_USAGE,
		"--rate '%.*s': %s; it takes publish=N/UNIT, stream=N/UNIT or both, joined by a comma, "
		"as in publish=50/s,stream=300/m:20, where :20 is the burst",
		len < 80 ? (int)len : 80, text, fault);
}

/* Read the number that ends before ${end}. */
static bool read_number(const char *text, const char *end, int64_t *number)
{
	size_t len = (size_t)(end - text);
	char copy[NUMBER_MAX];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return number_count(copy, 1, RATES_MOST, number, NULL) == 0;
}

static bool read_unit(const char *text, size_t len, int64_t *per)
{
	static const struct {
		char name;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60 * 1000}, {'h', 3600 * 1000}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (len == 1 && text[0] == units[i].name) {
			*per = units[i].ms;
			return true;
		}
	}
	return false;
}

/* Read COUNT/UNIT[:BURST].  Return what is wrong with it, or NULL. */
static const char *read_rule(const char *text, const char *end, struct rates_rule *rule)
{
	size_t len = (size_t)(end - text);
	const char *slash = memchr(text, '/', len), *colon = memchr(text, ':', len);

	if (slash == NULL)
		return "the unit is missing: /s, /m or /h";
	if (!read_number(text, slash, &rule->count))
		return "the number before the unit must be a whole number, 1 to 1000000000";
	if (!read_unit(slash + 1, (size_t)((colon != NULL ? colon : end) - slash - 1), &rule->per))
		return "the unit must be /s, /m or /h: per second, minute or hour";
	rule->burst = rule->count * 1000 / rule->per;
	if (rule->burst == 0)
		rule->burst = 1;
	if (colon != NULL && !read_number(colon + 1, end, &rule->burst))
		return "the burst after the colon must be a whole number, 1 to 1000000000";
	return NULL;
}

/* Read one part, KIND=RULE. */
static int read_part(
	const char *text, size_t len, struct rate_rules *rate_rules, struct error *error)
{
	const char *equals = memchr(text, '=', len), *fault;

	for (size_t kind = 0; kind < RATE_KINDS && equals != NULL; kind++) {
		if (strlen(names[kind]) != (size_t)(equals - text) ||
			memcmp(names[kind], text, (size_t)(equals - text)) != 0)
			continue;
		if (rate_rules->texts[kind] != NULL)
			return wrong(text, len, "this is given twice", error);
		rate_rules->texts[kind] = text;
		rate_rules->lens[kind] = (int)len;
		fault = read_rule(equals + 1, text + len, &rate_rules->rules[kind]);
		return fault != NULL ? wrong(text, len, fault, error) : 0;
	}
	return wrong(text, len, "this is neither publish= nor stream=", error);
}

int rate_rules_parse(const char *text, struct rate_rules *rate_rules, struct error *error)
{
	*rate_rules = (struct rate_rules){0};
	while (text != NULL) {
		size_t len = strcspn(text, ",");

		if (read_part(text, len, rate_rules, error) != 0)
			return -1;
		text = text[len] == ',' ? text + len + 1 : NULL;
	}
	return 0;
}
