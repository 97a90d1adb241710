/* SPDX-License-Identifier: MIT */
/* What a stream wants; see selection.h. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selection.h"

/* The key of a selection begins with its form; of polls, in capitals. */
static const char letters[FORMS] = {[FORM_PLAIN] = 'p',
	[FORM_ENVELOPE] = 'e',
	[FORM_LINE] = 'l',
	[FORM_LIST] = 'a',
	[FORM_LIST_ENVELOPE] = 'b',
	[FORM_LIST_LINE] = 'c',
	[FORM_LIST_LINE_ENVELOPE] = 'd'};

static char letter_of(enum form form, bool polls)
{
	return (char)(polls ? letters[form] - 'a' + 'A' : letters[form]);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sort, and keep each once.  Return how many are left. */
static size_t order(const char **texts, size_t count)
{
	size_t kept = 0;

	qsort(texts, count, sizeof(char *), compare);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || strcmp(texts[kept - 1], texts[i]) != 0)
			texts[kept++] = texts[i];
	}
	return kept;
}

/* Write the texts, each ended by a byte that neither a pattern nor a type has.  Return the end. */
static char *write_texts(const char *const *texts, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++) {
		out = stpcpy(out, texts[i]);
		*out++ = '\n';
	}
	return out;
}

/* Write the form, the patterns, and after an empty line the types. */
static void write_key(struct selection *selection, char *out)
{
	selection->key = out;
	*out++ = letter_of(selection->form, selection->polls);
	out = write_texts(selection->patterns, selection->count, out);
	if (selection->types.count > 0)
		*out++ = '\n';
	out = write_texts(selection->types.names, selection->types.count, out);
	*out = '\0';
}

static size_t size_of(const char *const *texts, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += strlen(texts[i]) + 1;
	return size;
}

/* Copy the texts to ${space}, and make ${copies} point to them.  Return the end. */
static char *copy_texts(const char *const *texts, size_t count, const char **copies, char *space)
{
	for (size_t i = 0; i < count; i++) {
		copies[i] = space;
		space = stpcpy(space, texts[i]) + 1;
	}
	return space;
}

void selection_key(const char *name, enum form form, bool polls, char key[SELECTION_KEY])
{
	snprintf(key, SELECTION_KEY, "%c%s\n", letter_of(form, polls), name);
}

void selection_make_poll(struct selection *selection)
{
	selection->polls = true;
	*(char *)(uintptr_t)selection->key = letter_of(selection->form, true);
}

struct selection *selection_new(
	const char *const *patterns, size_t count, const struct event_types *types, enum form form)
{
	size_t text = size_of(patterns, count) + size_of(types->names, types->count);
	struct selection *selection;
	const char **names;
	char *space;

	/* The struct, the two arrays, the texts, the key. */
	selection = calloc(
		1, sizeof(*selection) + (count + types->count) * sizeof(char *) + 2 * text + 3);
	if (selection == NULL)
		return NULL;
	selection->patterns = (const char **)(selection + 1);
	names = selection->patterns + count;
	space = (char *)(names + types->count);
	space = copy_texts(patterns, count, selection->patterns, space);
	space = copy_texts(types->names, types->count, names, space);
	selection->count = order(selection->patterns, count);
	selection->types = (struct event_types){names, order(names, types->count)};
	for (size_t i = 0; i < selection->count; i++)
		selection->wildcards |= topic_is_pattern(selection->patterns[i]);
	selection->form = form;
	write_key(selection, space);
	atomic_init(&selection->references, 1);
	return selection;
}

struct selection *selection_hold(struct selection *selection)
{
	atomic_fetch_add_explicit(&selection->references, 1, memory_order_relaxed);
	return selection;
}

void selection_drop(struct selection *selection)
{
	if (selection != NULL &&
		atomic_fetch_sub_explicit(&selection->references, 1, memory_order_acq_rel) == 1)
		free(selection);
}

bool selection_matches(const struct selection *selection, const char *name)
{
	for (size_t i = 0; i < selection->count; i++) {
		if (topic_matches(selection->patterns[i], name))
			return true;
	}
	return false;
}

/* Drop the topic, if there is one, after adding it to the set if it is wanted. */
static int add_held(struct topic *topic, bool wanted, struct topic_set *set)
{
	int result;

	if (topic == NULL)
		return 0;
	result = wanted ? topic_set_add(set, topic) : 0;
	topic_drop(topic);
	return result;
}

int selection_topics(
	const struct selection *selection, struct topics *topics, struct topic_set *set)
{
	uint32_t count = selection->wildcards ? topics_count(topics) : 0;
	int result = 0;

	for (size_t i = 0; i < selection->count && !selection->wildcards && result == 0; i++) {
		struct topic *topic = topics_hold_named(topics, selection->patterns[i]);

		result = add_held(topic, true, set);
	}
	for (uint32_t number = 0; number < count && result == 0; number++) {
		struct topic *topic = topics_hold(topics, number);

		result = add_held(
			topic, topic != NULL && selection_matches(selection, topic->name), set);
	}
	return result;
}

/* Where the topic of that name was closed; 0: it is open. */
static uint64_t closed_at(struct topics *topics, const char *name)
{
	struct topic *topic = topics_hold_named(topics, name);
	uint64_t closed;

	if (topic == NULL)
		return 0;
	closed = topic->closed;
	topic_drop(topic);
	return closed;
}

uint64_t selection_end(const struct selection *selection, struct topics *topics)
{
	uint64_t last = 0;

	for (size_t i = 0; i < selection->count; i++) {
		uint64_t closed =
			selection->wildcards ? 0 : closed_at(topics, selection->patterns[i]);

		if (closed == 0)
			return 0;
		last = closed > last ? closed : last;
	}
	return last;
}
