/* SPDX-License-Identifier: MIT */
/* The values of --hook; see hook_rules.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "hook_rules.h"
#include "log/topic_name.h"

/* The longest word after the kind. */
#define WORD_MAX 64

/*
 * Not stored: signatures.  One who reads the topic could send a delivery of GitHub again with its
 * signature, under another id, since that is not signed.
 */
static const struct hook_kind kinds[] = {
	{.name = "github",
		.scheme = SIGNATURE_GITHUB,
		.signature = "X-Hub-Signature-256",
		.id = "X-GitHub-Delivery",
		.type = "X-GitHub-Event",
		.stored = {"Content-Type", "X-GitHub-Event", "X-GitHub-Delivery",
			"X-GitHub-Hook-ID", "X-GitHub-Hook-Installation-Target-Type",
			"X-GitHub-Hook-Installation-Target-ID", "X-GitHub-Enterprise-Host"}},
	{.name = "stripe",
		.scheme = SIGNATURE_STRIPE,
		.signature = "Stripe-Signature",
		.id_member = "/id",
		.type_member = "/type",
		.stored = {"Content-Type"}},
	{.name = "standard",
		.scheme = SIGNATURE_STANDARD,
		.signature = "webhook-signature",
		.time = "webhook-timestamp",
		.id = "webhook-id",
		.type_member = "/type",
		.stored = {"Content-Type", "webhook-id", "webhook-timestamp"}},
};

static int wrong(const char *value, const char *fault, struct error *error)
{
	return error_set(error, EX_USAGE,
		"--hook '%.80s': %s; it takes KIND=TOPIC:FILE, as in github=gh/acme:key, where "
		"KIND is github, stripe or standard, or one of these with a word, as in "
		"github/shop",
		value, fault);
}

static const struct hook_kind *find_kind(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) == len && memcmp(kinds[i].name, name, len) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* It stands in a path. */
static bool is_word(const char *word)
{
	size_t len = strlen(word);

	return len > 0 && len <= WORD_MAX &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
		       len;
}

/* Cut the copy of the value that rule->name is into its parts. */
static int cut(struct hook_rule *rule, const char *value, struct error *error)
{
	char *topic = strchr(rule->name, '='), *file = topic != NULL ? strchr(topic, ':') : NULL;
	struct error reason;
	size_t kind;

	if (file == NULL)
		return wrong(value, topic == NULL ? "there is no =" : "there is no :FILE", error);
	*topic++ = '\0';
	*file++ = '\0';
	kind = strcspn(rule->name, "/");
	rule->kind = find_kind(rule->name, kind);
	if (rule->kind == NULL)
		return wrong(value, "this is not a kind of hook", error);
	if (rule->name[kind] == '/' && !is_word(rule->name + kind + 1))
		return wrong(
			value, "the word after the kind must be 1 to 64 of A-Z a-z 0-9 _ -", error);
	if (topic_name_check(topic, strlen(topic), &reason) != 0)
		return wrong(value, reason.text, error);
	if (file[0] == '\0')
		return wrong(value, "the name of the file is missing", error);
	rule->topic = topic;
	rule->file = file;
	return 0;
}

static int add(struct hook_rules *rules, const char *value, struct error *error)
{
	struct hook_rule rule = {.name = strdup(value)};

	if (rule.name == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	if (cut(&rule, value, error) == 0) {
		if (hook_rules_find(rules, rule.name) == NULL) {
			rules->rules[rules->count++] = rule;
			return 0;
		}
		wrong(value, "another hook has this name", error);
	}
	free(rule.name);
	return -1;
}

int hook_rules_parse(
	const struct option_list *values, struct hook_rules *rules, struct error *error)
{
	*rules = (struct hook_rules){0};
	if (values->count == 0)
		return 0;
	rules->rules = calloc(values->count, sizeof(*rules->rules));
	if (rules->rules == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	for (size_t i = 0; i < values->count; i++) {
		if (add(rules, values->values[i], error) != 0)
			return -1;
	}
	return 0;
}

const struct hook_rule *hook_rules_find(const struct hook_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (strcmp(rules->rules[i].name, name) == 0)
			return &rules->rules[i];
	}
	return NULL;
}

void hook_rules_free(struct hook_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free(rules->rules[i].name);
	free(rules->rules);
	*rules = (struct hook_rules){0};
}
