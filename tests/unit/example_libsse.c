/* SPDX-License-Identifier: MIT */
/* Print each event of the event stream that comes on the standard input. */
#include <stdio.h>
#include <unistd.h>
#include <sse.h>

static bool print(void *context, const struct sse_event *event)
{
	(void)context;
	printf("%.*s: %.*s\n", (int)event->type.len, event->type.data, (int)event->data.len,
		event->data.data);
	return fflush(stdout) == 0;
}

int main(void)
{
	struct sse_callbacks callbacks = {.event = print};
	struct sse_parser *parser = sse_parser_new(&callbacks, NULL, 0);
	enum sse_result result = parser != NULL ? SSE_OK : SSE_NO_MEMORY;
	char bytes[16384];
	ssize_t len;

	while (result == SSE_OK && (len = read(0, bytes, sizeof(bytes))) > 0)
		result = sse_parser_feed(parser, bytes, (size_t)len, NULL);
	sse_parser_free(parser);
	return result == SSE_OK ? 0 : 1;
}
