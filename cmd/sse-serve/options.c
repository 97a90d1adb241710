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
		.help = "read options from this file, one a line, as in `max-body 2M`; variables and "
			"the command line take precedence; SIGHUP reloads it"},
	{.name = "check-config",
		.type = OPTION_FLAG,
		.offset = FIELD(check_config),
		.command = true,
		.group = "Configuration",
		.help = "read all that a start would read, say what would happen, and end"},
	{.name = "print-config",
		.type = OPTION_FLAG,
		.offset = FIELD(print_config),
		.command = true,
		.group = "Configuration",
		.help = "print each option with its value and where that comes from, and end"},

	{.name = "listen",
		.letter = 'l',
		.type = OPTION_LIST,
		.offset = FIELD(listen),
		.argument = "ADDR:PORT",
		.group = "Network",
		.help = "listen here: ADDR:PORT, PORT or unix:PATH; may be repeated; port 0 picks "
			"one; http: before it means without TLS, https: with it (default: port 8000 of "
			"the loopback addresses)"},
	{.name = "open",
		.type = OPTION_FLAG,
		.offset = FIELD(open),
		.group = "Network",
		.help = "allow --listen beyond loopback without --access: anyone who reaches the port "
			"can read and publish"},
	{.name = "open-status",
		.type = OPTION_FLAG,
		.offset = FIELD(open_status),
		.group = "Network",
		.help = "show the server's figures (/status, $sys, /metrics) to everyone, not only to "
			"this machine"},
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
		.help = "let pages of this origin (https://example.com, or *) read and publish; may "
			"be repeated"},
	{.name = "trust-proxy",
		.type = OPTION_LIST,
		.offset = FIELD(trust_proxy),
		.argument = "ADDRESS",
		.live = true,
		.group = "Network",
		.help = "trust the X-Forwarded-For of proxies at this address, in this range "
			"(10.0.0.0/8), or on local sockets (unix); may be repeated"},
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
		OPTION_DEFAULT(
			"cut off a client whose request takes longer than this to arrive (default ",
			"30s", ")")},
	{.name = "max-body",
		.type = OPTION_SIZE,
		.offset = FIELD(max_body),
		.live = true,
		.argument = "SIZE",
		.min = 1,
		.max = (int64_t)256 << 20,
		.group = "Network",
		OPTION_DEFAULT("the most bytes of one POST (default ", "1M", ")")},
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
		OPTION_DEFAULT("a name leaves this long after its last stream ended (default ",
			"10s", ")")},
	{.name = "loops",
		.type = OPTION_COUNT,
		.offset = FIELD(loops),
		.argument = "N",
		.min = 1,
		.max = 256,
		.group = "Network",
		.help = "threads that serve connections (default: one per core)"},

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
		.help = "make a token: print its line for the --access file on stdout, the token itself "
			"on stderr, and end"},
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
		OPTION_DEFAULT("a login on a page lasts this long (default ", "7d", ")")},
	{.name = "hook",
		.type = OPTION_LIST,
		.offset = FIELD(hook),
		.argument = "KIND=TOPIC:FILE",
		.group = "Access",
		.help = "publish the signed deliveries to /hook/KIND in this topic; KIND is github, "
			"stripe or standard, the file has the secrets; may be repeated as "
			"KIND/WORD=...; SIGHUP reloads the file"},

	{.name = "max-streams",
		.type = OPTION_COUNT,
		.offset = FIELD(max_streams),
		.live = true,
		.argument = "N",
		.min = 1,
		.max = 1 << 30,
		.group = "Limits",
		.help = "open streams; one more gets 503 (default: as many as descriptors allow)"},
	{.name = "max-streams-per-address",
		.type = OPTION_COUNT,
		.offset = FIELD(max_streams_per_address),
		.live = true,
		.argument = "N",
		.min = 1,
		.max = 1 << 30,
		.group = "Limits",
		.help = "open streams of one client address, loopback left out; one more gets 429 "
			"(default: no limit)"},
	{.name = "rate",
		.type = OPTION_STRING,
		.offset = FIELD(rate),
		.live = true,
		.argument = "KIND=N/UNIT,...",
		.group = "Limits",
		.help = "events that one client may publish and streams that it may open, loopback "
			"left out: publish=50/s,stream=5/s, or publish=50/s:200 with a burst; more "
			"gets 429 (default: no limit)"},
	{.name = "max-topics-per-stream",
		.type = OPTION_COUNT,
		.offset = FIELD(max_topics_per_stream),
		.argument = "N",
		.min = 1,
		.max = 10000,
		.group = "Limits",
		OPTION_DEFAULT(
			"topics and patterns that one stream may name (default ", "64", ")")},
	{.name = "max-topics",
		.type = OPTION_COUNT,
		.offset = FIELD(max_topics),
		.live = true,
		.argument = "N",
		.min = 1,
		.max = 1 << 30,
		.group = "Limits",
		OPTION_DEFAULT("topics, all together; an event for one more gets 507 (default ",
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
			"names that can be present, in all topics together; a stream with one "
			"more gets 503 (default ",
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
			"memory for the bodies of all running POSTs; beyond it a POST gets 503 "
			"(default ",
			"256M", ")")},

	{.name = "db",
		.letter = 'd',
		.type = OPTION_STRING,
		.offset = FIELD(db),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Events",
		.help = "the database that keeps all events, or :memory: for none (default: "
			"sse-serve/events.db in $STATE_DIRECTORY or $XDG_STATE_HOME)"},
	{.name = "window",
		.type = OPTION_SIZE,
		.offset = FIELD(window),
		.argument = "SIZE",
		.min = 64 << 10,
		.max = (int64_t)64 << 30,
		.group = "Events",
		OPTION_DEFAULT("memory for the newest events (default ", "64M", ")")},
	{.name = "retain",
		.type = OPTION_STRING,
		.offset = FIELD(retain_all),
		.live = true,
		.argument = "AGE,EVENTS,BYTES",
		.group = "Events",
		.help = "keep no more than this, as in 7d,1M,10G; each may be left empty (default: "
			"keep everything)"},
	{.name = "retain-topic",
		.type = OPTION_LIST,
		.offset = FIELD(retain_topic),
		.live = true,
		.argument = "PATTERN=AGE,...",
		.group = "Events",
		.help = "the same for each topic that matches, instead of --retain, as in "
			"'logs/**=1d'; 'hosts/**=latest' keeps the newest event of each subject; may be "
			"repeated, the first match counts"},
	{.name = "idempotency-window",
		.type = OPTION_DURATION,
		.offset = FIELD(idempotency_window),
		.argument = "TIME",
		.min = 1000,
		.max = (int64_t)3650 * 86400000,
		.group = "Events",
		/* STORE_KEYS_DEFAULT */
		OPTION_DEFAULT("how long an Idempotency-Key is remembered (default ", "7d", ")")},
	{.name = "tick",
		.type = OPTION_DURATION,
		.offset = FIELD(tick),
		.argument = "TIME",
		.min = 1,
		.max = 86400000,
		.group = "Events",
		.help = "send \"Hello, world!\" to users this often, without storing it: a demo"},

	{.name = "verify",
		.type = OPTION_FLAG,
		.offset = FIELD(verify),
		.command = true,
		.group = "Maintenance",
		.help = "check the database, say what is wrong, and end"},
	{.name = "export",
		.type = OPTION_FLAG,
		.offset = FIELD(export),
		.command = true,
		.group = "Maintenance",
		.help = "write the whole log to stdout as NDJSON, and end"},
	{.name = "import",
		.type = OPTION_FLAG,
		.offset = FIELD(import),
		.command = true,
		.group = "Maintenance",
		.help = "read such a log from stdin into a new database, and end"},
	{.name = "backup",
		.type = OPTION_STRING,
		.offset = FIELD(backup),
		.command = true,
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Maintenance",
		.help = "copy the database to this file, which must not exist, also beside a running "
			"server, and end"},

	{.name = "user",
		.type = OPTION_STRING,
		.offset = FIELD(user),
		.argument = "NAME",
		.group = "Sandbox",
		.help = "start as root, bind the ports, then run as this user"},
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
		OPTION_DEFAULT("log on stderr as ", "text", " (the default) or json")},
	{.name = "log-file",
		.type = OPTION_STRING,
		.offset = FIELD(log_file),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Pages and log",
		.help = "append the log to this file instead; SIGUSR1 opens it again"},
	{.name = "verbose",
		.letter = 'v',
		.type = OPTION_TIMES,
		.offset = FIELD(verbose),
		.live = true,
		.group = "Pages and log",
		.help = "log each request too"},
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
	.synopsis = "[OPTION]...",
	.summary = "Keep every event that is posted, and stream it to every reader.",
	.tables = {rows, options_of_store, options_of_stopping, options_tls_rows},
	.file = "config",
	.read = read_file,
	.examples =
		"  sse-serve                            on http://localhost:8000 of this machine\n"
		"  sse-serve --tick 1s --db :memory:    a demo that stores nothing\n"
		"  sse-serve -l 0.0.0.0:8000 --access who\n"
		"                                       on all addresses, for the tokens in who\n",
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
			"'%.60s' is not an option; sse-serve takes no operands (--db names the "
			"database)",
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
