/* SPDX-License-Identifier: MIT */
/* sse-post: send events to a topic, and say so if one was not accepted. */
#include "client_run.h"
#include "options.h"
#include "run.h"
#include "terminal.h"
#include "topics.h"

static const char program[] = "sse-post";

static int run(const struct options *options, struct error *error)
{
	if (options->client.topics != NULL)
		return topics_print(program, &options->client, error);
	if (options->delete != NULL)
		return run_delete(program, options, error);
	if (options->spool_status)
		return run_status(program, options, error);
	if (options->flush)
		return run_flush(program, options, error);
	return run_post(program, options, error);
}

int main(int argc, char **argv)
{
	struct error error = {0};
	struct options options;
	int result = -1;

	switch (options_parse(argc, argv, &options, &error)) {
	case OPTION_DONE:
		options_free(&options);
		return 0;
	case OPTION_BAD:
		goto err0;
	case OPTION_RUN:
		break;
	}
	if (client_start(&error) != 0)
		goto err0;
	result = run(&options, &error);
	client_end();
err0:
	options_free(&options);
	/* After the reader has closed the pipe, print no message. */
	if (result != 0 && error.text[0] != '\0')
		terminal_say(program, error.text);
	return result != 0 ? error.status : 0;
}
