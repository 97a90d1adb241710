/* SPDX-License-Identifier: MIT */
/* Records become events; see event_builder.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "event/subject.h"
#include "json.h"
#include "event_builder.h"

static const struct sse_text none = {"", 0};

void event_builder_init(struct builder *builder, const struct options *options)
{
	*builder = (struct builder){.options = options};
	key_builder_init(&builder->keys, options->key, options->key_from, options->at_most_once);
	buf_init(&builder->text, EVENT_MAX);
	buf_init(&builder->wrapped, EVENT_MAX);
}

void event_builder_free(struct builder *builder)
{
	key_builder_free(&builder->keys);
	buf_free(&builder->text);
	buf_free(&builder->wrapped);
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

/* What an event is made of.  Its id is its key, unless it has a key. */
struct parts {
	struct sse_text data, type, subject, key, id, topic;
};

/* The text, or what an option says that all events have without one of their own. */
static struct sse_text or_option(struct sse_text own, const char *option)
{
	return own.len > 0 || option == NULL ? own : (struct sse_text){option, strlen(option)};
}

/* Put the parts into the group and the event after the others; after an error, nothing is kept. */
static int add(struct builder *builder, struct event *event, const struct parts *parts,
	struct group *group, struct error *error)
{
	const struct options *options = builder->options;
	struct sse_text type = or_option(parts->type, options->event);
	struct sse_text subject = or_option(parts->subject, options->subject);
	size_t before = group->text.len;

	if (!group_put(group, parts->data.data, parts->data.len, &event->data) ||
		!group_put(group, type.data, type.len, &event->type)) {
		group->text.len = before;
		return no_memory(error);
	}
	/* What closes a topic is about the topic. */
	if (event_closes(group, event))
		subject = none;
	if (!group_put(group, subject.data, subject.len, &event->subject) ||
		!group_put(group, parts->topic.data, parts->topic.len, &event->topic) ||
		!group_put(group, parts->id.data, parts->id.len, &event->id)) {
		group->text.len = before;
		return no_memory(error);
	}
	event->alone = event_is_alone(group, event);
	if (key_make(&builder->keys, event, parts->key, parts->id, group, error) != 0) {
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
	return add(
		builder, &event, &(struct parts){text, none, none, none, none, none}, group, error);
}

/* --- envelopes ------------------------------------------------------------------------------- */

/* So much of a name that is wrong is shown. */
#define NAME_SHOWN ((size_t)60)

enum member {
	MEMBER_DATA,
	MEMBER_EVENT,
	MEMBER_SUBJECT,
	MEMBER_KEY,
	MEMBER_ID,
	MEMBER_TOPIC,
	MEMBER_IGNORED
};
#define MEMBERS MEMBER_IGNORED

static const struct {
	const char *name;
	enum member member;
} members[] = {
	{"data", MEMBER_DATA},
	{"event", MEMBER_EVENT},
	{"subject", MEMBER_SUBJECT},
	{"key", MEMBER_KEY},
	{"id", MEMBER_ID},
	{"topic", MEMBER_TOPIC},
	{"time", MEMBER_IGNORED},
	{"origin", MEMBER_IGNORED},
	{"reason", MEMBER_IGNORED},
};

/*
 * Sort the members of the object; a string of length 0 is not there, as a topic is not where the
 * URL names it.
 */
static int read_members(const struct builder *builder, struct json_text object, uint64_t line,
	struct json_text found[MEMBERS], struct error *error)
{
	bool topics = builder->options->topics;
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
				"%s has the member %.*s; an envelope has data, event, "
				"subject, key and id",
				where(line, place), (int)sse_utf8_valid(key.text, shown), key.text);
		}
		if (members[i].member == MEMBER_IGNORED ||
			(members[i].member == MEMBER_TOPIC && !topics))
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
		"%s: its event type contains a newline or NUL, which an event type cannot",
		where(line, place));
}

/* A subject that is there is a valid one. */
static int check_subject(
	struct json_text found, struct sse_text subject, uint64_t line, struct error *error)
{
	const char *fault = NULL;
	char place[40];

	if (found.text != NULL)
		fault = json_string_is_unicode(found) ? subject_fault(subject)
						      : "has half of a surrogate pair";
	return fault == NULL ? 0
			     : error_set(error, EX_DATAERR, "%s: its subject %s",
				       where(line, place), fault);
}

/*
 * What sse-tail prints of a stream of envelopes: the data of each event is the envelope.  Return
 * whether it is, with its members.
 */
static bool unwrap(struct builder *builder, struct json_text data, struct json_text inner[MEMBERS])
{
	struct json_text object = data;
	struct json_error wrong;
	struct error ignored;

	builder->wrapped.len = 0;
	if (json_kind(data) == JSON_STRING &&
		(!json_string_decode(data, &builder->wrapped) || builder->wrapped.len == 0 ||
			!json_check_wrapper(
				builder->wrapped.data, builder->wrapped.len, &object, &wrong)))
		return false;
	return json_kind(object) == JSON_OBJECT &&
	       read_members(builder, object, 0, inner, &ignored) == 0 &&
	       inner[MEMBER_TOPIC].text != NULL;
}

/* Decode the members, and what the data is. */
static bool decode_members(struct builder *builder, const struct json_text found[MEMBERS],
	struct event *event, struct parts *parts)
{
	struct buf *text = &builder->text;
	struct piece pieces[MEMBERS] = {{0}};
	struct json_text data = found[MEMBER_DATA];

	event->kind = json_kind(data) == JSON_STRING ? EVENT_TEXT : EVENT_JSON;
	text->len = 0;
	for (size_t i = 0; i < MEMBERS; i++) {
		if ((i != MEMBER_DATA || event->kind == EVENT_TEXT) &&
			!decode(found[i], text, &pieces[i]))
			return false;
	}
	*parts = (struct parts){.data = event->kind == EVENT_TEXT
						? text_of(text, pieces[MEMBER_DATA])
						: (struct sse_text){data.text, data.len},
		.type = text_of(text, pieces[MEMBER_EVENT]),
		.subject = text_of(text, pieces[MEMBER_SUBJECT]),
		.key = text_of(text, pieces[MEMBER_KEY]),
		.id = text_of(text, pieces[MEMBER_ID]),
		.topic = text_of(text, pieces[MEMBER_TOPIC])};
	return true;
}

/* An envelope for many topics: return 1 if its event is not for them; 0; or -1. */
static int check_topic(struct builder *builder, const struct parts *parts, bool ephemeral,
	uint64_t line, struct error *error)
{
	char place[40];

	builder->left_out =
		(struct sse_event){.type = parts->type, .data = parts->data, .id = parts->id};
	if (ephemeral || event_builder_is_servers_own(parts->type))
		return 1;
	if (parts->topic.len > 0)
		return 0;
	return error_set(error, EX_DATAERR,
		"%s has no topic; sse-tail prints topics if its URL has envelope=1",
		where(line, place));
}

int event_builder_envelope(struct builder *builder, const char *data, size_t len, uint64_t line,
	struct group *group, struct error *error)
{
	struct event event = {.line = line};
	struct json_text object, found[MEMBERS] = {{0}}, inner[MEMBERS] = {{0}};
	bool topics = builder->options->topics, ephemeral = false;
	struct json_error wrong = {0};
	struct parts parts;
	char place[40];
	int left_out;

	if (!json_check_wrapper(data, len, &object, &wrong))
		return error_set(error, EX_DATAERR, "%s is not JSON: %s at byte %zu",
			where(line, place), wrong.what, wrong.offset + 1);
	if (json_kind(object) != JSON_OBJECT)
		return error_set(error, EX_DATAERR,
			"%s is not an envelope: it must be an object like {\"data\":...}",
			where(line, place));
	if (read_members(builder, object, line, found, error) != 0)
		return -1;
	if (topics && found[MEMBER_TOPIC].text == NULL &&
		unwrap(builder, found[MEMBER_DATA], inner)) {
		/* The id outside is that of the last event that has one. */
		ephemeral = inner[MEMBER_ID].text == NULL;
		inner[MEMBER_ID] = found[MEMBER_ID];
		memcpy(found, inner, sizeof(found));
	}
	if (!decode_members(builder, found, &event, &parts))
		return no_memory(error);
	left_out = topics ? check_topic(builder, &parts, ephemeral, line, error) : 0;
	if (left_out != 0)
		return left_out;
	if (check_type(parts.type, line, error) != 0 ||
		check_subject(found[MEMBER_SUBJECT], parts.subject, line, error) != 0)
		return -1;
	return add(builder, &event, &parts, group, error);
}

/* --- event streams --------------------------------------------------------------------------- */

bool event_builder_is_servers_own(struct sse_text type)
{
	static const char *const types[] = {
		"gap", "join", "leave", "denied", "uptodate", "deleted"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (type.len == strlen(types[i]) && memcmp(type.data, types[i], type.len) == 0)
			return true;
	}
	return false;
}

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
	return add(builder, &event,
		&(struct parts){data, stream->type, none, none,
			stream->id.len > 0 ? stream->id : none, none},
		group, error);
}

/* --- the end --------------------------------------------------------------------------------- */

int event_builder_closing(
	struct builder *builder, uint64_t line, struct group *group, struct error *error)
{
	static const struct sse_text data = {EVENT_CLOSING_DATA, sizeof(EVENT_CLOSING_DATA) - 1},
				     type = {EVENT_CLOSING_TYPE, sizeof(EVENT_CLOSING_TYPE) - 1};
	struct event event = {.kind = EVENT_JSON, .line = line};

	return add(
		builder, &event, &(struct parts){data, type, none, none, none, none}, group, error);
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
