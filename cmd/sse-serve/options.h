/* SPDX-License-Identifier: MIT */
/* The options of sse-serve. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/rate_rules.h"
#include "hook/hook_rules.h"
#include "http/forwarded.h"
#include "log/retention_rules.h"
#include "nats/servers.h"
#include "option.h"
#include "options_tls.h"

enum log_format { LOG_TEXT, LOG_JSON };

struct options {
	struct tls_options tls; /* first */
	const char *config;	/* a file of options, or NULL */
	bool check_config;	/* do this instead of serving, as the next */
	bool print_config;
	struct option_list listen; /* ADDR:PORT, PORT or unix:PATH */
	struct option_list host;   /* NAME or *.NAME: what the server is called */
	const char *db;		   /* a file, or ":memory:"; NULL: in the state folder */
	struct servers servers;	   /* which keep a log that several nodes share; urls NULL: none */
	const char *node;	   /* what this node of them is called; NULL: by host and port */
	const char *web;	   /* a folder to serve instead of the embedded pages, or NULL */
	struct option_list cors;   /* origins that may read and publish, or "*" */
	bool open;		   /* listen beyond loopback without access control */
	const char *access;	   /* who may do what, or NULL */
	const char *new_token;	   /* make one for this name instead of serving, or NULL */
	const char *jwt_keys;	   /* the file of keys that verify JWTs, or NULL */
	const char *jwt_issuer;	   /* what a JWT must name, as jwt_audience; or NULL */
	const char *jwt_audience;
	struct option_list hook;	 /* --hook as given */
	struct hook_rules hook_rules;	 /* the same, understood */
	int64_t session_lifetime;	 /* ms */
	bool open_status;		 /* $sys and /metrics are for everyone */
	int64_t tick;			 /* ms between "Hello, world!" events; 0: none */
	int64_t heartbeat;		 /* ms of silence before a comment is sent */
	int64_t request_timeout;	 /* ms for a request's head, and for its body */
	int64_t stall_timeout;		 /* ms that a stream may accept no data */
	int64_t max_body;		 /* bytes of a POST */
	int64_t max_bodies;		 /* bytes of all POST bodies that are on their way in */
	int64_t max_streams;		 /* open streams; 0: as many as descriptors allow */
	int64_t max_streams_per_address; /* of one client address beyond loopback; 0: no limit */
	int64_t max_topics_per_stream;	 /* topics and patterns in one request */
	int64_t max_names;		 /* names that may be present, over all topics */
	int64_t presence_grace;		 /* ms until a name without a stream has left */
	int64_t loops;			 /* threads that serve; 0: one per core */
	int64_t drain_delay;		 /* ms for which only /readyz has changed */
	int64_t drain;			 /* ms over which the streams end then */
	int64_t window;			 /* bytes of newest events in memory */
	const char *retain_all;		 /* --retain as given */
	struct option_list retain_topic; /* --retain-topic as given */
	struct retention_rules retention_rules; /* both, understood */
	int64_t idempotency_window;		/* ms for which keys are kept */
	bool verify, export, import;		/* do this instead of serving */
	const char *backup;			/* likewise: the file to copy the database to, or NULL */
	const char *user;			/* the user that root becomes, or NULL */
	bool no_sandbox;			/* for debugging */
	int log;				/* enum log_format */
	const char *log_file;			/* NULL: stderr */
	int verbose;

	struct option_list trust_proxy;	  /* --trust-proxy as given */
	struct forwarded_proxies proxies; /* the same, understood */
	int64_t max_topics;		  /* that clients may make */
	const char *rate;		  /* --rate as given, or NULL */
	struct rate_rules rate_rules;	  /* the same, understood */

	struct option_sources sources; /* where each value comes from */
};

/*
 * options_parse(argc, argv, version, options, error):
 * Defaults, configuration file, environment and command line; ${version} prints the versions of the linked libraries
 * (option.h).
 */
enum option_result options_parse(int argc, char **argv, void (*version)(FILE *out),
	struct options *options, struct error *error);

/* options_guarded(options): must clients prove who they are? */
bool options_guarded(const struct options *options);

/* options_proves(options): do they name files by which somebody proves who sent something? */
bool options_proves(const struct options *options);

/*
 * options_maintains(options): how many things they say to do with the database instead of serving.
 */
static inline unsigned options_maintains(const struct options *options)
{
	return (unsigned)options->verify + options->export + options->import +
	       (options->backup != NULL);
}

/* options_reloads(options): do they name files that SIGHUP makes the server read again? */
bool options_reloads(const struct options *options);

/*
 * options_reread(argc, argv, running, options, names, size, error):
 * What options_parse() would store now, but as ${running}, which outlives the result, in what cannot
 * change while the server runs; ${names} gets the names of what was changed of that, "" if nothing
 * was.  Return 0, or -1 with the reason.  After both, options_free() releases ${options}.
 */
int options_reread(int argc, char **argv, const struct options *running, struct options *options,
	char *names, size_t size, struct error *error);

/* options_print(options, out): each value, and where it comes from. */
void options_print(const struct options *options, FILE *out);

/*
 * options_blame(options, error): if the error names an option from the configuration file, let it
 * name the file and the line, too.
 */
void options_blame(const struct options *options, struct error *error);

/* In options_stopping.c: the rows that say how the server stops, the last one empty. */
extern const struct option_row options_of_stopping[];

/* In options_store.c: the rows of a log that several nodes share, the last one empty. */
extern const struct option_row options_of_store[];

/* The value of --drain if no option sets it. */
#define OPTIONS_DRAIN_UNSET (-1)

/* options_drain(options, service): --drain in ms, or its default for a service or another start. */
int64_t options_drain(const struct options *options, bool service);

/* options_free(options) */
void options_free(struct options *options);

#endif
