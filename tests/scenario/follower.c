/* SPDX-License-Identifier: MIT */
/*
 * Follows a stream by lib/client/follow_run.h alone, and prints what it hands over.
 *
 *	usage: follower URL [WORD ...]
 *
 * A word is one of: once, flush, fail, id=ID, body=TEXT, method=NAME, bearer=TOKEN, cookie=DATA,
 * header=LINE, delay=MS, retries=N, silence=MS, until=MS, stop=N (events), stop-comment,
 *stop-piece, longer (each event moves the end by as much again).  Each call is a line: "opened
 *STATUS TYPE", "event TYPE ID ORIGIN DATA", "comment TEXT", "piece BYTES ID", and at last "end HOW
 *STATUS". The error's text goes to the standard error, its status is how the program ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_target.h"
#include "client_voice.h"
#include "follow.h"
#include "client_run.h"
#include "follow_run.h"

struct follower {
	struct client_options common;
	struct follow_options options;
	const char *headers[8];
	int64_t until, for_ms; /* when all ends, and how long that was to be */
	long stop, events;
	bool stop_comment, stop_piece, longer;
};

/* --- what is handed over ---------------------------------------------------------------------- */

static void say_text(struct sse_text text)
{
	putchar('(');
	for (size_t i = 0; i < text.len; i++)
		putchar(text.data[i] == '\n' ? '|' : text.data[i]);
	putchar(')');
}

static bool on_event(void *context, const struct sse_event *event, const char *origin)
{
	struct follower *follower = context;

	printf("event ");
	say_text(event->type);
	say_text(event->id);
	say_text(event->data);
	printf(" %s\n", origin);
	if (follower->longer)
		follower->until = client_after(follower->for_ms);
	return ++follower->events != follower->stop;
}

static bool on_comment(void *context, struct sse_text text)
{
	const struct follower *follower = context;

	printf("comment ");
	say_text(text);
	putchar('\n');
	return !follower->stop_comment;
}

static bool on_piece(void *context, const char *data, size_t len, struct sse_text last_id)
{
	const struct follower *follower = context;

	(void)data;
	printf("piece %zu ", len);
	say_text(last_id);
	putchar('\n');
	return !follower->stop_piece;
}

static bool on_opened(void *context, const struct client_answer *answer, bool lines)
{
	(void)context, (void)lines;
	printf("opened %ld %s\n", answer->status, answer->type);
	return true;
}

/* --- words ------------------------------------------------------------------------------------ */

/* The value of "name=value", NULL if it is of another name. */
static const char *value_of(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) == 0 && word[len] == '=' ? word + len + 1 : NULL;
}

static bool take_number(struct follower *follower, const char *word)
{
	const struct {
		const char *name;
		int64_t *field;
	} rows[] = {
		{"delay", &follower->options.delay},
		{"retries", &follower->options.retry_max},
		{"silence", &follower->options.read_timeout},
		{"until", &follower->for_ms},
	};
	const char *value;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		value = value_of(word, rows[i].name);
		if (value != NULL)
			*rows[i].field = strtoll(value, NULL, 10);
		if (value != NULL)
			return true;
	}
	value = value_of(word, "stop");
	if (value != NULL)
		follower->stop = strtol(value, NULL, 10);
	return value != NULL;
}

static bool take_text(struct follower *follower, const char *word)
{
	const struct {
		const char *name;
		const char **field;
	} rows[] = {
		{"id", &follower->options.last_id},
		{"body", &follower->options.body},
		{"method", &follower->common.method},
		{"bearer", &follower->common.bearer},
		{"cookie", &follower->common.cookies},
		{"header", &follower->headers[follower->common.headers.count]},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *value = value_of(word, rows[i].name);

		if (value == NULL)
			continue;
		*rows[i].field = value;
		follower->common.headers.count += strcmp(rows[i].name, "header") == 0;
		return true;
	}
	return false;
}

static bool take_flag(struct follower *follower, const char *word)
{
	if (strcmp(word, "once") == 0)
		follower->options.reconnect = false;
	else if (strcmp(word, "flush") == 0)
		follower->options.flush_end = true;
	else if (strcmp(word, "fail") == 0)
		follower->options.refused_for_good = true;
	else if (strcmp(word, "stop-comment") == 0)
		follower->stop_comment = true;
	else if (strcmp(word, "stop-piece") == 0)
		follower->stop_piece = true;
	else if (strcmp(word, "longer") == 0)
		follower->longer = true;
	else
		return false;
	return true;
}

static bool take_words(struct follower *follower, char **words)
{
	for (; *words != NULL; words++) {
		if (follower->common.headers.count < 8 && !take_flag(follower, *words) &&
			!take_number(follower, *words) && !take_text(follower, *words))
			return false;
	}
	follower->common.headers.values = follower->headers;
	follower->options.body_len =
		follower->options.body != NULL ? strlen(follower->options.body) : 0;
	follower->options.body_type = "text/plain";
	follower->until = client_after(follower->for_ms);
	follower->options.until = &follower->until;
	return true;
}

int main(int argc, char **argv)
{
	static const char *const ends[] = {[FOLLOW_ENDED] = "ended",
		[FOLLOW_CLOSED] = "closed",
		[FOLLOW_STOPPED] = "stopped",
		[FOLLOW_TIME] = "time",
		[FOLLOW_FAILED] = "failed"};
	static const struct follow_sink sink = {on_event, on_comment, on_piece, on_opened};
	static struct follower follower = {.options = FOLLOW_OPTIONS_DEFAULT};
	struct client client = {0};
	struct client_url url = {0};
	struct error error = {0};

	setvbuf(stdout, NULL, _IOLBF, 0);
	follower.options.delay = 10;
	if (argc < 2 || !take_words(&follower, argv + 2)) {
		fprintf(stderr, "usage: follower URL [WORD ...]\n");
		return 64;
	}
	if (client_start(&error) == 0 &&
		client_target_make(argv[1], CLIENT_STREAM, NULL, &url, &error) == 0 &&
		client_open(&client, "follower", &follower.common, &error) == 0) {
		enum follow_end end =
			follow_run(&client, &url, &follower.options, &sink, &follower, &error);

		printf("end %s %d\n", ends[end], error.status);
	}
	client_close(&client);
	client_url_free(&url);
	client_end();
	if (error.status != 0)
		fprintf(stderr, "follower: %s\n", error.text);
	return error.status;
}
