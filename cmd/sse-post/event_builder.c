/* SPDX-License-Identifier: MIT */
/* Records become events; see event_builder.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "json.h"
#include "event_builder.h"

static const struct sse_text none = {"", 0};

void event_builder_init(struct builder *builder, const struct options *options)
{
	*builder = (struct builder){.options = options};
	key_builder_init(&builder->keys, options->key, options->key_from, options->at_most_once);
	buf_init(&builder->text, EVENT_MAX);
}

void event_builder_free(struct builder *builder)
{
	key_builder_free(&builder->keys);
	buf_free(&builder->text);
}

static const char *where(uint64_t line, char text[40])
{
	if (line == 0)
		return "the data";
	snprintf(text, 40, "line %" PRIu64, line);
	return text;
}

static int no_memory(struct error *error)
{
	return error_set(error, EX_OSERR, "out of memory");
}

/* Put the parts into the group and the event after the others; after an error, nothing is kept. */
static int add(struct builder *builder, struct event *event, struct sse_text data,
	struct sse_text type, struct sse_text own_key, struct sse_text id, bool key_of_id,
	struct group *group, struct error *error)
{
	size_t before = group->text.len;

	if (type.len == 0 && builder->options->event != NULL)
		type = (struct sse_text){builder->options->event, strlen(builder->options->event)};
	if (!group_put(group, data.data, data.len, &event->data) ||
		!group_put(group, type.data, type.len, &event->type) ||
		!group_put(group, id.data, id.len, &event->id)) {
		group->text.len = before;
		return no_memory(error);
	}
	event->alone = event_is_alone(group, event);
	if (key_make(&builder->keys, event, own_key, key_of_id ? id : none, group, error) != 0) {
		group->text.len = before;
		return -1;
	}
	return group_add(group, event) ? 0 : no_memory(error);
}

static int not_utf8(uint64_t line, size_t valid, struct error *error)
{
	char place[40];

	return error_set(error, EX_DATAERR, "%s is not UTF-8: byte %zu is wrong",
		where(line, place), valid + 1);
}

int event_builder_data(struct builder *builder, const char *data, size_t len, uint64_t line,
	struct group *group, struct error *error)
{
	int form = builder->options->form;
	struct event event = {.kind = EVENT_TEXT, .line = line};
	struct sse_text text = {len > 0 ? data : "", len};
	struct json_error wrong = {0};
	struct json_text value;
	char place[40];
	size_t valid;

	if (form == FORM_FORM) {
		event.kind = EVENT_FORM;
	} else if (form != FORM_TEXT && json_check(text.data, len, &value, &wrong)) {
		event.kind = EVENT_JSON;
		text = (struct sse_text){value.text, value.len};
	} else if (form == FORM_JSON) {
		return error_set(error, EX_DATAERR, "%s is not JSON: %s at byte %zu",
			where(line, place), wrong.what, wrong.offset + 1);
	}
	valid = event.kind == EVENT_JSON ? text.len : sse_utf8_valid(text.data, text.len);
	if (valid < text.len)
		return not_utf8(line, valid, error);
	return add(builder, &event, text, none, none, none, false, group, error);
}

/* --- envelopes ------------------------------------------------------------------------------- */

/* So much of a name that is wrong is shown. */
#define NAME_SHOWN ((size_t)60)

enum member { MEMBER_DATA, MEMBER_EVENT, MEMBER_KEY, MEMBER_ID, MEMBER_IGNORED };

static const struct {
	const char *name;
	enum member member;
} members[] = {
	{"data", MEMBER_DATA},
	{"event", MEMBER_EVENT},
	{"key", MEMBER_KEY},
	{"id", MEMBER_ID},
	{"topic", MEMBER_IGNORED},
	{"time", MEMBER_IGNORED},
	{"origin", MEMBER_IGNORED},
};

/* Sort the members of the object; a string of length 0 is not there. */
static int read_members(struct json_text object, uint64_t line,
	struct json_text found[MEMBER_IGNORED], struct error *error)
{
	struct json_text key, value;
	size_t cursor = 0, i;
	char place[40];

	while (json_member(object, &cursor, &key, &value)) {
		for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
			if (json_string_is(key, members[i].name, strlen(members[i].name)))
				break;
		}
		if (i == sizeof(members) / sizeof(members[0])) {
			size_t shown = key.len < NAME_SHOWN ? key.len : NAME_SHOWN;

			return error_set(error, EX_DATAERR,
				"%s has the member %.*s; an envelope has data, event, key and id",
				where(line, place), (int)sse_utf8_valid(key.text, shown), key.text);
		}
		if (members[i].member == MEMBER_IGNORED)
			continue;
		if (found[members[i].member].text != NULL)
			return error_set(error, EX_DATAERR, "%s has the member '%s' twice",
				where(line, place), members[i].name);
		if (members[i].member != MEMBER_DATA && json_kind(value) == JSON_NULL)
			continue;
		if (members[i].member != MEMBER_DATA && json_kind(value) != JSON_STRING)
			return error_set(error, EX_DATAERR, "%s: its member '%s' must be a string",
				where(line, place), members[i].name);
		found[members[i].member] = value;
	}
	if (found[MEMBER_DATA].text == NULL)
		return error_set(error, EX_DATAERR,
			"%s is not an envelope: it has no member 'data'", where(line, place));
	return 0;
}

/* Append a decoded string to ${text}; its place is an offset, since the text may move. */
static bool decode(struct json_text string, struct buf *text, struct piece *piece)
{
	*piece = (struct piece){text->len, 0};
	if (string.text == NULL)
		return true;
	if (!json_string_decode(string, text))
		return false;
	piece->len = text->len - piece->at;
	return true;
}

static struct sse_text text_of(const struct buf *text, struct piece piece)
{
	return piece.len > 0 ? (struct sse_text){text->data + piece.at, piece.len} : none;
}

/* A type is one line. */
static int check_type(struct sse_text type, uint64_t line, struct error *error)
{
	char place[40];

	if (memchr(type.data, '\n', type.len) == NULL &&
		memchr(type.data, '\r', type.len) == NULL &&
		memchr(type.data, '\0', type.len) == NULL)
		return 0;
	return error_set(error, EX_DATAERR,
		"%s: its event type holds a line end or NUL, which a type cannot",
		where(line, place));
}

int event_builder_envelope(struct builder *builder, const char *data, size_t len, uint64_t line,
	struct group *group, struct error *error)
{
	struct event event = {.kind = EVENT_JSON, .line = line};
	struct json_text object, found[MEMBER_IGNORED] = {{0}};
	struct piece type, key, id, text = {0};
	struct json_error wrong = {0};
	struct sse_text content;
	struct buf *decoded = &builder->text;
	char place[40];

	if (!json_check_wrapper(data, len, &object, &wrong))
		return error_set(error, EX_DATAERR, "%s is not JSON: %s at byte %zu",
			where(line, place), wrong.what, wrong.offset + 1);
	if (json_kind(object) != JSON_OBJECT)
		return error_set(error, EX_DATAERR,
			"%s is not an envelope: it must be an object like {\"data\":...}",
			where(line, place));
	if (read_members(object, line, found, error) != 0)
		return -1;
	decoded->len = 0;
	if (!decode(found[MEMBER_EVENT], decoded, &type) ||
		!decode(found[MEMBER_KEY], decoded, &key) ||
		!decode(found[MEMBER_ID], decoded, &id))
		return no_memory(error);
	content = (struct sse_text){found[MEMBER_DATA].text, found[MEMBER_DATA].len};
	if (json_kind(found[MEMBER_DATA]) == JSON_STRING) {
		event.kind = EVENT_TEXT;
		if (!decode(found[MEMBER_DATA], decoded, &text))
			return no_memory(error);
		content = text_of(decoded, text);
	}
	if (check_type(text_of(decoded, type), line, error) != 0)
		return -1;
	return add(builder, &event, content, text_of(decoded, type), text_of(decoded, key),
		text_of(decoded, id), true, group, error);
}

/* --- event streams --------------------------------------------------------------------------- */

int event_builder_stream(struct builder *builder, const struct sse_event *stream, uint64_t line,
	struct group *group, struct error *error)
{
	struct event event = {.kind = EVENT_TEXT, .line = line};
	struct sse_text data = stream->data;
	struct json_text value;
	struct json_error wrong;

	if (data.len == 0)
		data.data = "";
	if (builder->options->form != FORM_TEXT &&
		json_check(data.data, data.len, &value, &wrong)) {
		event.kind = EVENT_JSON;
		data = (struct sse_text){value.text, value.len};
	}
	return add(builder, &event, data, stream->type, none,
		stream->id.len > 0 ? stream->id : none, true, group, error);
}

/* --- forms ----------------------------------------------------------------------------------- */

/* What needs no encoding in a form (WHATWG URL, application/x-www-form-urlencoded). */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("*-._", c) != NULL);
}

static bool add_encoded(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_plain(text[i]) ? !buf_add_byte(out, text[i])
			: text[i] == ' '
				? !buf_add_byte(out, '+')
				: !buf_addf(out, "%%%02X", (unsigned)(unsigned char)text[i]))
			return false;
	}
	return true;
}

int event_builder_form(char *const *fields, size_t count, struct buf *out, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		size_t name = strcspn(fields[i], "=");

		if (name == 0 || fields[i][name - 1] == ':')
			return error_set(error, EX_USAGE,
				"'%.200s' cannot be in a form, which has NAME=TEXT alone",
				fields[i]);
		if ((i > 0 && !buf_add_byte(out, '&')) || !add_encoded(out, fields[i], name) ||
			!buf_add_byte(out, '=') ||
			!add_encoded(out, fields[i] + name + 1, strlen(fields[i] + name + 1)))
			return no_memory(error);
	}
	return 0;
}
