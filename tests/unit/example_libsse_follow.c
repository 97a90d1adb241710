/* SPDX-License-Identifier: MIT */
/* Follow an event stream, and print the data of each event. */
#include <stdio.h>
#include <sse_follow.h>

static bool print(void *context, const struct sse_item *item)
{
	(void)context;
	return item->kind != SSE_ITEM_EVENT ||
	       printf("%.*s\n", (int)item->data.len, item->data.data) >= 0;
}

int main(int argc, char **argv)
{
	struct sse_follow *follow = sse_follow_new(argv[1], print, NULL);
	enum sse_follow_state end = sse_follow_run(follow);

	(void)argc;
	if (end >= SSE_FOLLOW_DENIED)
		fprintf(stderr, "%s\n", sse_follow_error(follow));
	sse_follow_free(follow);
	return end >= SSE_FOLLOW_DENIED;
}
