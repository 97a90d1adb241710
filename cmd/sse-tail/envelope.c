/* SPDX-License-Identifier: MIT */
/* Taking events out of envelopes; see envelope.h. */
#include <string.h>
#include <sysexits.h>

#include "envelope.h"
#include "json.h"
#include "timestamp.h"

/* The members that an envelope can have. */
enum member { TOPIC, ID, TIME, EVENT, SUBJECT, DATA, MEMBERS };

static const char *const names[MEMBERS] = {
	[TOPIC] = "topic",
	[ID] = "id",
	[TIME] = "time",
	[EVENT] = "event",
	[SUBJECT] = "subject",
	[DATA] = "data",
};

static void forget(struct envelope *envelope)
{
	const char *only = envelope->only != NULL ? envelope->only : "";

	envelope->topic = (struct sse_text){only, strlen(only)};
	envelope->subject = (struct sse_text){"", 0};
	envelope->time = ENVELOPE_NO_TIME;
	envelope->words.len = envelope->data.len = 0;
}

void envelope_init(struct envelope *envelope, const char *topic)
{
	*envelope = (struct envelope){.only = topic};
	buf_init(&envelope->words, SSE_EVENT_MAX);
	buf_init(&envelope->data, SSE_EVENT_MAX);
	forget(envelope);
}

void envelope_free(struct envelope *envelope)
{
	buf_free(&envelope->words);
	buf_free(&envelope->data);
}

static enum member find_member(struct json_text key)
{
	size_t i = 0;

	while (i < MEMBERS && !json_string_is(key, names[i], strlen(names[i])))
		i++;
	return (enum member)i;
}

/* Sort the members.  sse-serve writes the topic first, the data last, and nothing else twice. */
static bool read_members(struct json_text object, struct json_text found[MEMBERS])
{
	struct json_text key, value;
	size_t cursor = 0, count = 0;

	memset(found, 0, MEMBERS * sizeof(*found));
	while (json_member(object, &cursor, &key, &value)) {
		enum member member = find_member(key);

		if (member == MEMBERS || found[member].text != NULL || found[DATA].text != NULL ||
			(count++ == 0) != (member == TOPIC) ||
			(member != DATA && json_kind(value) != JSON_STRING))
			return false;
		found[member] = value;
	}
	return found[DATA].text != NULL && found[EVENT].text != NULL;
}

static bool is_envelope(const struct sse_event *event, struct json_text found[MEMBERS])
{
	static const char begin[] = "{\"topic\":\"";
	struct json_error not_json;
	struct json_text object;

	return event->data.len > sizeof(begin) &&
	       memcmp(event->data.data, begin, sizeof(begin) - 1) == 0 &&
	       json_check_wrapper(event->data.data, event->data.len, &object, &not_json) &&
	       read_members(object, found) &&
	       json_string_is(found[EVENT], event->type.data, event->type.len);
}

/* Append a string decoded, with a NUL after it, and store its length; it may move until all are. */
static bool add_word(struct buf *words, struct json_text string, struct sse_text *text)
{
	size_t before = words->len;

	if (string.text == NULL)
		return true;
	if (!json_string_decode(string, words))
		return false;
	text->len = words->len - before;
	return buf_add_byte(words, '\0');
}

static bool read_words(struct envelope *envelope, const struct json_text found[MEMBERS])
{
	struct buf *words = &envelope->words;
	struct sse_text time = {0};

	if (!add_word(words, found[TIME], &time) ||
		!add_word(words, found[TOPIC], &envelope->topic) ||
		!add_word(words, found[SUBJECT], &envelope->subject))
		return false;
	if (time.len == 0 || timestamp_parse(words->data, &envelope->time) != 0)
		envelope->time = ENVELOPE_NO_TIME;
	/* Only now the texts stay where they are. */
	envelope->topic.data = words->data + (found[TIME].text != NULL ? time.len + 1 : 0);
	if (found[SUBJECT].text != NULL)
		envelope->subject.data = envelope->topic.data + envelope->topic.len + 1;
	return true;
}

int envelope_open(struct envelope *envelope, const struct sse_event *event, struct sse_event *inner,
	struct error *error)
{
	struct json_text found[MEMBERS];
	struct buf *data = &envelope->data;

	*inner = *event;
	forget(envelope);
	if (!is_envelope(event, found))
		return 0;
	if (!read_words(envelope, found))
		return error_set(error, EX_OSERR, "out of memory");
	inner->data = (struct sse_text){found[DATA].text, found[DATA].len};
	if (json_kind(found[DATA]) != JSON_STRING)
		return 0;
	if (!json_string_decode(found[DATA], data))
		return error_set(error, EX_OSERR, "out of memory");
	inner->data = (struct sse_text){data->len > 0 ? data->data : "", data->len};
	return 0;
}
