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

/*
 * terminal_lines(text, len, out):
 * The same, but line feeds and tabs stay what they are: for text that is shown as it is.
 */
bool terminal_lines(const char *text, size_t len, struct buf *out);

/* terminal_width(fd): its columns; 0 if ${fd} is no terminal or does not say. */
unsigned terminal_width(int fd);

/* What becomes of a line that is wider than the terminal. */
enum terminal_wrap { TERMINAL_WRAP, TERMINAL_CUT, TERMINAL_LEAVE };
extern const char *const terminal_wrap_words[];

/*
 * terminal_fit(text, len, width, wrap, out):
 * Append lines that terminal_text() and colours made, fit for ${width} columns: what is too long
 * goes on below, two columns behind where its line began, at a space if there is one near; or it
 * is cut, with an ellipsis.  False if ${out} is full.
 */
bool terminal_fit(
	const char *text, size_t len, unsigned width, enum terminal_wrap wrap, struct buf *out);

/*
 * terminal_wrote(data, len):
 * This was written to the standard output, which is a terminal.  If that left a line without its
 * end, the next message below ends it first, where the standard error is a terminal too.
 */
void terminal_wrote(const char *data, size_t len);

/* terminal_in_line(): is there such a line, which nothing has ended yet? */
bool terminal_in_line(void);

/*
 * terminal_status(program, text):
 * "program: text" on the standard error as a line that is not ended, cut to the width: the next one
 * is written over it.  False if that is no terminal which can do so; then nothing is written.
 */
bool terminal_status(const char *program, const char *text);

/* terminal_say(program, text): "program: text" as one line on the standard error, made safe. */
void terminal_say(const char *program, const char *text);

#endif
