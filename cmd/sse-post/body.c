/* SPDX-License-Identifier: MIT */
/* Batches; see body.h. */
#include <string.h>

#include "body.h"

/* On one line: JSON has line ends only between tokens, and the server reads CR as LF. */
static bool add_json(struct sse_text data, struct buf *out)
{
	size_t start = out->len;

	if (!buf_add(out, data.data, data.len))
		return false;
	for (size_t i = start; i < out->len; i++)
		out->data[i] = out->data[i] == '\n' ? '\r' : out->data[i];
	return true;
}

static bool add_line(const struct group *group, const struct event *event, struct buf *out)
{
	struct sse_text key = group_text(group, event->key), type = group_text(group, event->type);
	struct sse_text data = group_text(group, event->data);
	struct sse_text topic = group_text(group, event->topic);
	struct sse_text subject = group_text(group, event->subject);

	return buf_add_byte(out, '{') &&
	       (topic.len == 0 ||
		       (buf_add_text(out, "\"topic\":") && json_quote(topic.data, topic.len, out) &&
			       buf_add_byte(out, ','))) &&
	       (key.len == 0 ||
		       (buf_add_text(out, "\"key\":") && json_quote(key.data, key.len, out) &&
			       buf_add_byte(out, ','))) &&
	       (type.len == 0 ||
		       (buf_add_text(out, "\"event\":") && json_quote(type.data, type.len, out) &&
			       buf_add_byte(out, ','))) &&
	       (subject.len == 0 || (buf_add_text(out, "\"subject\":") &&
					    json_quote(subject.data, subject.len, out) &&
					    buf_add_byte(out, ','))) &&
	       buf_add_text(out, "\"data\":") &&
	       (event->kind == EVENT_JSON ? add_json(data, out)
					  : json_quote(data.data, data.len, out)) &&
	       buf_add_text(out, "}\n");
}

size_t body_batch(const struct group *group, size_t from, size_t max, size_t bytes, struct buf *out)
{
	size_t count = 0;

	out->len = 0;
	while (from + count < group->count && count < max) {
		const struct event *event = &group->all[from + count];
		size_t before = out->len;

		if (event->alone && count > 0)
			break;
		if (!add_line(group, event, out))
			return 0;
		if (out->len > bytes && count > 0) {
			out->len = before;
			break;
		}
		count++;
		if (event->alone)
			break;
	}
	return count;
}

/* The next line of an answer, without its end; false at the end. */
static bool next_line(const struct buf *answer, size_t *cursor, struct sse_text *line)
{
	while (*cursor < answer->len) {
		const char *start = answer->data + *cursor;
		const char *end = memchr(start, '\n', answer->len - *cursor);
		size_t len = end != NULL ? (size_t)(end - start) : answer->len - *cursor;

		*cursor += len + (end != NULL);
		*line = (struct sse_text){start, len};
		if (len > 0)
			return true;
	}
	return false;
}

bool body_result(const struct buf *answer, size_t *cursor, struct body_result *result)
{
	struct json_text object, key, value;
	struct json_error wrong;
	struct sse_text line;
	size_t member = 0;

	*result = (struct body_result){.id = {"", 0}};
	if (!next_line(answer, cursor, &line) ||
		!json_check(line.data, line.len, &object, &wrong) ||
		json_kind(object) != JSON_OBJECT)
		return false;
	while (json_member(object, &member, &key, &value)) {
		if (json_string_is(key, "id", 2) && json_kind(value) == JSON_STRING)
			result->id = (struct sse_text){value.text + 1, value.len - 2};
		if (json_string_is(key, "duplicate", 9))
			result->duplicate = json_kind(value) == JSON_TRUE;
	}
	return result->id.len > 0;
}

size_t body_results(const struct buf *answer)
{
	struct sse_text line;
	size_t cursor = 0, count = 0;

	while (next_line(answer, &cursor, &line))
		count++;
	return count;
}

/* The digits after "line ". */
static uint64_t read_line_number(const struct buf *detail)
{
	static const char begin[] = "line ";
	size_t at = sizeof(begin) - 1;
	uint64_t number = 0;

	if (detail->len <= at || memcmp(detail->data, begin, at) != 0)
		return 0;
	for (; at < detail->len && detail->data[at] >= '0' && detail->data[at] <= '9'; at++) {
		if (number > BODY_EVENTS_MAX)
			return 0;
		number = number * 10 + (uint64_t)(detail->data[at] - '0');
	}
	return number;
}

uint64_t body_wrong_line(const struct buf *answer)
{
	struct json_text object, key, value;
	struct json_error wrong;
	struct buf detail;
	size_t cursor = 0;
	uint64_t line = 0;

	if (!json_check(answer->data ? answer->data : "", answer->len, &object, &wrong) ||
		json_kind(object) != JSON_OBJECT)
		return 0;
	buf_init(&detail, (size_t)64 << 10);
	while (json_member(object, &cursor, &key, &value)) {
		detail.len = 0;
		if (json_string_is(key, "detail", 6) && json_kind(value) == JSON_STRING &&
			json_string_decode(value, &detail))
			line = read_line_number(&detail);
	}
	buf_free(&detail);
	return line;
}
