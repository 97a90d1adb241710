/* SPDX-License-Identifier: MIT */
/* The option table of sse-tail; see options.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "client_rows.h"
#include "client_target.h"
#include "client_voice.h"
#include "follow.h"
#include "subscribe.h"
#include "client_url.h"
#include "options.h"
#include "since.h"

#define FIELD(name) .offset = offsetof(struct options, name)
#define HOUR ((int64_t)3600000)
#define YEAR (365 * 24 * HOUR)

/* Made from the tables of formats and presets before they are needed. */
static const char *format_words[OUTPUT_FORMATS_MAX + 1];
static const char *format_meanings[OUTPUT_FORMATS_MAX + 1];
static const char *preset_words[FILTER_PRESETS_MAX + 1];
static char format_help[400];
static char preset_help[200];

/* The values of --until. */
static const char *const until_words[] = {"end", NULL};

/* What the values mean, for completions: the words are in terminal.c and output.c. */
static const char *const until_meanings[] = {"the last event that is stored now"};
static const char *const wrap_meanings[] = {
	"continue on the next line (default)", "cut them", "leave them to the terminal"};
static const char *const colour_meanings[] = {
	"in a terminal (default)", "also into a pipe or file", "nowhere"};
static const char *const stamp_meanings[] = {"2026-11-22T19:00:00.000Z (default)",
	"seconds since 1970", "seconds since the event before"};

/* As many as sse-serve gives of several topics. */
#define LAST_MAX 100000

static const struct option_row rows[] = {
	{"output", 'o', OPTION_CHOICE, FIELD(output.format), "FORMAT", format_help, "Output",
		.choices = format_words, .meanings = format_meanings, .rivals = "format"},
	{"template", 'F', OPTION_STRING, FIELD(output.template), "TEXT",
		"show each event as TEXT; %T: topic, %e: type, %i: id, %d: data", "Output",
		.rivals = "format"},
	{"pointer", 0, OPTION_LIST, FIELD(filter.pointers), "POINTER",
		"show one value of JSON data, like /user/name (repeat)", "Output",
		.may_be_empty = true},
	{"join", 'j', OPTION_FLAG, FIELD(output.join), NULL, "write no newline after an event",
		"Output", .rivals = "end"},
	{"null", '0', OPTION_FLAG, FIELD(output.nul), NULL,
		"end each event with a NUL, not a newline", "Output", .rivals = "end"},
	{"nest", 0, OPTION_FLAG, FIELD(output.nest), NULL,
		"with -o json, write JSON data as JSON, not as a string", "Output"},
	{"llm", 0, OPTION_CHOICE, FIELD(filter.preset), "SERVICE", preset_help, "Output",
		.choices = preset_words},
	{"time", 't', OPTION_CHOICE, FIELD(output.stamp), "STYLE",
		"show the time: iso (default), unix or delta", "Output",
		.choices = output_stamp_words, .meanings = stamp_meanings, .preset = "iso"},
	{"comments", 0, OPTION_FLAG, FIELD(comments), NULL, "show comments, too", "Output"},
	{"wrap", 0, OPTION_CHOICE, FIELD(output.wrap), "HOW",
		"wrap (default) or cut long lines in a terminal, or neither (off)", "Output",
		.choices = terminal_wrap_words, .meanings = wrap_meanings},
	{"color", 0, OPTION_CHOICE, FIELD(output.colour), "WHEN",
		"use colour: always, never, or auto (in a terminal)", "Output",
		.choices = terminal_colour_words, .meanings = colour_meanings},
	{"event", 'e', OPTION_LIST, FIELD(filter.events), "GLOB",
		"show only events of this type, like 'user.*' (repeat)", "Which events"},
	{"not-event", 0, OPTION_LIST, FIELD(filter.not_events), "GLOB",
		"show no events of this type (repeat)", "Which events"},
	{"exec", 0, OPTION_STRING, FIELD(exec), "COMMAND",
		"run COMMAND for each event, with its data as the input", "Which events"},
	{"lines", 'l', OPTION_FLAG, FIELD(lines), NULL,
		"take each line as an event, whatever the Content-Type", "Which events"},
	{"strict", 0, OPTION_FLAG, FIELD(strict), NULL,
		"end if events are missing or a command fails", "Which events"},

	{"post", 0, OPTION_STRING, FIELD(post.target), "URL",
		"send each event to URL by POST, until it is accepted", "Deliver", .secret = true},
	{"post-header", 0, OPTION_LIST, FIELD(post.headers), "LINE",
		"send this header with --post, 'Name: value' (repeat)", "Deliver", .secret = true},
	{"sign-key", 0, OPTION_STRING, FIELD(post.sign_key), "FILE",
		"sign the events of --post with the keys in FILE", "Deliver",
		.complete = COMPLETE_FILE},
	{"give-up", 0, OPTION_DURATION, FIELD(post.give_up), "TIME",
		OPTION_DEFAULT("try to deliver each event for this long (", "3d", ")"), "Deliver",
		0, YEAR},
	{"failed", 0, OPTION_STRING, FIELD(post.failed), "FILE",
		"append the events that --post gave up to FILE", "Deliver",
		.complete = COMPLETE_FILE},

	{"count", 'n', OPTION_COUNT, FIELD(count), "COUNT", "end after COUNT events", "End", 1,
		INT64_MAX},
	{"timeout", 0, OPTION_DURATION, FIELD(timeout), "TIME", "end after this time", "End", 0,
		YEAR},
	{"until", 0, OPTION_CHOICE, FIELD(until), "PLACE",
		"stop after the last event that is stored now (end)", "End", .choices = until_words,
		.meanings = until_meanings},
	{"until-idle", 0, OPTION_DURATION, FIELD(until_idle), "TIME",
		"end when no event has arrived for this long", "End", 0, YEAR},
	{"done", 0, OPTION_LIST, FIELD(filter.done), "TEXT",
		"end at an event with this data, like [DONE] (repeat)", "End",
		.may_be_empty = true},
	{"done-event", 0, OPTION_LIST, FIELD(filter.done_events), "GLOB",
		"end at an event of this type (repeat)", "End"},
	{"no-reconnect", 0, OPTION_FLAG, FIELD(no_reconnect), NULL,
		"end when the stream ends or fails", "End", .rivals = "reconnect"},
	{"retry-max", 0, OPTION_COUNT, FIELD(retry_max), "COUNT",
		"end after COUNT retries in a row without an event", "End", 0, 1000000},
	{"fail", 0, OPTION_FLAG, FIELD(fail), NULL,
		"end at an answer of 408, 429 or 5xx, do not retry", "End"},
	{"flush-eof", 0, OPTION_FLAG, FIELD(flush_eof), NULL,
		"show an event that the end of the stream cut off", "End"},

	{"last-event-id", 0, OPTION_STRING, FIELD(last_event_id), "ID",
		"resume after the event with this id", "Start and reconnect",
		.if_empty =
			"leave the option out to begin with what comes now, or give --since all "
			"for everything that is stored"},
	{"since", 0, OPTION_STRING, FIELD(since), "TIME",
		"begin with events since 10m ago, a date, a time, or all", "Start and reconnect",
		.rivals = "start"},
	{"last", 0, OPTION_COUNT, FIELD(last), "COUNT", "begin with the newest COUNT stored events",
		"Start and reconnect", 0, LAST_MAX, .rivals = "start"},
	{"latest", 0, OPTION_FLAG, FIELD(latest), NULL,
		"begin with the newest event of each subject", "Start and reconnect",
		.rivals = "start"},
	{"state", 0, OPTION_STRING, FIELD(state), "FILE",
		"resume after the id in FILE, and update FILE", "Start and reconnect",
		.complete = COMPLETE_FILE, .rivals = "state"},
	{"resume-from", 0, OPTION_STRING, FIELD(resume_from), "FILE",
		"resume after the id in FILE, do not update it", "Start and reconnect",
		.complete = COMPLETE_FILE, .rivals = "state"},
	{"reconnect-delay", 0, OPTION_DURATION, FIELD(reconnect_delay), "TIME",
		OPTION_DEFAULT("pause at least this long before reconnecting (", "2s",
			"), or as the server says"),
		"Start and reconnect", FOLLOW_DELAY_MIN, HOUR},
	{"read-timeout", 0, OPTION_DURATION, FIELD(read_timeout), "TIME",
		"reconnect if nothing has arrived for this long (default: two heartbeats of the server, and 5s)",
		"Start and reconnect", 0,
		24 * HOUR},
	{"poll", 0, OPTION_FLAG, FIELD(poll), NULL,
		"ask for the next events again and again, without a stream", "Start and reconnect"},
	{"reconnect", 0, OPTION_FLAG, FIELD(reconnect_always), NULL,
		"reconnect even with -d, --json or -X, or after JSON lines", "Start and reconnect",
		.rivals = "reconnect"},

	{"check", 0, OPTION_FLAG, FIELD(check), NULL,
		"say whether the stream is healthy, and what to fix", "Diagnose"},

	{"data", 'd', OPTION_STRING, FIELD(data), "DATA", "send DATA, or the contents of @FILE",
		"Request", .complete = COMPLETE_AT, .rivals = "body", .may_be_empty = true},
	{"json", 0, OPTION_STRING, FIELD(json), "DATA", "send DATA, which must be JSON", "Request",
		.complete = COMPLETE_AT, .rivals = "body"},
	{0},
};

static const struct option_program program = {
	.name = "sse-tail",
	.synopsis = "[option ...] [TOPIC ... | URL]",
	.summary =
		"Show the events of a stream as they arrive.\n"
		"A TOPIC like users or chat/lobby belongs to the server in SSE_URL, by default\n"
		"http://localhost:8000.  It may be a pattern: chat/* matches chat/lobby,\n"
		"chat/news and so on; chat/** also everything below them.  The default topic is\n"
		"users.",
	.tables = {rows, client_option_rows},
	.examples =
		"  sse-tail                                    follow the topic users\n"
		"  sse-tail users 'chat/*' --since 1h          several topics, from an hour ago\n"
		"  sse-tail chat/lobby -o data | grep -i help  search another topic\n"
		"  sse-tail -e 'job.*' -n 1 --timeout 5m       wait for one event, in a script\n",
	.operands = OPERANDS_TOPICS,
	.version = client_version,
};

/* The words of -o and --llm and what --help says about them, from the tables' own rows. */
static void describe_tables(void)
{
	size_t len = 0;

	for (size_t i = 0; i < OUTPUT_FORMATS_MAX && output_formats[i].name != NULL; i++) {
		format_words[i] = output_formats[i].name;
		format_meanings[i] = output_formats[i].help;
		len += (size_t)snprintf(format_help + len, sizeof(format_help) - len, "%s%s: %s",
			i > 0 ? "; " : "", output_formats[i].name, output_formats[i].help);
	}
	len = (size_t)snprintf(preset_help, sizeof(preset_help), "show running text from");
	for (size_t i = 0; i < FILTER_PRESETS_MAX && filter_presets[i].name != NULL; i++) {
		preset_words[i] = filter_presets[i].name;
		len += (size_t)snprintf(preset_help + len, sizeof(preset_help) - len, "%s%s",
			i == 0				     ? " "
			: filter_presets[i + 1].name != NULL ? ", "
							     : " or ",
			filter_presets[i].name);
	}
}

/* --- what the table cannot check ------------------------------------------------------------- */

/* The server would refuse it too, each time. */
static int check_since(const char *since, struct error *error)
{
	struct error reason;
	int64_t ms;

	if (since == NULL || since_parse(since, 0, &ms, &reason) == 0)
		return 0;
	return error_set(error, EX_USAGE, "--since: %s", reason.text);
}

static int check_start(const struct options *options, struct error *error)
{
	if (client_options_has_header(&options->client, "Last-Event-ID"))
		return error_set(error, EX_USAGE,
			"--header: give the id with --last-event-id, so that it moves with the stream");
	if (options->last_event_id != NULL && !subscribe_id_fits(options->last_event_id))
		return error_set(error, EX_USAGE,
			"--last-event-id: an id is UTF-8 without controls and without spaces around it");
	if (check_since(options->since, error) != 0)
		return -1;
	if (options->since != NULL && options->last >= 0)
		return error_set(error, EX_USAGE,
			"--since and --last both say where the stream starts; give one");
	if (options->latest && (options->since != NULL || options->last >= 0))
		return error_set(error, EX_USAGE,
			"--latest and --%s both say where the stream starts; give one",
			options->since != NULL ? "since" : "last");
	if (options->state != NULL && options->resume_from != NULL)
		return error_set(error, EX_USAGE,
			"--state keeps its file itself, --resume-from leaves that to another; give one");
	if (options->reconnect_always && options->no_reconnect)
		return error_set(error, EX_USAGE, "--reconnect and --no-reconnect: give one");
	return 0;
}

/* A poll is a GET of sse-serve, again and again. */
static int check_poll(const struct options *options, struct error *error)
{
	const struct {
		bool given;
		const char *name;
	} others[] = {
		{options->lines, "lines"},
		{options->until >= 0, "until"},
		{options->no_reconnect, "no-reconnect"},
		{options->check, "check"},
		{options->data != NULL, "data"},
		{options->json != NULL, "json"},
		{options->client.method != NULL, "request"},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && options->poll; i++) {
		if (others[i].given)
			return error_set(error, EX_USAGE,
				"--poll asks for what comes next, again and again, by GET: it does "
				"not go with --%s",
				others[i].name);
	}
	return 0;
}

static int check_request(const struct options *options, struct error *error)
{
	const char *data = options->json != NULL ? options->json : options->data;

	if (options->data != NULL && options->json != NULL)
		return error_set(error, EX_USAGE, "--data and --json both give the body; give one");
	if (data != NULL && strcmp(data, "-") == 0)
		return error_set(error, EX_USAGE,
			"--%s: the standard input is not read; give a file as @FILE",
			options->json != NULL ? "json" : "data");
	if (data != NULL && strcmp(data, "@") == 0)
		return error_set(error, EX_USAGE, "--%s: the name of the file after @ is empty",
			options->json != NULL ? "json" : "data");
	if (options->client.method != NULL && strcmp(options->client.method, "HEAD") == 0)
		return error_set(error, EX_USAGE, "--request: the answer to HEAD is not a stream");
	return 0;
}

static int check_output(struct options *options, struct error *error)
{
	struct output_options *output = &options->output;
	bool chosen = output->format >= 0;
	const char *name = chosen ? output_formats[output->format].name : "";
	bool is_template = strcmp(name, "template") == 0, raw = strcmp(name, "raw") == 0;

	if (output->template != NULL && chosen && !is_template)
		return error_set(
			error, EX_USAGE, "--template is a format of its own, not %s", name);
	if (output->template == NULL && is_template)
		return error_set(error, EX_USAGE, "--output template needs a --template");
	if (output->template != NULL && output_template_check(output->template, error) != 0)
		return -1;
	if (output->join && output->nul)
		return error_set(error, EX_USAGE,
			"--join puts nothing after an event, --null a NUL; give one");
	if (raw && (options->filter.events.count > 0 || options->filter.not_events.count > 0 ||
			   options->filter.pointers.count > 0 || options->filter.preset >= 0))
		return error_set(error, EX_USAGE,
			"--output raw shows every byte as it came; --event, --not-event, --pointer and "
			"--llm cannot leave any out");
	if (raw && (options->exec != NULL || options->post.target != NULL))
		return error_set(error, EX_USAGE,
			"--output raw shows the stream, --%s is for its events; give one",
			options->exec != NULL ? "exec" : "post");
	options->silent = (options->exec != NULL || options->post.target != NULL) && !chosen &&
			  output->template == NULL;
	if (output->template != NULL)
		output->format = output_format_find("template");
	else if (!chosen && (options->filter.pointers.count > 0 || options->filter.preset >= 0 ||
				    output->join))
		output->format = output_format_find("data");
	if (options->filter.preset >= 0 && !chosen && output->template == NULL)
		output->join = !output->nul;
	return 0;
}

static int check_delivery(const struct options *options, struct error *error)
{
	const struct relay_options *post = &options->post;

	if (post->target == NULL &&
		(post->headers.count > 0 || post->sign_key != NULL || post->failed != NULL))
		return error_set(error, EX_USAGE, "--%s belongs to --post; give that too",
			post->headers.count > 0	 ? "post-header"
			: post->sign_key != NULL ? "sign-key"
						 : "failed");
	if (post->target == NULL)
		return 0;
	if (options->exec != NULL)
		return error_set(error, EX_USAGE,
			"--exec and --post each decide when the state moves; give one");
	/* The whole event comes later, under the same id, and would count as delivered. */
	if (options->flush_eof)
		return error_set(error, EX_USAGE,
			"--flush-eof: an event that was cut off is not for --post; leave it out");
	for (size_t i = 0; i < post->headers.count; i++) {
		const char *line = post->headers.values[i];

		if (strncasecmp(line, "Content-Length:", 15) == 0 ||
			strncasecmp(line, "Transfer-Encoding:", 18) == 0)
			return error_set(error, EX_USAGE,
				"--post-header: the length of the body is not yours to say; leave out "
				"Content-Length and Transfer-Encoding");
	}
	return client_options_check_headers(&post->headers, "post-header", error);
}

/* Whether a stream is asked for again: one that a request with a body made, only if told to. */
static void decide_reconnect(struct options *options)
{
	const char *method = options->client.method;
	bool plain = options->data == NULL && options->json == NULL &&
		     (method == NULL || strcmp(method, "GET") == 0);

	options->reconnect = options->reconnect_always || (plain && !options->no_reconnect);
}

static bool is_style(const char *word)
{
	size_t i = 0;

	while (output_stamp_words[i] != NULL && strcmp(output_stamp_words[i], word) != 0)
		i++;
	return output_stamp_words[i] != NULL;
}

/* What there may be several of; whether each is valid shows when the URL is made. */
static int check_targets(struct options *options, struct error *error)
{
	const char *first = options->targets[0];

	options->many = first != NULL && (options->targets[1] != NULL || strcmp(first, "/") == 0 ||
						 client_target_is_pattern(first));
	options->output.topics = options->many;
	for (size_t i = 0; options->many && options->targets[i] != NULL; i++) {
		if (options->output.stamp != STAMP_NONE && is_style(options->targets[i]))
			return error_set(error, EX_USAGE,
				"'%.200s' is a topic here; for that style of the time give --time=%.200s",
				options->targets[i], options->targets[i]);
	}
	if (options->many && options->lines)
		return error_set(error, EX_USAGE,
			"--lines is for streams of other servers; several topics come as events: leave "
			"it out");
	return 0;
}

/* Envelopes tell topics apart, and tell the time: each is asked for where it is shown. */
static void decide_envelopes(struct options *options)
{
	const char *first = options->targets[0], *method = options->client.method;
	bool url = first != NULL && client_url_is(first);
	bool plain = options->data == NULL && options->json == NULL &&
		     (method == NULL || strcmp(method, "GET") == 0);
	bool dated = !options->silent && !options->check && output_shows_time(&options->output);

	if (options->many)
		options->envelopes = ENVELOPES_OPEN;
	else if (dated && url && client_url_has_parameter(first, "envelope"))
		options->envelopes = ENVELOPES_READ;
	else if (dated && plain && !options->lines && (!url || client_url_is_stream(first)))
		options->envelopes = ENVELOPES_OPEN;
}

static int check(struct options *options, char **operands, struct error *error)
{
	if (client_options_check(&options->client, error) != 0)
		return -1;
	options->targets = operands;
	if (check_targets(options, error) != 0 || check_start(options, error) != 0 ||
		check_poll(options, error) != 0 || check_request(options, error) != 0 ||
		check_output(options, error) != 0 || check_delivery(options, error) != 0)
		return -1;
	decide_reconnect(options);
	decide_envelopes(options);
	return 0;
}

enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error)
{
	enum option_result result;
	int first;

	describe_tables();
	/* Values that no user can give stand for an option that was not given. */
	*options = (struct options){.output = {.format = -1, .stamp = STAMP_NONE},
		.filter = {.preset = -1},
		.last = -1,
		.until = -1,
		.retry_max = -1};
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

/* A checked time: at most SINCE_MAX characters; one + and two spaces mean something else in a query. */
static size_t encode_since(const char *since, char *out, size_t size)
{
	size_t len = 0;

	for (; *since != '\0' && len + 4 < size; since++) {
		if (*since == '+' || *since == ' ')
			len += (size_t)sprintf(out + len, "%%%02X", *since);
		else
			out[len++] = *since;
	}
	out[len] = '\0';
	return len;
}

const char *options_topic(const struct options *options)
{
	const char *first = options->targets[0];

	if (options->many || (first != NULL && client_url_is(first)))
		return NULL;
	return first != NULL ? first : CLIENT_TOPIC_DEFAULT;
}

const char *options_query(const struct options *options, char query[OPTIONS_QUERY])
{
	size_t len = 0;

	if (options->envelopes == ENVELOPES_OPEN)
		len = (size_t)sprintf(query, "&envelope=1");
	if (options->since != NULL) {
		len += (size_t)sprintf(query + len, "&since=");
		len += encode_since(options->since, query + len, OPTIONS_QUERY - len);
	}
	if (options->last >= 0)
		len += (size_t)sprintf(query + len, "&last=%" PRId64, options->last);
	if (options->latest)
		len += (size_t)sprintf(query + len, "&latest=1");
	if (options->until >= 0)
		len += (size_t)snprintf(query + len, OPTIONS_QUERY - len, "&until=now");
	return len > 0 ? query + 1 : NULL;
}
