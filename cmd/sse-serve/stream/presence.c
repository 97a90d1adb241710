/* SPDX-License-Identifier: MIT */
/* The names that are present in each topic; see roster.h. */
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
	size_t count, room;
};

struct room {
	struct named topic; /* first */
	struct shelf members;
	uint32_t present, told; /* members that are, and that readers know of */
	size_t bytes;		/* of the members' names, with their ends */
};

struct member {
	struct named named; /* first */
	struct room *room;
	uint32_t holds;	  /* stays that name it */
	uint32_t streams; /* of them those whose stream is open */
	uint32_t due;	  /* without streams: when it will have left */
	bool present;	  /* it has a stream, or had one within the grace */
	bool told;	  /* what readers know of it */
	bool changed;	  /* is in the list of changes */
	struct member *next_changed;
	struct member *next, **back; /* among those that are leaving; NULL: it is not */
};

struct roster_stay {
	struct roster *roster;
	bool entered;
	size_t count;
	struct member *members[];
};

struct roster {
	int64_t max;
	uint32_t grace;

	/* Something changed or is leaving; also read without the lock. */
	_Atomic bool busy;

	pthread_mutex_t lock; /* guards what follows; a leaf */
	int64_t count;	      /* of members */
	struct shelf rooms;
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

	if (shelf->count == shelf->room) {
		size_t room = shelf->room ? shelf->room * 2 : 4;
		struct named **grown = realloc(shelf->items, room * sizeof(struct named *));

		if (grown == NULL)
			return -1;
		shelf->items = grown;
		shelf->room = room;
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

static void free_room(struct roster *roster, struct room *room)
{
	take_out(&roster->rooms, &room->topic);
	free(room->members.items);
	free(room);
}

/* Forget a member that nothing refers to, and that no client was told is present. */
static void release(struct roster *roster, struct member *member)
{
	struct room *room = member->room;

	if (member->holds > 0 || member->present || member->told || member->changed)
		return;
	take_out(&room->members, &member->named);
	room->bytes -= strlen(member->named.name) + 1;
	roster->count--;
	free(member);
	if (room->members.count == 0)
		free_room(roster, room);
}

static struct room *find_room(struct roster *roster, const char *topic)
{
	struct room *room = (struct room *)find(&roster->rooms, topic);

	if (room != NULL)
		return room;
	room = new_named(sizeof(*room), topic);
	if (room == NULL || put(&roster->rooms, &room->topic) == 0)
		return room;
	free(room);
	return NULL;
}

static struct member *add_member(struct roster *roster, struct room *room, const char *name)
{
	struct member *member = new_named(sizeof(*member), name);

	if (member == NULL || put(&room->members, &member->named) != 0) {
		free(member);
		return NULL;
	}
	member->room = room;
	room->bytes += strlen(name) + 1;
	roster->count++;
	return member;
}

/* The member of that name, held once more.  NULL if it is one too many, or without memory. */
static struct member *hold(struct roster *roster, const char *topic, const char *name, bool *full)
{
	struct room *room = find_room(roster, topic);
	struct member *member;

	if (room == NULL)
		return NULL;
	member = (struct member *)find(&room->members, name);
	*full = member == NULL && roster->count >= roster->max;
	if (member == NULL && !*full)
		member = add_member(roster, room, name);
	if (member != NULL)
		member->holds++;
	else if (room->members.count == 0)
		free_room(roster, room);
	return member;
}

static void note_change(struct roster *roster, struct member *member)
{
	if (member->changed)
		return;
	member->changed = true;
	member->next_changed = NULL;
	*roster->last_changed = member;
	roster->last_changed = &member->next_changed;
}

static void set_present(struct roster *roster, struct member *member, bool present)
{
	member->present = present;
	member->room->present += present ? 1 : UINT32_MAX;
	note_change(roster, member);
}

static void begin_leaving(struct roster *roster, struct member *member, uint32_t now)
{
	member->due = now + roster->grace;
	member->next = NULL;
	member->back = roster->last_leaving;
	*roster->last_leaving = member;
	roster->last_leaving = &member->next;
}

static void end_leaving(struct roster *roster, struct member *member)
{
	*member->back = member->next;
	if (member->next != NULL)
		member->next->back = member->back;
	else
		roster->last_leaving = member->back;
	member->back = NULL;
}

static bool is_over(const struct member *member, uint32_t now)
{
	return (int32_t)(now - member->due) >= 0;
}

/* Those whose grace has ended have left. */
static void expire(struct roster *roster, uint32_t now)
{
	while (roster->leaving != NULL && is_over(roster->leaving, now)) {
		struct member *member = roster->leaving;

		end_leaving(roster, member);
		set_present(roster, member, false);
	}
}

/* Unlock.  True if the herald may sleep and there is something that it does not know of. */
static bool finish(struct roster *roster)
{
	bool changed = roster->changed != NULL, was = roster->busy;

	bool busy = changed || roster->leaving != NULL;

	roster->busy = busy;
	pthread_mutex_unlock(&roster->lock);
	return changed || (busy && !was);
}

/* --- streams --- */

struct roster *roster_new(int64_t max, uint32_t grace)
{
	struct roster *roster = calloc(1, sizeof(*roster));

	if (roster == NULL)
		return NULL;
	roster->max = max;
	roster->grace = grace;
	roster->last_changed = &roster->changed;
	roster->last_leaving = &roster->leaving;
	pthread_mutex_init(&roster->lock, NULL);
	return roster;
}

void roster_free(struct roster *roster)
{
	if (roster == NULL)
		return;
	for (size_t i = 0; i < roster->rooms.count; i++) {
		struct room *room = (struct room *)roster->rooms.items[i];

		for (size_t j = 0; j < room->members.count; j++)
			free(room->members.items[j]);
		free(room->members.items);
		free(room);
	}
	free(roster->rooms.items);
	pthread_mutex_destroy(&roster->lock);
	free(roster);
}

static void drop_members(struct roster_stay *stay)
{
	for (size_t i = 0; i < stay->count; i++) {
		stay->members[i]->holds--;
		release(stay->roster, stay->members[i]);
	}
}

struct roster_stay *roster_reserve(struct roster *roster, const char *const *topics, size_t count,
	const char *name, bool *full)
{
	struct roster_stay *stay = malloc(sizeof(*stay) + count * sizeof(struct member *));

	*full = false;
	if (stay == NULL)
		return NULL;
	*stay = (struct roster_stay){.roster = roster};
	pthread_mutex_lock(&roster->lock);
	while (stay->count < count) {
		struct member *member = hold(roster, topics[stay->count], name, full);

		if (member == NULL)
			break;
		stay->members[stay->count++] = member;
	}
	if (stay->count < count) {
		drop_members(stay);
		free(stay);
		stay = NULL;
	}
	pthread_mutex_unlock(&roster->lock);
	return stay;
}

bool roster_enter(struct roster_stay *stay)
{
	struct roster *roster = stay->roster;

	stay->entered = true;
	pthread_mutex_lock(&roster->lock);
	for (size_t i = 0; i < stay->count; i++) {
		struct member *member = stay->members[i];

		if (member->streams++ > 0)
			continue;
		if (member->back != NULL)
			end_leaving(roster, member);
		else
			set_present(roster, member, true);
	}
	return finish(roster);
}

/* Names that come and go must not keep others out for the grace. */
static bool has_grace(const struct roster *roster)
{
	return roster->grace > 0 && roster->count <= roster->max - roster->max / 8;
}

bool roster_leave(struct roster_stay *stay, uint32_t now)
{
	struct roster *roster = stay->roster;

	pthread_mutex_lock(&roster->lock);
	for (size_t i = 0; i < stay->count && stay->entered; i++) {
		struct member *member = stay->members[i];

		if (--member->streams > 0)
			continue;
		if (has_grace(roster))
			begin_leaving(roster, member, now);
		else
			set_present(roster, member, false);
	}
	drop_members(stay);
	free(stay);
	return finish(roster);
}

/* --- the herald --- */

int roster_wait(struct roster *roster, uint32_t now)
{
	int wait = -1;

	if (!roster->busy)
		return -1;
	pthread_mutex_lock(&roster->lock);
	if (roster->leaving != NULL)
		wait = is_over(roster->leaving, now) ? 0 : (int)(roster->leaving->due - now);
	if (roster->changed != NULL)
		wait = 0;
	pthread_mutex_unlock(&roster->lock);
	return wait;
}

static struct member *next_changed(struct roster *roster)
{
	struct member *member = roster->changed;

	if (member == NULL)
		return NULL;
	roster->changed = member->next_changed;
	if (roster->changed == NULL)
		roster->last_changed = &roster->changed;
	member->changed = false;
	return member;
}

/* What readers do not know of the member yet.  False if there is nothing. */
static bool tell(struct member *member, struct roster_change *change)
{
	struct room *room = member->room;

	if (member->told == member->present)
		return false;
	member->told = member->present;
	room->told += member->told ? 1 : UINT32_MAX;
	strcpy(change->topic, room->topic.name);
	strcpy(change->name, member->named.name);
	change->joined = member->told;
	change->count = room->told;
	return true;
}

bool roster_change(struct roster *roster, uint32_t now, struct roster_change *change)
{
	struct member *member;
	bool found = false;

	if (!roster->busy)
		return false;
	pthread_mutex_lock(&roster->lock);
	expire(roster, now);
	while (!found && (member = next_changed(roster)) != NULL) {
		found = tell(member, change);
		release(roster, member);
	}
	finish(roster);
	return found;
}

/* --- asking --- */

static int add_names(const struct room *room, struct buf *names)
{
	char *out = buf_reserve(names, room->bytes);

	if (out == NULL)
		return -1;
	for (size_t i = 0; i < room->members.count; i++) {
		const struct member *member = (const struct member *)room->members.items[i];

		if (member->present)
			out = stpcpy(out, member->named.name) + 1;
	}
	names->len = (size_t)(out - names->data);
	return 0;
}

int roster_names(struct roster *roster, const char *topic, struct buf *names, size_t *count)
{
	const struct room *room;
	int result = 0;

	*count = 0;
	pthread_mutex_lock(&roster->lock);
	room = (const struct room *)find(&roster->rooms, topic);
	if (room != NULL) {
		*count = room->present;
		result = add_names(room, names);
	}
	pthread_mutex_unlock(&roster->lock);
	return result;
}

int64_t roster_count(struct roster *roster)
{
	int64_t count;

	pthread_mutex_lock(&roster->lock);
	count = roster->count;
	pthread_mutex_unlock(&roster->lock);
	return count;
}
