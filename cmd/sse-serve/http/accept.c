/* SPDX-License-Identifier: MIT */
/* What a client accepts; see accept.h. */
#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "accept.h"

/* One of a list: text/html, text and a wildcard, gzip. */
struct range {
	const char *name;
	size_t len;
	unsigned weight; /* in thousandths */
};

/* How closely a range matches a type. */
enum closeness { NOT, ANY, FAMILY, EXACT };

/* The next of these bytes, or the end; those in quotes are passed over. */
static const char *find_end(const char *p, const char *ends)
{
	for (bool quoted = false; *p != '\0' && (quoted || strchr(ends, *p) == NULL); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\' && p[1] != '\0')
			p++;
	}
	return p;
}

/* 0 to 1, with up to three digits. */
static unsigned read_weight(const char *p)
{
	unsigned weight, unit = 100;

	if (*p != '0' && *p != '1')
		return 0;
	weight = *p++ == '1' ? 1000 : 0;
	for (p += *p == '.'; isdigit((unsigned char)*p); p++) {
		weight += (unsigned)(*p - '0') * unit;
		unit /= 10;
	}
	return weight <= 1000 && strchr(" \t;,", *p) != NULL ? weight : 0;
}

static bool next_range(const char **header, struct range *range)
{
	const char *p = *header + strspn(*header, " \t,");

	if (*p == '\0')
		return false;
	*range = (struct range){p, strcspn(p, " \t;,"), 1000};
	p = find_end(p, ";,");
	while (*p == ';') {
		p++;
		p += strspn(p, " \t");
		if (strncasecmp(p, "q=", 2) == 0)
			range->weight = read_weight(p + 2);
		p = find_end(p, ";,");
	}
	*header = p;
	return true;
}

static bool is_name(const struct range *range, const char *name)
{
	return range->len == strlen(name) && strncasecmp(range->name, name, range->len) == 0;
}

static enum closeness match(const struct range *range, const char *type)
{
	size_t family = strcspn(type, "/") + 1;

	if (is_name(range, type))
		return EXACT;
	if (range->len == family + 1 && range->name[family] == '*' &&
		strncasecmp(range->name, type, family) == 0)
		return FAMILY;
	return is_name(range, "*/*") ? ANY : NOT;
}

/* The weight of a type, by the range that matches it most closely. */
static unsigned weigh(const char *header, const char *type, enum closeness *closest)
{
	struct range range;
	unsigned weight = 0;

	*closest = NOT;
	while (header != NULL && next_range(&header, &range)) {
		enum closeness closeness = match(&range, type);

		if (closeness == NOT || closeness < *closest)
			continue;
		if (closeness > *closest || range.weight > weight)
			weight = range.weight;
		*closest = closeness;
	}
	return weight;
}

bool accept_names(const char *header, const char *name)
{
	enum closeness closeness;

	return weigh(header, name, &closeness) > 0 && closeness == EXACT;
}

bool accept_prefers(const char *header, const char *type, const char *usual)
{
	enum closeness closeness, usual_closeness;
	unsigned weight = weigh(header, type, &closeness);
	unsigned usual_weight = weigh(header, usual, &usual_closeness);

	if (weight != usual_weight)
		return weight > usual_weight;
	return weight > 0 && closeness > usual_closeness;
}
