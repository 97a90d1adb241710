/* SPDX-License-Identifier: MIT */
/* A configuration that was read: showing it, blaming it, and reading it again. */
#ifndef OPTION_CONFIG_H
#define OPTION_CONFIG_H

#include <stdio.h>

#include "option.h"

/*
 * option_config_print(program, sources, out):
 * Print the value of each option and, as a comment, where it comes from.  The text can be used as a
 * configuration file.  Secrets are left out.  A write error shows at the caller's fflush().
 */
void option_config_print(
	const struct option_program *program, const struct option_sources *sources, FILE *out);

/*
 * option_config_blame(program, sources, error):
 * If the sentence of ${error} names an option, --NAME, whose value is from the configuration file,
 * put the file and the line in front of it, and let a usage error be EX_DATAERR; of an option that is repeated, the line whose value it
 * quotes.
 */
void option_config_blame(const struct option_program *program, const struct option_sources *sources,
	struct error *error);

/*
 * option_config_keep(program, to, from, names, size, error):
 * A running program read its configuration again, into ${to}: put back what cannot change while it
 * runs, as it is in ${from}, whose strings are shared then.  ${names} gets the names of the options
 * that were changed in vain: "listen, db"; "" if none was.  Return 0, or -1 with EX_OSERR.
 */
int option_config_keep(const struct option_program *program, void *to, const void *from,
	char *names, size_t size, struct error *error);

#endif
