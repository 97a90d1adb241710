/* SPDX-License-Identifier: MIT */
/* The values of --hook: which hooks there are.  Pure: text in, rules out. */
#ifndef HOOK_RULES_H
#define HOOK_RULES_H

#include <stddef.h>

#include "error.h"
#include "option.h"
#include "signature.h"

/* The most headers of a delivery that are stored. */
#define HOOK_HEADERS 8

/*
 * Whose deliveries a hook takes.  What it says of itself is in headers, whose names stand here, or
 * in members of its body, whose JSON Pointers stand here; NULL: there is none.
 */
struct hook_kind {
	const char *name; /* "github" */
	enum signature_scheme scheme;
	const char *signature, *time; /* headers */
	const char *id, *id_member;
	const char *type, *type_member;
	const char *stored[HOOK_HEADERS]; /* headers, up to the first NULL */
};

struct hook_rule {
	char *name; /* what follows /hook/: github or github/shop; owns the memory of the texts */
	const struct hook_kind *kind;
	const char *topic, *file;
};

/* All zero: none. */
struct hook_rules {
	struct hook_rule *rules; /* owned */
	size_t count;
};

/*
 * hook_rules_parse(values, rules, error):
 * Read the values of --hook, each KIND=TOPIC:FILE or KIND/WORD=TOPIC:FILE.  Return 0, or -1 with
 * EX_USAGE; call hook_rules_free() after either.
 */
int hook_rules_parse(
	const struct option_list *values, struct hook_rules *rules, struct error *error);

/* hook_rules_find(rules, name): the hook of this name, or NULL. */
const struct hook_rule *hook_rules_find(const struct hook_rules *rules, const char *name);

/* hook_rules_free(rules) */
void hook_rules_free(struct hook_rules *rules);

#endif
