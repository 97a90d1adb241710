/* SPDX-License-Identifier: MIT */
/* Maintenance from the command line; see maintain.h. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "maintain.h"
#include "place.h"

bool maintain_wanted(const struct options *options)
{
	return options->verify || options->export || options->import;
}

static int run(const struct options *options, const char *path, struct error *error)
{
	if (options->verify)
		return maintain_verify(path, error);
	if (options->export)
		return maintain_export(path, stdout, error);
	return maintain_import(path, stdin, error);
}

int maintain_run(const struct options *options)
{
	struct error error = {0};
	char *path;
	int result = -1;

	/* That nobody reads what is written, or that a file is too large, is an error of the write.
	 */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	path = place_database(options->db, &error);
	if (path != NULL)
		result = run(options, path, &error);
	free(path);
	if (result == 0)
		return 0;
	if (error.text[0] != '\0')
		fprintf(stderr, "sse-serve: %s\n", error.text);
	return error.status;
}
