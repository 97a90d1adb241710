/* SPDX-License-Identifier: MIT */
/* What can be set; see sse_follow_options.h. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "client_token.h"
#include "option_table.h"
#include "sse_follow_options.h"
#include "subscribe.h"

#define FIELD(name) offsetof(struct sse_follow_options, name)

/* The longest time (ms): some 24 days. */
#define TIME_MAX INT32_MAX

static bool is_a_line(const char *text)
{
	return !client_options_has_controls(text);
}

static bool is_any(const char *text)
{
	(void)text;
	return true;
}

static const struct text_row {
	enum sse_follow_option option;
	size_t field; /* a const char *, which is owned */
	const char *name;
	bool (*fits)(const char *text);
} texts[] = {
	{SSE_FOLLOW_LAST_ID, FIELD(follow.last_id), "an id to resume after", subscribe_id_fits},
	{SSE_FOLLOW_TOKEN, FIELD(client.bearer), "a token", client_token_is_valid},
	{SSE_FOLLOW_TOKEN_FILE, FIELD(client.token_file), "the file of a token", is_any},
	{SSE_FOLLOW_USER, FIELD(client.user), "a name and password", is_a_line},
	{SSE_FOLLOW_CA_FILE, FIELD(client.cacert), "a file of authorities", is_any},
	{SSE_FOLLOW_CERT_FILE, FIELD(client.cert), "the file of a certificate", is_any},
	{SSE_FOLLOW_KEY_FILE, FIELD(client.key), "the file of a key", is_any},
	{SSE_FOLLOW_PROXY, FIELD(client.proxy), "the URL of a proxy", is_a_line},
	{SSE_FOLLOW_UNIX_SOCKET, FIELD(client.unix_socket), "the path of a socket", is_any},
	{SSE_FOLLOW_USER_AGENT, FIELD(agent), "a User-Agent", is_a_line},
	{SSE_FOLLOW_BODY, FIELD(follow.body), "a body", is_any},
	{SSE_FOLLOW_BODY_TYPE, FIELD(follow.body_type), "a Content-Type", is_a_line},
};

static const struct number_row {
	enum sse_follow_option option;
	const char *name;
	int64_t min, max;
} numbers[] = {
	{SSE_FOLLOW_SILENCE_MS, "a silence", 0, TIME_MAX},
	{SSE_FOLLOW_CONNECT_MS, "a time to connect", 1, TIME_MAX},
	{SSE_FOLLOW_DELAY_MS, "a pause", FOLLOW_DELAY_MIN, 3600000},
	{SSE_FOLLOW_ATTEMPTS, "a number of attempts", 0, INT32_MAX},
	{SSE_FOLLOW_TIME_MS, "a time", 0, TIME_MAX},
	{SSE_FOLLOW_RECONNECT, "whether to connect again", 0, 1},
};

/* --- texts ------------------------------------------------------------------------------------- */

static const char **field_of(struct sse_follow_options *options, const struct text_row *row)
{
	return (const char **)(void *)((char *)options + row->field);
}

/* It may be a secret. */
static void drop(const char *text)
{
	if (text != NULL)
		explicit_bzero((char *)(uintptr_t)text, strlen(text));
	free((char *)(uintptr_t)text);
}

static bool fail(struct error *error, int status, const char *sentence)
{
	error_set(error, status, "%s", sentence);
	return false;
}

static bool add_header(struct sse_follow_options *options, const char *value, struct error *error)
{
	struct option_list *headers = &options->client.headers;
	const char *fault = client_options_header_fault(value), **longer;
	char *line;

	if (fault != NULL)
		return fail(error, EX_USAGE, fault);
	longer = realloc(headers->values, (headers->count + 1) * sizeof(*longer));
	if (longer != NULL)
		headers->values = longer;
	line = longer != NULL ? strdup(value) : NULL;
	if (line == NULL)
		return fail(error, EX_OSERR, "out of memory");
	headers->values[headers->count++] = line;
	return true;
}

/* Is there another way to log in already? */
static bool has_other_login(const struct client_options *client, enum sse_follow_option option)
{
	switch (option) {
	case SSE_FOLLOW_TOKEN:
		return client->user != NULL || client->token != NULL;
	case SSE_FOLLOW_TOKEN_FILE:
		return client->user != NULL || client->bearer != NULL || client->token != NULL;
	case SSE_FOLLOW_USER:
		return client->bearer != NULL || client->token != NULL;
	default:
		return false;
	}
}

/* The rest of what a text means. */
static bool take_text(
	struct sse_follow_options *options, enum sse_follow_option option, struct error *error)
{
	if (option == SSE_FOLLOW_TOKEN)
		options->tokens++;
	if (option == SSE_FOLLOW_BODY) {
		options->follow.body_len = strlen(options->follow.body);
		if (options->follow.body_type == NULL)
			options->follow.body_type = strdup("application/json");
		if (options->follow.body_type == NULL)
			return fail(error, EX_OSERR, "out of memory");
	}
	if (option != SSE_FOLLOW_TOKEN_FILE)
		return true;
	options->client.token = client_token_open(options->client.token_file, error);
	return options->client.token != NULL;
}

bool sse_follow_options_text(struct sse_follow_options *options, enum sse_follow_option option,
	const char *value, bool late, struct error *error)
{
	const size_t count = sizeof(texts) / sizeof(texts[0]);
	const char **field;
	size_t i = 0;
	char *copy;

	if (late && option != SSE_FOLLOW_TOKEN)
		return fail(error, EX_USAGE, "it is too late to set this: the first step was made");
	if (value == NULL)
		return fail(error, EX_USAGE, "the value is missing");
	if (option == SSE_FOLLOW_HEADER)
		return add_header(options, value, error);
	while (i < count && texts[i].option != option)
		i++;
	if (i == count) {
		error_set(error, EX_USAGE, "there is no text option %d", (int)option);
		return false;
	}
	if (!texts[i].fits(value)) {
		error_set(error, EX_USAGE, "the value cannot be %s", texts[i].name);
		return false;
	}
	if (has_other_login(&options->client, option))
		return fail(error, EX_USAGE,
			"a token, the file of a token, and a name and password are three ways to log "
			"in; give one");
	copy = strdup(value);
	if (copy == NULL)
		return fail(error, EX_OSERR, "out of memory");
	field = field_of(options, &texts[i]);
	drop(*field);
	*field = copy;
	return take_text(options, option, error);
}

/* --- numbers ----------------------------------------------------------------------------------- */

static void take_number(
	struct sse_follow_options *options, enum sse_follow_option option, int64_t value)
{
	switch (option) {
	case SSE_FOLLOW_SILENCE_MS:
		options->follow.read_timeout = value;
		break;
	case SSE_FOLLOW_CONNECT_MS:
		options->client.connect_timeout = value;
		break;
	case SSE_FOLLOW_DELAY_MS:
		options->follow.delay = value;
		break;
	case SSE_FOLLOW_ATTEMPTS:
		options->follow.retry_max = value - 1;
		break;
	case SSE_FOLLOW_TIME_MS:
		options->time = value;
		break;
	default:
		options->follow.reconnect = options->follow.falls_back = value != 0;
		break;
	}
}

bool sse_follow_options_number(struct sse_follow_options *options, enum sse_follow_option option,
	int64_t value, bool late, struct error *error)
{
	const size_t count = sizeof(numbers) / sizeof(numbers[0]);
	size_t i = 0;

	if (late)
		return fail(error, EX_USAGE, "it is too late to set this: the first step was made");
	while (i < count && numbers[i].option != option)
		i++;
	if (i == count) {
		error_set(error, EX_USAGE, "there is no number option %d", (int)option);
		return false;
	}
	if (value < numbers[i].min || value > numbers[i].max) {
		error_set(error, EX_USAGE,
			"%" PRId64 " cannot be %s: it is between %" PRId64 " and %" PRId64, value,
			numbers[i].name, numbers[i].min, numbers[i].max);
		return false;
	}
	take_number(options, option, value);
	return true;
}

/* --- the whole --------------------------------------------------------------------------------- */

void sse_follow_options_init(struct sse_follow_options *options)
{
	*options = (struct sse_follow_options){.follow = FOLLOW_OPTIONS_DEFAULT,
		.client = {.quiet = true, .embedded = true, .connect_timeout = 10000}};
	options->follow.falls_back = true;
}

void sse_follow_options_free(struct sse_follow_options *options)
{
	client_token_free(options->client.token);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		drop(*field_of(options, &texts[i]));
	for (size_t i = 0; i < options->client.headers.count; i++)
		drop(options->client.headers.values[i]);
	free(options->client.headers.values);
	*options = (struct sse_follow_options){0};
}
