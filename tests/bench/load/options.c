/* SPDX-License-Identifier: MIT */
/* The option table of load; see options.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "marker.h"
#include "mode.h"
#include "options.h"

#define FIELD(name) .offset = offsetof(struct options, name)
#define HOUR ((int64_t)3600000)

static const struct option_row rows[] = {
	{"port", 'p', OPTION_COUNT, FIELD(port), "PORT", "the server's, on 127.0.0.1", "Server", 1,
		65535},
	{"tls", 0, OPTION_FLAG, FIELD(tls), NULL,
		"speak TLS; the certificate is not checked, and no session is resumed", "Server"},
	{"publish", 0, OPTION_LIST, FIELD(publish), "PATH",
		"where events are posted (/api/bench); each one given is a phase", "Server"},
	{"stream", 0, OPTION_STRING, FIELD(stream), "PATH",
		OPTION_DEFAULT("where streams are (", "/api/bench/event",
			"); {} in it is the stream's number"),
		"Server"},
	{"type", 0, OPTION_STRING, FIELD(type), "TYPE",
		OPTION_DEFAULT("Content-Type of events (", "text/plain",
			"); with json in it they are objects"),
		"Server"},
	{"answer", 0, OPTION_STRING, FIELD(answer), "STATUS",
		OPTION_DEFAULT("how the status of a good POST begins, 201 or 20 (", "201", ")"),
		"Server"},
	{"header", 'H', OPTION_LIST, FIELD(headers), "LINE",
		"sent with each request; of several, each connection sends its own, in turn",
		"Server"},
	{"pid", 0, OPTION_LIST, FIELD(pids), "PID", "a process of the server, to be measured",
		"Server"},
	{"streams", 'n', OPTION_COUNT, FIELD(streams), "COUNT",
		"streams that read (0); in visit: connections at a time", "Load", 0, 10000000},
	{"stalled", 0, OPTION_COUNT, FIELD(stalled), "COUNT",
		"streams beside them that stop reading (0)", "Load", 0, 1000000},
	{"publishers", 'm', OPTION_COUNT, FIELD(publishers), "COUNT",
		OPTION_DEFAULT("connections with one POST in flight each (", "1", ")"), "Load", 1,
		65535},
	{"events", 'e', OPTION_COUNT, FIELD(events), "COUNT",
		OPTION_DEFAULT("events in all (", "1000", ")"), "Load", 1, INT32_MAX},
	{"time", 't', OPTION_DURATION, FIELD(time), "TIME",
		"end earlier, after this long; in idle: how long to look", "Load", 1, 24 * HOUR},
	{"warm", 'w', OPTION_COUNT, FIELD(warm), "COUNT",
		"events before those that are measured (0)", "Load", 0, INT32_MAX},
	{"rate", 'r', OPTION_COUNT, FIELD(rate), "COUNT",
		"events a second (as many as are answered)", "Load", 1, 1000000},
	{"lockstep", 0, OPTION_FLAG, FIELD(lockstep), NULL,
		"the next event when every stream has the one before", "Load"},
	{"size", 's', OPTION_SIZE, FIELD(size), "SIZE",
		OPTION_DEFAULT("of an event's data (", "100", ")"), "Load", MARKER_LEAST, 65536},
	{"catch-up", 0, OPTION_FLAG, FIELD(catch_up), NULL,
		"stalled streams read on at the end, and are checked", "Load"},
	{"last-event-id", 0, OPTION_STRING, FIELD(last_event_id), "ID", "streams start behind it",
		"Load"},
	{"repeat", 0, OPTION_COUNT, FIELD(repeat), "COUNT",
		OPTION_DEFAULT("resume that often (", "1", ")"), "Load", 1, 1000000},
	{"cpu", 0, OPTION_COUNT, FIELD(cpu), "NUMBER", "run on this core alone", "Load", 0, 1023},
	{0},
};

static const struct option_program program = {
	.name = "load",
	.synopsis = "[option ...] MODE",
	.summary = mode_summary,
	.tables = {rows},
	.examples = "  load -p 8000 -n 1000 -e 1000 --lockstep fanout  one event at a time\n"
		    "  load -p 8000 -n 1000 -e 20000 -m 16 fanout      16 publishers\n"
		    "  load -p 8000 -n 10000 --pid 4711 idle           memory of a stream\n",
};

static int check(struct options *options, char **operands, struct error *error)
{
	if (options->port == 0)
		return error_set(error, EX_USAGE, "--port is needed");
	for (size_t i = 0; i < options->headers.count; i++) {
		if (strlen(options->headers.values[i]) > HEADER_MAX)
			return error_set(error, EX_USAGE, "--header: at most %d bytes", HEADER_MAX);
	}
	if (operands[0] == NULL || operands[1] != NULL)
		return error_set(error, EX_USAGE, "one mode is needed; see --help");
	options->mode = mode_find(operands[0]);
	if (options->mode == NULL)
		return error_set(error, EX_USAGE, "%s is no mode; see --help", operands[0]);
	if (options->streams < options->mode->streams)
		options->streams = options->mode->streams;
	return 0;
}

enum option_result options_parse(
	struct options *options, int argc, char **argv, struct error *error)
{
	int operands;
	enum option_result result = option_parse(&program, argc, argv, options, &operands, error);

	if (result == OPTION_RUN && check(options, argv + operands, error) != 0)
		return OPTION_BAD;
	return result;
}

struct header options_header(const struct options *options, size_t index)
{
	const struct option_list *headers = &options->headers;

	if (headers->count == 0)
		return (struct header){"", ""};
	return (struct header){headers->values[index % headers->count], "\r\n"};
}

const char *options_stream(const struct options *options, size_t number, char path[OPTIONS_PATH])
{
	const char *place = strstr(options->stream, "{}");

	if (place == NULL)
		return options->stream;
	snprintf(path, OPTIONS_PATH, "%.*s%zu%s", (int)(place - options->stream), options->stream,
		number, place + 2);
	return path;
}

void options_free(struct options *options)
{
	option_free(rows, options);
}
