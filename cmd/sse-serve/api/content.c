/* SPDX-License-Identifier: MIT */
/* The rules for types, keys and texts; see content.h. */
#include <stdbool.h>
#include <string.h>

#include "content.h"
#include "control.h"
#include "hash.h"
#include "log/closing.h"

#define TEXT_OF(number) #number
#define IN_DIGITS(number) TEXT_OF(number)

/* Event types that are the server's own. */
static const char *const reserved_types[] = {
	"gap", "join", "leave", "denied", "uptodate", CLOSING_TYPE, "deleted"};

static bool is_reserved(struct sse_text type)
{
	for (size_t i = 0; i < sizeof(reserved_types) / sizeof(reserved_types[0]); i++) {
		if (type.len == strlen(reserved_types[i]) &&
			memcmp(type.data, reserved_types[i], type.len) == 0)
			return true;
	}
	return false;
}

static bool is_utf8(struct sse_text text)
{
	return sse_utf8_valid(text.data, text.len) == text.len;
}

static bool holds(struct sse_text text, char byte)
{
	return text.len > 0 && memchr(text.data, byte, text.len) != NULL;
}

const char *content_type_form_fault(struct sse_text type)
{
	if (type.len == 0)
		return "is empty";
	if (type.len > EVENT_TYPE_MAX)
		return "is longer than " IN_DIGITS(EVENT_TYPE_MAX) " bytes";
	if (holds(type, '\r') || holds(type, '\n'))
		return "contains a newline";
	if (holds(type, '\0'))
		return "contains a NUL";
	if (!is_utf8(type))
		return "is not valid UTF-8";
	return NULL;
}

const char *content_type_fault(struct sse_text type)
{
	if (is_reserved(type))
		return "is one of gap, join, leave, denied, uptodate, closed and deleted, which "
		       "only the server sends";
	return content_type_form_fault(type);
}

const char *content_key_fault(struct sse_text key)
{
	if (key.len == 0)
		return "is empty";
	if (key.len > EVENT_KEY_MAX)
		return "is longer than " IN_DIGITS(EVENT_KEY_MAX) " bytes";
	if (!is_utf8(key))
		return "is not valid UTF-8";
	if (control_is_in(key.data, key.len))
		return "contains a control character";
	return NULL;
}

const char *content_header_key_fault(struct sse_text key)
{
	for (size_t i = 0; i < key.len; i++) {
		if (key.data[i] < 0x20 || key.data[i] > 0x7e)
			return "contains something other than printable ASCII";
	}
	return content_key_fault(key);
}

const char *content_text_fault(struct sse_text text)
{
	if (!is_utf8(text))
		return "is not valid UTF-8";
	return holds(text, '\0') ? "contains a NUL, which text cannot" : NULL;
}

size_t content_normalize(char *text, size_t len)
{
	char *end = text + len, *in = len > 0 ? memchr(text, '\r', len) : NULL, *out = in;

	if (in == NULL)
		return len;
	while (in < end) {
		char c = *in++;

		if (c == '\r' && in < end && *in == '\n')
			in++;
		*out++ = c == '\r' ? '\n' : c;
	}
	return (size_t)(out - text);
}

uint64_t content_fingerprint(uint64_t seed, const struct event *event)
{
	seed = hash_fnv1a(seed, event->type.data, event->type.len);
	/* A type holds no NUL, so this ends it. */
	seed = hash_fnv1a(seed, event->json ? "\0j" : "\0t", 2);
	seed = hash_fnv1a(seed, event->data.data, event->data.len);
	if (event->subject.len == 0)
		return seed;
	/* Nor does data hold one. */
	seed = hash_fnv1a(seed, "\0s", 2);
	return hash_fnv1a(seed, event->subject.data, event->subject.len);
}
