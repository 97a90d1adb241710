/* SPDX-License-Identifier: MIT */
/* sse-tail: show the events of a stream as they come. */
#include <fnmatch.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "client_run.h"
#include "follow.h"
#include "gap.h"
#include "options.h"
#include "output.h"
#include "terminal.h"

static const char program[] = "sse-tail";

/* What the sink of the stream works with. */
struct tail {
	const struct options *options;
	struct client client;
	struct output output;
	int64_t shown;	    /* events */
	struct error error; /* why the sink stopped; status 0 if it had enough */
};

/* --- the sink -------------------------------------------------------------------------------- */

/* Does the event's type match one of the globs?  A NUL in it matches as U+FFFD. */
static bool is_wanted(const struct option_list *globs, struct sse_text type)
{
	bool wanted = globs->count == 0;
	struct buf name;

	if (wanted)
		return true;
	buf_init(&name, SIZE_MAX);
	for (size_t i = 0; i < type.len; i++) {
		if (type.data[i] == '\0')
			buf_add_text(&name, "\xef\xbf\xbd");
		else
			buf_add_byte(&name, type.data[i]);
	}
	if (buf_add_byte(&name, '\0')) {
		for (size_t i = 0; i < globs->count && !wanted; i++)
			wanted = fnmatch(globs->values[i], name.data, 0) == 0;
	}
	buf_free(&name);
	return wanted;
}

/* Nobody is to lose events without a word, also where the event that says so was not asked for. */
static bool warn_of_gap(const struct tail *tail, const struct sse_event *event)
{
	struct buf sentence;
	bool gap;

	buf_init(&sentence, 4096);
	gap = gap_read(event, &sentence);
	if (gap)
		client_say(&tail->client, CLIENT_WARN, "%.*s", (int)sentence.len, sentence.data);
	buf_free(&sentence);
	return gap;
}

static bool on_event(void *context, const struct sse_event *event, const char *origin)
{
	struct tail *tail = context;

	if (!is_wanted(&tail->options->events, event->type)) {
		warn_of_gap(tail, event);
		return true;
	}
	if (tail->output.format->alone && warn_of_gap(tail, event))
		return true;
	if (output_event(&tail->output, event, origin, &tail->error) != 0)
		return false;
	tail->shown++;
	return tail->shown != tail->options->count;
}

static bool on_piece(void *context, const char *data, size_t len)
{
	struct tail *tail = context;

	return output_piece(&tail->output, data, len, &tail->error) == 0;
}

/* --- the run --------------------------------------------------------------------------------- */

static int follow(struct tail *tail, const struct client_url *url, struct error *error)
{
	static const struct follow_sink sink = {on_event, on_piece};
	const struct options *options = tail->options;
	const struct follow_options how = {
		.url = url,
		.last_id = options->last_event_id,
		.delay = options->reconnect_delay,
		.retry_max = options->retry_max,
		.reconnect = !options->no_reconnect,
		.read_timeout = options->read_timeout,
		.until = client_after(options->timeout),
	};

	switch (follow_run(&tail->client, &how, &sink, tail, error)) {
	case FOLLOW_ENDED:
		return 0;
	case FOLLOW_STOPPED:
		*error = tail->error;
		return error->status == 0 ? 0 : -1;
	case FOLLOW_TIME:
		if (options->count == 0)
			return 0;
		return error_set(error, EX_TEMPFAIL,
			"the time of --timeout is up, and %" PRId64 " of %" PRId64 " events came",
			tail->shown, options->count);
	case FOLLOW_FAILED:
		break;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct error error = {0};
	struct options options;
	struct tail tail = {.options = &options};
	struct client_url url = {0};
	int result = -1;

	/* For -e: what ? and [] match is a character, not a byte. */
	setlocale(LC_CTYPE, "");
	switch (options_parse(argc, argv, &options, &error)) {
	case OPTION_DONE:
		options_free(&options);
		return 0;
	case OPTION_BAD:
		goto err0;
	case OPTION_RUN:
		break;
	}
	if (client_start(&error) != 0)
		goto err0;
	if (client_url_make(options.target, CLIENT_STREAM, NULL, &url, &error) != 0)
		goto err1;
	client_url_hide(&url, options.target);
	if (client_open(&tail.client, program, &options.client, &error) != 0)
		goto err2;
	output_init(&tail.output, options.format, options.colour);
	result = follow(&tail, &url, &error);
	output_free(&tail.output);
err2:
	client_close(&tail.client);
	client_url_free(&url);
err1:
	client_end();
err0:
	options_free(&options);
	/* Who sent a signal knows why it ends. */
	if (result != 0 && error.status < 128)
		terminal_say(program, error.text);
	return result != 0 ? error.status : 0;
}
