/* SPDX-License-Identifier: MIT */
/* Lines that a parser passes over; see check_lines.h. */
#include <string.h>

#include "check_lines.h"
#include "json.h"

/* The kept part of a line; the rest is not checked for UTF-8. */
#define LINE_KEPT ((size_t)64 << 10)

static const char bom[] = "\xef\xbb\xbf";

void check_lines_init(struct check_lines *lines)
{
	*lines = (struct check_lines){.retry = -1};
	buf_init(&lines->line, LINE_KEPT);
}

void check_lines_free(struct check_lines *lines)
{
	buf_free(&lines->line);
}

bool check_lines_within(const struct check_lines *lines)
{
	return lines->in_block || lines->line.len > 0;
}

/* Count one more, and keep it if it is the first. */
static void sample(struct check_sample *sample, const char *text, size_t len)
{
	if (sample->count++ > 0)
		return;
	sample->len = len < sizeof(sample->text) ? len : sizeof(sample->text);
	memcpy(sample->text, text, sample->len);
}

/* The value of the field of this name; NULL if the line is another. */
static const char *value_of(const char *line, size_t len, const char *name)
{
	size_t at = strlen(name);

	if (len < at || memcmp(line, name, at) != 0 || (len > at && line[at] != ':'))
		return NULL;
	at += at < len;
	return line + (at < len && line[at] == ' ' ? at + 1 : at);
}

/* Digits alone; a number too large to mean anything is as good as the largest. */
static bool read_retry(const char *text, size_t len, int64_t *ms)
{
	int64_t number = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		if (number < INT64_MAX / 100)
			number = number * 10 + (text[i] - '0');
	}
	*ms = len > 0 ? number : *ms;
	return len > 0;
}

static void look_at_field(struct check_lines *lines, const char *line, size_t len)
{
	const char *end = line + len, *value;

	lines->in_block = true;
	if (value_of(line, len, "data") != NULL) {
		lines->has_data = true;
	} else if ((value = value_of(line, len, "event")) != NULL) {
		lines->type.count = 0;
		sample(&lines->type, value, (size_t)(end - value));
	} else if ((value = value_of(line, len, "id")) != NULL) {
		if (memchr(value, '\0', (size_t)(end - value)) != NULL)
			sample(&lines->bad_id, value, (size_t)(end - value));
	} else if ((value = value_of(line, len, "retry")) != NULL) {
		if (!read_retry(value, (size_t)(end - value), &lines->retry))
			sample(&lines->bad_retry, value, (size_t)(end - value));
	} else {
		sample(&lines->no_field, line, len);
	}
}

static void look_at_encoding(struct check_lines *lines, const char *line, size_t len)
{
	size_t valid = sse_utf8_valid(line, len);

	/* A line that was cut may have lost the end of a character. */
	if (valid != len && (!lines->cut || len - valid > 3))
		sample(&lines->not_utf8, line, len);
}

static void end_block(struct check_lines *lines)
{
	if (lines->type.count > 0 && !lines->has_data)
		sample(&lines->no_data, lines->type.text, lines->type.len);
	lines->in_block = lines->has_data = false;
	lines->type.count = 0;
}

static void end_line(struct check_lines *lines)
{
	const char *line = lines->line.data;
	size_t len = lines->line.len;

	if (!lines->started && len >= strlen(bom) && memcmp(line, bom, strlen(bom)) == 0) {
		lines->bom = true;
		line += strlen(bom);
		len -= strlen(bom);
	}
	lines->started = true;
	if (len == 0) {
		end_block(lines);
	} else {
		look_at_encoding(lines, line, len);
		if (!lines->json && line[0] != ':')
			look_at_field(lines, line, len);
	}
	lines->line.len = 0;
	lines->cut = false;
}

void check_lines_event(struct check_lines *lines, struct sse_text data)
{
	struct json_error not_json;

	if (lines->json && !json_check(data.data, data.len, NULL, &not_json))
		sample(&lines->not_json, data.data, data.len);
}

static void add(struct check_lines *lines, const char *text, size_t len)
{
	size_t room = lines->line.cap - lines->line.len;

	if (!buf_add(&lines->line, text, len < room ? len : room) || len > room)
		lines->cut = true;
}

void check_lines_feed(struct check_lines *lines, const char *data, size_t len)
{
	const char *next = data, *end = data + len;

	while (next < end) {
		const char *stop = next;

		if (lines->after_cr && *next == '\n')
			stop = ++next;
		lines->after_cr = false;
		while (stop < end && *stop != '\n' && *stop != '\r')
			stop++;
		add(lines, next, (size_t)(stop - next));
		if (stop < end) {
			lines->after_cr = *stop++ == '\r';
			end_line(lines);
		}
		next = stop;
	}
}
