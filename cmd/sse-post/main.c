/* SPDX-License-Identifier: MIT */
/* sse-post: send events to a topic, and say so if one was not accepted. */
#include <inttypes.h>

#include "client_run.h"
#include "deliver.h"
#include "input.h"
#include "options.h"
#include "terminal.h"

static const char program[] = "sse-post";

/* Where lines are sent one by one, an error has to say which of them were accepted. */
static void add_account(struct input *input, uint64_t accepted, uint64_t line, struct error *error)
{
	struct error reason = *error;
	bool all = input_count_rest(input);

	if (accepted == input->events) {
		error_set(error, reason.status, "%.400s; all %" PRIu64 " lines %swere accepted",
			reason.text, accepted, all ? "" : "read so far ");
		return;
	}
	error_set(error, reason.status,
		"%.350s; %" PRIu64 " of %" PRIu64 " lines %swere accepted, line %" PRIu64
		" is the first that was not",
		reason.text, accepted, input->events, all ? "" : "read so far ", line);
}

/* Send event after event until there is none left. */
static int send_all(struct input *input, struct deliver *deliver, struct error *error)
{
	struct input_item item;
	uint64_t accepted = 0;
	int more;

	while ((more = input_next(input, &item, error)) > 0) {
		if (deliver_event(deliver, &item, error) != 0)
			break;
		accepted++;
	}
	if (more == 0)
		return 0;
	if (input->lines && input->events > 0)
		add_account(input, accepted, input->line, error);
	return -1;
}

int main(int argc, char **argv)
{
	struct error error = {0};
	struct options options;
	struct deliver deliver = {0};
	struct input input = {0};
	int64_t until;
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
	until = client_after(options.timeout);
	if (deliver_open(&deliver, program, &options, until, &error) != 0)
		goto err1;
	if (input_open(&input, &options, until, &error) != 0)
		goto err2;
	result = send_all(&input, &deliver, &error);
err2:
	input_close(&input);
err1:
	deliver_close(&deliver);
	client_end();
err0:
	options_free(&options);
	if (result != 0)
		terminal_say(program, error.text);
	return result != 0 ? error.status : 0;
}
