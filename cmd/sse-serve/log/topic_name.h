/* SPDX-License-Identifier: MIT */
/* The names of topics, and the patterns that stand for several.  Pure functions. */
#ifndef TOPIC_NAME_H
#define TOPIC_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* The longest name of a topic, in bytes. */
#define TOPIC_NAME_MAX 200

/*
 * The server's own topic, the one name outside the grammar: no client publishes to it, no pattern
 * matches it, and its events are never stored.
 */
#define TOPIC_SYSTEM "$sys"

/*
 * topic_name_check(name, len, error):
 * Is this a topic's name: segments of A-Z a-z 0-9 . _ ~ - and letters of other scripts
 * (topic_letters_check()) joined by single slashes, none of them ".", "..", "event" or "presence";
 * and is the whole name not "session" or "ticket"?  Return 0, or -1 with the reason (EX_USAGE;
 * EX_OSERR without memory).
 */
int topic_name_check(const char *name, size_t len, struct error *error);

/*
 * topic_pattern_check(pattern, len, error):
 * Is this a topic's name, or a pattern: a name in which `*` stands for one whole segment, and `**`
 * as the last segment for one or more?  Return 0, or -1 with the reason, as above.
 */
int topic_pattern_check(const char *pattern, size_t len, struct error *error);

/*
 * topic_name_is_accepted(name, len):
 * Could another node have accepted this name?  It may know a newer Unicode, with more letters: what
 * is asked here is that part of the grammar that is the same in all versions.
 */
bool topic_name_is_accepted(const char *name, size_t len);

/* topic_is_system(name): is it TOPIC_SYSTEM? */
bool topic_is_system(const char *name);

/* topic_matches(pattern, name): does the pattern match?  Both were checked, or are TOPIC_SYSTEM. */
bool topic_matches(const char *pattern, const char *name);

/*
 * topic_covers(pattern, other):
 * Does ${pattern} match every topic that ${other}, a name or a pattern, matches?  Both were
 * checked.
 */
bool topic_covers(const char *pattern, const char *other);

/*
 * topic_pattern_from(pattern, from):
 * Names that ${pattern} matches are, in the order of their bytes, not before the text that this
 * returns: ${from}, or ${pattern} where they all begin after ${from}; NULL if all of them are before
 * ${from}.  So whoever walks names in their order looks only at those that begin like the pattern.
 */
const char *topic_pattern_from(const char *pattern, const char *from);

/* topic_is_pattern(pattern): does it hold a wildcard? */
bool topic_is_pattern(const char *pattern);

#endif
