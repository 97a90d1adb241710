/* SPDX-License-Identifier: MIT */
/*
 * The format for people: one quiet line an event with the time, the type and the id, and the data
 * below it, as indented JSON if it is JSON.  Nothing of the stream reaches the terminal but
 * through terminal_text().
 */
#include <stddef.h>
#include <string.h>

#include "deleted.h"
#include "gap.h"
#include "json.h"
#include "output.h"

/* The data is indented this far from the header line. */
#define INDENT 2
#define INDENT_TEXT "  "

/* The longest sentence on a gap; ids are short. */
#define GAP_MAX 4096

/* The colour of each part; all empty without colour. */
struct look {
	const char *time, *type, *id, *warning, *reset;
	struct json_colours json;
};

static const struct look coloured = {
	.time = "\033[2m",
	.type = "\033[1;36m",
	.id = "\033[2m",
	.warning = "\033[1;33m",
	.reset = "\033[0m",
	.json = {.key = "\033[34m",
		.string = "\033[32m",
		.number = "\033[33m",
		.word = "\033[35m",
		.punctuation = "",
		.reset = "\033[0m"},
};

static const struct look plain = {
	.time = "",
	.type = "",
	.id = "",
	.warning = "",
	.reset = "",
	.json = {.key = "", .string = "", .number = "", .word = "", .punctuation = "", .reset = ""},
};

/* Append a text from the stream in a colour. */
static bool add(struct buf *out, const char *colour, struct sse_text text, const struct look *look)
{
	return buf_add_text(out, colour) && terminal_text(text.data, text.len, out) &&
	       buf_add_text(out, look->reset);
}

static bool add_time(struct output *output, const struct look *look, struct buf *out)
{
	return buf_add_text(out, look->time) &&
	       output_time(output, (enum output_stamp)output->options->stamp, out) &&
	       buf_add_text(out, look->reset) && buf_add_byte(out, ' ');
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

static bool add_data(struct buf *out, struct sse_text data, const struct look *look)
{
	struct json_error not_json;
	struct json_text value;

	if (!json_check(data.data, data.len, &value, &not_json))
		return add_lines(out, data);
	return buf_add_text(out, INDENT_TEXT) &&
	       json_pretty(value, INDENT, &look->json, print_string, out) &&
	       buf_add_byte(out, '\n');
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
	struct buf *out = begin(output), gap;
	bool added;

	(void)origin;
	added = add_time(output, look, out);
	buf_init(&gap, GAP_MAX);
	if (gap_read(event, &gap) || deleted_read(event, &gap))
		added = added &&
			add(out, look->warning, (struct sse_text){gap.data, gap.len}, look) &&
			buf_add_byte(out, '\n');
	else
		added = added && add(out, look->type, event->type, look) &&
			(!event->has_id || event->id.len == 0 ||
				(buf_add_byte(out, ' ') && add(out, look->id, event->id, look))) &&
			buf_add_byte(out, '\n') && add_data(out, event->data, look);
	buf_free(&gap);
	return added && end(output);
}

bool output_pretty_comment(struct output *output, struct sse_text text)
{
	const struct look *look = output->colour ? &coloured : &plain;
	struct buf *out = begin(output);

	return add_time(output, look, out) && buf_add_text(out, look->id) &&
	       buf_add_byte(out, ':') && terminal_text(text.data, text.len, out) &&
	       buf_add_text(out, look->reset) && buf_add_byte(out, '\n') && end(output);
}
