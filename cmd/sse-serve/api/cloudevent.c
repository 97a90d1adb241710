/* SPDX-License-Identifier: MIT */
/* What a CloudEvent says of itself; see cloudevent.h. */
#include <string.h>
#include <sysexits.h>

#include "cloudevent.h"
#include "content.h"
#include "log/event.h"
#include "log/subject.h"

/*
 * Room for a type, a subject and a key that are not too long.  What does not fit is too long, and
 * only its length is used.
 */
#define OUT_MAX 1024

enum attribute { ID, SOURCE, TYPE, SUBJECT };

static const char *const names[] = {"id", "source", "type", "subject"};
#define ATTRIBUTES (sizeof(names) / sizeof(names[0]))

/* Find the attributes among the members; one that is not there has no text. */
static int collect(struct json_text value, struct json_text *found, struct error *error)
{
	struct json_text key, member;
	size_t cursor = 0;

	while (json_member(value, &cursor, &key, &member)) {
		for (size_t i = 0; i < ATTRIBUTES; i++) {
			if (!json_string_is(key, names[i], strlen(names[i])))
				continue;
			if (found[i].text != NULL)
				return error_set(error, EX_DATAERR,
					"the '%s' of the CloudEvent appears twice", names[i]);
			/* The same as none (JSON event format, section 2.2). */
			if (i == SUBJECT && json_kind(member) == JSON_NULL)
				continue;
			/* A length of two is an empty string with its quotes. */
			if (json_kind(member) != JSON_STRING || member.len == 2)
				return error_set(error, EX_DATAERR,
					"the '%s' of the CloudEvent must be a string that is not "
					"empty",
					names[i]);
			if (!json_string_is_unicode(member))
				return error_set(error, EX_DATAERR,
					"the '%s' of the CloudEvent has half of a surrogate pair",
					names[i]);
			found[i] = member;
		}
	}
	return 0;
}

static int read_type(
	const struct json_text *found, struct sse_text *type, struct buf *out, struct error *error)
{
	size_t start = out->len;
	const char *fault;

	if (found[TYPE].text == NULL)
		return 0;
	if (!json_string_decode(found[TYPE], out))
		out->len = start + EVENT_TYPE_MAX + 1;
	*type = (struct sse_text){out->data + start, out->len - start};
	fault = content_type_fault(*type);
	if (fault != NULL)
		return error_set(error, EX_DATAERR,
			"the 'type' of the CloudEvent %s: name another event type by ?event=",
			fault);
	return 0;
}

/*
 * A subject that is too long is valid for CloudEvents, where it may be a whole path.  It stays in
 * the data, and is not used.
 */
static int read_subject(const struct json_text *found, struct sse_text *subject, struct buf *out,
	struct error *error)
{
	size_t start = out->len;
	const char *fault;

	if (found[SUBJECT].text == NULL)
		return 0;
	if (!json_string_decode(found[SUBJECT], out) || out->len - start > EVENT_SUBJECT_MAX) {
		out->len = start;
		return 0;
	}
	*subject = (struct sse_text){out->data + start, out->len - start};
	fault = subject_fault(*subject);
	return fault != NULL
		       ? error_set(error, EX_DATAERR, "the 'subject' of the CloudEvent %s", fault)
		       : 0;
}

static int read_key(
	const struct json_text *found, struct sse_text *key, struct buf *out, struct error *error)
{
	bool sourced = found[SOURCE].text != NULL, fits = true;
	size_t start = out->len;
	const char *fault;

	if (found[ID].text == NULL)
		return 0;
	if (sourced) {
		fits = json_string_decode(found[SOURCE], out);
		/* The space between source and id must be the first. */
		if (memchr(out->data + start, ' ', out->len - start) != NULL)
			return error_set(error, EX_DATAERR,
				"the 'source' of the CloudEvent has a space, which no URI has");
		fits = fits && buf_add_byte(out, ' ');
	}
	if (!fits || !json_string_decode(found[ID], out))
		out->len = start + EVENT_KEY_MAX + 1;
	*key = (struct sse_text){out->data + start, out->len - start};
	fault = content_key_fault(*key);
	if (fault != NULL)
		return error_set(error, EX_DATAERR,
			"the key of the CloudEvent, which is its %s, %s: send an Idempotency-Key",
			sourced ? "'source' and 'id'" : "'id'", fault);
	return 0;
}

int cloudevent_read(struct json_text value, unsigned uses, struct cloudevent *event,
	struct buf *out, struct error *error)
{
	struct json_text found[ATTRIBUTES] = {{0}};

	*event = (struct cloudevent){0};
	buf_init(out, OUT_MAX);
	if (buf_reserve(out, OUT_MAX) == NULL)
		return error_set(error, EX_OSERR, "out of memory; try again later");
	if (json_kind(value) != JSON_OBJECT)
		return error_set(error, EX_DATAERR, "a CloudEvent is a JSON object");
	if (collect(value, found, error) != 0)
		return -1;
	if ((uses & CLOUDEVENT_TYPE) != 0 && read_type(found, &event->type, out, error) != 0)
		return -1;
	if ((uses & CLOUDEVENT_SUBJECT) != 0 &&
		read_subject(found, &event->subject, out, error) != 0)
		return -1;
	if ((uses & CLOUDEVENT_KEY) != 0 && read_key(found, &event->key, out, error) != 0)
		return -1;
	return 0;
}
