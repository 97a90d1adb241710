/* SPDX-License-Identifier: MIT */
/* Many events in one body; see batch.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "batch.h"
#include "content.h"
#include "hash.h"
#include "json.h"
#include "log/closing.h"
#include "log/subject.h"
#include "log/topic_name.h"
#include "schema.h"

#define TEXT_OF(number) #number
#define IN_DIGITS(number) TEXT_OF(number)

/* A colon and the number of a line. */
#define KEY_SUFFIX_MAX 11

/* How much of a member's name a sentence repeats. */
#define NAME_SHOWN 60

struct reader {
	struct batch *batch;
	const struct batch_rules *rules;
	uint64_t body_hash; /* with rules->key */
	const char *at, *end;
	uint32_t line; /* the number of the line last read */
	struct error *error;
};

/* A line is wrong.  ${what} ends the sentence that its number begins. */
#define WRONG(reader, format, ...)                                                                 \
	error_set((reader)->error, EX_DATAERR, "line %u" format, (reader)->line, __VA_ARGS__)

static bool is_blank(struct sse_text line)
{
	for (size_t i = 0; i < line.len; i++) {
		char c = line.data[i];

		if (c != ' ' && c != '\t' && c != '\r')
			return false;
	}
	return true;
}

/* The next line that is not blank, without its end.  False at the end. */
static bool next_line(struct reader *reader, struct sse_text *line)
{
	while (reader->at < reader->end) {
		const char *start = reader->at;
		const char *end = memchr(start, '\n', (size_t)(reader->end - start));

		reader->line++;
		reader->at = end != NULL ? end + 1 : reader->end;
		if (end == NULL)
			end = reader->end;
		if (end > start && end[-1] == '\r')
			end--;
		*line = (struct sse_text){start, (size_t)(end - start)};
		if (!is_blank(*line))
			return true;
	}
	return false;
}

/* How many events there are; one more than the limit means more. */
static size_t count_events(const char *body, size_t len)
{
	struct reader reader = {.at = body, .end = body + len};
	struct sse_text line;
	size_t count = 0;

	while (count <= BATCH_EVENTS_MAX && next_line(&reader, &line))
		count++;
	return count;
}

/*
 * A JSON string's text: in place if it holds no escape, otherwise decoded.  There is room: see
 * make_room().
 */
static struct sse_text string_text(struct reader *reader, struct json_text string)
{
	struct buf *text = &reader->batch->text;
	size_t start = text->len;

	if (memchr(string.text, '\\', string.len) == NULL)
		return (struct sse_text){string.text + 1, string.len - 2};
	json_string_decode(string, text);
	return (struct sse_text){text->data + start, text->len - start};
}

/* --- the data --- */

static int take_checked(struct reader *reader, struct store_append *append, struct json_text value)
{
	struct buf *text = &reader->batch->text;
	struct error reason = {0};
	size_t start = text->len;

	if (schema_apply(append->topic, value, text, &reason) != 0)
		return WRONG(reader, ": %s", reason.text);
	append->event.json = true;
	append->event.data = (struct sse_text){text->data + start, text->len - start};
	return 0;
}

static int take_text(struct reader *reader, struct store_append *append, struct json_text value)
{
	struct sse_text text = string_text(reader, value);
	const char *fault = content_text_fault(text);

	if (fault != NULL)
		return WRONG(reader, ": the data %s", fault);
	/* Only decoded text can contain a CR, so this never changes the body. */
	append->event.data = (struct sse_text){
		text.data, content_normalize((char *)(uintptr_t)text.data, text.len)};
	return 0;
}

/* The same {} of all that closes a topic; sse-tail prints it as a string. */
static int take_closing(struct reader *reader, struct store_append *append, struct json_text value)
{
	struct sse_text type = append->event.type, data = {value.text, value.len};

	if (json_kind(value) == JSON_STRING)
		data = string_text(reader, value);
	if (data.len != strlen(CLOSING_DATA) || memcmp(data.data, CLOSING_DATA, data.len) != 0)
		return WRONG(reader,
			": the event type %.*s closes the topic, so its data must be {}",
			(int)type.len, type.data);
	closing_init(append, append->topic);
	return 0;
}

/* The topic and the type are known. */
static int take_data(struct reader *reader, struct store_append *append, struct json_text value)
{
	if (append->closes)
		return take_closing(reader, append, value);
	if (schema_requires(append->topic))
		return take_checked(reader, append, value);
	if (reader->rules->envelope && json_kind(value) == JSON_STRING)
		return take_text(reader, append, value);
	append->event.json = true;
	/* The body is the caller's to change; JSON has line ends only between tokens. */
	append->event.data = (struct sse_text){
		value.text, content_normalize((char *)(uintptr_t)value.text, value.len)};
	return 0;
}

/* --- envelopes --- */

struct member {
	const char *name;
	bool string; /* it must be one */
	/* take(reader, append, value): NULL if it is ignored. */
	int (*take)(struct reader *reader, struct store_append *append, struct json_text value);
};

static int take_key(struct reader *reader, struct store_append *append, struct json_text value)
{
	const char *fault = "has half of a surrogate pair";

	append->key = string_text(reader, value);
	if (json_string_is_unicode(value))
		fault = content_key_fault(append->key);
	return fault != NULL ? WRONG(reader, ": the key %s", fault) : 0;
}

static int take_type(struct reader *reader, struct store_append *append, struct json_text value)
{
	const char *fault;

	append->event.type = string_text(reader, value);
	append->closes = closing_is_type(append->event.type);
	if (append->closes)
		return 0;
	fault = content_type_fault(append->event.type);
	return fault != NULL ? WRONG(reader, ": the event type %s", fault) : 0;
}

static int take_subject(struct reader *reader, struct store_append *append, struct json_text value)
{
	const char *fault = "has half of a surrogate pair";

	if (append->closes)
		return WRONG(reader, ": the event that closes the topic %s cannot have a subject",
			append->topic);
	append->event.subject = string_text(reader, value);
	if (json_string_is_unicode(value))
		fault = subject_fault(append->event.subject);
	return fault != NULL ? WRONG(reader, ": the subject %s: " SUBJECT_RULE, fault) : 0;
}

/* A topic that the line before does not name. */
static int read_topic(struct reader *reader, struct store_append *append, struct json_text value)
{
	struct buf *text = &reader->batch->text;
	size_t start = text->len;
	struct error reason = {0};

	json_string_decode(value, text);
	if (topic_name_check(text->data + start, text->len - start, &reason) != 0)
		return WRONG(reader, ": this is not a valid topic: %s", reason.text);
	/* There is room: its quotes are left out. */
	buf_add_byte(text, '\0');
	append->topic = text->data + start;
	return 0;
}

static int take_topic(struct reader *reader, struct store_append *append, struct json_text value)
{
	const struct batch *batch = reader->batch;
	const char *topic = reader->rules->topic;

	if (topic == NULL && batch->count > 0)
		append->topic = batch->appends[batch->count - 1].topic;
	if (append->topic != NULL && json_string_is(value, append->topic, strlen(append->topic)))
		return 0;
	return topic == NULL
		       ? read_topic(reader, append, value)
		       : WRONG(reader, ": its topic is not %s, the topic of the request", topic);
}

/* What the others need to know comes first. */
enum { MEMBER_TOPIC, MEMBER_TYPE, MEMBER_DATA };

static const struct member members[] = {
	[MEMBER_TOPIC] = {"topic", true, take_topic},
	[MEMBER_TYPE] = {"event", true, take_type},
	[MEMBER_DATA] = {"data", false, take_data},
	{"key", true, take_key},
	{"subject", true, take_subject},
	{"id", false, NULL},
	{"time", false, NULL},
	{"origin", false, NULL},
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

/* Put the value of the member with this name in its place.  Return -1 when the line is wrong. */
static int note_member(struct reader *reader, struct json_text key, struct json_text value,
	struct json_text found[MEMBERS])
{
	size_t shown = key.len < NAME_SHOWN ? key.len : NAME_SHOWN;

	for (size_t i = 0; i < MEMBERS; i++) {
		if (!json_string_is(key, members[i].name, strlen(members[i].name)))
			continue;
		if (found[i].text != NULL)
			return WRONG(reader, ": the member \"%s\" appears twice", members[i].name);
		found[i] = value;
		return 0;
	}
	return WRONG(reader,
		": the member %.*s is not data, event, key or subject (or topic, id, time or "
		"origin)",
		(int)sse_utf8_valid(key.text, shown), key.text);
}

static bool is_required(const struct reader *reader, size_t member)
{
	return member == MEMBER_DATA || (member == MEMBER_TOPIC && reader->rules->topic == NULL);
}

static int take_member(
	struct reader *reader, struct store_append *append, size_t number, struct json_text value)
{
	const struct member *member = &members[number];

	if (value.text == NULL)
		return is_required(reader, number)
			       ? WRONG(reader, ": the member \"%s\" is missing", member->name)
			       : 0;
	if (member->string && json_kind(value) != JSON_STRING)
		return WRONG(reader, ": the member \"%s\" must be a string", member->name);
	return member->take != NULL ? member->take(reader, append, value) : 0;
}

static int take_envelope(struct reader *reader, struct store_append *append, struct json_text value)
{
	struct json_text found[MEMBERS] = {{0}}, name, one;
	size_t cursor = 0;

	if (json_kind(value) != JSON_OBJECT)
		return WRONG(reader, " is not an object with the member%s",
			reader->rules->topic == NULL ? "s \"topic\" and \"data\""
						     : " \"data\", as ?envelope=1 says");
	while (json_member(value, &cursor, &name, &one)) {
		if (note_member(reader, name, one, found) != 0)
			return -1;
	}
	for (size_t i = 0; i < MEMBERS; i++) {
		if (take_member(reader, append, i, found[i]) != 0)
			return -1;
	}
	return 0;
}

/* --- the whole --- */

/* A line without a key has one by the batch's: "KEY:N". */
static int make_key(struct reader *reader, struct store_append *append)
{
	struct sse_text key = reader->rules->key;
	struct buf *text = &reader->batch->text;
	size_t start = text->len;

	buf_add(text, key.data, key.len);
	buf_addf(text, ":%u", reader->line);
	append->key = (struct sse_text){text->data + start, text->len - start};
	if (append->key.len > EVENT_KEY_MAX)
		return WRONG(reader,
			": its key, the Idempotency-Key with \":%u\", is longer than " IN_DIGITS(
				EVENT_KEY_MAX) " bytes",
			reader->line);
	return 0;
}

static int finish(struct reader *reader, struct store_append *append)
{
	uint64_t seed = HASH_START;

	subject_settle(&append->event);
	if (append->key.len == 0 && reader->rules->key.len > 0) {
		if (make_key(reader, append) != 0)
			return -1;
		seed = reader->body_hash;
	}
	if (append->key.len > 0)
		append->fingerprint = content_fingerprint(seed, &append->event);
	return 0;
}

static int read_line(struct reader *reader, struct sse_text line)
{
	struct batch *batch = reader->batch;
	struct store_append *append = &batch->appends[batch->count];
	bool envelope = reader->rules->envelope;
	struct json_error reason;
	struct json_text value;
	int result;

	/* The data in an envelope may be as deep as data alone. */
	if (!(envelope ? json_check_wrapper : json_check)(line.data, line.len, &value, &reason))
		return WRONG(
			reader, " is not JSON: at byte %zu: %s", reason.offset + 1, reason.what);
	append->topic = reader->rules->topic;
	append->event.type = reader->rules->type;
	append->event.subject = reader->rules->subject;
	result = envelope ? take_envelope(reader, append, value) : take_data(reader, append, value);
	if (result != 0 || finish(reader, append) != 0)
		return -1;
	batch->lines[batch->count++] = reader->line;
	return 0;
}

/*
 * Allocate all memory at once, so that pointers into the text stay valid: decoding never makes a
 * string longer, and shaping never makes data longer.  Untouched memory costs nothing.  There is
 * room for a closing.
 */
static bool make_room(struct reader *reader, size_t count, size_t len)
{
	const struct batch_rules *rules = reader->rules;
	struct batch *batch = reader->batch;
	size_t text = rules->envelope || schema_requires(rules->topic) ? len : 0;

	if (rules->key.len > 0)
		text += count * (rules->key.len + KEY_SUFFIX_MAX);
	buf_init(&batch->text, text);
	batch->appends = calloc(count + 1, sizeof(*batch->appends));
	batch->lines = calloc(count + 1, sizeof(*batch->lines));
	return batch->appends != NULL && batch->lines != NULL &&
	       buf_reserve(&batch->text, text) != NULL;
}

enum batch_result batch_read(struct batch *batch, char *body, size_t len,
	const struct batch_rules *rules, struct error *error)
{
	struct reader reader = {.batch = batch, .rules = rules, .error = error};
	size_t count = len > 0 ? count_events(body, len) : 0;
	struct sse_text line;

	if (count == 0) {
		error_set(error, EX_DATAERR, "the body has no event: send one per line");
		return BATCH_WRONG;
	}
	if (count > BATCH_EVENTS_MAX) {
		error_set(error, EX_DATAERR,
			"the body has more than " IN_DIGITS(
				BATCH_EVENTS_MAX) " events, the limit of one batch; send it in parts");
		return BATCH_TOO_MANY;
	}
	if (!make_room(&reader, count, len)) {
		error_set(error, EX_OSERR, "out of memory for the batch; try again later");
		return BATCH_NO_MEMORY;
	}
	if (rules->key.len > 0)
		reader.body_hash = hash_fnv1a(HASH_START, body, len);
	reader.at = body;
	reader.end = body + len;
	while (next_line(&reader, &line)) {
		if (read_line(&reader, line) != 0)
			return BATCH_WRONG;
	}
	if (rules->close) {
		closing_init(&batch->appends[batch->count], rules->topic);
		batch->lines[batch->count++] = reader.line;
	}
	return BATCH_OK;
}

size_t batch_bytes(const struct batch *batch)
{
	return batch->count * (sizeof(*batch->appends) + sizeof(*batch->lines)) + batch->text.len;
}

void batch_free(struct batch *batch)
{
	free(batch->appends);
	free(batch->lines);
	buf_free(&batch->text);
	*batch = (struct batch){0};
}
