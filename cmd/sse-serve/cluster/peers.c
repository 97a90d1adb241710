/* SPDX-License-Identifier: MIT */
/* The other nodes; see peers.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/logger.h"
#include "peers.h"
#include "stream/presence_nodes.h"

/* Between two requests for the same list, and between two lists that this node sends, in ms. */
#define ASK_MS 1000
#define LIST_MS 500

/* Likewise, if the list had names for which there was no place, or that are not valid. */
#define FULL_MS 60000

/* This node was stopped if it has not looked for so long: what others told is on its way still. */
#define STOPPED_MS 3000

struct peer {
	bool used;
	char id[STORE_NODE];
	uint64_t key;
	struct node_figures figures;
	int64_t heard;	   /* when it was, last */
	uint64_t expected; /* the number of its next message with names; 0: some were missed */
	bool wants;	   /* its list is needed, */
	int64_t ask_at;	   /* and to be asked for from this time on */
	int64_t asked_at;  /* when it was asked for last */
	bool listing;	   /* it is being read */
	bool partial;	   /* not all that it told could be noted */
};

struct peers {
	struct peers_config config;
	uint64_t number;	   /* of the newest message with names that was told */
	int64_t turned;		   /* when peers_turn() was called last */
	int64_t alive_at, list_at; /* when this node says that it lives, and may send its list */
	bool asked;		   /* for its list */
	bool told_crowd;	   /* there are too many nodes */
	struct buf message;
	pthread_mutex_t
		lock; /* guards ->used and ->figures of the peers, where others read; a leaf */
	struct peer all[PRESENCE_NODES];
};

struct peers *peers_new(const struct peers_config *config, int64_t now)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	if (peers == NULL)
		return NULL;
	peers->config = *config;
	peers->turned = peers->alive_at = peers->list_at = now;
	buf_init(&peers->message, NODE_MESSAGE_MAX);
	pthread_mutex_init(&peers->lock, NULL);
	return peers;
}

void peers_free(struct peers *peers)
{
	if (peers == NULL)
		return;
	buf_free(&peers->message);
	pthread_mutex_destroy(&peers->lock);
	free(peers);
}

static unsigned number_of(const struct peers *peers, const struct peer *peer)
{
	return (unsigned)(peer - peers->all);
}

/* --- telling --- */

static bool begin(struct peers *peers, const struct node_message *message)
{
	peers->message.len = 0;
	return node_message_write(message, &peers->message);
}

static void send_message(struct peers *peers)
{
	peers->config.tell(peers->config.context, peers->message.data, peers->message.len);
}

static void tell(struct peers *peers, const struct node_message *message)
{
	if (begin(peers, message))
		send_message(peers);
}

/* One that has no room, or memory, for all its parts is not sent: its number is missed. */
static bool begin_names(struct peers *peers, bool list, bool first)
{
	struct node_message message = {
		.kind = NODE_NAMES, .number = ++peers->number, .list = list, .first = first};

	return begin(peers, &message);
}

/* Has the message no room for one more name? */
static bool is_full(const struct peers *peers)
{
	return peers->message.len + TOPIC_NAME_MAX + NAME_MAX_BYTES + 3 > NODE_MESSAGE_MAX;
}

static void tell_changes(struct peers *peers)
{
	struct presence_change change;
	bool begun = false, whole = true;

	while (presence_nodes_next(peers->config.presence, &change)) {
		if (!begun)
			whole = begin_names(peers, false, false);
		begun = true;
		whole = whole &&
			node_message_add(&peers->message, change.topic, change.name, change.joined);
		if (!is_full(peers))
			continue;
		if (whole)
			send_message(peers);
		begun = false;
	}
	if (begun && whole)
		send_message(peers);
}

static bool add_to_list(void *context, const char *topic, const char *name)
{
	struct buf *bytes = context;

	return node_message_add(bytes, topic, name, true);
}

/* The bytes of the first of these names. */
static size_t first_name(const char *names)
{
	size_t topic = strlen(names + 1) + 1;

	return 1 + topic + strlen(names + 1 + topic) + 1;
}

/* How many bytes of the names one message takes. */
static size_t measure(const char *names, size_t len, size_t room)
{
	size_t some = 0;

	while (some < len && some + first_name(names + some) <= room)
		some += first_name(names + some);
	return some;
}

static void send_parts(struct peers *peers, const char *names, size_t len)
{
	size_t done = 0;
	bool first = true, last = false;

	while (!last) {
		struct node_message message = {.kind = NODE_NAMES,
			.number = ++peers->number,
			.list = true,
			.first = first};
		size_t some;

		some = measure(names + done, len - done, NODE_MESSAGE_MAX - NODE_NAMES_HEAD);
		message.last = last = done + some == len;
		if (!begin(peers, &message) || !buf_add(&peers->message, names + done, some))
			return;
		send_message(peers);
		done += some;
		first = false;
	}
}

/* All names that this node has told until now. */
static void tell_list(struct peers *peers)
{
	struct buf names;

	buf_init(&names, SIZE_MAX / 2);
	if (presence_nodes_visit(peers->config.presence, add_to_list, &names))
		send_parts(peers, names.data != NULL ? names.data : "", names.len);
	buf_free(&names);
}

static void tell_alive(struct peers *peers)
{
	struct node_message message = {
		.kind = NODE_ALIVE, .key = peers->config.key, .number = peers->number};

	peers->config.figures(peers->config.context, &message.figures);
	tell(peers, &message);
}

void peers_leave(struct peers *peers)
{
	tell(peers, &(struct node_message){.kind = NODE_BYE});
}

/* --- hearing --- */

static struct peer *find(struct peers *peers, const char *id)
{
	for (unsigned i = 0; i < PRESENCE_NODES; i++) {
		struct peer *peer = &peers->all[i];

		if (peer->used && memcmp(peer->id, id, STORE_NODE) == 0)
			return peer;
	}
	return NULL;
}

/* A node that is heard for the first time hears of this one at once, too. */
static struct peer *add(
	struct peers *peers, const char *id, const struct node_message *message, int64_t now)
{
	struct peer *peer = peers->all;

	while (peer < peers->all + PRESENCE_NODES && peer->used)
		peer++;
	if (peer == peers->all + PRESENCE_NODES) {
		if (!peers->told_crowd)
			logger_write(LOGGER_WARNING,
				"node %s, and those that come after it, are left out: "
				"at most %d nodes can be told apart",
				message->figures.name, PRESENCE_NODES + 1);
		peers->told_crowd = true;
		return NULL;
	}
	pthread_mutex_lock(&peers->lock);
	*peer = (struct peer){.used = true,
		.wants = true,
		.key = message->key,
		.figures = message->figures,
		.ask_at = now,
		.asked_at = now - ASK_MS};
	memcpy(peer->id, id, STORE_NODE);
	pthread_mutex_unlock(&peers->lock);
	peers->alive_at = now;
	logger_write(LOGGER_INFO, "node %s has joined", message->figures.name);
	return peer;
}

static bool remove_peer(struct peers *peers, struct peer *peer, int64_t now)
{
	pthread_mutex_lock(&peers->lock);
	peer->used = false;
	pthread_mutex_unlock(&peers->lock);
	return presence_nodes_drop(peers->config.presence, number_of(peers, peer), (uint32_t)now);
}

/* Something was missed, or could not be noted: its list is needed, after so many ms. */
static void want_list(struct peer *peer, int64_t now, int64_t ms)
{
	if (!peer->wants || peer->ask_at > now + ms)
		peer->ask_at = now + ms;
	peer->wants = true;
}

static bool hear_alive(struct peers *peers, struct peer *peer, const char *id,
	const struct node_message *message, int64_t now)
{
	bool changed = false;

	if (peer == NULL)
		peer = add(peers, id, message, now);
	if (peer == NULL)
		return false;
	pthread_mutex_lock(&peers->lock);
	peer->figures = message->figures;
	pthread_mutex_unlock(&peers->lock);
	peer->key = message->key;
	peer->heard = now;
	if (message->number == 0 && peer->expected == 0) {
		/* Until now it has had no names. */
		peer->wants = false;
		peer->expected = 1;
		changed = presence_nodes_drop(
			peers->config.presence, number_of(peers, peer), (uint32_t)now);
	} else if (message->number + 1 != peer->expected) {
		peer->expected = 0;
		peer->listing = false;
		want_list(peer, now, 0);
	}
	return changed;
}

/* Note all names of the message. */
static void note_names(struct peers *peers, struct peer *peer, struct node_message *message,
	int64_t now, bool *changed)
{
	struct presence_change change;
	int result;

	while ((result = node_message_name(message, &change)) > 0) {
		if (presence_nodes_note(peers->config.presence, number_of(peers, peer), &change,
			    (uint32_t)now, changed) == PRESENCE_FULL)
			peer->partial = true;
	}
	peer->partial = peer->partial || result < 0;
}

static bool hear_names(
	struct peers *peers, struct peer *peer, struct node_message *message, int64_t now)
{
	unsigned number = number_of(peers, peer);
	bool in_order = message->number == peer->expected, changed = false;

	if (!in_order)
		peer->listing = false;
	if (message->list && message->first && (peer->wants || !in_order)) {
		peer->listing = in_order = true;
		peer->partial = false;
		presence_nodes_begin_list(peers->config.presence, number);
	}
	peer->expected = in_order ? message->number + 1 : 0;
	if (!in_order)
		want_list(peer, now, 0);
	/* A list that another node has asked for says nothing new. */
	if (!in_order || (message->list && !peer->listing))
		return false;
	note_names(peers, peer, message, now, &changed);
	if (message->list && message->last) {
		peer->listing = peer->wants = false;
		changed = presence_nodes_end_list(peers->config.presence, number, (uint32_t)now) ||
			  changed;
	}
	if (peer->partial && !peer->listing) {
		peer->partial = false;
		want_list(peer, now, FULL_MS);
	}
	return changed;
}

bool peers_hear(struct peers *peers, const char *id, const void *data, size_t len, int64_t now)
{
	struct peer *peer = find(peers, id);
	struct node_message message;

	if (!node_message_read(&message, data, len))
		return false;
	if (message.kind == NODE_ALIVE)
		return hear_alive(peers, peer, id, &message, now);
	if (message.kind == NODE_ASK)
		peers->asked = peers->asked || message.key == peers->config.key;
	if (message.kind == NODE_NAMES && peer != NULL)
		return hear_names(peers, peer, &message, now);
	if (message.kind != NODE_BYE || peer == NULL)
		return false;
	logger_write(LOGGER_INFO, "node %s has left", peer->figures.name);
	return remove_peer(peers, peer, now);
}

/* --- as time goes by --- */

static bool remove_gone(struct peers *peers, int64_t now)
{
	int64_t stopped = now - peers->turned > STOPPED_MS ? now - peers->turned : 0;
	bool changed = false;

	peers->turned = now;
	for (unsigned i = 0; i < PRESENCE_NODES; i++) {
		struct peer *peer = &peers->all[i];

		peer->heard += stopped;
		if (!peer->used || now - peer->heard < PEERS_GONE_MS)
			continue;
		logger_write(LOGGER_WARNING, "node %s has said nothing for %d s: its names leave",
			peer->figures.name, PEERS_GONE_MS / 1000);
		changed = remove_peer(peers, peer, now) || changed;
	}
	return changed;
}

static void ask(struct peers *peers, int64_t now, int64_t *next)
{
	for (unsigned i = 0; i < PRESENCE_NODES; i++) {
		struct peer *peer = &peers->all[i];
		int64_t due;

		if (!peer->used || !peer->wants || peer->listing)
			continue;
		if (now >= peer->ask_at && now - peer->asked_at >= ASK_MS) {
			tell(peers, &(struct node_message){.kind = NODE_ASK, .key = peer->key});
			peer->asked_at = now;
		}
		due = peer->asked_at + ASK_MS > peer->ask_at ? peer->asked_at + ASK_MS
							     : peer->ask_at;
		if (due < *next)
			*next = due;
	}
}

bool peers_turn(struct peers *peers, int64_t now, int64_t *wait)
{
	bool changed = remove_gone(peers, now);
	int64_t next;

	tell_changes(peers);
	if (peers->asked && now >= peers->list_at) {
		tell_list(peers);
		peers->asked = false;
		peers->list_at = now + LIST_MS;
	}
	if (now >= peers->alive_at) {
		tell_alive(peers);
		peers->alive_at = now + PEERS_ALIVE_MS;
	}
	next = peers->alive_at;
	if (peers->asked && peers->list_at < next)
		next = peers->list_at;
	ask(peers, now, &next);
	*wait = next > now ? next - now : 0;
	return changed;
}

/* --- asking --- */

static int compare(const void *a, const void *b)
{
	return strcmp(
		((const struct node_figures *)a)->name, ((const struct node_figures *)b)->name);
}

size_t peers_list(struct peers *peers, struct node_figures *figures, size_t max)
{
	size_t count = 0;

	pthread_mutex_lock(&peers->lock);
	for (unsigned i = 0; i < PRESENCE_NODES && count < max; i++) {
		if (peers->all[i].used)
			figures[count++] = peers->all[i].figures;
	}
	pthread_mutex_unlock(&peers->lock);
	qsort(figures, count, sizeof(*figures), compare);
	return count;
}
