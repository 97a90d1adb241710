/* SPDX-License-Identifier: MIT */
/* The names that are present in each topic; see presence.h. */
#include <stdlib.h>
#include <string.h>

#include "presence.h"
#include "presence_internal.h"

struct presence_lease {
	struct presence *presence;
	bool entered;
	size_t count;
	struct member *members[];
};

/* --- members, under the lock --- */

static void free_topic(struct presence *presence, struct topic_presence *entry)
{
	shelf_take(&presence->topics, &entry->topic);
	free(entry->members.items);
	free(entry);
}

void presence_release(struct presence *presence, struct member *member)
{
	struct topic_presence *entry = member->topic;

	if (member->holds > 0 || member->nodes != 0 || member->present || member->told ||
		member->changed || member->passed || member->outgoing)
		return;
	shelf_take(&entry->members, &member->named);
	entry->bytes -= strlen(member->named.name) + 1;
	presence->count--;
	free(member);
	if (entry->members.count == 0)
		free_topic(presence, entry);
}

static struct topic_presence *find_topic(struct presence *presence, const char *topic)
{
	struct topic_presence *entry =
		(struct topic_presence *)shelf_find(&presence->topics, topic);

	if (entry != NULL)
		return entry;
	entry = shelf_new_named(sizeof(*entry), topic);
	if (entry == NULL || shelf_put(&presence->topics, &entry->topic) == 0)
		return entry;
	free(entry);
	return NULL;
}

static struct member *add_member(
	struct presence *presence, struct topic_presence *entry, const char *name)
{
	struct member *member = shelf_new_named(sizeof(*member), name);

	if (member == NULL || shelf_put(&entry->members, &member->named) != 0) {
		free(member);
		return NULL;
	}
	member->topic = entry;
	entry->bytes += strlen(name) + 1;
	presence->count++;
	return member;
}

struct member *presence_member(
	struct presence *presence, const char *topic, const char *name, bool *full)
{
	struct topic_presence *entry = find_topic(presence, topic);
	struct member *member;

	*full = false;
	if (entry == NULL)
		return NULL;
	member = (struct member *)shelf_find(&entry->members, name);
	*full = member == NULL && presence->count >= presence->max;
	if (member == NULL && !*full)
		member = add_member(presence, entry, name);
	if (member == NULL && entry->members.count == 0)
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

/* Other nodes must know, unless what they know is right. */
static void note_outgoing(struct presence *presence, struct member *member)
{
	if (presence->wake == NULL || member->outgoing || member->passed == (member->streams > 0))
		return;
	presence->call = presence->call || presence->outgoing == NULL;
	member->outgoing = true;
	member->next_outgoing = NULL;
	*presence->last_outgoing = member;
	presence->last_outgoing = &member->next_outgoing;
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

bool presence_is_somewhere(const struct member *member)
{
	return member->streams > 0 || member->nodes != 0;
}

void presence_arrive(struct presence *presence, struct member *member)
{
	if (member->back != NULL)
		end_leaving(presence, member);
	else
		set_present(presence, member, true);
}

/* Names that come and go must not keep others out for the grace. */
static bool has_grace(const struct presence *presence, const struct member *member)
{
	return !member->forgone && presence->grace > 0 &&
	       presence->count <= presence->max - presence->max / 8;
}

void presence_depart(struct presence *presence, struct member *member, uint32_t now)
{
	if (has_grace(presence, member))
		begin_leaving(presence, member, now);
	else
		set_present(presence, member, false);
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

bool presence_finish(struct presence *presence)
{
	bool changed = presence->changed != NULL, was = presence->busy;
	bool busy = changed || presence->leaving != NULL, call = presence->call;

	presence->busy = busy;
	presence->call = false;
	pthread_mutex_unlock(&presence->lock);
	if (call)
		presence->wake(presence->context);
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
	presence->last_outgoing = &presence->outgoing;
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
		presence_release(lease->presence, lease->members[i]);
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
		struct member *member = presence_member(presence, topics[lease->count], name, full);

		if (member == NULL)
			break;
		member->holds++;
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

		if (!presence_is_somewhere(member))
			presence_arrive(presence, member);
		if (member->streams++ == 0)
			note_outgoing(presence, member);
		member->forgone = false;
	}
	return presence_finish(presence);
}

static void forgo(struct presence *presence, struct member *member)
{
	member->forgone = true;
	if (member->back == NULL)
		return;
	end_leaving(presence, member);
	set_present(presence, member, false);
}

bool presence_forgo(struct presence_lease *lease, const char *name)
{
	struct presence *presence = lease->presence;

	pthread_mutex_lock(&presence->lock);
	for (size_t i = 0; i < lease->count; i++) {
		struct topic_presence *entry = lease->members[i]->topic;
		struct member *other = (struct member *)shelf_find(&entry->members, name);

		if (other != NULL && other != lease->members[i])
			forgo(presence, other);
	}
	return presence_finish(presence);
}

bool presence_leave(struct presence_lease *lease, uint32_t now)
{
	struct presence *presence = lease->presence;

	pthread_mutex_lock(&presence->lock);
	for (size_t i = 0; i < lease->count && lease->entered; i++) {
		struct member *member = lease->members[i];

		if (--member->streams > 0)
			continue;
		note_outgoing(presence, member);
		if (!presence_is_somewhere(member))
			presence_depart(presence, member, now);
	}
	drop_members(lease);
	free(lease);
	return presence_finish(presence);
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
		presence_release(presence, member);
	}
	presence_finish(presence);
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
	entry = (const struct topic_presence *)shelf_find(&presence->topics, topic);
	if (entry != NULL) {
		*count = entry->present;
		result = add_names(entry, names);
	}
	pthread_mutex_unlock(&presence->lock);
	return result;
}

/* Of other nodes only whether they have any is known. */
static uint32_t streams_of(const struct member *member)
{
	uint32_t streams = member->streams;

	for (uint64_t nodes = member->nodes; nodes != 0; nodes &= nodes - 1)
		streams++;
	return streams;
}

bool presence_several(struct presence *presence, const char *topic,
	bool (*visit)(void *context, const char *name, uint32_t streams), void *context)
{
	const struct topic_presence *entry;
	bool more = true;

	pthread_mutex_lock(&presence->lock);
	entry = (const struct topic_presence *)shelf_find(&presence->topics, topic);
	for (size_t i = 0; entry != NULL && i < entry->members.count && more; i++) {
		const struct member *member = (const struct member *)entry->members.items[i];

		if (streams_of(member) > 1)
			more = visit(context, member->named.name, streams_of(member));
	}
	pthread_mutex_unlock(&presence->lock);
	return more;
}

int64_t presence_count(struct presence *presence)
{
	int64_t count;

	pthread_mutex_lock(&presence->lock);
	count = presence->count;
	pthread_mutex_unlock(&presence->lock);
	return count;
}
