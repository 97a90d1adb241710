/* SPDX-License-Identifier: MIT */
/* The table of formats, and writing; see output.h. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "client_run.h"
#include "clock.h"
#include "output.h"
#include "timestamp.h"

/* An event of the largest size, of which JSON escapes every byte, and room beside it. */
#define OUTPUT_MAX (8 * SSE_EVENT_MAX)

/* How long a reader may take for what came before a signal (ms). */
#define GRACE_MS 800

/* A buffer that had to hold more than this is given back once it was written. */
#define OUTPUT_KEPT ((size_t)1 << 20)

const struct output_format output_formats[] = {
	{"pretty", "for people (default in a terminal)", output_pretty,
		.comment = output_pretty_comment, .dated = true},
	{"json", "one line per event (default in a pipe)", output_json,
		.comment = output_json_comment},
	{"data", "the data alone", output_data, .alone = true},
	{"raw", "the bytes as they arrived", .raw = true},
	{"sse", "an event stream", output_sse, .comment = output_sse_comment,
		.position = output_sse_position},
	{"template", "the text of -F", output_template, .alone = true},
	{0},
};

/* Of comments, and of events that nothing says more of. */
static const struct envelope nothing_known = {.time = ENVELOPE_NO_TIME};

const char *const output_stamp_words[] = {"iso", "unix", "delta", NULL};

int output_format_find(const char *name)
{
	for (int i = 0; output_formats[i].name != NULL; i++) {
		if (strcmp(output_formats[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* The format to use; without a choice the first, which is for people, if it is a terminal. */
static const struct output_format *choose(const struct output_options *options, int fd)
{
	int format = options->format;

	if (format < 0)
		format = isatty(fd) ? 0 : 1;
	return &output_formats[format];
}

bool output_shows_time(const struct output_options *options)
{
	const struct output_format *format = choose(options, STDOUT_FILENO);

	if (format->raw || format->event == output_sse)
		return false;
	if (format->event == output_template)
		return output_template_has(options->template, 't');
	return format->dated || options->stamp != STAMP_NONE;
}

/* --- writing --------------------------------------------------------------------------------- */

/* Is there no more time to write?  After a signal a reader that is only busy gets a moment. */
static bool is_over(int64_t end, int64_t *grace)
{
	if (client_signal() == 0)
		return clock_now_ms() >= end;
	if (*grace == CLIENT_NEVER)
		*grace = clock_now_ms() + GRACE_MS;
	return client_signal() == SIGPIPE || clock_now_ms() >= *grace;
}

/* Write all of it; see output_piece(). */
static int write_all(const struct output *output, const char *data, size_t len, struct error *error)
{
	int64_t grace = CLIENT_NEVER;
	int fd = output->fd;

	while (len > 0) {
		ssize_t count = write(fd, data, len);

		if (count >= 0) {
			if (output->terminal)
				terminal_wrote(data, (size_t)count);
			data += count;
			len -= (size_t)count;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			/* Another process made the terminal or pipe non-blocking. */
			client_wait_output(fd);
		} else if (errno == EPIPE) {
			return error_set(error, 128 + SIGPIPE, "%s", "");
		} else if (errno != EINTR) {
			return error_set(error, EX_IOERR, "cannot write to the standard output: %s",
				strerror(errno));
		}
		if (len > 0 && is_over(output->end, &grace))
			return client_signal() != 0 ? client_stopped(error)
						    : error_set(error, 0, "%s", "");
	}
	return 0;
}

/* Write the buffer; after a failure, write no more. */
static bool drain(struct buf *bytes)
{
	struct output *output = (struct output *)((char *)bytes - offsetof(struct output, bytes));

	if (output->broken)
		return false;
	output->broken = write_all(output, bytes->data, bytes->len, &output->error) != 0;
	output->whole = 0;
	bytes->len = 0;
	return !output->broken;
}

/* --- making and ending ---------------------------------------------------------------------- */

void output_init(struct output *output, const struct output_options *options, int64_t end)
{
	int fd = STDOUT_FILENO;

	*output = (struct output){.options = options,
		.format = choose(options, fd),
		.envelope = &nothing_known,
		.fd = fd,
		.end = end,
		.terminal = isatty(fd),
		.colour = terminal_colour((enum terminal_colour)options->colour, fd)};
	buf_init(&output->bytes, OUTPUT_MAX);
	output->bytes.drain = drain;
	buf_init(&output->scratch, OUTPUT_MAX);
	buf_init(&output->last_id, SSE_EVENT_MAX);
	client_watch_output(fd);
}

void output_free(struct output *output)
{
	buf_free(&output->bytes);
	buf_free(&output->scratch);
	buf_free(&output->last_id);
}

/* --- appending ------------------------------------------------------------------------------- */

bool output_text(struct output *output, struct sse_text text)
{
	return output->terminal ? terminal_lines(text.data, text.len, &output->bytes)
				: buf_add(&output->bytes, text.data, text.len);
}

bool output_terminator(struct output *output)
{
	return output->options->join ||
	       buf_add_byte(&output->bytes, output->options->nul ? '\0' : '\n');
}

/* The time of day here, after the date unless that is today's: what is stored may be old. */
static bool add_local_time(int64_t ms, int64_t now, struct buf *out)
{
	time_t seconds = (time_t)(ms / 1000), today = (time_t)(now / 1000);
	struct tm local, here;
	char text[TIMESTAMP_TEXT];
	bool same;

	if (localtime_r(&seconds, &local) == NULL || localtime_r(&today, &here) == NULL)
		return false;
	same = local.tm_year == here.tm_year && local.tm_yday == here.tm_yday;
	return buf_add(out, text,
		strftime(text, sizeof(text), same ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &local));
}

/* Between two events that were published, or else that came here: ms. */
static int64_t since_before(const struct output *output)
{
	const struct output_moment *before = &output->before;

	if (before->came == 0)
		return 0;
	if (before->published != ENVELOPE_NO_TIME && output->envelope->time != ENVELOPE_NO_TIME)
		return output->envelope->time - before->published;
	return clock_now_ms() - before->came;
}

bool output_time(struct output *output, enum output_stamp stamp, struct buf *out)
{
	int64_t now = clock_wall_ms(), published = output->envelope->time, since;
	int64_t ms = published != ENVELOPE_NO_TIME ? published : now;
	char text[TIMESTAMP_TEXT];

	switch (stamp) {
	case STAMP_ISO:
		return buf_add_text(out, timestamp_format(ms, text));
	case STAMP_UNIX:
		return buf_addf(out, "%lld.%03lld", (long long)ms / 1000, (long long)ms % 1000);
	case STAMP_DELTA:
		since = since_before(output);
		return buf_addf(out, "%s%lld.%03lld", since < 0 ? "-" : "", llabs(since) / 1000,
			llabs(since) % 1000);
	case STAMP_NONE:
		break;
	}
	return add_local_time(ms, now, out);
}

/* Something of ${size} bytes was appended, or could not be. */
static int end(struct output *output, bool added, size_t size, struct error *error)
{
	if (added) {
		output->whole = output->bytes.len;
		return 0;
	}
	/* Half an event is not an event. */
	output->bytes.len = output->whole;
	if (output->broken) {
		*error = output->error;
		return -1;
	}
	return error_set(error, EX_OSERR, "out of memory for an event of %zu bytes", size);
}

void output_about(struct output *output, const struct envelope *envelope)
{
	output->envelope = envelope != NULL ? envelope : &nothing_known;
}

int output_event(struct output *output, const struct sse_event *event, const char *origin,
	struct error *error)
{
	const struct output_format *format = output->format;

	output->count++;
	if (end(output, format->raw || format->event(output, event, origin), event->data.len,
		    error) != 0)
		return -1;
	/* The clock costs as much as a small event. */
	if (output->options->stamp == STAMP_DELTA)
		output->before = (struct output_moment){output->envelope->time, clock_now_ms()};
	return 0;
}

int output_comment(struct output *output, struct sse_text text, struct error *error)
{
	const struct output_format *format = output->format;
	const struct envelope *envelope = output->envelope;
	bool added;

	output->envelope = &nothing_known;
	added = format->comment == NULL || format->comment(output, text);
	output->envelope = envelope;
	return end(output, added, text.len, error);
}

int output_position(struct output *output, struct sse_text id, struct error *error)
{
	const struct output_format *format = output->format;

	return end(output, format->position == NULL || format->position(output, id), id.len, error);
}

/* --- a piece, and the end ------------------------------------------------------------------- */

static void give_back(struct buf *buf)
{
	if (buf->size > OUTPUT_KEPT)
		buf_free(buf);
}

int output_piece(struct output *output, const char *data, size_t len, struct error *error)
{
	if (output->format->raw)
		return write_all(output, data, len, error);
	if (!drain(&output->bytes)) {
		*error = output->error;
		return -1;
	}
	give_back(&output->bytes);
	give_back(&output->scratch);
	return 0;
}

bool output_end(struct output *output)
{
	if (!terminal_in_line())
		return false;
	write_all(output, "\n", 1, NULL);
	return true;
}
