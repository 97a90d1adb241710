/* SPDX-License-Identifier: MIT */
/* The source of events; see input.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_run.h"
#include "slurp.h"
#include "fields.h"
#include "input.h"
#include "terminal.h"
#include "data_file.h"

/* How long events of a pipe are counted for an error message (ms). */
#define COUNT_MS 50

/* --- what is wrong --------------------------------------------------------------------------- */

static void stop(struct input *input)
{
	input->stopped = true;
}

/* A record is wrong: return true if the next one can be taken all the same. */
static bool pass_over(struct input *input)
{
	char text[sizeof(input->error.text) + 20];

	if (!input->options->skip_bad || input->error.status != EX_DATAERR) {
		stop(input);
		return false;
	}
	input->skipped++;
	if (!input->options->client.quiet) {
		snprintf(text, sizeof(text), "left out: %s", input->error.text);
		terminal_say("sse-post", text);
	}
	return true;
}

/* --- what is not sent ------------------------------------------------------------------------ */

/*
 * An event that is not for the target: one of the source's own, or an ephemeral one.  A gap matters
 * to the readers of our target, so report it; join and leave concern the readers of the source only.
 */
static void leave_out(struct input *input, const struct sse_event *event, struct group *group)
{
	char text[400];

	if (event->type.len == 3 && memcmp(event->type.data, "gap", 3) == 0 &&
		!input->options->client.quiet) {
		snprintf(text, sizeof(text),
			"event %" PRIu64 ": events are missing at the source: %.*s", input->line,
			(int)(event->data.len < 300 ? event->data.len : 300),
			event->data.len > 0 ? event->data.data : "");
		terminal_say("sse-post", text);
	}
	/* The next events follow it, whether it is sent or not. */
	if (event->id.len > 0 &&
		!group_put(group, event->id.data, event->id.len, &group->skipped_id))
		group->skipped_id = (struct piece){0};
}

/* --- kinds of input -------------------------------------------------------------------------- */

typedef int make_event(struct builder *builder, const char *data, size_t len, uint64_t line,
	struct group *group, struct error *error);

static void take_records(struct input *input, struct group *group, size_t max, make_event *make)
{
	struct sse_text record;

	while (group->count < max && !input->stopped &&
		split_next(&input->split, input->ended, &record)) {
		int result;

		input->line = input->split.line;
		result = make(&input->builder, record.data, record.len, input->line, group,
			&input->error);
		if (result > 0) {
			leave_out(input, &input->builder.left_out, group);
			continue;
		}
		input->events++;
		group->skipped_id = (struct piece){0};
		if (result != 0)
			pass_over(input);
	}
}

static void take_data(struct input *input, struct group *group, size_t max)
{
	take_records(input, group, max, event_builder_data);
}

static void take_envelopes(struct input *input, struct group *group, size_t max)
{
	take_records(input, group, max, event_builder_envelope);
}

/* Return whether it is another id than the last one. */
static bool note_id(struct input *input, struct sse_text id)
{
	struct buf *last = &input->last_id;

	if (id.len == 0 || buf_is(last, id.data, id.len))
		return false;
	last->len = 0;
	return buf_add(last, id.data, id.len);
}

/* The end of the input cut the event that comes next. */
static bool pass_over_cut(struct input *input)
{
	input->events++;
	error_set(&input->error, EX_DATAERR,
		"%.200s ends within event %" PRIu64
		", which is not sent: an empty line ends an event",
		input->name, input->line);
	return pass_over(input);
}

static bool on_event(void *context, const struct sse_event *event)
{
	struct input *input = context;
	struct group *group = input->group;

	input->line++;
	if (input->closing)
		return pass_over_cut(input);
	note_id(input, event->id);
	if (event_builder_is_servers_own(event->type)) {
		leave_out(input, event, group);
		return true;
	}
	input->events++;
	group->skipped_id = (struct piece){0};
	if (event_builder_stream(&input->builder, event, input->line, group, &input->error) != 0 &&
		!pass_over(input))
		return false;
	return group->count < input->max;
}

/* Return how many of the bytes the parser took. */
static size_t feed(struct input *input, const char *data, size_t len)
{
	size_t used = 0;

	switch (sse_parser_feed(input->parser, data, len, &used)) {
	case SSE_OK:
	case SSE_STOP:
		break;
	case SSE_TOO_LARGE:
		error_set(&input->error, EX_DATAERR,
			"event %" PRIu64 " is larger than %zu MiB, the limit for one event",
			input->line + 1, EVENT_MAX >> 20);
		stop(input);
		break;
	case SSE_NO_MEMORY:
		error_set(&input->error, EX_OSERR, "out of memory");
		stop(input);
		break;
	}
	return used;
}

static void take_stream(struct input *input, struct group *group, size_t max)
{
	struct split *split = &input->split;
	struct sse_text id;

	if (group->count >= max || split->used == split->bytes.len)
		return;
	input->group = group;
	input->max = max;
	split->used += feed(input, split->bytes.data + split->used, split->bytes.len - split->used);
	/* A block without data moves the id all the same. */
	id = sse_parser_last_id(input->parser);
	if (!input->stopped && note_id(input, id) &&
		!group_put(group, id.data, id.len, &group->skipped_id))
		group->skipped_id = (struct piece){0};
}

/*
 * After the last byte, end the block that no empty line ended: if that makes an event, the input
 * was cut within it.  An id or a comment alone makes none, and the id is not noted.
 */
static void close_stream(struct input *input)
{
	if (input->parser == NULL || input->closing || input->stopped || !input_done(input))
		return;
	input->closing = true;
	feed(input, "\n\n", 2);
}

/* Look at the bytes from ${from} on, which were read just now: are they an event stream? */
static void check_stream(struct input *input, size_t from)
{
	const struct buf *bytes = &input->split.bytes;

	if (input->parser == NULL || input->sniff.is_stream)
		return;
	sniff_feed(&input->sniff, bytes->len > from ? bytes->data + from : "", bytes->len - from,
		input->ended);
	if (!sniff_is_other(&input->sniff, input->ended))
		return;
	error_set(&input->error, EX_DATAERR,
		"%.200s is not an event stream: it has no field like data:%s", input->name,
		input->sniff.brace ? "; for JSON objects, one per line, use --envelopes or "
				     "--lines"
				   : "");
	stop(input);
}

static const struct input_kind kinds[] = {
	[SOURCE_LINES] = {'\n', take_data},
	[SOURCE_NUL] = {'\0', take_data},
	[SOURCE_ENVELOPE] = {'\n', take_envelopes},
	[SOURCE_SSE] = {'\n', take_stream},
};

/* --- opening --------------------------------------------------------------------------------- */

static int open_many(struct input *input, enum source source, struct error *error)
{
	static const struct sse_callbacks callbacks = {.event = on_event};
	const char *path = input->options->file;
	struct stat status;

	if (path != NULL && strcmp(path, "-") != 0) {
		input->name = path;
		input->fd = slurp_open(path, error);
		if (input->fd < 0)
			return -1;
	}
	if (fstat(input->fd, &status) == 0 && S_ISREG(status.st_mode)) {
		input->waits = false;
		input->total = (uint64_t)status.st_size;
	}
	input->kind = &kinds[source];
	input->split.end = input->kind->end;
	if (source != SOURCE_SSE)
		return 0;
	input->parser = sse_parser_new(&callbacks, input, EVENT_MAX);
	return input->parser != NULL ? 0 : error_set(error, EX_OSERR, "out of memory");
}

static int open_one(struct input *input, int64_t until, struct error *error)
{
	const struct options *options = input->options;
	struct buf *bytes = &input->split.bytes;
	const char *data = options->data;

	input->ended = true;
	if (options->field_count > 0 && options->form == FORM_FORM)
		return event_builder_form(options->fields, options->field_count, bytes, error);
	if (options->field_count > 0)
		return fields_to_json(options->fields, options->field_count, until, bytes, error);
	if (data != NULL && *data != '@' && strcmp(data, "-") != 0)
		return buf_add_text(bytes, data)
			       ? 0
			       : error_set(error, EX_DATAERR, "--data is too large");
	return data_file_read(data == NULL   ? (options->file != NULL ? options->file : "-")
			      : *data == '@' ? data + 1
					     : "-",
		until, bytes, error);
}

/*
 * Without data, read an input that is not a terminal: under cron it is a pipe, /dev/null, or
 * closed.
 */
static int choose_source(const struct options *options, enum source *source, struct error *error)
{
	*source = (enum source)options->source;
	if (*source != SOURCE_AUTO || !options_many(options))
		return 0;
	if (isatty(STDIN_FILENO))
		return error_set(error, EX_USAGE,
			"there is nothing to send: give NAME=TEXT, --data, or lines through a pipe");
	*source = SOURCE_LINES;
	return 0;
}

/* Is there nothing to send but what --close does? */
static bool is_only_close(const struct options *options)
{
	return options->close && options->source == SOURCE_AUTO && options_many(options) &&
	       isatty(STDIN_FILENO);
}

int input_open(
	struct input *input, const struct options *options, int64_t until, struct error *error)
{
	enum source source;

	*input = (struct input){
		.options = options, .fd = STDIN_FILENO, .name = SLURP_STDIN, .waits = true};
	split_init(&input->split, '\n', EVENT_MAX);
	buf_init(&input->last_id, EVENT_MAX);
	event_builder_init(&input->builder, options);
	input->closed = !options->close;
	if (options->flush || is_only_close(options)) {
		input->taken = true;
		return 0;
	}
	if (choose_source(options, &source, error) != 0)
		return -1;
	if (source == SOURCE_AUTO || source == SOURCE_WHOLE)
		return open_one(input, until, error);
	return open_many(input, source, error);
}

void input_close(struct input *input)
{
	if (input->options == NULL)
		return;
	if (input->fd > STDERR_FILENO)
		close(input->fd);
	sse_parser_free(input->parser);
	split_free(&input->split);
	buf_free(&input->last_id);
	event_builder_free(&input->builder);
	*input = (struct input){0};
}

/* --- taking events --------------------------------------------------------------------------- */

/* If the standard input or a file is empty, there is no event. */
static bool is_empty(const struct input *input)
{
	const struct options *options = input->options;

	return input->split.bytes.len == 0 && options->field_count == 0 &&
	       (options->data == NULL || strcmp(options->data, "-") == 0 || *options->data == '@');
}

/* The one event. */
static void take_one(struct input *input, struct group *group)
{
	const struct buf *bytes = &input->split.bytes;

	if (input->taken)
		return;
	input->taken = true;
	if (is_empty(input))
		return;
	input->events = 1;
	if (event_builder_data(&input->builder, bytes->data, bytes->len, 0, group, &input->error) !=
		0)
		stop(input);
}

static bool can_read(const struct input *input)
{
	struct pollfd poll_fd = {.fd = input->fd, .events = POLLIN};

	return !input->waits || (poll(&poll_fd, 1, 0) > 0 && poll_fd.revents != 0);
}

/* No end of a record fits. */
static void pass_over_long(struct input *input)
{
	input->line = input->split.line + 1;
	input->events++;
	error_set(&input->error, EX_DATAERR,
		"line %" PRIu64 " of %.200s is larger than %zu MiB, the limit for one event",
		input->line, input->name, EVENT_MAX >> 20);
	if (pass_over(input)) {
		split_drop(&input->split);
		input->split.used = input->split.bytes.len;
	}
}

/* Read once. */
static void read_more(struct input *input)
{
	struct buf *bytes = &input->split.bytes;
	size_t before;
	int more;

	split_compact(&input->split);
	if (bytes->len == bytes->cap) {
		pass_over_long(input);
		return;
	}
	before = bytes->len;
	more = slurp_some(input->fd, input->name, false, CLIENT_NEVER, bytes, &input->error);
	if (more < 0)
		stop(input);
	input->ended = more == 0;
	input->read += bytes->len - before;
	check_stream(input, before);
}

/* Was all that there is taken, and was it valid? */
static bool is_at_end(const struct input *input)
{
	if (input->kind == NULL)
		return input->taken && !input->stopped;
	return input->ended && !input->stopped && input->split.used == input->split.bytes.len;
}

/* With --close, the last event is the one that closes the topic. */
static void take_closing(struct input *input, struct group *group, size_t max)
{
	if (input->closed || group->count >= max || !is_at_end(input))
		return;
	input->closed = true;
	input->events++;
	if (event_builder_closing(&input->builder, input_next_line(input), group, &input->error) !=
		0)
		stop(input);
}

static void fill_many(struct input *input, struct group *group, size_t max, size_t bytes)
{
	while (group->count < max && group->text.len < bytes && !input->stopped) {
		size_t count = group->count;
		/* A read gives more than fits, so the bytes are looked at again after each few. */
		size_t some = max - count > 64 ? count + 64 : max;

		input->kind->take(input, group, some);
		if (group->count > count)
			continue;
		if (input->stopped || input->ended || input->held || !can_read(input))
			break;
		read_more(input);
	}
	close_stream(input);
}

void input_fill(struct input *input, struct group *group, size_t max, size_t bytes)
{
	if (input->kind == NULL)
		take_one(input, group);
	else
		fill_many(input, group, max, bytes);
	take_closing(input, group, max);
}

void input_hold(struct input *input)
{
	if (input->kind != NULL && !input->stopped && !input->ended && can_read(input))
		read_more(input);
	input->held = true;
	close_stream(input);
}

uint64_t input_next_line(const struct input *input)
{
	return (input->parser != NULL ? input->line : input->split.line) + 1;
}

bool input_done(const struct input *input)
{
	return input->stopped || (is_at_end(input) && input->closed);
}

int input_waits(const struct input *input)
{
	return input->ended || input->stopped || input->kind == NULL ? -1 : input->fd;
}

bool input_count_rest(struct input *input)
{
	int64_t until = client_after(COUNT_MS);
	struct sse_text record;

	if (input->kind == NULL || input->kind->take == take_stream)
		return input_done(input);
	for (;;) {
		while (split_next(&input->split, input->ended, &record))
			input->events++;
		if (input->ended || input->split.bytes.len == input->split.bytes.cap ||
			client_wait_input(input->fd, until) != CLIENT_DONE)
			break;
		split_compact(&input->split);
		if (slurp_some(input->fd, input->name, false, until, &input->split.bytes, NULL) <=
			0)
			input->ended = true;
	}
	return input->ended && input->split.used == input->split.bytes.len;
}
