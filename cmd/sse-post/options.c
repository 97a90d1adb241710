/* SPDX-License-Identifier: MIT */
/* The option table of sse-post, and how its operands are told apart; see options.h. */
#include <string.h>
#include <sysexits.h>

#include "client_url.h"
#include "options.h"
#include "sse.h"

#define FIELD(name) .offset = offsetof(struct options, name)
#define DAY 86400000

static const char *const form_words[] = {"auto", "json", "text", NULL};

static const struct option_row rows[] = {
	{"data", 'd', OPTION_STRING, FIELD(data), "DATA",
		"send DATA as it is; @FILE reads a file, - the standard input", "Event",
		.complete = COMPLETE_FILE},
	{"event", 'e', OPTION_STRING, FIELD(event), "TYPE",
		"the event's type (the server's default: update)", "Event"},
	{"as", 0, OPTION_CHOICE, FIELD(form), "FORM",
		"json or text; auto (default) sends as JSON what is JSON", "Event",
		.choices = form_words},
	{"retry-max-time", 0, OPTION_DURATION, FIELD(retry_max_time), "TIME",
		"how long to try again, per event (30s); 0: once", "Delivery", 0, 7 * (int64_t)DAY},
	{"timeout", 0, OPTION_DURATION, FIELD(timeout), "TIME",
		"end after this long, whatever is left (0: never)", "Delivery", 0,
		7 * (int64_t)DAY},
	{0},
};

static const struct option_program program = {
	.name = "sse-post",
	.synopsis = "[option ...] [TOPIC | URL] [NAME=TEXT ...] [NAME:=JSON ...]",
	.summary = "Send an event to a topic; without data, each line of a pipe or file is one.\n"
		   "A TOPIC like users or chat/lobby is on the server SSE_URL names\n"
		   "(http://localhost:8000); without one it is users.",
	.tables = {rows, client_option_rows},
	.examples =
		"  sse-post firstname=John lastname=DOE        {\"firstname\":\"John\",...} to users\n"
		"  sse-post chat/lobby -d 'Hello, all'         a text to another topic\n"
		"  tail -f app.log | sse-post logs/app         each line as it comes\n",
	.operands = COMPLETE_NOTHING,
	.version = client_version,
};

static int check_event(const char *event, struct error *error)
{
	if (event == NULL)
		return 0;
	if (*event == '\0')
		return error_set(error, EX_USAGE, "--event: a type cannot be empty");
	if (strpbrk(event, "\r\n") != NULL)
		return error_set(error, EX_USAGE, "--event: a type cannot hold a line end");
	if (sse_utf8_valid(event, strlen(event)) != strlen(event))
		return error_set(error, EX_USAGE, "--event: a type has to be UTF-8");
	return 0;
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
				"'%.200s' looks like JSON, which goes behind --data", field);
		if (client_url_is(field) || strchr(field, '=') == NULL)
			return error_set(error, EX_USAGE,
				"'%.200s' is neither NAME=TEXT nor NAME:=JSON; only the first operand "
				"can be a topic or URL",
				field);
	}
	if (options->data != NULL && options->field_count > 0)
		return error_set(error, EX_USAGE,
			"'%.200s' and --data both give the data; give one of them",
			options->fields[0]);
	return 0;
}

enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error)
{
	enum option_result result;
	int first;

	*options = (struct options){.client = CLIENT_OPTIONS_DEFAULT, .retry_max_time = 30000};
	result = option_parse(&program, argc, argv, options, &first, error);
	if (result == OPTION_RUN && (client_options_check(&options->client, error) != 0 ||
					    check_event(options->event, error) != 0 ||
					    take_operands(options, argv + first, error) != 0))
		return OPTION_BAD;
	return result;
}

void options_free(struct options *options)
{
	client_options_free(&options->client);
}
