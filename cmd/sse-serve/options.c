/* SPDX-License-Identifier: MIT */
/* The option table of sse-serve; see options.h. */
#include <sqlite3.h>
#include <stddef.h>
#include <string.h>
#include <sysexits.h>

#include "http.h"
#include "options.h"

/* What fits into the heads that are written by hand. */
#define ORIGIN_MAX 200

#define FIELD(name) offsetof(struct options, name)

static const char *const log_formats[] = {"text", "json", NULL};

static const struct option_row rows[] = {
	{.name = "listen",
		.letter = 'l',
		.type = OPTION_LIST,
		.offset = FIELD(listen),
		.argument = "ADDR:PORT",
		.group = "Network",
		.help = "listen here: ADDR:PORT, PORT or unix:PATH; may be repeated; port 0 picks "
			"one (default: port 8000 of the loopback addresses)"},
	{.name = "open",
		.type = OPTION_FLAG,
		.offset = FIELD(open),
		.group = "Network",
		.help = "allow --listen beyond loopback: everyone who reaches the port can read and "
			"publish"},
	{.name = "cors",
		.type = OPTION_LIST,
		.offset = FIELD(cors),
		.argument = "ORIGIN",
		.group = "Network",
		.help = "let pages of this origin (https://example.com, or *) read and publish; may "
			"be repeated"},
	{.name = "heartbeat",
		.type = OPTION_DURATION,
		.offset = FIELD(heartbeat),
		.argument = "TIME",
		.min = 100,
		.max = 3600000,
		.group = "Network",
		.help = "send a comment on a stream that was silent for this long (default 15s)"},
	{.name = "request-timeout",
		.type = OPTION_DURATION,
		.offset = FIELD(request_timeout),
		.argument = "TIME",
		.min = 100,
		.max = 3600000,
		.group = "Network",
		.help = "cut off a client whose request takes longer than this to arrive (default "
			"30s)"},
	{.name = "max-body",
		.type = OPTION_SIZE,
		.offset = FIELD(max_body),
		.argument = "SIZE",
		.min = 1,
		.max = (int64_t)256 << 20,
		.group = "Network",
		.help = "the most bytes of one POST (default 1M)"},

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
		.help = "memory for the newest events (default 64M)"},
	{.name = "tick",
		.type = OPTION_DURATION,
		.offset = FIELD(tick),
		.argument = "TIME",
		.min = 1,
		.max = 86400000,
		.group = "Events",
		.help = "send \"Hello, world!\" to users this often, unstored: a demo"},

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
		.argument = "FORMAT",
		.choices = log_formats,
		.group = "Pages and log",
		.help = "log on stderr as text (the default) or json"},
	{.name = "verbose",
		.letter = 'v',
		.type = OPTION_TIMES,
		.offset = FIELD(verbose),
		.group = "Pages and log",
		.help = "log each request too"},
	{0},
};

static void print_versions(FILE *out)
{
	fprintf(out, ", libmicrohttpd/%s, SQLite/%s", http_library_version(), sqlite3_libversion());
}

static const struct option_program program = {
	.name = "sse-serve",
	.synopsis = "[OPTION]...",
	.summary = "Keep every event that is posted, and stream it to every reader.",
	.tables = {rows},
	.examples =
		"  sse-serve                            on http://localhost:8000, for you alone\n"
		"  sse-serve --tick 1s --db :memory:    a demo that forgets\n"
		"  sse-serve -l 0.0.0.0:80 --open -w www  for everyone, with your own page\n",
	.version = print_versions,
};

/* An origin is compared as a whole, so one that no browser sends would allow nothing. */
static int check_origins(const struct option_list *origins, struct error *error)
{
	for (size_t i = 0; i < origins->count; i++) {
		const char *origin = origins->values[i], *host = strstr(origin, "://");

		if (strcmp(origin, "*") == 0)
			continue;
		if (host == NULL || host[3] == '\0' || strchr(host + 3, '/') != NULL ||
			strlen(origin) > ORIGIN_MAX)
			return error_set(error, EX_USAGE,
				"--cors '%.60s': an origin is scheme://host or scheme://host:port, without "
				"a slash at the end, or * for all",
				origin);
	}
	return 0;
}

enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error)
{
	enum option_result result;
	int operands;

	*options = (struct options){.heartbeat = 15000,
		.request_timeout = 30000,
		.max_body = 1 << 20,
		.window = 64 << 20};
	result = option_parse(&program, argc, argv, options, &operands, error);
	if (result == OPTION_RUN && operands < argc) {
		error_set(error, EX_USAGE, "'%.60s' is not an option; sse-serve takes no operands",
			argv[operands]);
		return OPTION_BAD;
	}
	if (result == OPTION_RUN && check_origins(&options->cors, error) != 0)
		return OPTION_BAD;
	return result;
}

void options_free(struct options *options)
{
	option_list_free(&options->listen);
	option_list_free(&options->cors);
}
