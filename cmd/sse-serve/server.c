/* SPDX-License-Identifier: MIT */
/* The server's parts, put together; see server.h. */
#include <sched.h>
#include <stdlib.h>
#include <sysexits.h>

#include "api/api.h"
#include "api/metrics.h"
#include "api/rate.h"
#include "api/routes.h"
#include "api/samples.h"
#include "base/counter.h"
#include "base/leaving.h"
#include "base/rates.h"
#include "clock.h"
#include "cluster/cluster.h"
#include "guards.h"
#include "http/http.h"
#include "log/log_thread.h"
#include "log/store.h"
#include "log/topic.h"
#include "log/window.h"
#include "loop.h"
#include "node.h"
#include "paths.h"
#include "server.h"
#include "settings.h"
#include "stream/fanout.h"
#include "stream/limits.h"
#include "stream/replay.h"
#include "stream/presence.h"
#include "stream/replay_thread.h"

#define LOOPS_MAX 256

/* The clients of streams that ended come back so many ms apart, within these bounds. */
#define RETURN_MS 0.5
#define RETURN_MIN 2000
#define RETURN_MAX 60000

struct server {
	const struct options *options;
	struct guards guards;
	int secure_port; /* where plain clients are redirected; 0: nowhere */
	struct topics *topics;
	struct limits *limits;
	struct rates *rates[RATE_KINDS];
	struct presence *presence;
	struct store *store;
	struct window *window;
	struct log_thread *log_thread;
	struct replay_thread *replay_thread;
	struct replayer *replayer;
	struct quota bodies; /* bytes of POST bodies, and of the data made from them */
	struct leaving leaving;
	_Atomic bool draining;

	/* What they are handed. */
	struct fanouts streams;
	struct settings *settings; /* those in force */
	struct samples *samples;
	struct metrics_sources metrics;
	struct loop_config config;

	unsigned count; /* of loops, and of what follows */
	struct loop *loops[LOOPS_MAX];
	struct mailbox *mailboxes[LOOPS_MAX];
	struct fanout *fanouts[LOOPS_MAX];
	struct http *https[LOOPS_MAX];
};

/* Those that we may run on. */
static unsigned cores(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count > LOOPS_MAX ? LOOPS_MAX : (unsigned)count;
}

/* --- parts --- */

static int make_tables(struct server *server, struct error *error)
{
	const struct options *options = server->options;

	server->topics = topics_new();
	server->limits = limits_new(options->max_streams, options->max_streams_per_address);
	server->presence = presence_new(options->max_names, (uint32_t)options->presence_grace);
	server->samples = samples_new();
	if (server->topics == NULL || server->limits == NULL || server->presence == NULL ||
		server->samples == NULL || topics_add_own(server->topics, "users") != 0)
		return error_set(error, EX_OSERR, "out of memory");
	return 0;
}

/* Only of what is limited, and was not before. */
static int make_rates(struct server *server, const struct rate_rules *rules, struct error *error)
{
	for (int kind = 0; kind < RATE_KINDS; kind++) {
		if (rules->texts[kind] == NULL || server->rates[kind] != NULL)
			continue;
		server->rates[kind] = rates_new(&rules->rules[kind], RATE_BUCKETS);
		if (server->rates[kind] == NULL)
			return error_set(error, EX_OSERR, "out of memory");
	}
	return 0;
}

static struct store *open_kind(const struct store_kind *kind, const struct options *options,
	struct store_config *config, struct error *error)
{
	struct store *store;
	char *path;

	if (paths_log(options, &path, error) != 0)
		return NULL;
	config->path = kind->in_file ? path : options->db;
	config->copies = path;
	store = kind->open(config, error);
	free(path);
	return store;
}

static int open_store(struct server *server, struct error *error)
{
	const struct options *options = server->options;
	const struct store_kind *kind = store_kind_of(options->servers.urls, options->db);
	struct store_config config = {.topics = server->topics,
		.retention_rules = &options->retention_rules,
		.servers = &options->servers,
		.idempotency_window = options->idempotency_window};
	bool is_window = kind->attach != NULL;

	server->store = open_kind(kind, options, &config, error);
	if (server->store == NULL)
		return -1;
	server->window = window_new(
		(size_t)options->window, server->count + 1, server->store->head, is_window, error);
	if (server->window == NULL)
		return -1;
	topics_set_limit(server->topics, (uint32_t)options->max_topics);
	if (is_window)
		kind->attach(server->store, server->window, server->count);
	return 0;
}

/* The log thread, which is started when there are loops to wake, and the replay thread. */
static int make_threads(struct server *server, struct error *error)
{
	server->log_thread =
		log_thread_new(server->store, server->window, &server->draining, error);
	if (server->log_thread == NULL)
		return -1;
	server->replay_thread = replay_thread_start(server->store, error);
	if (server->replay_thread == NULL)
		return -1;
	server->replayer = replayer_new(server->store, server->topics, server->replay_thread);
	if (server->replayer == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	return 0;
}

int server_look_at_certificates(struct server *server, struct error *error)
{
	return guards_look_at_certificates(&server->guards, error);
}

/* --- what they are handed --- */

/* start_loops() adds whom the streams wake. */
static void set_up_streams(struct server *server)
{
	const struct options *options = server->options;

	server->streams.window = server->window;
	server->streams.topics = server->topics;
	server->streams.identity = &server->store->identity;
	server->streams.limits = server->limits;
	server->streams.replayer = server->replayer;
	server->streams.heartbeat = (uint32_t)options->heartbeat;
	server->streams.stall_timeout = (uint32_t)options->stall_timeout;
	server->streams.access_changes =
		server->guards.access != NULL ? access_changes(server->guards.access) : NULL;
	server->streams.all = server->fanouts;
	server->streams.count = server->count;
}

static void set_up_http(struct server *server, struct settings *settings)
{
	const struct options *options = settings->options;

	settings->http = (struct http_config){.routes = &routes_all,
		.access = server->guards.access,
		.wrong_proofs = server->guards.wrong_proofs,
		.names = {&options->host, &options->listen},
		.cors = &options->cors,
		.proxies = &options->proxies,
		.max_body = (size_t)options->max_body,
		.bodies = &server->bodies,
		.max_parameters = (size_t)options->max_topics_per_stream,
		.request_timeout = options->request_timeout,
		.stall_timeout = (unsigned)options->stall_timeout,
		.draining = &server->draining,
		.certificates = server->guards.certificates,
		.secure_port = server->secure_port,
		.hsts = options->tls.hsts / 1000,
		.leaving = &server->leaving,
		.hooks = server->guards.hooks != NULL,
		.verbose = options->verbose > 0};
}

static void set_up_metrics(struct server *server)
{
	server->metrics = (struct metrics_sources){.started = clock_now_us(),
		.topics = server->topics,
		.certificates = server->guards.certificates,
		.presence = server->presence,
		.log_thread = server->log_thread,
		.window = server->window,
		.store = server->store,
		.fanouts = &server->streams,
		.https = server->https,
		.rates = server->rates,
		.wrong_proofs = server->guards.wrong_proofs,
		.samples = server->samples};
}

static void set_up_api(struct server *server, struct settings *settings)
{
	const struct options *options = settings->options;

	settings->api = (struct api){.store = server->store,
		.topics = server->topics,
		.window = server->window,
		.log_thread = server->log_thread,
		.replay_thread = server->replay_thread,
		.limits = server->limits,
		.presence = server->presence,
		.hooks = server->guards.hooks,
		.metrics = &server->metrics,
		.leaving = &server->leaving,
		.web = options->web,
		.open_status = options->open_status,
		.topics_in_stream = (size_t)options->max_topics_per_stream,
		.rate_rules = &options->rate_rules,
		.max_bodies = options->max_bodies,
		.max_streams = options->max_streams,
		.max_streams_per_address = options->max_streams_per_address,
		.max_names = options->max_names};
	for (int kind = 0; kind < RATE_KINDS; kind++)
		settings->api.rates[kind] =
			options->rate_rules.texts[kind] != NULL ? server->rates[kind] : NULL;
}

/* Settings of these options, held.  NULL without memory. */
static struct settings *make_settings(
	struct server *server, const struct options *options, struct error *error)
{
	struct settings *settings = settings_new(options);

	if (settings == NULL || make_rates(server, &options->rate_rules, error) != 0) {
		error_set(error, EX_OSERR, "out of memory");
		settings_drop(settings);
		return NULL;
	}
	set_up_http(server, settings);
	set_up_api(server, settings);
	return settings;
}

static int set_up(struct server *server, const struct listeners *listeners, struct error *error)
{
	set_up_streams(server);
	server->secure_port = listeners->secure_port;
	set_up_metrics(server);
	server->bodies.limit = server->options->max_bodies;
	server->settings = make_settings(server, server->options, error);
	if (server->settings == NULL)
		return -1;
	server->config = (struct loop_config){.topics = server->topics,
		.log_thread = server->log_thread,
		.presence = server->presence,
		.fanouts = &server->streams,
		.metrics = &server->metrics,
		.settings = server->settings,
		.listeners = listeners,
		.leaving = &server->leaving,
		.tick = (uint32_t)server->options->tick};
	return 0;
}

/* --- new settings --- */

/* This cannot fail. */
static void use_settings(struct server *server, struct settings *settings)
{
	const struct options *options = settings->options;
	struct settings *old = server->settings;

	limits_set(server->limits, options->max_streams, options->max_streams_per_address);
	presence_set_max(server->presence, options->max_names);
	topics_set_limit(server->topics, (uint32_t)options->max_topics);
	server->bodies.limit = options->max_bodies;
	for (int kind = 0; kind < RATE_KINDS; kind++) {
		if (options->rate_rules.texts[kind] != NULL)
			rates_change(server->rates[kind], &options->rate_rules.rules[kind]);
	}
	log_thread_retain(server->log_thread, &options->retention_rules);
	server->settings = settings;
	for (unsigned i = 0; i < server->count; i++)
		loop_use(server->loops[i], settings);
	settings_drop(old);
}

int server_reload(struct server *server, struct options *options, struct error *error)
{
	struct settings *settings = make_settings(server, options, error);

	if (settings == NULL)
		return -1;
	if (guards_reload(&server->guards, error) != 0) {
		settings_drop(settings);
		return -1;
	}
	settings->own = options;
	use_settings(server, settings);
	return 0;
}

/* --- starting and stopping --- */

/* The loops, and between making and starting them what wakes them. */
static int start_loops(
	struct server *server, const struct listeners *listeners, struct error *error)
{
	for (unsigned i = 0; i < server->count; i++) {
		struct loop *loop = loop_new(&server->config, i, error);

		if (loop == NULL)
			return -1;
		server->loops[i] = loop;
		server->mailboxes[i] = loop_mailbox(loop);
		server->fanouts[i] = loop_fanout(loop);
		server->https[i] = loop_http(loop);
	}
	/* The first loop publishes joins, leaves and the server's figures. */
	server->streams.teller = server->mailboxes[0];
	if (log_thread_start(server->log_thread, server->mailboxes, server->count, error) != 0 ||
		node_join(server->options->node, listeners, &server->metrics, server->mailboxes[0],
			error) != 0)
		return -1;
	for (unsigned i = 0; i < server->count; i++) {
		if (loop_start(server->loops[i], error) != 0)
			return -1;
	}
	return 0;
}

static int start(struct server *server, const struct listeners *listeners, struct error *error)
{
	/* First: a mistake in the files ends the start. */
	if (guards_open(&server->guards, server->options, error) != 0 ||
		make_tables(server, error) != 0 || open_store(server, error) != 0 ||
		make_threads(server, error) != 0)
		return -1;
	if (set_up(server, listeners, error) != 0)
		return -1;
	return start_loops(server, listeners, error);
}

struct server *server_start(
	const struct options *options, const struct listeners *listeners, struct error *error)
{
	struct server *server = calloc(1, sizeof(*server));

	if (server == NULL) {
		error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	server->options = options;
	server->count = options->loops > 0 ? (unsigned)options->loops : cores();
	if (start(server, listeners, error) == 0)
		return server;
	server_stop(server);
	return NULL;
}

unsigned server_loops(const struct server *server)
{
	return server->count;
}

/* --- on the way to the end --- */

size_t server_streams(const struct server *server)
{
	size_t streams = 0;

	for (unsigned i = 0; i < server->count; i++)
		streams += server->fanouts[i]->placed;
	return streams;
}

void server_ask(struct server *server)
{
	for (unsigned i = 0; i < server->count; i++)
		loop_ask(server->loops[i]);
}

unsigned server_hung(const struct server *server)
{
	for (unsigned i = 0; i < server->count; i++) {
		if (!loop_turns(server->loops[i]))
			return i + 1;
	}
	return 0;
}

void server_leave(struct server *server)
{
	server->leaving.begun = true;
}

void server_drain(struct server *server, uint32_t span)
{
	double spread = (double)server_streams(server) * RETURN_MS;

	spread = spread < RETURN_MIN ? RETURN_MIN : spread > RETURN_MAX ? RETURN_MAX : spread;
	server->leaving.span = span;
	server->leaving.spread = (uint32_t)spread;
	server->leaving.draining = true;
	for (unsigned i = 0; i < server->count; i++)
		loop_wake(server->loops[i]);
}

bool server_accepts(const struct server *server)
{
	for (unsigned i = 0; i < server->count; i++) {
		if (loop_accepts(server->loops[i]))
			return true;
	}
	return false;
}

bool server_drained(const struct server *server)
{
	for (unsigned i = 0; i < server->count; i++) {
		if (!loop_drained(server->loops[i]))
			return false;
	}
	return true;
}

/* In the order in which they need each other; also after a start that failed halfway. */
void server_stop(struct server *server)
{
	server->draining = true;
	for (unsigned i = 0; i < server->count; i++)
		loop_stop(server->loops[i]);
	cluster_stop(server->metrics.cluster);
	log_thread_stop(server->log_thread);
	replay_thread_stop(server->replay_thread);
	for (unsigned i = 0; i < server->count; i++)
		loop_free(server->loops[i]);
	replayer_free(server->replayer);
	replay_thread_free(server->replay_thread);
	if (server->store != NULL)
		server->store->ops->close(server->store);
	cluster_free(server->metrics.cluster);
	window_free(server->window);
	limits_free(server->limits);
	for (int kind = 0; kind < RATE_KINDS; kind++)
		rates_free(server->rates[kind]);
	presence_free(server->presence);
	samples_free(server->samples);
	topics_free(server->topics);
	guards_close(&server->guards);
	settings_drop(server->settings);
	free(server);
}
