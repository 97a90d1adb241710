/* SPDX-License-Identifier: MIT */
/*
 * The format for people: a line an event with the time, the topic if there are several, the type,
 * the id, and the data; below it, if that does not fit, and indented if it is JSON.  Nothing of the
 * stream reaches the terminal but through terminal_text().
 */
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "deleted.h"
#include "gap.h"
#include "json.h"
#include "output.h"

/* The data begins this far after what is before it on its line. */
#define INDENT 2
#define INDENT_TEXT "  "

/* Longer lines are hard to read, however wide the terminal is. */
#define WIDTH_MAX 80u

/* The longest sentence on a gap; ids are short. */
#define GAP_MAX 4096

/* The colour of each part; all empty without colour. */
struct look {
	const char *time, *topic, *type, *id, *warning, *reset;
	struct json_colours json;
};

static const struct look coloured = {
	.time = "\033[2m",
	.topic = "\033[1m",
	.type = "\033[1;36m",
	.id = "\033[2m",
	.warning = "\033[1;33m",
	.reset = "\033[0m",
	.json = {.key = "\033[36m",
		.string = "\033[32m",
		.number = "\033[33m",
		.word = "\033[35m",
		.punctuation = "",
		.reset = "\033[0m"},
};

static const struct look plain = {
	.time = "",
	.topic = "",
	.type = "",
	.id = "",
	.warning = "",
	.reset = "",
	.json = {.key = "", .string = "", .number = "", .word = "", .punctuation = "", .reset = ""},
};

/* The line of an event that is being made. */
struct line {
	struct buf *out;
	const struct look *look;
	size_t columns; /* so far, or more */
};

/* Note what was appended since ${before}; a buffer that is shorter now was written meanwhile. */
static void count(struct line *line, size_t before)
{
	line->columns += line->out->len >= before ? line->out->len - before : WIDTH_MAX;
}

/* Append a text from the stream in a colour, after a space unless it is the first. */
static bool add(struct line *line, const char *colour, struct sse_text text)
{
	size_t before;

	if ((line->columns > 0 && !buf_add_byte(line->out, ' ')) ||
		!buf_add_text(line->out, colour))
		return false;
	before = line->out->len - (line->columns > 0);
	if (!terminal_text(text.data, text.len, line->out))
		return false;
	count(line, before);
	return *colour == '\0' || buf_add_text(line->out, line->look->reset);
}

/* Begin the line with the time. */
static bool add_time(struct output *output, struct line *line)
{
	size_t before;

	if (!buf_add_text(line->out, line->look->time))
		return false;
	before = line->out->len;
	if (!output_time(output, (enum output_stamp)output->options->stamp, line->out))
		return false;
	count(line, before);
	return buf_add_text(line->out, line->look->reset);
}

/* Where the event is from, what it is about and which it is. */
static bool add_head(struct output *output, struct line *line, const struct sse_event *event)
{
	const struct envelope *envelope = output->envelope;
	bool topics = output->options->topics;

	/* Of several topics the lines are long, and the end of -v tells the id. */
	return (!topics || envelope->topic.len == 0 ||
		       add(line, line->look->topic, envelope->topic)) &&
	       add(line, line->look->type, event->type) &&
	       (envelope->subject.len == 0 || add(line, "", envelope->subject)) &&
	       (topics || !event->has_id || event->id.len == 0 ||
		       add(line, line->look->id, event->id));
}

static bool add_lines(struct buf *out, struct sse_text data)
{
	while (data.len > 0) {
		const char *end = memchr(data.data, '\n', data.len);
		size_t len = end != NULL ? (size_t)(end - data.data) : data.len;

		if (!buf_add_text(out, INDENT_TEXT) || !terminal_text(data.data, len, out) ||
			!buf_add_byte(out, '\n'))
			return false;
		if (end != NULL)
			len++;
		data.data += len;
		data.len -= len;
	}
	return true;
}

/*
 * A string of JSON for people: characters that it has as escapes are shown as such, unless that is
 * not what they are for (controls), or would not say the same (half a surrogate pair).
 */
static bool print_string(const char *token, size_t len, struct buf *out)
{
	static const char replacement[] = "\xef\xbf\xbd";
	struct buf text, quoted;
	bool same, added;

	if (memchr(token, '\\', len) == NULL)
		return terminal_text(token, len, out);
	buf_init(&text, len);
	buf_init(&quoted, 2 * len + 2);
	same = json_string_decode((struct json_text){token, len}, &text) &&
	       (text.len < 3 || memmem(text.data, text.len, replacement, 3) == NULL) &&
	       json_quote(text.data, text.len, &quoted);
	buf_free(&text);
	added = same ? terminal_text(quoted.data, quoted.len, out) : terminal_text(token, len, out);
	buf_free(&quoted);
	return added;
}

/* Data that is not JSON: on the line, if it is one that fits it. */
static bool add_text(struct line *line, struct sse_text data, size_t width)
{
	bool fits = line->columns + INDENT + data.len <= width &&
		    memchr(data.data, '\n', data.len) == NULL;

	if (data.len > 0 && fits)
		return buf_add_text(line->out, INDENT_TEXT) &&
		       terminal_text(data.data, data.len, line->out) &&
		       buf_add_byte(line->out, '\n');
	return buf_add_byte(line->out, '\n') && add_lines(line->out, data);
}

/* End the line with the data, which may take more lines. */
static bool add_data(const struct output *output, struct line *line, struct sse_text data)
{
	unsigned columns = terminal_width(output->fd);
	unsigned width = columns > 0 && columns < WIDTH_MAX ? columns : WIDTH_MAX;
	struct json_style style = {.colours = &line->look->json,
		.print = print_string,
		.indent = INDENT,
		.width = width};
	struct json_error not_json;
	struct json_text value;
	bool fits;

	if (!json_check(data.data, data.len, &value, &not_json))
		return add_text(line, data, width);
	fits = line->columns + INDENT <= width && json_fits(value, width - line->columns - INDENT);
	if (fits)
		style.width = UINT_MAX;
	return (fits || buf_add_byte(line->out, '\n')) && buf_add_text(line->out, INDENT_TEXT) &&
	       json_pretty(value, &style, line->out) && buf_add_byte(line->out, '\n');
}

/* Make so much of the scratch fit the terminal, whatever size that has by now. */
static bool fit(struct output *output, size_t len)
{
	return terminal_fit(output->scratch.data, len, terminal_width(output->fd),
		(enum terminal_wrap)output->options->wrap, &output->bytes);
}

/* Lines that are complete need not be held. */
static bool drain(struct buf *scratch)
{
	struct output *output =
		(struct output *)((char *)scratch - offsetof(struct output, scratch));
	const char *end = memrchr(scratch->data, '\n', scratch->len);
	size_t len = end != NULL ? (size_t)(end + 1 - scratch->data) : 0;

	if (!fit(output, len))
		return false;
	buf_drop(scratch, len);
	return true;
}

/* Where the event is made: in what is written, if there is nothing to fit it to. */
static struct buf *begin(struct output *output)
{
	output->scratch.len = 0;
	output->scratch.drain = drain;
	return output->terminal ? &output->scratch : &output->bytes;
}

static bool end(struct output *output)
{
	return !output->terminal || fit(output, output->scratch.len);
}

bool output_pretty(struct output *output, const struct sse_event *event, const char *origin)
{
	const struct look *look = output->colour ? &coloured : &plain;
	struct line line = {.out = begin(output), .look = look};
	struct buf gap;
	bool added;

	(void)origin;
	added = add_time(output, &line);
	buf_init(&gap, GAP_MAX);
	if (gap_read(event, &gap) || deleted_read(event, &gap))
		added = added && add(&line, look->warning, (struct sse_text){gap.data, gap.len}) &&
			buf_add_byte(line.out, '\n');
	else
		added = added && add_head(output, &line, event) &&
			add_data(output, &line, event->data);
	buf_free(&gap);
	return added && end(output);
}

bool output_pretty_comment(struct output *output, struct sse_text text)
{
	const struct look *look = output->colour ? &coloured : &plain;
	struct buf *out = begin(output);
	struct line line = {.out = out, .look = look};

	return add_time(output, &line) && buf_add_byte(out, ' ') && buf_add_text(out, look->id) &&
	       buf_add_byte(out, ':') && terminal_text(text.data, text.len, out) &&
	       buf_add_text(out, look->reset) && buf_add_byte(out, '\n') && end(output);
}
