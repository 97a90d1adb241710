/* SPDX-License-Identifier: MIT */
/* Print what a compiler takes from sse.h into a program: sizes, offsets, values; for abi.bats. */
#include <stdio.h>

#include "sse.h"

#define SIZE(name) printf(#name " %zu\n", sizeof(name))
#define OFFSET(name, field) printf(#name "." #field " %zu\n", offsetof(name, field))
#define VALUE(name) printf(#name " %llu\n", (unsigned long long)(name))

int main(void)
{
	SIZE(struct sse_text);
	OFFSET(struct sse_text, data);
	OFFSET(struct sse_text, len);
	SIZE(struct sse_event);
	OFFSET(struct sse_event, type);
	OFFSET(struct sse_event, data);
	OFFSET(struct sse_event, id);
	OFFSET(struct sse_event, has_id);
	SIZE(struct sse_callbacks);
	OFFSET(struct sse_callbacks, event);
	OFFSET(struct sse_callbacks, comment);
	OFFSET(struct sse_callbacks, retry);
	SIZE(struct sse_frame);
	OFFSET(struct sse_frame, type);
	OFFSET(struct sse_frame, data);
	OFFSET(struct sse_frame, id);
	VALUE(SSE_OK);
	VALUE(SSE_STOP);
	VALUE(SSE_TOO_LARGE);
	VALUE(SSE_NO_MEMORY);
	VALUE(SSE_EVENT_MAX);
	return 0;
}
