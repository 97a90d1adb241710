/* SPDX-License-Identifier: MIT */
/* Globs, pointers and presets; see filter.h. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "filter.h"
#include "json.h"
#include "json_pointer.h"

const struct filter_preset filter_presets[] = {
	{.name = "openai",
		.texts = {{"message", "/choices/0/delta/content"},
			{"response.output_text.delta", "/delta"},
			{"response.refusal.delta", "/delta"}},
		.errors = {{"*", "/error/message"}, {"error", "/message"},
			{"response.failed", "/response/error/message"}, {"*", "/error"}},
		.done = "[DONE]",
		.done_event = "response.completed"},
	{.name = "anthropic",
		.texts = {{"content_block_delta", "/delta/text"}},
		.errors = {{"error", "/error/message"}, {"error", ""}},
		.done_event = "message_stop"},
	{.name = "ollama",
		.texts = {{"*", "/message/content"}, {"*", "/response"}},
		.errors = {{"*", "/error"}},
		.done_place = "/done"},
	{0},
};

/* --- the rules ------------------------------------------------------------------------------- */

/* "GLOB:/PLACE", or "/PLACE" for any type; an empty place is the whole value. */
static int read_rule(const char *text, struct filter_rule *rule, struct error *error)
{
	const char *colon = *text == '/' ? NULL : strstr(text, ":/");
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;

	rule->glob = strndup(colon != NULL ? text : "*", colon != NULL ? len : 1);
	rule->pointer = colon != NULL ? colon + 1 : text;
	if (rule->glob == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	if (!json_pointer_valid(rule->pointer))
		return error_set(error, EX_USAGE,
			"--pointer: '%.200s' is not a valid JSON pointer; one is like /choices/0/delta, with ~1 "
			"for a slash and ~0 for a tilde in a name, perhaps after a type and a colon",
			text);
	return 0;
}

int filter_open(struct filter *filter, const struct filter_options *options, struct error *error)
{
	size_t count = options->pointers.count;

	*filter = (struct filter){.options = options};
	if (options->preset >= 0)
		filter->preset = &filter_presets[options->preset];
	filter->named = options->events.count > 0 || options->not_events.count > 0 || count > 0 ||
			options->done_events.count > 0 || filter->preset != NULL;
	buf_init(&filter->name, SSE_EVENT_MAX * 3);
	buf_init(&filter->value, SSE_EVENT_MAX);
	if (count == 0)
		return 0;
	filter->rules = calloc(count, sizeof(*filter->rules));
	if (filter->rules == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	for (; filter->rule_count < count; filter->rule_count++) {
		size_t i = filter->rule_count;

		if (read_rule(options->pointers.values[i], &filter->rules[i], error) != 0) {
			filter->rule_count += filter->rules[i].glob != NULL;
			return -1;
		}
	}
	return 0;
}

void filter_close(struct filter *filter)
{
	for (size_t i = 0; i < filter->rule_count; i++)
		free((char *)(uintptr_t)filter->rules[i].glob);
	free(filter->rules);
	buf_free(&filter->name);
	buf_free(&filter->value);
	*filter = (struct filter){0};
}

/* --- types ----------------------------------------------------------------------------------- */

/* The type as a string that ends with NUL; a NUL in it matches as U+FFFD. */
static const char *name_of(struct filter *filter, struct sse_text type)
{
	struct buf *name = &filter->name;

	name->len = 0;
	while (type.len > 0) {
		const char *nul = memchr(type.data, '\0', type.len);
		size_t len = nul != NULL ? (size_t)(nul - type.data) : type.len;

		if (!buf_add(name, type.data, len) ||
			(nul != NULL && !buf_add_text(name, "\xef\xbf\xbd")))
			return "";
		type.data += len + (nul != NULL);
		type.len -= len + (nul != NULL);
	}
	return buf_add_byte(name, '\0') ? name->data : "";
}

static bool matches(const struct option_list *globs, const char *name)
{
	for (size_t i = 0; i < globs->count; i++) {
		if (fnmatch(globs->values[i], name, 0) == 0)
			return true;
	}
	return false;
}

static bool wants(const struct filter *filter, const char *name)
{
	const struct filter_options *options = filter->options;

	return (options->events.count == 0 || matches(&options->events, name)) &&
	       !matches(&options->not_events, name);
}

bool filter_wants(struct filter *filter, struct sse_text type)
{
	return !filter->named || wants(filter, name_of(filter, type));
}

/* --- values ---------------------------------------------------------------------------------- */

/*
 * The first value that a rule finds, in ${filter}->value: a string as its text, anything else as
 * JSON on one line.  A null is as good as none.  False if no rule finds one.
 */
static bool find(struct filter *filter, const struct filter_rule *rules, size_t count,
	const char *name, struct json_text data)
{
	struct json_text value;

	for (size_t i = 0; i < count && rules[i].glob != NULL; i++) {
		if (fnmatch(rules[i].glob, name, 0) != 0 ||
			!json_pointer(data, rules[i].pointer, &value) ||
			json_kind(value) == JSON_NULL)
			continue;
		filter->value.len = 0;
		return json_kind(value) == JSON_STRING ? json_string_decode(value, &filter->value)
						       : json_compact(value, &filter->value);
	}
	return false;
}

static bool is_done(const struct filter *filter, const char *name, struct sse_text data)
{
	const struct filter_options *options = filter->options;
	const struct filter_preset *preset = filter->preset;

	for (size_t i = 0; i < options->done.count; i++) {
		const char *text = options->done.values[i];

		if (strlen(text) == data.len && memcmp(text, data.data, data.len) == 0)
			return true;
	}
	if (preset != NULL && preset->done != NULL && strlen(preset->done) == data.len &&
		memcmp(preset->done, data.data, data.len) == 0)
		return true;
	return matches(&options->done_events, name) ||
	       (preset != NULL && preset->done_event != NULL &&
		       strcmp(preset->done_event, name) == 0);
}

/* Is it the last piece by the preset's word? */
static bool is_last(const struct filter_preset *preset, struct json_text data)
{
	struct json_text value;

	return preset != NULL && preset->done_place != NULL &&
	       json_pointer(data, preset->done_place, &value) && json_kind(value) == JSON_TRUE;
}

enum filter_result filter_event(struct filter *filter, const struct sse_event *event,
	struct sse_event *wanted, struct error *error)
{
	const struct filter_preset *preset = filter->preset;
	bool pointed = filter->rule_count > 0 || preset != NULL;
	const char *name = filter->named ? name_of(filter, event->type) : "";
	struct json_error not_json;
	struct json_text data;
	bool last;

	*wanted = *event;
	if (is_done(filter, name, event->data))
		return FILTER_DONE;
	if (!wants(filter, name))
		return FILTER_SKIP;
	if (!pointed)
		return FILTER_SHOW;
	if (!json_check(event->data.data, event->data.len, &data, &not_json))
		return FILTER_SKIP;
	if (preset != NULL && find(filter, preset->errors, FILTER_PRESET_RULES, name, data)) {
		error_set(error, EX_UNAVAILABLE, "the service failed: %.*s",
			(int)(filter->value.len < 400 ? filter->value.len : 400),
			filter->value.data ? filter->value.data : "");
		return FILTER_ERROR;
	}
	last = is_last(preset, data);
	if (!find(filter, filter->rules, filter->rule_count, name, data) &&
		(preset == NULL || !find(filter, preset->texts, FILTER_PRESET_RULES, name, data)))
		return last ? FILTER_DONE : FILTER_SKIP;
	wanted->data = (struct sse_text){
		filter->value.data != NULL ? filter->value.data : "", filter->value.len};
	return last ? FILTER_LAST : FILTER_SHOW;
}
