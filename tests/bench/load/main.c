/* SPDX-License-Identifier: MIT */
/*
 * load: the load generator of the benchmarks.  It works with any server of event streams that takes
 * events by POST: paths and types are options.  It exits with 1 if an event was lost, repeated, out
 * of order or torn at any stream.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mode.h"
#include "net.h"
#include "process.h"

int main(int argc, char **argv)
{
	struct options options = {.cpu = -1};
	struct error error = {0};
	int status;

	mode_describe();
	switch (options_parse(&options, argc, argv, &error)) {
	case OPTION_DONE:
		return 0;
	case OPTION_BAD:
		fprintf(stderr, "load: %s\n", error.text);
		return error.status;
	case OPTION_RUN:
		break;
	}
	process_raise_files();
	process_pin((int)options.cpu);
	status = options.mode->run(&options, &error);
	if (options.tls)
		printf("tls %s\n", net_session());
	if (status < 0) {
		fprintf(stderr, "load: %s\n", error.text);
		status = error.status;
	}
	options_free(&options);
	return status;
}
