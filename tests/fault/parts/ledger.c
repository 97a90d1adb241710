/* SPDX-License-Identifier: MIT */
/* What was published, acknowledged, stored and seen; see ledger.h. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "hash.h"
#include "random.h"
#include "fail.h"
#include "ledger.h"
#include "net.h"

/* Lines that a list may have beyond what is expected; more would be found as missing lines. */
#define SLACK 64

/* Of an id, what stands before the position. */
#define TAG 40

struct ledger {
	pthread_mutex_t lock; /* guards all of it, and the views; held for no call that waits */
	bool keys;
	struct sequence stored[LEDGER_TOPICS];
	struct sequence acknowledged[LEDGER_PUBLISHERS]; /* since the last check */
	uint32_t checked[LEDGER_PUBLISHERS];		 /* numbers below were checked */
	uint32_t next[LEDGER_PUBLISHERS][LEDGER_TOPICS]; /* the number that is stored next */
	uint64_t retried;				 /* since the last check */
	char (*tags)[TAG]; /* that ids had: first those of before the last kill */
	size_t tag_count, new_tags;
	struct ledger_figures figures;
};

/* A list that is being read. */
struct list {
	struct ledger *ledger;
	unsigned topic;
	size_t old; /* how many of the record the list may repeat, or SIZE_MAX for all of it */
	size_t at;  /* of the record, while it is repeated */
	bool known; /* the line before was of the record */
};

static const char *const topics[LEDGER_TOPICS] = {"kill", "many/one", "many/two"};

const char *ledger_topic(unsigned topic)
{
	return topics[topic];
}

unsigned ledger_topic_of(unsigned publisher, uint32_t number)
{
	return (publisher + number / LEDGER_RUN) % LEDGER_TOPICS;
}

/* The next number of a publisher that has this topic. */
static uint32_t after(unsigned publisher, unsigned topic, uint32_t number)
{
	do {
		number++;
	} while (ledger_topic_of(publisher, number) != topic);
	return number;
}

size_t ledger_data(char out[LEDGER_DATA], unsigned publisher, uint32_t number)
{
	uint64_t seed = random_mix((uint64_t)number * LEDGER_PUBLISHERS + publisher + 1);
	size_t filling = seed % 50 == 0 ? (seed >> 8) % 4800 : (seed >> 8) % 150;
	size_t len =
		(size_t)sprintf(out, "{\"p\":%u,\"n\":%" PRIu32 ",\"x\":\"", publisher, number);

	for (size_t i = 0; i < filling; i++)
		out[len++] = (char)('a' + (seed + i) % 26);
	out[len++] = '"';
	out[len++] = '}';
	return len;
}

/* False if the data is not, byte for byte, that of an event that is published here. */
static bool parse_data(struct sse_text data, struct entry *entry)
{
	char text[64], expected[LEDGER_DATA];
	size_t len = data.len < sizeof(text) - 1 ? data.len : sizeof(text) - 1;

	memcpy(text, data.data, len);
	text[len] = '\0';
	return sscanf(text, "{\"p\":%" SCNu32 ",\"n\":%" SCNu32, &entry->publisher,
		       &entry->number) == 2 &&
	       entry->publisher < LEDGER_PUBLISHERS &&
	       ledger_data(expected, entry->publisher, entry->number) == data.len &&
	       memcmp(expected, data.data, data.len) == 0;
}

static void parse_id(const char *id, size_t len, struct entry *entry)
{
	size_t colon = len;

	entry->id = hash_fnv1a(HASH_START, id, len);
	while (colon > 0 && id[colon - 1] != ':')
		colon--;
	if (colon == 0)
		fail("the id %.*s has no colon", (int)len, id);
	entry->position = 0;
	for (size_t i = colon; i < len && id[i] >= '0' && id[i] <= '9'; i++)
		entry->position = entry->position * 10 + (uint64_t)(id[i] - '0');
}

static void append(struct sequence *sequence, const struct entry *entry)
{
	if (sequence->count == sequence->room) {
		sequence->room = sequence->room ? 2 * sequence->room : 256;
		sequence->all = realloc(sequence->all, sequence->room * sizeof(*sequence->all));
		if (sequence->all == NULL)
			fail("out of memory");
	}
	sequence->all[sequence->count++] = *entry;
}

struct ledger *ledger_new(bool keys)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (ledger == NULL)
		fail("out of memory");
	pthread_mutex_init(&ledger->lock, NULL);
	ledger->keys = keys;
	for (unsigned p = 0; p < LEDGER_PUBLISHERS; p++) {
		for (unsigned t = 0; t < LEDGER_TOPICS; t++)
			ledger->next[p][t] = ledger_topic_of(p, 0) == t ? 0 : after(p, t, 0);
	}
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	for (unsigned t = 0; t < LEDGER_TOPICS; t++)
		free(ledger->stored[t].all);
	for (unsigned p = 0; p < LEDGER_PUBLISHERS; p++)
		free(ledger->acknowledged[p].all);
	free(ledger->tags);
	free(ledger);
}

/* --- what was acknowledged --- */

void ledger_killed(struct ledger *ledger)
{
	pthread_mutex_lock(&ledger->lock);
	ledger->tag_count += ledger->new_tags;
	ledger->new_tags = 0;
	pthread_mutex_unlock(&ledger->lock);
}

size_t ledger_try(struct ledger *ledger)
{
	size_t mark;

	pthread_mutex_lock(&ledger->lock);
	mark = ledger->tag_count;
	pthread_mutex_unlock(&ledger->lock);
	return mark;
}

/* Is the id's tag one of the first ${mark}?  New ones are noted. */
static bool old_tag(struct ledger *ledger, const char *id, size_t mark)
{
	size_t len = strcspn(id, ":"), i;

	if (len >= TAG)
		fail("the id %s is too long", id);
	for (i = ledger->tag_count + ledger->new_tags; i > 0; i--) {
		const char *tag = ledger->tags[i - 1];

		if (strncmp(tag, id, len) == 0 && tag[len] == '\0')
			return i <= mark;
	}
	i = ledger->tag_count + ledger->new_tags++;
	ledger->tags = realloc(ledger->tags, (i + 1) * TAG);
	if (ledger->tags == NULL)
		fail("out of memory");
	snprintf(ledger->tags[i], TAG, "%.*s", (int)len, id);
	return false;
}

void ledger_acknowledged(struct ledger *ledger, unsigned publisher, uint32_t number, const char *id,
	bool retried, size_t mark)
{
	struct entry entry = {.publisher = publisher, .number = number, .retried = retried};

	parse_id(id, strlen(id), &entry);
	pthread_mutex_lock(&ledger->lock);
	append(&ledger->acknowledged[publisher], &entry);
	ledger->figures.acknowledged++;
	/* An id from before the kill: the first try had arrived, and was recognised. */
	if (old_tag(ledger, id, mark) && retried)
		ledger->figures.recognised++;
	pthread_mutex_unlock(&ledger->lock);
}

void ledger_retry(struct ledger *ledger)
{
	pthread_mutex_lock(&ledger->lock);
	ledger->figures.retries++;
	ledger->retried++;
	pthread_mutex_unlock(&ledger->lock);
}

/* --- what is stored --- */

/* The next event of the record: is it in its place, and was it acknowledged with this id? */
static void add_stored(struct ledger *ledger, unsigned topic, const struct entry *entry)
{
	struct sequence *acknowledged = &ledger->acknowledged[entry->publisher];
	uint32_t *next = &ledger->next[entry->publisher][topic];
	const struct sequence *stored = &ledger->stored[topic];
	size_t index = entry->number - ledger->checked[entry->publisher];
	bool again = false;

	if (stored->count > 0 && entry->position <= stored->all[stored->count - 1].position)
		fail("the positions of topic %s do not grow: %" PRIu64 " after %" PRIu64,
			topics[topic], entry->position, stored->all[stored->count - 1].position);
	for (size_t i = stored->count; i > 0 && !again && entry->number < *next; i--)
		again = stored->all[i - 1].publisher == entry->publisher &&
			stored->all[i - 1].number == entry->number;
	if (again && !ledger->keys && index < acknowledged->count &&
		acknowledged->all[index].retried) {
		ledger->figures.repeated++;
	} else if (again) {
		fail("event %" PRIu32 " of publisher %" PRIu32
		     " is stored twice in topic %s, the second time at position %" PRIu64,
			entry->number, entry->publisher, topics[topic], entry->position);
	} else if (entry->number != *next) {
		fail("topic %s: event %" PRIu32 " of publisher %" PRIu32
		     " is stored at position %" PRIu64 " where event %" PRIu32
		     " should be, which was %s",
			topics[topic], entry->number, entry->publisher, entry->position, *next,
			*next < ledger->checked[entry->publisher] + acknowledged->count
				? "acknowledged: it is lost"
				: "not acknowledged yet");
	} else {
		*next = after(entry->publisher, topic, *next);
		ledger->figures.stored++;
	}
	if (index >= acknowledged->count)
		fail("event %" PRIu32 " of publisher %" PRIu32
		     " is stored, and nobody acknowledged it",
			entry->number, entry->publisher);
	if (ledger->keys && acknowledged->all[index].id != entry->id)
		fail("event %" PRIu32 " of publisher %" PRIu32
		     " was acknowledged with another id than it has in the list (positions %" PRIu64
		     " and %" PRIu64 ")",
			entry->number, entry->publisher, acknowledged->all[index].position,
			entry->position);
	append(&ledger->stored[topic], entry);
}

/* {"topic":"kill","id":"tag:1","time":...,"event":"update","data":{...}} */
static void parse_line(const char *line, size_t len, struct entry *entry)
{
	const char *id = memmem(line, len, "\"id\":\"", 6);
	const char *data = memmem(line, len, "\"data\":", 7);

	if (id == NULL || data == NULL || line[len - 1] != '}')
		fail("this is no line of a list: %.*s", (int)len, line);
	id += 6;
	data += 7;
	parse_id(id, (size_t)((const char *)memchr(id, '"', len) - id), entry);
	if (!parse_data((struct sse_text){data, (size_t)(line + len - 1 - data)}, entry))
		fail("an event is stored that nobody sent so: %.*s", (int)len, line);
	if (entry->number > UINT32_MAX / 2)
		fail("an event has a number that nobody sent: %.*s", (int)len, line);
}

static void take_line(struct list *list, const char *line, size_t len)
{
	struct sequence *stored = &list->ledger->stored[list->topic];
	struct entry entry;

	parse_line(line, len, &entry);
	/* The record's own end comes first, in the record's order. */
	if (list->at < list->old) {
		if (!list->known) {
			while (list->at < list->old && stored->all[list->at].id != entry.id)
				list->at++;
			list->known = true;
		}
		if (list->at == list->old || stored->all[list->at].id != entry.id ||
			stored->all[list->at].number != entry.number ||
			stored->all[list->at].publisher != entry.publisher)
			fail("topic %s: what the list showed before has changed at position %" PRIu64,
				topics[list->topic], entry.position);
		list->at++;
		return;
	}
	pthread_mutex_lock(&list->ledger->lock);
	add_stored(list->ledger, list->topic, &entry);
	pthread_mutex_unlock(&list->ledger->lock);
}

static void read_list(struct list *list, int port, uint64_t limit)
{
	static char line[2 * LEDGER_DATA]; /* of the one thread that checks */
	struct net_input input = {.who = "the list's reader"};
	char request[300], head[2048];
	int fd = net_dial(port), len, status, byte;
	size_t have = 0;

	len = snprintf(request, sizeof(request),
		"GET /api/%s?envelope=1&limit=%" PRIu64
		" HTTP/1.1\r\nAccept: application/x-ndjson\r\nConnection: close\r\n"
		"Host: localhost\r\n\r\n",
		topics[list->topic], limit);
	if (fd < 0 || !net_send(fd, request, (size_t)len))
		fail("the server does not answer");
	status = net_head(fd, &input, head, sizeof(head));
	if (status != 200)
		fail("the list of %s was answered with %d", topics[list->topic], status);
	while ((byte = net_next(fd, &input)) >= 0) {
		if (byte == '\n') {
			take_line(list, line, have);
			have = 0;
		} else if (have == sizeof(line)) {
			fail("a line of the list of %s is too long", topics[list->topic]);
		} else {
			line[have++] = (char)byte;
		}
	}
	if (have > 0)
		fail("the list of %s ends in the middle of a line", topics[list->topic]);
	close(fd);
	if (list->at < list->old)
		fail("topic %s: %zu events that were stored are not there any more",
			topics[list->topic], list->old - list->at);
}

/* All numbers of a publisher that were acknowledged are in the record now. */
static void check_publisher(struct ledger *ledger, unsigned publisher)
{
	struct sequence *acknowledged = &ledger->acknowledged[publisher];
	uint32_t end = ledger->checked[publisher] + (uint32_t)acknowledged->count;

	for (size_t i = 0; i < acknowledged->count; i++) {
		if (acknowledged->all[i].number != ledger->checked[publisher] + i)
			fail("publisher %u counted wrongly: that is an error of this test",
				publisher);
	}
	for (unsigned t = 0; t < LEDGER_TOPICS; t++) {
		uint32_t next = ledger->next[publisher][t];

		if (next < end)
			fail("event %" PRIu32 " of publisher %u was acknowledged (position %" PRIu64
			     ") and is not stored in topic %s: it is lost",
				next, publisher,
				acknowledged->all[next - ledger->checked[publisher]].position,
				topics[t]);
	}
	ledger->checked[publisher] = end;
	acknowledged->count = 0;
}

static uint64_t acknowledged_since(struct ledger *ledger)
{
	uint64_t sum = 0;

	for (unsigned p = 0; p < LEDGER_PUBLISHERS; p++)
		sum += ledger->acknowledged[p].count;
	return sum;
}

void ledger_check(struct ledger *ledger, int port)
{
	uint64_t limit = acknowledged_since(ledger) + (ledger->keys ? 0 : ledger->retried) + SLACK;

	for (unsigned t = 0; t < LEDGER_TOPICS; t++) {
		struct list list = {.ledger = ledger, .topic = t, .old = ledger->stored[t].count};

		read_list(&list, port, limit);
	}
	for (unsigned p = 0; p < LEDGER_PUBLISHERS; p++)
		check_publisher(ledger, p);
	ledger->retried = 0;
}

void ledger_check_all(struct ledger *ledger, int port)
{
	for (unsigned t = 0; t < LEDGER_TOPICS; t++) {
		struct list list = {.ledger = ledger,
			.topic = t,
			.old = ledger->stored[t].count,
			.known = true};

		read_list(&list, port, ledger->stored[t].count + SLACK);
	}
}

/* --- what was seen --- */

void ledger_saw(struct ledger *ledger, struct view *view, const struct sse_event *event)
{
	struct entry entry;
	unsigned topic;

	if (event->type.len != 6 || memcmp(event->type.data, "update", 6) != 0)
		fail("%s was sent an event of the type %.*s: %.*s", view->name,
			(int)event->type.len, event->type.data, (int)event->data.len,
			event->data.data);
	if (!parse_data(event->data, &entry))
		fail("%s was sent an event that nobody published so: %.*s", view->name,
			(int)event->data.len, event->data.data);
	parse_id(event->id.data, event->id.len, &entry);
	topic = ledger_topic_of(entry.publisher, entry.number);
	if (!view->topics[topic])
		fail("%s was sent an event of topic %s, which it did not ask for", view->name,
			topics[topic]);
	pthread_mutex_lock(&ledger->lock);
	if (entry.position <= view->newest)
		fail("%s was sent position %" PRIu64 " after %" PRIu64 " (event %" PRIu32
		     " of publisher %" PRIu32 ")",
			view->name, entry.position, view->newest, entry.number, entry.publisher);
	view->newest = entry.position;
	append(&view->seen[topic], &entry);
	pthread_mutex_unlock(&ledger->lock);
}

static bool saw_all(struct ledger *ledger, const struct view *view)
{
	bool all = true;

	pthread_mutex_lock(&ledger->lock);
	for (unsigned t = 0; t < LEDGER_TOPICS; t++)
		all = all && (!view->topics[t] || view->compared[t] + view->seen[t].count >=
							  ledger->stored[t].count);
	pthread_mutex_unlock(&ledger->lock);
	return all;
}

/* The entries must be those of the record, one by one. */
static void compare(struct ledger *ledger, struct view *view, unsigned topic)
{
	const struct sequence *stored = &ledger->stored[topic];
	struct sequence *seen = &view->seen[topic];

	for (size_t i = 0; i < seen->count; i++) {
		const struct entry *got = &seen->all[i];
		const struct entry *want = view->compared[topic] + i < stored->count
						   ? &stored->all[view->compared[topic] + i]
						   : NULL;

		if (want == NULL || want->id != got->id || want->number != got->number ||
			want->publisher != got->publisher)
			fail("%s, topic %s: it saw event %" PRIu32 " of publisher %" PRIu32
			     " (position %" PRIu64 ") where position %" PRIu64 " is stored",
				view->name, topics[topic], got->number, got->publisher,
				got->position, want == NULL ? 0 : want->position);
	}
	if (view->compared[topic] + seen->count < stored->count)
		fail("%s waits in vain: it saw %zu of %zu events of topic %s; position %" PRIu64
		     " is the first that it misses",
			view->name, view->compared[topic] + seen->count, stored->count,
			topics[topic], stored->all[view->compared[topic] + seen->count].position);
	view->compared[topic] += seen->count;
	ledger->figures.checked += seen->count;
	seen->count = 0;
}

void ledger_check_view(struct ledger *ledger, struct view *view)
{
	int64_t end = clock_now_ms() + NET_PATIENCE_MS;

	while (!saw_all(ledger, view) && clock_now_ms() < end)
		net_pause(1);
	pthread_mutex_lock(&ledger->lock);
	for (unsigned t = 0; t < LEDGER_TOPICS; t++) {
		if (view->topics[t])
			compare(ledger, view, t);
	}
	pthread_mutex_unlock(&ledger->lock);
}

bool ledger_sample(struct ledger *ledger, uint64_t *newest, uint64_t *before)
{
	bool found = false;

	pthread_mutex_lock(&ledger->lock);
	for (unsigned p = 0; p < LEDGER_PUBLISHERS && !found; p++) {
		const struct sequence *acknowledged = &ledger->acknowledged[p];

		for (size_t i = acknowledged->count; i > 1 && !found; i--) {
			const struct entry *two = &acknowledged->all[i - 2];

			found = !two[0].retried && !two[1].retried &&
				ledger_topic_of(p, two[0].number) ==
					ledger_topic_of(p, two[1].number);
			*newest = two[1].position;
			*before = two[0].position;
		}
	}
	pthread_mutex_unlock(&ledger->lock);
	return found;
}

struct ledger_figures ledger_figures(struct ledger *ledger)
{
	return ledger->figures;
}
