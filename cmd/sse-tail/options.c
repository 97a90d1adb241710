/* SPDX-License-Identifier: MIT */
/* The option table of sse-tail; see options.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "follow.h"
#include "options.h"
#include "output.h"
#include "terminal.h"

#define FIELD(name) .offset = offsetof(struct options, name)
#define HOUR ((int64_t)3600000)

/* Made from output_formats[] before they are needed. */
static const char *format_words[OUTPUT_FORMATS_MAX + 1];
static char format_help[400];

static const struct option_row rows[] = {
	{"output", 'o', OPTION_CHOICE, FIELD(format), "FORMAT", format_help, "Output",
		.choices = format_words},
	{"event", 'e', OPTION_LIST, FIELD(events), "GLOB",
		"only events whose type matches, like 'user.*' (repeat)", "Output"},
	{"color", 0, OPTION_CHOICE, FIELD(colour), "WHEN",
		"auto, always or never (auto: in a terminal)", "Output",
		.choices = terminal_colour_words},
	{"count", 'n', OPTION_COUNT, FIELD(count), "COUNT", "end after this many events", "End", 1,
		INT64_MAX},
	{"timeout", 0, OPTION_DURATION, FIELD(timeout), "TIME", "end after this long (0: never)",
		"End", 0, 365 * 24 * HOUR},
	{"no-reconnect", 0, OPTION_FLAG, FIELD(no_reconnect), NULL,
		"end when the stream ends or fails", "End"},
	{"retry-max", 0, OPTION_COUNT, FIELD(retry_max), "COUNT",
		"end after this many attempts in a row failed to bring an event", "End", 0,
		1000000},
	{"last-event-id", 0, OPTION_STRING, FIELD(last_event_id), "ID",
		"go on behind the event with this id", "Connection"},
	{"reconnect-delay", 0, OPTION_DURATION, FIELD(reconnect_delay), "TIME",
		"the shortest pause before connecting again (2s), unless the server names one",
		"Connection", FOLLOW_DELAY_MIN, HOUR},
	{"read-timeout", 0, OPTION_DURATION, FIELD(read_timeout), "TIME",
		"connect again if nothing at all came for this long (0: never)", "Connection", 0,
		24 * HOUR},
	{0},
};

static const struct option_program program = {
	.name = "sse-tail",
	.synopsis = "[option ...] [TOPIC | URL]",
	.summary = "Show the events of a stream as they come, for as long as you like.\n"
		   "A TOPIC like users or chat/lobby is on the server SSE_URL names\n"
		   "(http://localhost:8000); without one it is users.",
	.tables = {rows, client_option_rows},
	.examples =
		"  sse-tail                                    what happens in users\n"
		"  sse-tail chat/lobby -o data | grep -i help  from another topic, to a pipe\n"
		"  sse-tail -e 'job.*' -n 1 --timeout 5m       wait for one event, in a script\n",
	.operands = COMPLETE_NOTHING,
	.version = client_version,
};

/* The words of -o and what --help says about them, from the formats' own rows. */
static void describe_formats(void)
{
	size_t len = 0;

	for (size_t i = 0; i < OUTPUT_FORMATS_MAX && output_formats[i].name != NULL; i++) {
		format_words[i] = output_formats[i].name;
		len += (size_t)snprintf(format_help + len, sizeof(format_help) - len, "%s%s: %s",
			i > 0 ? "; " : "", output_formats[i].name, output_formats[i].help);
	}
}

static int check(struct options *options, char **operands, struct error *error)
{
	if (client_options_check(&options->client, error) != 0)
		return -1;
	options->target = operands[0];
	if (operands[0] != NULL && operands[1] != NULL)
		return error_set(
			error, EX_USAGE, "'%.200s' is one topic or URL too many", operands[1]);
	if (client_has_header(&options->client, "Last-Event-ID"))
		return error_set(error, EX_USAGE,
			"--header: give the id with --last-event-id, so that it moves with the stream");
	if (options->last_event_id != NULL && !follow_id_fits(options->last_event_id))
		return error_set(error, EX_USAGE,
			"--last-event-id: an id is UTF-8 without controls and without spaces around it");
	if (options->events.count > 0 && options->format >= 0 &&
		output_formats[options->format].raw)
		return error_set(error, EX_USAGE,
			"--output raw shows every byte as it came, --event cannot leave any out");
	return 0;
}

enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error)
{
	enum option_result result;
	int first;

	describe_formats();
	*options = (struct options){.client = CLIENT_OPTIONS_DEFAULT,
		.format = -1,
		.retry_max = -1,
		.reconnect_delay = 2000};
	result = option_parse(&program, argc, argv, options, &first, error);
	if (result == OPTION_RUN && check(options, argv + first, error) != 0)
		return OPTION_BAD;
	return result;
}

void options_free(struct options *options)
{
	option_free(rows, options);
	client_options_free(&options->client);
}
