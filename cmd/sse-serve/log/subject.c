/* SPDX-License-Identifier: MIT */
/* The subject of an event; see subject.h. */
#include <string.h>

#include "control.h"
#include "subject.h"

_Static_assert(EVENT_SUBJECT_MAX == 200, "SUBJECT_RULE and subject_fault() name the limit");

const char *subject_fault(struct sse_text subject)
{
	if (subject.len == 0)
		return "is empty";
	if (subject.len > EVENT_SUBJECT_MAX)
		return "is longer than 200 bytes";
	if (sse_utf8_valid(subject.data, subject.len) != subject.len)
		return "is not valid UTF-8";
	if (control_is_in(subject.data, subject.len))
		return "contains a control character";
	return NULL;
}

void subject_settle(struct event *event)
{
	if (event->subject.len == 0 || !event->json || event->data.len != 2 ||
		memcmp(event->data.data, "\"\"", 2) != 0)
		return;
	event->json = false;
	event->data.len = 0;
}
