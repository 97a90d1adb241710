/* SPDX-License-Identifier: MIT */
/*
 * The hooks, with their keys.  Keys are replaced as a whole, for all hooks, when the files are read
 * again.  All functions may be called on any thread.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdbool.h>

#include "error.h"
#include "hook_rules.h"
#include "signature.h"

struct hooks;
struct hook_keys;

/*
 * hooks_new(rules, error):
 * Read the key files.  ${rules} outlive the hooks.  Return NULL with the file, the line and what is
 * wrong (key_file.h).
 */
struct hooks *hooks_new(const struct hook_rules *rules, struct error *error);

/* hooks_find(hooks, name): the hook of this name, or NULL; also if ${hooks} is NULL. */
const struct hook_rule *hooks_find(const struct hooks *hooks, const char *name);

/*
 * hooks_read_keys(hooks, error):
 * Read all key files again, and change nothing.  Return NULL as hooks_new().
 */
struct hook_keys *hooks_read_keys(const struct hooks *hooks, struct error *error);

/*
 * hooks_use_keys(hooks, keys): from now on, use these, which hooks_read_keys() returned.  The hooks
 * own them.
 */
void hooks_use_keys(struct hooks *hooks, struct hook_keys *keys);

/* hooks_drop_keys(keys): wipe keys that were read and are not used.  Takes NULL. */
void hooks_drop_keys(struct hook_keys *keys);

/*
 * hooks_verify(hooks, hook, signature, body): did one of the keys of this hook sign this body?
 */
bool hooks_verify(struct hooks *hooks, const struct hook_rule *hook,
	const struct signature *signature, struct sse_text body);

/* hooks_free(hooks): wipe the keys.  Takes NULL. */
void hooks_free(struct hooks *hooks);

#endif
