/* SPDX-License-Identifier: MIT */
/* The option table of sse-serve; see options.h. */
#include <stddef.h>
#include <string.h>
#include <sysexits.h>

#include "access/private_file.h"
#include "options.h"
#include "options_internal.h"

#define FIELD(name) offsetof(struct options, name)

static const char *const log_formats[] = {"text", "json", NULL};

static const struct option_row rows[] = {
	{.name = "config",
		.letter = 'c',
		.type = OPTION_STRING,
		.offset = FIELD(config),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.command = true,
		.group = "Configuration",
		.help = "read options from this file, one per line, as in `max-body 2M`; variables "
			"and the command line override it; SIGHUP reloads it"},
	{.name = "check-config",
		.type = OPTION_FLAG,
		.offset = FIELD(check_config),
		.command = true,
		.group = "Configuration",
		.help = "read everything that a start would read, print what the server would "
			"do, and exit"},
	{.name = "print-config",
		.type = OPTION_FLAG,
		.offset = FIELD(print_config),
		.command = true,
		.group = "Configuration",
		.help = "print each option with its value and where the value comes from, and "
			"exit"},

	{.name = "listen",
		.letter = 'l',
		.type = OPTION_LIST,
		.offset = FIELD(listen),
		.argument = "ADDR:PORT",
		.group = "Network",
		.help = "listen on ADDR:PORT, PORT or unix:PATH; port 0 picks a free one; http: "
			"before it means without TLS, https: with it; may be repeated (default: "
			"port 8000 of the loopback addresses)"},
	{.name = "open",
		.type = OPTION_FLAG,
		.offset = FIELD(open),
		.group = "Network",
		.help = "allow --listen beyond loopback without --access: anyone who reaches "
			"the port can read and publish"},
	{.name = "open-status",
		.type = OPTION_FLAG,
		.offset = FIELD(open_status),
		.group = "Network",
		.help = "show the server's figures (/status, $sys, /metrics) to everyone, not "
			"only to this machine"},
	{.name = "host",
		.type = OPTION_LIST,
		.offset = FIELD(host),
		.argument = "NAME",
		.live = true,
		.group = "Network",
		.help = "answer requests for this name too; *.example.org stands for all names "
			"below it; may be repeated (default: only localhost and the addresses of "
			"--listen)"},
	{.name = "cors",
		.type = OPTION_LIST,
		.offset = FIELD(cors),
		.argument = "ORIGIN",
		.live = true,
		.group = "Network",
		.help = "let pages of this origin (https://example.com, or *) read and publish; "
			"may be repeated"},
	{.name = "trust-proxy",
		.type = OPTION_LIST,
		.offset = FIELD(trust_proxy),
		.argument = "ADDRESS",
		.live = true,
		.group = "Network",
		.help = "trust the X-Forwarded-For header of proxies at this address, in this "
			"range (10.0.0.0/8), or on local sockets (unix); may be repeated"},
	{.name = "heartbeat",
		.type = OPTION_DURATION,
		.offset = FIELD(heartbeat),
		.argument = "TIME",
		.min = 100,
		.max = 3600000,
		.group = "Network",
		OPTION_DEFAULT("send a comment on a stream that was silent for this long (default ",
			"15s", ")")},
	{.name = "request-timeout",
		.type = OPTION_DURATION,
		.offset = FIELD(request_timeout),
		.live = true,
		.argument = "TIME",
		.min = 100,
		.max = 3600000,
		.group = "Network",
		OPTION_DEFAULT("disconnect a client whose request takes longer than this to arrive "
			       "(default ",
			"30s", ")")},
	{.name = "max-body",
		.type = OPTION_SIZE,
		.offset = FIELD(max_body),
		.live = true,
		.argument = "SIZE",
		.min = 1,
		.max = (int64_t)256 << 20,
		.group = "Network",
		OPTION_DEFAULT("the largest body of a POST (default ", "1M", ")")},
	{.name = "stall-timeout",
		.type = OPTION_DURATION,
		.offset = FIELD(stall_timeout),
		.argument = "TIME",
		.min = 100,
		.max = 86400000,
		.group = "Network",
		OPTION_DEFAULT(
			"close a stream whose reader took nothing for this long while events "
			"waited for it (default ",
			"60s", ")")},
	{.name = "presence-grace",
		.type = OPTION_DURATION,
		.offset = FIELD(presence_grace),
		.argument = "TIME",
		.min = 0,
		.max = 3600000,
		.group = "Network",
		OPTION_DEFAULT("keep a name in the presence list for this long after its last "
			       "stream ended (default ",
			"10s", ")")},
	{.name = "loops",
		.type = OPTION_COUNT,
		.offset = FIELD(loops),
		.argument = "N",
		.min = 1,
		.max = 256,
		.group = "Network",
		.help = "the number of threads that serve connections (default: one per core)"},

	{.name = "access",
		.type = OPTION_STRING,
		.offset = FIELD(access),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Access",
		.help = "allow only what this file grants to each token; SIGHUP reloads it"},
	{.name = "new-token",
		.type = OPTION_STRING,
		.offset = FIELD(new_token),
		.command = true,
		.argument = "NAME",
		.group = "Access",
		.help = "make a token, print its line for the --access file to stdout and the "
			"token itself to stderr, and exit"},
	{.name = "jwt-keys",
		.type = OPTION_STRING,
		.offset = FIELD(jwt_keys),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Access",
		.help = "accept JWTs that a key in this file verifies: a JWKS, or public keys in "
			"PEM; SIGHUP reloads it"},
	{.name = "jwt-issuer",
		.type = OPTION_STRING,
		.offset = FIELD(jwt_issuer),
		.argument = "TEXT",
		.group = "Access",
		.help = "accept only JWTs of this issuer (iss)"},
	{.name = "jwt-audience",
		.type = OPTION_STRING,
		.offset = FIELD(jwt_audience),
		.argument = "TEXT",
		.group = "Access",
		.help = "accept only JWTs for this audience (aud)"},
	{.name = "session-lifetime",
		.type = OPTION_DURATION,
		.offset = FIELD(session_lifetime),
		.argument = "TIME",
		.min = 1000,
		.max = (int64_t)366 * 86400000,
		.group = "Access",
		OPTION_DEFAULT("end a login on a page after this time (default ", "7d", ")")},
	{.name = "hook",
		.type = OPTION_LIST,
		.offset = FIELD(hook),
		.argument = "KIND=TOPIC:FILE",
		.group = "Access",
		.help = "accept a webhook at /hook/KIND, and publish its signed deliveries in "
			"this topic; KIND is github, stripe or standard; FILE has the secrets, "
			"and SIGHUP reloads it; may be repeated, as KIND/WORD=..."},

	{.name = "max-streams",
		.type = OPTION_COUNT,
		.offset = FIELD(max_streams),
		.live = true,
		.argument = "N",
		.min = 1,
		.max = 1 << 30,
		.group = "Limits",
		.help = "the most open streams; one more gets 503 (default: as many as descriptors "
			"allow)"},
	{.name = "max-streams-per-address",
		.type = OPTION_COUNT,
		.offset = FIELD(max_streams_per_address),
		.live = true,
		.argument = "N",
		.min = 1,
		.max = 1 << 30,
		.group = "Limits",
		.help = "the most open streams of one client address; one more gets 429; "
			"loopback is not limited (default: no limit)"},
	{.name = "rate",
		.type = OPTION_STRING,
		.offset = FIELD(rate),
		.live = true,
		.argument = "KIND=N/UNIT,...",
		.group = "Limits",
		.help = "limit the events that each client publishes and the streams that it "
			"opens: publish=50/s,stream=5/s, or publish=50/s:200 with a burst; more "
			"gets 429; loopback is not limited (default: no limit)"},
	{.name = "max-topics-per-stream",
		.type = OPTION_COUNT,
		.offset = FIELD(max_topics_per_stream),
		.argument = "N",
		.min = 1,
		.max = 10000,
		.group = "Limits",
		OPTION_DEFAULT("the most topics and patterns of one stream (default ", "64", ")")},
	{.name = "max-topics",
		.type = OPTION_COUNT,
		.offset = FIELD(max_topics),
		.live = true,
		.argument = "N",
		.min = 1,
		.max = 1 << 30,
		.group = "Limits",
		OPTION_DEFAULT("the most topics; an event for one more gets 507 (default ",
			"1000000", ")")},
	{.name = "max-names",
		.type = OPTION_COUNT,
		.offset = FIELD(max_names),
		.live = true,
		.argument = "N",
		.min = 1,
		.max = 10000000,
		.group = "Limits",
		OPTION_DEFAULT(
			"the most names that can be present, in all topics together; a stream "
			"with one more gets 503 (default ",
			"65536", ")")},
	{.name = "max-bodies",
		.type = OPTION_SIZE,
		.offset = FIELD(max_bodies),
		.live = true,
		.argument = "SIZE",
		.min = 1,
		.max = (int64_t)64 << 30,
		.group = "Limits",
		OPTION_DEFAULT(
			"memory for the bodies of all POSTs in progress; beyond it a POST gets "
			"503 (default ",
			"256M", ")")},

	{.name = "db",
		.letter = 'd',
		.type = OPTION_STRING,
		.offset = FIELD(db),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Events",
		.help = "store all events in this database; :memory: means none (default: "
			"sse-serve/events.db in $STATE_DIRECTORY or $XDG_STATE_HOME)"},
	{.name = "window",
		.type = OPTION_SIZE,
		.offset = FIELD(window),
		.argument = "SIZE",
		.min = 64 << 10,
		.max = (int64_t)64 << 30,
		.group = "Events",
		OPTION_DEFAULT("memory for the newest events, from which streams are served "
			       "(default ",
			"64M", ")")},
	{.name = "retain",
		.type = OPTION_STRING,
		.offset = FIELD(retain_all),
		.live = true,
		.argument = "AGE,EVENTS,BYTES",
		.group = "Events",
		.help = "keep no more events than this, as in 7d,1M,10G; each value may be left "
			"empty (default: keep everything)"},
	{.name = "retain-topic",
		.type = OPTION_LIST,
		.offset = FIELD(retain_topic),
		.live = true,
		.argument = "PATTERN=AGE,...",
		.group = "Events",
		.help = "limit each topic that matches PATTERN, instead of by --retain, as in "
			"'logs/**=1d'; 'hosts/**=latest' keeps the newest event of each "
			"subject; may be repeated, the first match is used"},
	{.name = "idempotency-window",
		.type = OPTION_DURATION,
		.offset = FIELD(idempotency_window),
		.argument = "TIME",
		.min = 1000,
		.max = (int64_t)3650 * 86400000,
		.group = "Events",
		/* STORE_KEYS_DEFAULT */
		OPTION_DEFAULT("remember each Idempotency-Key for this long (default ", "7d", ")")},
	{.name = "tick",
		.type = OPTION_DURATION,
		.offset = FIELD(tick),
		.argument = "TIME",
		.min = 1,
		.max = 86400000,
		.group = "Events",
		.help = "send \"Hello, world!\" to the topic users this often, without storing "
			"it, for demonstrations"},

	{.name = "verify",
		.type = OPTION_FLAG,
		.offset = FIELD(verify),
		.command = true,
		.group = "Maintenance",
		.help = "check the database, report what is wrong, and exit"},
	{.name = "export",
		.type = OPTION_FLAG,
		.offset = FIELD(export),
		.command = true,
		.group = "Maintenance",
		.help = "write all stored events to stdout as NDJSON, and exit"},
	{.name = "import",
		.type = OPTION_FLAG,
		.offset = FIELD(import),
		.command = true,
		.group = "Maintenance",
		.help = "create a database from the output of --export on stdin, and exit"},
	{.name = "backup",
		.type = OPTION_STRING,
		.offset = FIELD(backup),
		.command = true,
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Maintenance",
		.help = "copy the database to this file, which must not exist, even while a "
			"server uses it, and exit"},

	{.name = "user",
		.type = OPTION_STRING,
		.offset = FIELD(user),
		.argument = "NAME",
		.group = "Sandbox",
		.help = "start as root, open the ports, then run as this user"},
	{.name = "no-sandbox",
		.type = OPTION_FLAG,
		.offset = FIELD(no_sandbox),
		.group = "Sandbox",
		.help = "run without the sandbox, to debug the server"},

	{.name = "web",
		.letter = 'w',
		.type = OPTION_STRING,
		.offset = FIELD(web),
		.argument = "DIR",
		.complete = COMPLETE_FOLDER,
		.group = "Pages and log",
		.help = "serve the files of this folder instead of the built-in pages"},
	{.name = "log",
		.type = OPTION_CHOICE,
		.offset = FIELD(log),
		.live = true,
		.argument = "FORMAT",
		.choices = log_formats,
		.group = "Pages and log",
		OPTION_DEFAULT("write the log to stderr as ", "text", " (the default) or json")},
	{.name = "log-file",
		.type = OPTION_STRING,
		.offset = FIELD(log_file),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Pages and log",
		.help = "append the log to this file instead of stderr; SIGUSR1 opens it again"},
	{.name = "verbose",
		.letter = 'v',
		.type = OPTION_TIMES,
		.offset = FIELD(verbose),
		.live = true,
		.group = "Pages and log",
		.help = "also log each request, and the end of each stream"},
	{0},
};

static int read_file(const char *path, char **text, size_t *len, struct error *error)
{
	struct buf content;
	bool readable;

	/* Its owner decides who may do what. */
	if (private_file_read(path, &content, &readable, error) != 0)
		return -1;
	*text = content.data;
	*len = content.len;
	return 0;
}

const struct option_program options_program = {
	.name = "sse-serve",
	.synopsis = "[option ...]",
	.summary = "Store the events that are published, and stream them to every reader.",
	.tables = {rows, options_of_store, options_of_stopping, options_tls_rows},
	.file = "config",
	.read = read_file,
	.examples =
		"  sse-serve                            serve http://localhost:8000\n"
		"  sse-serve --tick 1s --db :memory:    run a demonstration that stores nothing\n"
		"  sse-serve -l 0.0.0.0:8000 --access who\n"
		"                                       serve the network, for the tokens in who\n",
};

enum option_result options_parse(int argc, char **argv, void (*version)(FILE *out),
	struct options *options, struct error *error)
{
	struct option_program named = options_program;
	enum option_result result;
	int operands;

	*options = (struct options){.drain = OPTIONS_DRAIN_UNSET};
	named.version = version;
	result = option_parse_sources(
		&named, argc, argv, options, &operands, &options->sources, error);
	if (result == OPTION_RUN && operands < argc) {
		error_set(error, EX_USAGE,
			"'%.60s' is not an option, and sse-serve takes no other arguments; the database "
			"is given with --db FILE",
			argv[operands]);
		return OPTION_BAD;
	}
	if (result == OPTION_RUN && options_check(options, error) != 0) {
		options_blame(options, error);
		return OPTION_BAD;
	}
	return result;
}

void options_free(struct options *options)
{
	option_free(rows, options);
	option_free(options_of_store, options);
	option_free(options_tls_rows, options);
	options_free_meanings(options);
	option_sources_free(&options->sources);
}
