/* SPDX-License-Identifier: MIT */
/* Subjects; see subject.h. */
#include <stddef.h>

#include "control.h"
#include "subject.h"

_Static_assert(SUBJECT_MAX == 200, "a sentence names the limit");

const char *subject_fault(struct sse_text subject)
{
	if (subject.len == 0)
		return "is empty";
	if (subject.len > SUBJECT_MAX)
		return "is longer than 200 bytes";
	if (sse_utf8_valid(subject.data, subject.len) != subject.len)
		return "is not UTF-8";
	return control_is_in(subject.data, subject.len) ? "contains a control character" : NULL;
}
