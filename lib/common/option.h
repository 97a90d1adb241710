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

enum option_origin { OPTION_BY_FILE, OPTION_BY_VARIABLE, OPTION_BY_COMMAND_LINE };

/* A value that is in force, and where it comes from. */
struct option_given {
	const struct option_row *row;
	const char *value; /* NULL: a flag that stands alone, or a secret */
	enum option_origin origin;
	unsigned line; /* of the file; OPTION_BY_FILE */
};

/* All values in force but the defaults. */
struct option_sources {
	struct option_given *given; /* owned; those of one option in their order */
	size_t count;
	const char *path; /* of the configuration file; NULL: there is none */
	char *text;	  /* owned: its content, into which values point */
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

/*
 * option_parse_sources(program, argc, argv, config, operands, sources, error):
 * The same, also from the configuration file that the command line or a variable names, and say
 * where each value comes from.  A mistake in the file names the file and the line (EX_DATAERR).
 * ${sources} need not be initialised; after any result, the caller releases it with
 * option_sources_free(), after the config.
 */
enum option_result option_parse_sources(const struct option_program *program, int argc, char **argv,
	void *config, int *operands, struct option_sources *sources, struct error *error);

/* option_sources_free(sources) */
void option_sources_free(struct option_sources *sources);

/* option_free(rows, config): release the lists and the copied secrets of a table's fields. */
void option_free(const struct option_row *rows, void *config);

#endif
