/* SPDX-License-Identifier: MIT */
/* sse-tail: show the events of a stream as they come. */
#include <locale.h>

#include "client_run.h"
#include "options.h"
#include "tail.h"
#include "terminal.h"
#include "topics.h"

static const char program[] = "sse-tail";

static int run(const struct options *options, struct error *error)
{
	struct tail tail = {0};
	int result = -1;

	if (options->client.topics != NULL)
		return topics_print(program, &options->client, error);
	if (tail_open(&tail, program, options, error) == 0)
		result = tail_run(&tail, error);
	tail_close(&tail);
	return result;
}

int main(int argc, char **argv)
{
	struct error error = {0};
	struct options options;
	int result = -1;

	/* For -e: what ? and [] match is a character, not a byte; and for the width of those. */
	setlocale(LC_CTYPE, "");
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
	/* The sender of a signal knows why the program ends. */
	if (result != 0 && error.status < 128 && error.text[0] != '\0')
		terminal_say(program, error.text);
	return result != 0 ? error.status : 0;
}
