/* SPDX-License-Identifier: MIT */
/* Topics; see topic.h. */
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "topic.h"

struct topics {
	pthread_mutex_t lock; /* guards all below; a leaf: nothing is locked under it */
	void *by_name;	      /* tsearch tree of struct topic */
	struct topic **by_number;
	uint32_t count, room;
};

static bool legal_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("._~-", c) != NULL);
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

int topic_name_check(const char *name, size_t len, struct error *error)
{
	size_t start = 0;

	if (len == 0)
		return error_set(error, EX_USAGE, "a topic's name cannot be empty");
	if (len > TOPIC_NAME_MAX)
		return error_set(error, EX_USAGE,
			"a topic's name has at most %d bytes; this has %zu", TOPIC_NAME_MAX, len);
	for (size_t i = 0; i <= len; i++) {
		if (i < len && name[i] != '/') {
			if (!legal_byte(name[i]))
				return error_set(error, EX_USAGE,
					"a topic's name is made of A-Z a-z 0-9 . _ ~ - and /; byte "
					"%zu is another",
					i + 1);
			continue;
		}
		if (i == start)
			return error_set(error, EX_USAGE, "a topic's name has an empty segment");
		if (reserved_segment(name + start, i - start))
			return error_set(error, EX_USAGE,
				"'%.*s' cannot be a segment of a topic's name", (int)(i - start),
				name + start);
		start = i + 1;
	}
	return 0;
}

/* A struct topic begins elsewhere than its name: the trees compare names. */
static int compare(const void *a, const void *b)
{
	return strcmp(((const struct topic *)a)->name, ((const struct topic *)b)->name);
}

struct topics *topics_new(void)
{
	struct topics *topics = calloc(1, sizeof(*topics));

	if (topics != NULL)
		pthread_mutex_init(&topics->lock, NULL);
	return topics;
}

static struct topic *find(struct topics *topics, const char *name)
{
	struct topic key = {.name = name};
	struct topic **node = tfind(&key, &topics->by_name, compare);

	return node != NULL ? *node : NULL;
}

struct topic *topics_find(struct topics *topics, const char *name)
{
	struct topic *topic;

	pthread_mutex_lock(&topics->lock);
	topic = find(topics, name);
	pthread_mutex_unlock(&topics->lock);
	return topic;
}

static struct topic *add(struct topics *topics, const char *name)
{
	size_t size = strlen(name) + 1;
	struct topic *topic;
	char *copy;

	if (topics->count == topics->room) {
		uint32_t room = topics->room ? topics->room * 2 : 16;
		struct topic **grown = realloc(topics->by_number, room * sizeof(struct topic *));

		if (grown == NULL)
			return NULL;
		topics->by_number = grown;
		topics->room = room;
	}
	topic = malloc(sizeof(*topic) + size);
	if (topic == NULL)
		return NULL;
	copy = (char *)(topic + 1);
	memcpy(copy, name, size);
	*topic = (struct topic){.number = topics->count, .name = copy};
	atomic_init(&topic->newest_entry, TOPIC_NO_ENTRY);
	if (tsearch(topic, &topics->by_name, compare) == NULL) {
		free(topic);
		return NULL;
	}
	topics->by_number[topics->count++] = topic;
	return topic;
}

struct topic *topics_add(struct topics *topics, const char *name)
{
	struct topic *topic;

	pthread_mutex_lock(&topics->lock);
	topic = find(topics, name);
	if (topic == NULL)
		topic = add(topics, name);
	pthread_mutex_unlock(&topics->lock);
	return topic;
}

struct topic *topics_get(struct topics *topics, uint32_t number)
{
	struct topic *topic = NULL;

	pthread_mutex_lock(&topics->lock);
	if (number < topics->count)
		topic = topics->by_number[number];
	pthread_mutex_unlock(&topics->lock);
	return topic;
}

void topics_free(struct topics *topics)
{
	if (topics == NULL)
		return;
	for (uint32_t i = 0; i < topics->count; i++) {
		tdelete(topics->by_number[i], &topics->by_name, compare);
		free(topics->by_number[i]);
	}
	free(topics->by_number);
	pthread_mutex_destroy(&topics->lock);
	free(topics);
}
