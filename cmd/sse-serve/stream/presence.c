/* SPDX-License-Identifier: MIT */
/* The names that are present in each topic; see presence.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "presence.h"

/* What begins with its name can stand in a shelf, in the order of the names. */
struct named {
	const char *name;
};

struct shelf {
	struct named **items;
	size_t count, capacity;
};

struct topic_presence {
	struct named topic; /* first */
	struct shelf members;
	uint32_t present, told; /* members that are, and that readers know of */
	size_t bytes;		/* of the members' names, with their ends */
};

struct member {
	struct named named; /* first */
	struct topic_presence *topic;
	uint32_t holds;	  /* leases that name it */
	uint32_t streams; /* of them those whose stream is open */
	uint32_t due;	  /* without streams: when it will have left */
	bool present;	  /* it has a stream, or had one within the grace */
	bool told;	  /* what readers know of it */
	bool changed;	  /* is in the list of changes */
	struct member *next_changed;
	struct member *next, **back; /* among those that are leaving; NULL: it is not */
};

struct presence_lease {
	struct presence *presence;
	bool entered;
	size_t count;
	struct member *members[];
};

struct presence {
	_Atomic int64_t max;
	uint32_t grace;

	/* Something changed or is leaving; also read without the lock. */
	_Atomic bool busy;

	pthread_mutex_t lock; /* guards what follows; a leaf */
	int64_t count;	      /* of members */
	struct shelf topics;
	struct member *changed, **last_changed;
	struct member *leaving, **last_leaving; /* the first will have left first */
};

/* --- shelves --- */

/* Where the name is, or would have to be. */
static size_t place_of(const struct shelf *shelf, const char *name)
{
	size_t low = 0, high = shelf->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(shelf->items[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct named *find(const struct shelf *shelf, const char *name)
{
	size_t place = place_of(shelf, name);

	if (place == shelf->count || strcmp(shelf->items[place]->name, name) != 0)
		return NULL;
	return shelf->items[place];
}

static int put(struct shelf *shelf, struct named *one)
{
	size_t place = place_of(shelf, one->name);

	if (shelf->count == shelf->capacity) {
		size_t capacity = shelf->capacity ? shelf->capacity * 2 : 4;
		struct named **grown = realloc(shelf->items, capacity * sizeof(struct named *));

		if (grown == NULL)
			return -1;
		shelf->items = grown;
		shelf->capacity = capacity;
	}
	memmove(shelf->items + place + 1, shelf->items + place,
		(shelf->count - place) * sizeof(struct named *));
	shelf->items[place] = one;
	shelf->count++;
	return 0;
}

static void take_out(struct shelf *shelf, const struct named *one)
{
	size_t place = place_of(shelf, one->name);

	shelf->count--;
	memmove(shelf->items + place, shelf->items + place + 1,
		(shelf->count - place) * sizeof(struct named *));
}

/* Memory of ${size} bytes that begins with a copy of the name; its end is counted in *${bytes}. */
static void *new_named(size_t size, const char *name)
{
	size_t text = strlen(name) + 1;
	struct named *one = calloc(1, size + text);

	if (one != NULL)
		one->name = memcpy((char *)one + size, name, text);
	return one;
}

/* --- members, under the lock --- */

static void free_topic(struct presence *presence, struct topic_presence *entry)
{
	take_out(&presence->topics, &entry->topic);
	free(entry->members.items);
	free(entry);
}

/* Forget a member that nothing refers to, and that no client was told is present. */
static void release(struct presence *presence, struct member *member)
{
	struct topic_presence *entry = member->topic;

	if (member->holds > 0 || member->present || member->told || member->changed)
		return;
	take_out(&entry->members, &member->named);
	entry->bytes -= strlen(member->named.name) + 1;
	presence->count--;
	free(member);
	if (entry->members.count == 0)
		free_topic(presence, entry);
}

static struct topic_presence *find_topic(struct presence *presence, const char *topic)
{
	struct topic_presence *entry = (struct topic_presence *)find(&presence->topics, topic);

	if (entry != NULL)
		return entry;
	entry = new_named(sizeof(*entry), topic);
	if (entry == NULL || put(&presence->topics, &entry->topic) == 0)
		return entry;
	free(entry);
	return NULL;
}

static struct member *add_member(
	struct presence *presence, struct topic_presence *entry, const char *name)
{
	struct member *member = new_named(sizeof(*member), name);

	if (member == NULL || put(&entry->members, &member->named) != 0) {
		free(member);
		return NULL;
	}
	member->topic = entry;
	entry->bytes += strlen(name) + 1;
	presence->count++;
	return member;
}

/* The member of that name, held once more.  NULL if it is one too many, or without memory. */
static struct member *hold(
	struct presence *presence, const char *topic, const char *name, bool *full)
{
	struct topic_presence *entry = find_topic(presence, topic);
	struct member *member;

	if (entry == NULL)
		return NULL;
	member = (struct member *)find(&entry->members, name);
	*full = member == NULL && presence->count >= presence->max;
	if (member == NULL && !*full)
		member = add_member(presence, entry, name);
	if (member != NULL)
		member->holds++;
	else if (entry->members.count == 0)
		free_topic(presence, entry);
	return member;
}

static void note_change(struct presence *presence, struct member *member)
{
	if (member->changed)
		return;
	member->changed = true;
	member->next_changed = NULL;
	*presence->last_changed = member;
	presence->last_changed = &member->next_changed;
}

static void set_present(struct presence *presence, struct member *member, bool present)
{
	member->present = present;
	member->topic->present += present ? 1 : UINT32_MAX;
	note_change(presence, member);
}

static void begin_leaving(struct presence *presence, struct member *member, uint32_t now)
{
	member->due = now + presence->grace;
	member->next = NULL;
	member->back = presence->last_leaving;
	*presence->last_leaving = member;
	presence->last_leaving = &member->next;
}

static void end_leaving(struct presence *presence, struct member *member)
{
	*member->back = member->next;
	if (member->next != NULL)
		member->next->back = member->back;
	else
		presence->last_leaving = member->back;
	member->back = NULL;
}

static bool is_over(const struct member *member, uint32_t now)
{
	return (int32_t)(now - member->due) >= 0;
}

/* Those whose grace has ended have left. */
static void expire(struct presence *presence, uint32_t now)
{
	while (presence->leaving != NULL && is_over(presence->leaving, now)) {
		struct member *member = presence->leaving;

		end_leaving(presence, member);
		set_present(presence, member, false);
	}
}

/*
 * Unlock.  True if presence_events_run() must be called: there is something that it does not know
 * of.
 */
static bool finish(struct presence *presence)
{
	bool changed = presence->changed != NULL, was = presence->busy;

	bool busy = changed || presence->leaving != NULL;

	presence->busy = busy;
	pthread_mutex_unlock(&presence->lock);
	return changed || (busy && !was);
}

/* --- streams --- */

struct presence *presence_new(int64_t max, uint32_t grace)
{
	struct presence *presence = calloc(1, sizeof(*presence));

	if (presence == NULL)
		return NULL;
	presence->max = max;
	presence->grace = grace;
	presence->last_changed = &presence->changed;
	presence->last_leaving = &presence->leaving;
	pthread_mutex_init(&presence->lock, NULL);
	return presence;
}

void presence_set_max(struct presence *presence, int64_t max)
{
	presence->max = max;
}

void presence_free(struct presence *presence)
{
	if (presence == NULL)
		return;
	for (size_t i = 0; i < presence->topics.count; i++) {
		struct topic_presence *entry = (struct topic_presence *)presence->topics.items[i];

		for (size_t j = 0; j < entry->members.count; j++)
			free(entry->members.items[j]);
		free(entry->members.items);
		free(entry);
	}
	free(presence->topics.items);
	pthread_mutex_destroy(&presence->lock);
	free(presence);
}

static void drop_members(struct presence_lease *lease)
{
	for (size_t i = 0; i < lease->count; i++) {
		lease->members[i]->holds--;
		release(lease->presence, lease->members[i]);
	}
}

struct presence_lease *presence_reserve(struct presence *presence, const char *const *topics,
	size_t count, const char *name, bool *full)
{
	struct presence_lease *lease = malloc(sizeof(*lease) + count * sizeof(struct member *));

	*full = false;
	if (lease == NULL)
		return NULL;
	*lease = (struct presence_lease){.presence = presence};
	pthread_mutex_lock(&presence->lock);
	while (lease->count < count) {
		struct member *member = hold(presence, topics[lease->count], name, full);

		if (member == NULL)
			break;
		lease->members[lease->count++] = member;
	}
	if (lease->count < count) {
		drop_members(lease);
		free(lease);
		lease = NULL;
	}
	pthread_mutex_unlock(&presence->lock);
	return lease;
}

bool presence_enter(struct presence_lease *lease)
{
	struct presence *presence = lease->presence;

	lease->entered = true;
	pthread_mutex_lock(&presence->lock);
	for (size_t i = 0; i < lease->count; i++) {
		struct member *member = lease->members[i];

		if (member->streams++ > 0)
			continue;
		if (member->back != NULL)
			end_leaving(presence, member);
		else
			set_present(presence, member, true);
	}
	return finish(presence);
}

/* Names that come and go must not keep others out for the grace. */
static bool has_grace(const struct presence *presence)
{
	return presence->grace > 0 && presence->count <= presence->max - presence->max / 8;
}

bool presence_leave(struct presence_lease *lease, uint32_t now)
{
	struct presence *presence = lease->presence;

	pthread_mutex_lock(&presence->lock);
	for (size_t i = 0; i < lease->count && lease->entered; i++) {
		struct member *member = lease->members[i];

		if (--member->streams > 0)
			continue;
		if (has_grace(presence))
			begin_leaving(presence, member, now);
		else
			set_present(presence, member, false);
	}
	drop_members(lease);
	free(lease);
	return finish(presence);
}

/* --- the changes --- */

int presence_wait(struct presence *presence, uint32_t now)
{
	int wait = -1;

	if (!presence->busy)
		return -1;
	pthread_mutex_lock(&presence->lock);
	if (presence->leaving != NULL)
		wait = is_over(presence->leaving, now) ? 0 : (int)(presence->leaving->due - now);
	if (presence->changed != NULL)
		wait = 0;
	pthread_mutex_unlock(&presence->lock);
	return wait;
}

static struct member *next_changed(struct presence *presence)
{
	struct member *member = presence->changed;

	if (member == NULL)
		return NULL;
	presence->changed = member->next_changed;
	if (presence->changed == NULL)
		presence->last_changed = &presence->changed;
	member->changed = false;
	return member;
}

/* What readers do not know of the member yet.  False if there is nothing. */
static bool tell(struct member *member, struct presence_change *change)
{
	struct topic_presence *entry = member->topic;

	if (member->told == member->present)
		return false;
	member->told = member->present;
	entry->told += member->told ? 1 : UINT32_MAX;
	strcpy(change->topic, entry->topic.name);
	strcpy(change->name, member->named.name);
	change->joined = member->told;
	change->count = entry->told;
	return true;
}

bool presence_change(struct presence *presence, uint32_t now, struct presence_change *change)
{
	struct member *member;
	bool found = false;

	if (!presence->busy)
		return false;
	pthread_mutex_lock(&presence->lock);
	expire(presence, now);
	while (!found && (member = next_changed(presence)) != NULL) {
		found = tell(member, change);
		release(presence, member);
	}
	finish(presence);
	return found;
}

/* --- asking --- */

static int add_names(const struct topic_presence *entry, struct buf *names)
{
	char *out = buf_reserve(names, entry->bytes);

	if (out == NULL)
		return -1;
	for (size_t i = 0; i < entry->members.count; i++) {
		const struct member *member = (const struct member *)entry->members.items[i];

		if (member->present)
			out = stpcpy(out, member->named.name) + 1;
	}
	names->len = (size_t)(out - names->data);
	return 0;
}

int presence_names(struct presence *presence, const char *topic, struct buf *names, size_t *count)
{
	const struct topic_presence *entry;
	int result = 0;

	*count = 0;
	pthread_mutex_lock(&presence->lock);
	entry = (const struct topic_presence *)find(&presence->topics, topic);
	if (entry != NULL) {
		*count = entry->present;
		result = add_names(entry, names);
	}
	pthread_mutex_unlock(&presence->lock);
	return result;
}

int64_t presence_count(struct presence *presence)
{
	int64_t count;

	pthread_mutex_lock(&presence->lock);
	count = presence->count;
	pthread_mutex_unlock(&presence->lock);
	return count;
}
