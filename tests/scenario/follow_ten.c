/* SPDX-License-Identifier: MIT */
/* The program that the comment in lib/follow.h shows: a stream is followed in ten lines. */
#include <stdio.h>

#include "follow.h"
#include "client_run.h"

/* From the comment: */
static bool print(void *context, const struct sse_event *event, const char *origin)
{
	(void)context, (void)origin;
	return printf("%.*s\n", (int)event->data.len, event->data.data) >= 0;
}

int main(int argc, char **argv)
{
	(void)argc;
	/* From the comment: */
	struct client_options common = {0};
	struct follow_options options = FOLLOW_OPTIONS_DEFAULT;
	struct follow_sink sink = {.event = print};
	struct client_url url = {0};
	struct client client = {0};
	struct error error = {0};

	if (client_start(&error) == 0 &&
		client_url_make(argv[1], CLIENT_STREAM, NULL, &url, &error) == 0 &&
		client_open(&client, "example", &common, &error) == 0)
		follow_run(&client, &url, &options, &sink, NULL, &error);

	client_close(&client);
	client_url_free(&url);
	client_end();
	if (error.status != 0)
		fprintf(stderr, "example: %s\n", error.text);
	return error.status;
}
