/* SPDX-License-Identifier: MIT */
/*
 * The texts that are made from an option table: help, version and completions.  Private to
 * option.c.
 */
#ifndef OPTION_TEXT_H
#define OPTION_TEXT_H

#include "option.h"

enum option_shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH };

/* The built-in rows: --help, --version, --completions. */
extern const struct option_row option_built_in[];

/* option_rows(program, rows, max): gather the rows of all tables and the built-in ones. */
size_t option_rows(
	const struct option_program *program, const struct option_row **rows, size_t max);

/* option_variable(name, text, size): "max-body" gives "SSE_MAX_BODY". */
void option_variable(const char *name, char *text, size_t size);

/* Each prints the whole text to ${out}; a write error shows at the caller's fflush(). */
void option_print_help(const struct option_program *program, FILE *out);
void option_print_version(const struct option_program *program, FILE *out);
void option_print_completions(
	const struct option_program *program, enum option_shell shell, FILE *out);

#endif
