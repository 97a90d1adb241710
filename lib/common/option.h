/* SPDX-License-Identifier: MIT */
/* Parsing of the environment and the command line by the option table; see option_table.h. */
#ifndef OPTION_H
#define OPTION_H

#include "error.h"
#include "option_table.h"

enum option_result {
	OPTION_RUN,  /* parsed: go on */
	OPTION_DONE, /* --help, --version or --completions was answered on stdout: end with 0 */
	OPTION_BAD,  /* a usage error: see the error, end with its status */
};

/*
 * option_parse(program, argc, argv, config, error):
 * Store the defaults of the rows in ${config}, then read the environment and the command line into
 * it.  ${argv} is permuted so that operands come last; *${operands} is the index of the first.  A
 * repeated single-valued option, an unknown one (the nearest is suggested), a missing argument, an
 * empty value and a bad one are usage errors.  --help, --version and --completions SHELL are built
 * in.  After any result, option_free() releases the stored values.
 */
enum option_result option_parse(const struct option_program *program, int argc, char **argv,
	void *config, int *operands, struct error *error);

/* option_free(rows, config): release the lists and the copied secrets of a table's fields. */
void option_free(const struct option_row *rows, void *config);

#endif
