/* SPDX-License-Identifier: MIT */
/* The names of topics; see topic_name.h. */
#include <string.h>
#include <sysexits.h>

#include "sse.h"
#include "topic_letters.h"
#include "topic_name.h"

/* What is to be checked: a name; a pattern; a name that another node has accepted. */
enum kind { NAME, PATTERN, ACCEPTED };

/* Those that are not ASCII are judged together, as characters. */
static bool legal_byte(char c)
{
	return (unsigned char)c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != '\0' && strchr("._~-", c) != NULL);
}

static bool reserved_segment(const char *segment, size_t len)
{
	static const char *const words[] = {".", "..", "event", "presence"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) == len && memcmp(words[i], segment, len) == 0)
			return true;
	}
	return false;
}

static int check_letters(const char *segment, size_t len, enum kind kind, struct error *error)
{
	bool ascii = true;

	for (size_t i = 0; i < len; i++) {
		if (!legal_byte(segment[i]))
			return error_set(error, EX_USAGE,
				"a topic's name is made of letters, digits, . _ ~ - and /; it has "
				"U+%04X",
				(unsigned char)segment[i]);
		ascii = ascii && (unsigned char)segment[i] < 0x80;
	}
	if (sse_utf8_valid(segment, len) != len)
		return error_set(error, EX_USAGE, "a topic's name is UTF-8; this is not");
	return ascii || kind == ACCEPTED ? 0 : topic_letters_check(segment, len, error);
}

static int check_segment(
	const char *segment, size_t len, bool last, enum kind kind, struct error *error)
{
	bool patterns = kind == PATTERN;
	bool one = len == 1 && segment[0] == '*';
	bool rest = len == 2 && segment[0] == '*' && segment[1] == '*';

	if (len == 0)
		return error_set(error, EX_USAGE, "a topic's name has an empty segment");
	if (patterns && one)
		return 0;
	if (patterns && rest)
		return last ? 0
			    : error_set(error, EX_USAGE,
				      "** matches all further segments, so it can only be the "
				      "last");
	if (patterns && memchr(segment, '*', len) != NULL)
		return error_set(error, EX_USAGE,
			"* matches a whole segment, as in chat/*, and not a part of one");
	if (check_letters(segment, len, kind, error) != 0)
		return -1;
	if (reserved_segment(segment, len))
		return error_set(error, EX_USAGE, "'%.*s' cannot be a segment of a topic's name",
			(int)len, segment);
	return 0;
}

/* /api/session and /api/ticket have another meaning. */
static bool reserved_name(const char *name, size_t len)
{
	return (len == 7 && memcmp(name, "session", len) == 0) ||
	       (len == 6 && memcmp(name, "ticket", len) == 0);
}

static int check(const char *name, size_t len, enum kind kind, struct error *error)
{
	size_t start = 0;

	if (len == 0)
		return error_set(error, EX_USAGE, "a topic's name cannot be empty");
	if (len > TOPIC_NAME_MAX)
		return error_set(error, EX_USAGE,
			"a topic's name has at most %d bytes; this has %zu", TOPIC_NAME_MAX, len);
	for (size_t i = 0; i <= len; i++) {
		if (i < len && name[i] != '/')
			continue;
		if (check_segment(name + start, i - start, i == len, kind, error) != 0)
			return -1;
		start = i + 1;
	}
	if (reserved_name(name, len))
		return error_set(error, EX_USAGE,
			"'%.*s' is not a valid topic; it can be a segment of one, as in a/%.*s",
			(int)len, name, (int)len, name);
	return 0;
}

int topic_name_check(const char *name, size_t len, struct error *error)
{
	return check(name, len, NAME, error);
}

int topic_pattern_check(const char *pattern, size_t len, struct error *error)
{
	return check(pattern, len, PATTERN, error);
}

bool topic_name_is_accepted(const char *name, size_t len)
{
	return check(name, len, ACCEPTED, NULL) == 0;
}

bool topic_is_pattern(const char *pattern)
{
	return strchr(pattern, '*') != NULL;
}

bool topic_is_system(const char *name)
{
	return strcmp(name, TOPIC_SYSTEM) == 0;
}

/* Segment by segment; in a name, a * stands for any segment, and a ** for any that follow. */
bool topic_covers(const char *pattern, const char *other)
{
	for (;;) {
		size_t p = strcspn(pattern, "/"), n = strcspn(other, "/");

		if (strcmp(pattern, "**") == 0)
			return true;
		if (strcmp(other, "**") == 0)
			return false;
		if (!(p == 1 && pattern[0] == '*') && (p != n || memcmp(pattern, other, n) != 0))
			return false;
		if (pattern[p] == '\0' || other[n] == '\0')
			return pattern[p] == other[n];
		pattern += p + 1;
		other += n + 1;
	}
}

/* As text, a pattern is before all names that begin like it: * is before all bytes of names. */
const char *topic_pattern_from(const char *pattern, const char *from)
{
	size_t literal = strcspn(pattern, "*");
	int order = strncmp(from, pattern, literal);

	if (order < 0)
		return pattern;
	if (order > 0 || (pattern[literal] == '\0' && from[literal] != '\0'))
		return NULL;
	return from;
}

bool topic_matches(const char *pattern, const char *name)
{
	return topic_is_system(name) ? topic_is_system(pattern) : topic_covers(pattern, name);
}
