/* SPDX-License-Identifier: MIT */
/*
 * The texts that are made from an option table: help, version and completions.  Private to
 * option.c.
 */
#ifndef OPTION_TEXT_H
#define OPTION_TEXT_H

#include <stdio.h>

#include "option_table.h"

enum option_shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH };

/* Each prints the whole text to ${out}; a write error shows at the caller's fflush(). */
void option_print_help(const struct option_program *program, FILE *out);
void option_print_version(const struct option_program *program, FILE *out);
void option_print_completions(
	const struct option_program *program, enum option_shell shell, FILE *out);

#endif
