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
	uint32_t count, capacity;
	struct topic **by_row; /* [row - 1] */
	uint32_t kept, kept_capacity;
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

/* What is wrong with one segment: nothing, or a phrase. */
static int check_segment(
	const char *segment, size_t len, bool last, bool patterns, struct error *error)
{
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
	for (size_t i = 0; i < len; i++) {
		if (patterns && segment[i] == '*')
			return error_set(error, EX_USAGE,
				"* matches a whole segment, as in chat/*, and not a part of "
				"one");
		if (!legal_byte(segment[i]))
			return error_set(error, EX_USAGE,
				"a topic's name is made of A-Z a-z 0-9 . _ ~ - and /; it has the "
				"byte 0x%02x",
				(unsigned char)segment[i]);
	}
	if (reserved_segment(segment, len))
		return error_set(error, EX_USAGE, "'%.*s' cannot be a segment of a topic's name",
			(int)len, segment);
	return 0;
}

static int check(const char *name, size_t len, bool patterns, struct error *error)
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
		if (check_segment(name + start, i - start, i == len, patterns, error) != 0)
			return -1;
		start = i + 1;
	}
	return 0;
}

int topic_name_check(const char *name, size_t len, struct error *error)
{
	return check(name, len, false, error);
}

int topic_pattern_check(const char *pattern, size_t len, struct error *error)
{
	return check(pattern, len, true, error);
}

bool topic_is_pattern(const char *pattern)
{
	return strchr(pattern, '*') != NULL;
}

bool topic_is_system(const char *name)
{
	return strcmp(name, TOPIC_SYSTEM) == 0;
}

bool topic_matches(const char *pattern, const char *name)
{
	if (topic_is_system(name))
		return topic_is_system(pattern);
	for (;;) {
		size_t p = strcspn(pattern, "/"), n = strcspn(name, "/");

		if (strcmp(pattern, "**") == 0)
			return true;
		if (!(p == 1 && pattern[0] == '*') && (p != n || memcmp(pattern, name, n) != 0))
			return false;
		if (pattern[p] == '\0' || name[n] == '\0')
			return pattern[p] == name[n];
		pattern += p + 1;
		name += n + 1;
	}
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

/* Make room for one more in a list of ${count}.  Return 0, or -1 without memory. */
static int grow(struct topic ***list, uint32_t count, uint32_t *capacity)
{
	uint32_t more = *capacity ? *capacity * 2 : 16;
	struct topic **grown;

	if (count < *capacity)
		return 0;
	grown = realloc(*list, more * sizeof(struct topic *));
	if (grown == NULL)
		return -1;
	*list = grown;
	*capacity = more;
	return 0;
}

static struct topic *add(struct topics *topics, const char *name)
{
	size_t size = strlen(name) + 1;
	struct topic *topic;
	char *copy;

	if (grow(&topics->by_number, topics->count, &topics->capacity) != 0)
		return NULL;
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

int topics_keep(struct topics *topics, struct topic *topic)
{
	int result = 0;

	if (topic->row != 0)
		return 0;
	pthread_mutex_lock(&topics->lock);
	result = grow(&topics->by_row, topics->kept, &topics->kept_capacity);
	if (result == 0) {
		topics->by_row[topics->kept++] = topic;
		topic->row = topics->kept;
	}
	pthread_mutex_unlock(&topics->lock);
	return result;
}

struct topic *topics_of_row(struct topics *topics, uint32_t row)
{
	struct topic *topic = NULL;

	pthread_mutex_lock(&topics->lock);
	if (row > 0 && row <= topics->kept)
		topic = topics->by_row[row - 1];
	pthread_mutex_unlock(&topics->lock);
	return topic;
}

uint32_t topics_kept(struct topics *topics)
{
	uint32_t kept;

	pthread_mutex_lock(&topics->lock);
	kept = topics->kept;
	pthread_mutex_unlock(&topics->lock);
	return kept;
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

uint32_t topics_count(struct topics *topics)
{
	uint32_t count;

	pthread_mutex_lock(&topics->lock);
	count = topics->count;
	pthread_mutex_unlock(&topics->lock);
	return count;
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
	free(topics->by_row);
	pthread_mutex_destroy(&topics->lock);
	free(topics);
}

/* --- sets --- */

static int grow_bits(struct topic_set *set, uint32_t number)
{
	uint32_t words = number / 64 + 1;
	uint64_t *grown;

	if (words <= set->words)
		return 0;
	grown = realloc(set->bits, words * sizeof(*grown));
	if (grown == NULL)
		return -1;
	memset(grown + set->words, 0, (words - set->words) * sizeof(*grown));
	set->bits = grown;
	set->words = words;
	return 0;
}

int topic_set_add(struct topic_set *set, struct topic *topic)
{
	if (topic_set_has(set, topic))
		return 0;
	if (set->count == set->capacity) {
		uint32_t capacity = set->capacity ? set->capacity * 2 : 1;
		struct topic **grown = realloc(set->topics, capacity * sizeof(struct topic *));

		if (grown == NULL)
			return -1;
		set->topics = grown;
		set->capacity = capacity;
	}
	if (grow_bits(set, topic->number) != 0)
		return -1;
	set->topics[set->count++] = topic;
	set->bits[topic->number / 64] |= (uint64_t)1 << topic->number % 64;
	return 0;
}

uint64_t topic_set_removed(const struct topic_set *set)
{
	uint64_t newest = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		uint64_t removed = atomic_load(&set->topics[i]->removed);

		newest = removed > newest ? removed : newest;
	}
	return newest;
}

void topic_set_free(struct topic_set *set)
{
	free(set->topics);
	free(set->bits);
	*set = (struct topic_set){0};
}
