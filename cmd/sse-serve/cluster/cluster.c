/* SPDX-License-Identifier: MIT */
/* This node among the others; see cluster.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#include "base/condition.h"
#include "clock.h"
#include "cluster.h"
#include "stream/presence_nodes.h"

/* Of what was told and not taken yet, at most so many bytes: what is lost is asked for again. */
#define INBOX_BYTES ((size_t)16 << 20)

struct heard {
	struct heard *next;
	char id[STORE_NODE];
	size_t len;
	char data[];
};

struct cluster {
	struct cluster_config config;
	struct peers *peers; /* the thread's */
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* guards what follows; a leaf */
	pthread_cond_t ready;
	struct heard *first, **last;
	size_t bytes;
	bool called, stopping;
};

/* --- what comes, on other threads --- */

static void on_heard(void *context, const char *node, const void *data, size_t len)
{
	struct cluster *cluster = context;
	struct heard *heard = len <= NODE_MESSAGE_MAX ? malloc(sizeof(*heard) + len) : NULL;

	if (heard == NULL)
		return;
	heard->next = NULL;
	heard->len = len;
	memcpy(heard->id, node, STORE_NODE);
	memcpy(heard->data, data, len);
	pthread_mutex_lock(&cluster->lock);
	if (cluster->bytes + sizeof(*heard) + len <= INBOX_BYTES && !cluster->stopping) {
		cluster->bytes += sizeof(*heard) + len;
		*cluster->last = heard;
		cluster->last = &heard->next;
		heard = NULL;
		pthread_cond_signal(&cluster->ready);
	}
	pthread_mutex_unlock(&cluster->lock);
	free(heard);
}

/* There are names to tell. */
static void wake(void *context)
{
	struct cluster *cluster = context;

	pthread_mutex_lock(&cluster->lock);
	cluster->called = true;
	pthread_cond_signal(&cluster->ready);
	pthread_mutex_unlock(&cluster->lock);
}

/* --- the thread --- */

static void tell(void *context, const void *data, size_t len)
{
	struct store *store = ((struct cluster *)context)->config.store;

	store->ops->tell(store, data, len);
}

static void figures(void *context, struct node_figures *figures)
{
	const struct cluster *cluster = context;

	cluster->config.figures(cluster->config.context, figures);
}

/* Wait until ${until}, or until something comes, and take it.  False when it is time to stop. */
static bool take(struct cluster *cluster, int64_t until, struct heard **heard)
{
	bool in_time = true, stopping;

	pthread_mutex_lock(&cluster->lock);
	while (cluster->first == NULL && !cluster->called && !cluster->stopping && in_time)
		in_time = condition_wait(&cluster->ready, &cluster->lock, until);
	*heard = cluster->first;
	cluster->first = NULL;
	cluster->last = &cluster->first;
	cluster->bytes = 0;
	cluster->called = false;
	stopping = cluster->stopping;
	pthread_mutex_unlock(&cluster->lock);
	return !stopping;
}

static bool hear(struct cluster *cluster, struct heard *heard)
{
	bool changed = false;

	for (struct heard *next; heard != NULL; heard = next) {
		next = heard->next;
		changed = peers_hear(cluster->peers, heard->id, heard->data, heard->len,
				  clock_now_ms()) ||
			  changed;
		free(heard);
	}
	return changed;
}

static void *run(void *context)
{
	struct cluster *cluster = context;
	struct heard *heard = NULL;
	int64_t wait = 0;
	bool more = true;

	while (more) {
		bool changed = hear(cluster, heard);

		changed = peers_turn(cluster->peers, clock_now_ms(), &wait) || changed;
		if (changed)
			mailbox_wake(cluster->config.teller);
		more = take(cluster, clock_now_ms() + wait, &heard);
	}
	hear(cluster, heard);
	peers_leave(cluster->peers);
	return NULL;
}

/* --- starting and stopping --- */

struct cluster *cluster_new(const struct cluster_config *config)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	struct peers_config peers = {
		.presence = config->presence, .tell = tell, .figures = figures, .context = cluster};

	if (cluster == NULL)
		return NULL;
	cluster->config = *config;
	cluster->last = &cluster->first;
	if (getrandom(&peers.key, sizeof(peers.key), 0) == (ssize_t)sizeof(peers.key))
		cluster->peers = peers_new(&peers, clock_now_ms());
	if (cluster->peers == NULL) {
		free(cluster);
		return NULL;
	}
	pthread_mutex_init(&cluster->lock, NULL);
	condition_init(&cluster->ready);
	presence_nodes_share(config->presence, wake, cluster);
	return cluster;
}

int cluster_start(struct cluster *cluster, struct error *error)
{
	struct store *store = cluster->config.store;

	if (store->ops->listen(store, on_heard, cluster, error) != 0)
		return -1;
	if (pthread_create(&cluster->thread, NULL, run, cluster) != 0)
		return error_set(
			error, EX_OSERR, "cannot start a thread for the nodes of the cluster");
	cluster->started = true;
	return 0;
}

void cluster_stop(struct cluster *cluster)
{
	if (cluster == NULL)
		return;
	pthread_mutex_lock(&cluster->lock);
	cluster->stopping = true;
	pthread_cond_signal(&cluster->ready);
	pthread_mutex_unlock(&cluster->lock);
	if (cluster->started)
		pthread_join(cluster->thread, NULL);
	cluster->started = false;
}

void cluster_free(struct cluster *cluster)
{
	if (cluster == NULL)
		return;
	for (struct heard *next; cluster->first != NULL; cluster->first = next) {
		next = cluster->first->next;
		free(cluster->first);
	}
	peers_free(cluster->peers);
	pthread_cond_destroy(&cluster->ready);
	pthread_mutex_destroy(&cluster->lock);
	free(cluster);
}

size_t cluster_others(struct cluster *cluster, struct node_figures *figures, size_t max)
{
	return peers_list(cluster->peers, figures, max);
}
