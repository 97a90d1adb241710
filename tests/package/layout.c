/* SPDX-License-Identifier: MIT */
/* Print what a compiler takes from sse.h and sse_follow.h into a program: sizes, offsets, values; for abi.bats. */
#include <stdio.h>

#include "sse.h"
#include "sse_follow.h"

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
	SIZE(struct sse_item);
	OFFSET(struct sse_item, kind);
	OFFSET(struct sse_item, type);
	OFFSET(struct sse_item, data);
	OFFSET(struct sse_item, id);
	OFFSET(struct sse_item, has_id);
	OFFSET(struct sse_item, origin);
	OFFSET(struct sse_item, text);
	OFFSET(struct sse_item, wait_ms);
	VALUE(SSE_ITEM_EVENT);
	VALUE(SSE_ITEM_GAP);
	VALUE(SSE_ITEM_UPTODATE);
	VALUE(SSE_ITEM_CLOSED);
	VALUE(SSE_ITEM_OPEN);
	VALUE(SSE_ITEM_TROUBLE);
	VALUE(SSE_ITEM_DENIED);
	VALUE(SSE_FOLLOW_ON);
	VALUE(SSE_FOLLOW_CLOSED);
	VALUE(SSE_FOLLOW_ENDED);
	VALUE(SSE_FOLLOW_STOPPED);
	VALUE(SSE_FOLLOW_TIME);
	VALUE(SSE_FOLLOW_DENIED);
	VALUE(SSE_FOLLOW_FAILED);
	VALUE(SSE_FOLLOW_LAST_ID);
	VALUE(SSE_FOLLOW_TOKEN);
	VALUE(SSE_FOLLOW_TOKEN_FILE);
	VALUE(SSE_FOLLOW_USER);
	VALUE(SSE_FOLLOW_HEADER);
	VALUE(SSE_FOLLOW_CA_FILE);
	VALUE(SSE_FOLLOW_CERT_FILE);
	VALUE(SSE_FOLLOW_KEY_FILE);
	VALUE(SSE_FOLLOW_PROXY);
	VALUE(SSE_FOLLOW_UNIX_SOCKET);
	VALUE(SSE_FOLLOW_USER_AGENT);
	VALUE(SSE_FOLLOW_BODY);
	VALUE(SSE_FOLLOW_BODY_TYPE);
	VALUE(SSE_FOLLOW_SILENCE_MS);
	VALUE(SSE_FOLLOW_CONNECT_MS);
	VALUE(SSE_FOLLOW_DELAY_MS);
	VALUE(SSE_FOLLOW_ATTEMPTS);
	VALUE(SSE_FOLLOW_TIME_MS);
	VALUE(SSE_FOLLOW_RECONNECT);
	return 0;
}
