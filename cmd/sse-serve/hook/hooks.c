/* SPDX-License-Identifier: MIT */
/* The hooks, with their keys; see hooks.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sysexits.h>

#include "hooks.h"
#include "key_file.h"

/* The keys of all hooks, in the order of the rules. */
struct hook_keys {
	_Atomic unsigned holders;
	size_t count;
	struct key_file files[];
};

struct hooks {
	const struct hook_rules *rules;
	pthread_mutex_t lock; /* guards keys; a leaf */
	struct hook_keys *keys;
};

void hooks_drop_keys(struct hook_keys *keys)
{
	if (keys == NULL || atomic_fetch_sub(&keys->holders, 1) > 1)
		return;
	for (size_t i = 0; i < keys->count; i++)
		key_file_wipe(&keys->files[i]);
	free(keys);
}

static struct hook_keys *read_keys(const struct hook_rules *rules, struct error *error)
{
	struct hook_keys *keys = calloc(1, sizeof(*keys) + rules->count * sizeof(keys->files[0]));

	if (keys == NULL) {
		error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	keys->holders = 1;
	for (; keys->count < rules->count; keys->count++) {
		const struct hook_rule *rule = &rules->rules[keys->count];

		if (key_file_read(rule->file, rule->kind->scheme, &keys->files[keys->count],
			    error) != 0) {
			hooks_drop_keys(keys);
			return NULL;
		}
	}
	return keys;
}

struct hooks *hooks_new(const struct hook_rules *rules, struct error *error)
{
	struct hooks *hooks = calloc(1, sizeof(*hooks));

	if (hooks == NULL) {
		error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	hooks->rules = rules;
	hooks->keys = read_keys(rules, error);
	if (hooks->keys == NULL) {
		free(hooks);
		return NULL;
	}
	pthread_mutex_init(&hooks->lock, NULL);
	return hooks;
}

const struct hook_rule *hooks_find(const struct hooks *hooks, const char *name)
{
	return hooks != NULL ? hook_rules_find(hooks->rules, name) : NULL;
}

struct hook_keys *hooks_read_keys(const struct hooks *hooks, struct error *error)
{
	return read_keys(hooks->rules, error);
}

void hooks_use_keys(struct hooks *hooks, struct hook_keys *keys)
{
	struct hook_keys *old;

	pthread_mutex_lock(&hooks->lock);
	old = hooks->keys;
	hooks->keys = keys;
	pthread_mutex_unlock(&hooks->lock);
	hooks_drop_keys(old);
}

/* A large body takes milliseconds to verify, so the lock is not held meanwhile. */
static struct hook_keys *hold_keys(struct hooks *hooks)
{
	struct hook_keys *keys;

	pthread_mutex_lock(&hooks->lock);
	keys = hooks->keys;
	atomic_fetch_add(&keys->holders, 1);
	pthread_mutex_unlock(&hooks->lock);
	return keys;
}

bool hooks_verify(struct hooks *hooks, const struct hook_rule *hook,
	const struct signature *signature, struct sse_text body)
{
	struct hook_keys *keys = hold_keys(hooks);
	const struct key_file *file = &keys->files[hook - hooks->rules->rules];
	bool found = false;

	for (size_t i = 0; i < file->count && !found; i++)
		found = signature_is_by(signature, file->keys[i], body);
	hooks_drop_keys(keys);
	return found;
}

void hooks_free(struct hooks *hooks)
{
	if (hooks == NULL)
		return;
	hooks_drop_keys(hooks->keys);
	pthread_mutex_destroy(&hooks->lock);
	free(hooks);
}
