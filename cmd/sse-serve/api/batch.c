/* SPDX-License-Identifier: MIT */
/* Many events in one body; see batch.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "batch.h"
#include "content.h"
#include "hash.h"
#include "json.h"
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
	bool checked;
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

static int take_checked(struct reader *reader, struct event *event, struct json_text value)
{
	struct buf *text = &reader->batch->text;
	struct error reason = {0};
	size_t start = text->len;

	if (schema_apply(reader->rules->topic, value, text, &reason) != 0)
		return WRONG(reader, ": %s", reason.text);
	event->json = true;
	event->data = (struct sse_text){text->data + start, text->len - start};
	return 0;
}

static int take_text(struct reader *reader, struct event *event, struct json_text value)
{
	struct sse_text text = string_text(reader, value);
	const char *fault = content_text_fault(text);

	if (fault != NULL)
		return WRONG(reader, ": the data %s", fault);
	/* Only decoded text holds a CR, so this does not write to the body. */
	event->data = (struct sse_text){
		text.data, content_normalize((char *)(uintptr_t)text.data, text.len)};
	return 0;
}

static int take_data(struct reader *reader, struct event *event, struct json_text value)
{
	if (reader->checked)
		return take_checked(reader, event, value);
	if (reader->rules->envelope && json_kind(value) == JSON_STRING)
		return take_text(reader, event, value);
	event->json = true;
	/* The body is the caller's to change; JSON has line ends only between tokens. */
	event->data = (struct sse_text){
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
	fault = content_type_fault(append->event.type);
	return fault != NULL ? WRONG(reader, ": the event type %s", fault) : 0;
}

static int take_topic(struct reader *reader, struct store_append *append, struct json_text value)
{
	const char *topic = reader->rules->topic;

	(void)append;
	return json_string_is(value, topic, strlen(topic))
		       ? 0
		       : WRONG(reader, ": its topic is not %s, which is published to", topic);
}

static int take_member_data(
	struct reader *reader, struct store_append *append, struct json_text value)
{
	return take_data(reader, &append->event, value);
}

enum { MEMBER_DATA }; /* the place of the required one */

static const struct member members[] = {
	[MEMBER_DATA] = {"data", false, take_member_data},
	{"event", true, take_type},
	{"key", true, take_key},
	{"topic", true, take_topic},
	{"id", false, NULL},
	{"time", false, NULL},
	{"origin", false, NULL},
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

/* The number of the member with this name, or -1 when the line was found wrong. */
static int find_member(struct reader *reader, struct json_text key, unsigned seen)
{
	size_t shown = key.len < NAME_SHOWN ? key.len : NAME_SHOWN;

	for (size_t i = 0; i < MEMBERS; i++) {
		if (!json_string_is(key, members[i].name, strlen(members[i].name)))
			continue;
		if (seen & 1U << i)
			return WRONG(reader, ": the member \"%s\" appears twice", members[i].name);
		return (int)i;
	}
	return WRONG(reader,
		": the member %.*s is not data, event or key (or topic, id, time or origin)",
		(int)sse_utf8_valid(key.text, shown), key.text);
}

static int take_envelope(struct reader *reader, struct store_append *append, struct json_text value)
{
	struct json_text name, one;
	unsigned seen = 0;
	size_t cursor = 0;

	if (json_kind(value) != JSON_OBJECT)
		return WRONG(reader, " is not %s",
			"an object with the member \"data\", as ?envelope=1 says");
	while (json_member(value, &cursor, &name, &one)) {
		int found = find_member(reader, name, seen);

		if (found < 0)
			return -1;
		seen |= 1U << found;
		if (members[found].string && json_kind(one) != JSON_STRING)
			return WRONG(reader, ": the member \"%s\" must be a string",
				members[found].name);
		if (members[found].take != NULL && members[found].take(reader, append, one) != 0)
			return -1;
	}
	if (!(seen & 1U << MEMBER_DATA))
		return WRONG(reader, ": the member \"%s\" is missing", members[MEMBER_DATA].name);
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
	struct json_error reason;
	struct json_text value;
	int result;

	if (!json_check(line.data, line.len, &value, &reason))
		return WRONG(
			reader, " is not JSON: at byte %zu: %s", reason.offset + 1, reason.what);
	append->topic = reader->rules->topic;
	append->event.type = reader->rules->type;
	if (reader->rules->envelope)
		result = take_envelope(reader, append, value);
	else
		result = take_data(reader, &append->event, value);
	if (result != 0 || finish(reader, append) != 0)
		return -1;
	batch->lines[batch->count++] = reader->line;
	return 0;
}

/*
 * Allocate all memory at once, so that pointers into the text stay valid: decoding never makes a
 * string longer, and shaping never makes data longer.  Untouched memory costs nothing.
 */
static bool make_room(struct reader *reader, size_t count, size_t len)
{
	const struct batch_rules *rules = reader->rules;
	struct batch *batch = reader->batch;
	size_t text = rules->envelope || reader->checked ? len : 0;

	if (rules->key.len > 0)
		text += count * (rules->key.len + KEY_SUFFIX_MAX);
	buf_init(&batch->text, text);
	batch->appends = calloc(count, sizeof(*batch->appends));
	batch->lines = calloc(count, sizeof(*batch->lines));
	return batch->appends != NULL && batch->lines != NULL &&
	       buf_reserve(&batch->text, text) != NULL;
}

enum batch_result batch_read(struct batch *batch, char *body, size_t len,
	const struct batch_rules *rules, struct error *error)
{
	struct reader reader = {.batch = batch,
		.rules = rules,
		.checked = schema_requires(rules->topic),
		.error = error};
	size_t count = len > 0 ? count_events(body, len) : 0;
	struct sse_text line;

	if (count == 0) {
		error_set(error, EX_DATAERR, "the body holds no event: send one a line");
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
