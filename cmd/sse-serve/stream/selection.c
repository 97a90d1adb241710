/* SPDX-License-Identifier: MIT */
/* What a stream wants; see selection.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selection.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sort, and keep each once. */
static void order(struct selection *selection)
{
	size_t kept = 0;

	qsort(selection->patterns, selection->count, sizeof(char *), compare);
	for (size_t i = 0; i < selection->count; i++) {
		if (kept == 0 || strcmp(selection->patterns[kept - 1], selection->patterns[i]) != 0)
			selection->patterns[kept++] = selection->patterns[i];
	}
	selection->count = kept;
}

/* Write the form and the patterns, each ended by a byte that no pattern has, after the array. */
static void write_key(struct selection *selection, char *out)
{
	selection->key = out;
	*out++ = selection->envelope ? 'e' : 'p';
	for (size_t i = 0; i < selection->count; i++) {
		const char *pattern = selection->patterns[i];
		size_t len = strlen(pattern);

		memcpy(out, pattern, len);
		out[len] = '\n';
		out += len + 1;
		selection->wildcards = selection->wildcards || topic_is_pattern(pattern);
	}
	*out = '\0';
}

void selection_key(const char *name, bool envelope, char key[SELECTION_KEY])
{
	snprintf(key, SELECTION_KEY, "%c%s\n", envelope ? 'e' : 'p', name);
}

struct selection *selection_new(const char *const *patterns, size_t count, bool envelope)
{
	struct selection *selection;
	size_t text = 0;
	char *copy;

	for (size_t i = 0; i < count; i++)
		text += strlen(patterns[i]) + 1;
	/* The struct, the array, the patterns, the key. */
	selection = calloc(1, sizeof(*selection) + count * sizeof(char *) + 2 * text + 2);
	if (selection == NULL)
		return NULL;
	selection->patterns = (const char **)(selection + 1);
	copy = (char *)(selection->patterns + count);
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(patterns[i]) + 1;

		selection->patterns[i] = memcpy(copy, patterns[i], size);
		copy += size;
	}
	selection->count = count;
	selection->envelope = envelope;
	order(selection);
	write_key(selection, copy);
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

int selection_topics(
	const struct selection *selection, struct topics *topics, struct topic_set *set)
{
	uint32_t count = selection->wildcards ? topics_count(topics) : 0;
	struct topic *topic;

	for (size_t i = 0; i < selection->count && !selection->wildcards; i++) {
		topic = topics_find(topics, selection->patterns[i]);
		if (topic != NULL && topic_set_add(set, topic) != 0)
			return -1;
	}
	for (uint32_t number = 0; number < count; number++) {
		topic = topics_get(topics, number);
		if (selection_matches(selection, topic->name) && topic_set_add(set, topic) != 0)
			return -1;
	}
	return 0;
}
