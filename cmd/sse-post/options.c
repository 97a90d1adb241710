/* SPDX-License-Identifier: MIT */
/* The option table of sse-post, and how its operands are told apart; see options.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "client_rows.h"
#include "client_target.h"
#include "client_voice.h"
#include "client_url.h"
#include "json_pointer.h"
#include "event/group.h"
#include "event/key.h"
#include "event/subject.h"
#include "options.h"
#include "sse.h"

#define FIELD(name) .offset = offsetof(struct options, name)
#define DAY INT64_C(86400000)
#define PARALLEL_MAX 64

static const char *const form_words[] = {"auto", "json", "text", "form", NULL};
static const char *const source_words[] = {
	"auto", "lines", "nul", "whole", "envelope", "sse", NULL};
static const char *const batching_words[] = {"auto", "always", "never", NULL};
static const char *const results_words[] = {"none", "json", NULL};

/* What these mean, for completions. */
static const char *const form_meanings[] = {
	"JSON if valid, else text (default)", "JSON", "plain text", "fields of a form"};
static const char *const source_meanings[] = {"by the kind of input (default)",
	"each line is an event", "each NUL-terminated record is an event", "all of it is one event",
	"each line is an envelope", "an event stream"};
static const char *const batching_meanings[] = {"where the server takes it (default)",
	"also where the server may not", "one event a request"};
static const char *const results_meanings[] = {
	"nothing (default)", "a line of JSON for each event"};

static const struct option_row rows[] = {
	{"data", 'd', OPTION_STRING, FIELD(data), "DATA",
		"send DATA, unchanged; @FILE sends a file, - the standard input", "Event",
		.complete = COMPLETE_AT, .may_be_empty = true},
	{"file", 'f', OPTION_STRING, FIELD(file), "FILE",
		"send the contents of FILE, by default as one event", "Event",
		.complete = COMPLETE_FILE},
	{"event", 'e', OPTION_STRING, FIELD(event), "TYPE",
		"set the type of the event (sse-serve's default: update)", "Event"},
	{"subject", 0, OPTION_STRING, FIELD(subject), "NAME",
		"name the thing whose present value the event gives; -d '' clears it", "Event"},
	{"close", 0, OPTION_FLAG, FIELD(close), NULL,
		"close the topic for good, after the data, if there is any", "Event"},
	{"as", 0, OPTION_CHOICE, FIELD(form), "FORM",
		OPTION_DEFAULT("send as json, text or form; ", "auto",
			" (default): JSON if valid, else text"),
		"Event", .choices = form_words, .meanings = form_meanings},
	{"lines", 'l', OPTION_FLAG, FIELD(lines), NULL,
		"send each line as an event (the default for a pipe)", "Many events"},
	{"null", '0', OPTION_FLAG, FIELD(nul), NULL, "send each NUL-terminated record as an event",
		"Many events"},
	{"slurp", 's', OPTION_FLAG, FIELD(whole), NULL,
		"send all of the standard input as one event", "Many events"},
	{"envelopes", 'E', OPTION_FLAG, FIELD(envelope), NULL,
		"read lines like {\"event\",\"id\",\"data\"}, from sse-tail -o json",
		"Many events"},
	{"input", 'i', OPTION_CHOICE, FIELD(source), "KIND",
		"read the input as lines, nul, whole, envelope, or sse (an event stream)",
		"Many events", .choices = source_words, .meanings = source_meanings},
	{"skip-bad", 0, OPTION_FLAG, FIELD(skip_bad), NULL,
		"continue after an event that is not valid or is refused", "Many events"},
	{"parallel", 0, OPTION_COUNT, FIELD(parallel), "N",
		"send over N connections; the order is not kept", "Many events", 1, PARALLEL_MAX,
		.default_value = "1"},
	{"rate", 0, OPTION_STRING, FIELD(rate_text), "N/s",
		"send at most N events a second; also N/m, N/h", "Many events"},
	{"batch", 0, OPTION_CHOICE, FIELD(batching), "WHEN",
		OPTION_DEFAULT(
			"send many events in one request: always, never; ", "auto", " (default)"),
		"Many events", .choices = batching_words, .meanings = batching_meanings},
	{"state", 0, OPTION_STRING, FIELD(state), "FILE",
		"keep the id of the last accepted event of the input in FILE", "Many events",
		.complete = COMPLETE_FILE},
	{"retry-max-time", 0, OPTION_DURATION, FIELD(retry_max_time), "TIME",
		OPTION_DEFAULT("retry each request for this long (", "30s", "); 0: never"),
		"Delivery", 0, 7 * DAY},
	{"timeout", 0, OPTION_DURATION, FIELD(timeout), "TIME",
		"end after this time, even if there is more to send (0: never)", "Delivery", 0,
		7 * DAY},
	{"idempotency-key", 0, OPTION_STRING, FIELD(key), "KEY",
		"set the event's key; the server stores only one event per key", "Delivery"},
	{"idempotency-key-from", 0, OPTION_STRING, FIELD(key_from), "PTR",
		"take the key from the JSON data, like /order/id", "Delivery",
		.may_be_empty = true},
	{"if-match", 0, OPTION_STRING, FIELD(if_match), "ID",
		"store the event only if the newest of its topic is ID; *: any event", "Delivery"},
	{"delete", 0, OPTION_STRING, FIELD(delete), "ID",
		"delete the event with this id from the topic, and send nothing", "Delivery"},
	{"at-most-once", 0, OPTION_FLAG, FIELD(at_most_once), NULL,
		"send no key, and do not retry what may have been stored", "Delivery"},
	{"spool", 0, OPTION_STRING, FIELD(spool), "DIR",
		"keep events that cannot be sent now in DIR; a later run sends them", "Spool",
		.complete = COMPLETE_FOLDER},
	{"spool-max", 0, OPTION_COUNT, FIELD(spool_max), "N",
		OPTION_DEFAULT("keep at most N events for one URL (", "100000", ")"), "Spool", 1,
		1000000000},
	{"spool-max-size", 0, OPTION_SIZE, FIELD(spool_max_size), "SIZE",
		OPTION_DEFAULT("keep at most this many bytes for one URL (", "1G", ")"), "Spool", 1,
		INT64_C(1) << 50},
	{"spool-max-age", 0, OPTION_DURATION, FIELD(spool_max_age), "TIME",
		"do not send events that have waited longer (0: no limit)", "Spool", 0, 3650 * DAY},
	{"flush", 0, OPTION_FLAG, FIELD(flush), NULL,
		"send only the events in the spool, for all URLs or this one", "Spool"},
	{"spool-status", 0, OPTION_FLAG, FIELD(spool_status), NULL,
		"show how many events wait, and send nothing", "Spool"},
	{"output", 'o', OPTION_CHOICE, FIELD(results), "FORMAT",
		"print what became of each event: json, one object per line; none (default)",
		"Output", .choices = results_words, .meanings = results_meanings},
	{0},
};

static const struct option_program program = {
	.name = "sse-post",
	.synopsis = "[option ...] [TOPIC | URL | /] [NAME=TEXT ...] [NAME:=JSON ...]",
	.summary =
		"Send an event to a topic.  Without data, send each line of a pipe or file.\n"
		"A TOPIC like users or chat/lobby belongs to the server in SSE_URL, by default\n"
		"http://localhost:8000.  The default topic is users.  With --envelopes, / stands\n"
		"for all topics of the server, and each line names its topic.\n"
		"NAME=@FILE and NAME:=@FILE read the value from a file.",
	.tables = {rows, client_option_rows},
	.examples =
		"  sse-post firstname=John lastname=DOE        {\"firstname\":\"John\",...} to users\n"
		"  sse-post chat/lobby -d 'Hello, all'         a text to another topic\n"
		"  tail -f app.log | sse-post logs/app         each line as it arrives\n",
	.operands = OPERANDS_TOPIC_DATA,
	.version = client_version,
};

static int check_event(const char *event, struct error *error)
{
	if (event == NULL)
		return 0;
	if (strpbrk(event, "\r\n") != NULL)
		return error_set(error, EX_USAGE, "--event: a type cannot contain a newline");
	if (sse_utf8_valid(event, strlen(event)) != strlen(event))
		return error_set(error, EX_USAGE, "--event: a type must be UTF-8");
	if (strcmp(event, EVENT_CLOSING_TYPE) == 0)
		return error_set(error, EX_USAGE,
			"--event: the type " EVENT_CLOSING_TYPE
			" is that of the event which closes a topic; --close sends it");
	return 0;
}

static int check_subject(const char *subject, struct error *error)
{
	const char *fault =
		subject != NULL ? subject_fault((struct sse_text){subject, strlen(subject)}) : NULL;

	return fault == NULL ? 0
			     : error_set(error, EX_USAGE,
				       "--subject: the subject %s; one has 1 to %d bytes of UTF-8 "
				       "without control characters",
				       fault, SUBJECT_MAX);
}

/* The first operand is the target unless it is data; all others have to be data. */
static int take_operands(struct options *options, char **operands, struct error *error)
{
	if (*operands != NULL && (client_url_is(*operands) || strpbrk(*operands, "={[") == NULL))
		options->target = *operands++;
	options->fields = operands;
	for (; operands[options->field_count] != NULL; options->field_count++) {
		const char *field = operands[options->field_count];

		if (*field == '{' || *field == '[')
			return error_set(error, EX_USAGE,
				"'%.200s' looks like JSON; give it with --data", field);
		if (client_url_is(field) || strchr(field, '=') == NULL)
			return error_set(error, EX_USAGE,
				"'%.200s' is neither NAME=TEXT nor NAME:=JSON; only the first operand "
				"can be a topic or URL",
				field);
	}
	return 0;
}

/* -l, -0, -s and -E are --input with a word. */
static int check_source(struct options *options, struct error *error)
{
	const struct {
		bool given;
		enum source source;
		const char *name;
	} flags[] = {{options->lines, SOURCE_LINES, "--lines"},
		{options->nul, SOURCE_NUL, "--null"}, {options->whole, SOURCE_WHOLE, "--slurp"},
		{options->envelope, SOURCE_ENVELOPE, "--envelopes"}};
	const char *name = options->source != SOURCE_AUTO ? "--input" : NULL;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!flags[i].given)
			continue;
		if (name != NULL)
			return error_set(error, EX_USAGE,
				"%s and %s disagree about the input; give one of them", name,
				flags[i].name);
		options->source = (int)flags[i].source;
		name = flags[i].name;
	}
	return 0;
}

/* The data comes from one place. */
static int check_data(const struct options *options, struct error *error)
{
	bool input = options->source != SOURCE_AUTO;

	if (options->data != NULL && strcmp(options->data, "@") == 0)
		return error_set(error, EX_USAGE, "--data: the name of the file after @ is empty");
	if (options->data != NULL && options->field_count > 0)
		return error_set(error, EX_USAGE,
			"'%.200s' and --data both give the data; give one of them",
			options->fields[0]);
	if (options->file != NULL && (options->data != NULL || options->field_count > 0))
		return error_set(error, EX_USAGE,
			"'%.200s' and --file both give the data; give one "
			"of them",
			options->data != NULL ? "--data" : options->fields[0]);
	if (input && (options->data != NULL || options->field_count > 0))
		return error_set(error, EX_USAGE,
			"'%.200s' gives the data, and --lines, --null, --slurp, --envelopes and "
			"--input say how to read it from the input; give one of them",
			options->data != NULL ? "--data" : options->fields[0]);
	if (options->form == FORM_FORM && options->source >= SOURCE_ENVELOPE)
		return error_set(error, EX_USAGE,
			"--as form: envelopes and event streams cannot be sent as forms");
	return 0;
}

/* For / and the like, each envelope names its topic. */
static int check_topics(struct options *options, struct error *error)
{
	bool all = options->target != NULL && client_target_is_all(options->target);

	options->topics = all && options->source == SOURCE_ENVELOPE;
	if (all && !options->topics && !client_url_is(options->target) && !options->flush &&
		!options->spool_status)
		return error_set(error, EX_USAGE,
			"/ means all topics: give --envelopes, whose lines name their topics");
	return 0;
}

static bool is_id(const char *id, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (id[i] <= ' ' || id[i] > '~' || id[i] == '"' || id[i] == ',')
			return false;
	}
	return len > 0 && len <= OPTIONS_TAG_MAX;
}

static int check_condition(struct options *options, struct error *error)
{
	const char *id = options->if_match;
	size_t len = id != NULL ? strlen(id) : 0;

	if (id == NULL)
		return 0;
	if (options_many(options))
		return error_set(error, EX_USAGE,
			"--if-match is for a single event; give --data, --file, --slurp or "
			"NAME=TEXT");
	/* HTTP has it in quotes. */
	if (len > 1 && *id == '"' && id[len - 1] == '"') {
		id++;
		len -= 2;
	}
	if (!is_id(id, len))
		return error_set(error, EX_USAGE,
			"--if-match: '%.60s' is not the id of an event; an id looks like Iz6zstbT:4, "
			"and * stands for any event",
			options->if_match);
	snprintf(options->if_match_tag, sizeof(options->if_match_tag),
		strcmp(id, "*") == 0 ? "%.*s" : "\"%.*s\"", (int)len, id);
	return 0;
}

static int check_close(const struct options *options, struct error *error)
{
	if (!options->close)
		return 0;
	if (options->flush || options->spool_status)
		return error_set(error, EX_USAGE, "--close is about new events; %s sends none",
			options->flush ? "--flush" : "--spool-status");
	if (options->topics)
		return error_set(error, EX_USAGE,
			"--close closes one topic; for /, a line with \"event\":\"closed\" and the "
			"data {} closes the topic that it names");
	if (options->if_match != NULL)
		return error_set(error, EX_USAGE,
			"--if-match is for one event, and --close sends one more; send them one after "
			"the other");
	return 0;
}

/* --delete stands alone: what it would ignore is a mistake. */
static int check_delete(const struct options *options, struct error *error)
{
	const char *id = options->delete;

	if (id == NULL)
		return 0;
	if (!is_id(id, strlen(id)) || strpbrk(id, "/?#%") != NULL || strchr(id, ':') == NULL)
		return error_set(error, EX_USAGE,
			"--delete: '%.60s' is not the id of an event; an id looks like Iz6zstbT:4",
			id);
	if (options->target != NULL && client_target_is_all(options->target))
		return error_set(error, EX_USAGE, "--delete needs the topic of the event");
	if (options->field_count > 0 || options->data != NULL || options->file != NULL ||
		options->source != SOURCE_AUTO)
		return error_set(error, EX_USAGE, "--delete takes no data: it sends no event");
	if (options->event != NULL || options->subject != NULL || options->close)
		return error_set(error, EX_USAGE,
			"--delete sends no event, so %s has no effect; leave it out",
			options->event != NULL	   ? "--event"
			: options->subject != NULL ? "--subject"
						   : "--close");
	if (options->flush || options->spool_status || options->if_match != NULL ||
		options->key != NULL || options->key_from != NULL || options->at_most_once ||
		options->state != NULL || options->results != RESULTS_NONE ||
		options->client.method != NULL)
		return error_set(error, EX_USAGE,
			"--delete can be combined only with a topic, the options of the "
			"connection, --timeout and --retry-max-time; leave out the others");
	return 0;
}

/* The key that a header of the user's names, or NULL. */
static const char *header_key(const struct options *options)
{
	static const char name[] = "Idempotency-Key:";

	for (size_t i = 0; i < options->client.headers.count; i++) {
		const char *line = options->client.headers.values[i];

		if (strncasecmp(line, name, sizeof(name) - 1) == 0)
			return line + sizeof(name) - 1 + strspn(line + sizeof(name) - 1, " \t");
	}
	return NULL;
}

static int check_keys(struct options *options, struct error *error)
{
	int given = (options->key != NULL) + (options->key_from != NULL) + options->at_most_once;
	const char *header = header_key(options), *fault;

	if (given > 1)
		return error_set(error, EX_USAGE,
			"--idempotency-key, --idempotency-key-from and --at-most-once exclude each "
			"other; give one");
	if (header != NULL && given > 0)
		return error_set(error, EX_USAGE,
			"--header 'Idempotency-Key: ...' and %s contradict each other; give one of them",
			options->at_most_once ? "--at-most-once" : "--idempotency-key");
	if (header != NULL && (options_many(options) || options->close))
		return error_set(error, EX_USAGE,
			"--header 'Idempotency-Key: ...' would give many events the same key; "
			"--idempotency-key makes a key for each from it");
	if (header != NULL)
		options->key = header;
	fault = options->key != NULL ? key_fault(options->key) : NULL;
	if (fault != NULL)
		return error_set(error, EX_USAGE, "%s: the key %s",
			header != NULL ? "--header" : "--idempotency-key", fault);
	if (options->key_from != NULL && !json_pointer_valid(options->key_from))
		return error_set(error, EX_USAGE,
			"--idempotency-key-from: '%.60s' is not a valid JSON pointer; one is like /order/id",
			options->key_from);
	return 0;
}

/* "50/s", "3000/m", "10/h" or, in a second, "50" */
static int read_rate(struct options *options, struct error *error)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = {{"", 1}, {"/s", 1}, {"/m", 60}, {"/h", 3600}};
	const char *text = options->rate_text;
	size_t digits;

	if (text == NULL)
		return 0;
	digits = strspn(text, "0123456789");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (digits == 0 || digits > 9 || strcmp(text + digits, units[i].unit) != 0)
			continue;
		options->rate = strtod(text, NULL) / units[i].seconds;
		if (options->rate > 0)
			return 0;
	}
	return error_set(error, EX_USAGE,
		"--rate: '%.60s' is not a valid rate; one is like 50/s, 3000/m or 10/h, from 1 to 999999999",
		text);
}

static int check_spool(const struct options *options, struct error *error)
{
	const char *what = options->flush ? "--flush" : "--spool-status";
	bool action = options->flush || options->spool_status;

	if (options->flush && options->spool_status)
		return error_set(error, EX_USAGE,
			"--flush sends, --spool-status sends nothing; give one of them");
	if (action && options->spool == NULL)
		return error_set(error, EX_USAGE, "%s needs --spool DIR, or SSE_SPOOL", what);
	if (action &&
		(options->if_match != NULL || options->field_count > 0 || options->data != NULL ||
			options->file != NULL || options->source != SOURCE_AUTO))
		return error_set(error, EX_USAGE, "%s takes no data: it sends no new event", what);
	return 0;
}

static int check(struct options *options, struct error *error)
{
	if (client_options_check(&options->client, error) != 0 ||
		check_event(options->event, error) != 0 ||
		check_subject(options->subject, error) != 0 || check_source(options, error) != 0 ||
		check_data(options, error) != 0 || check_topics(options, error) != 0 ||
		check_condition(options, error) != 0 || check_close(options, error) != 0 ||
		check_delete(options, error) != 0 || check_keys(options, error) != 0 ||
		read_rate(options, error) != 0 || check_spool(options, error) != 0)
		return -1;
	if (options->state != NULL && options->parallel > 1)
		return error_set(error, EX_USAGE,
			"--state needs the order that --parallel gives up; give one of them");
	if (options->state != NULL && options->source != SOURCE_SSE &&
		options->source != SOURCE_ENVELOPE)
		return error_set(error, EX_USAGE,
			"--state keeps the ids of --input sse or --envelopes; lines have no ids");
	return 0;
}

bool options_many(const struct options *options)
{
	if (options->source == SOURCE_AUTO)
		return options->field_count == 0 && options->data == NULL && options->file == NULL;
	return options->source != SOURCE_WHOLE;
}

enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error)
{
	enum option_result result;
	int first;

	*options = (struct options){0};
	result = option_parse(&program, argc, argv, options, &first, error);
	if (result == OPTION_RUN &&
		(take_operands(options, argv + first, error) != 0 || check(options, error) != 0))
		return OPTION_BAD;
	return result;
}

void options_free(struct options *options)
{
	option_free(rows, options);
	client_options_free(&options->client);
}
