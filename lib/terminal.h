/* SPDX-License-Identifier: MIT */
/*
 * What is fit for a terminal: whether to colour, how wide it is, and text from outside with all
 * that could steer the terminal shown instead of obeyed.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* --color */
enum terminal_colour { TERMINAL_AUTO, TERMINAL_ALWAYS, TERMINAL_NEVER };
extern const char *const terminal_colour_words[];

/*
 * terminal_colour(choice, fd):
 * Is ${fd} to be written in colour?  With TERMINAL_AUTO: if it is a terminal, TERM is neither
 * missing nor "dumb", and NO_COLOR is missing or empty (https://no-color.org).
 */
bool terminal_colour(enum terminal_colour choice, int fd);

/*
 * terminal_text(text, len, out):
 * Append ${text} with each C0 and C1 control, DEL, line separator and bidi control shown as JSON
 * writes it (\n, \u001b, \u202e), and each byte that is not UTF-8 as \x9b.  False if ${out} is
 * full.
 */
bool terminal_text(const char *text, size_t len, struct buf *out);

/* terminal_say(program, text): "program: text" as one line on the standard error, made safe. */
void terminal_say(const char *program, const char *text);

#endif
