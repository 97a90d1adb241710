/* SPDX-License-Identifier: MIT */
/*
 * Output for a terminal: whether to colour, its width, and text from outside with every control
 * sequence shown instead of sent.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* terminal_obeys(fd): is it a terminal that escape sequences can steer? */
bool terminal_obeys(int fd);

/* --color */
enum terminal_colour { TERMINAL_AUTO, TERMINAL_ALWAYS, TERMINAL_NEVER };
extern const char *const terminal_colour_words[];

/*
 * terminal_colour(choice, fd):
 * Write to ${fd} in colour?  With TERMINAL_AUTO: yes if it is a terminal, TERM is neither missing
 * nor "dumb", and NO_COLOR is missing or empty (https://no-color.org).
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
 * The same, but line feeds and tabs stay: for text that is shown with its layout.
 */
bool terminal_lines(const char *text, size_t len, struct buf *out);

/* terminal_width(fd): its columns; 0 if ${fd} is not a terminal or its width is unknown. */
unsigned terminal_width(int fd);

/* How to print a line that is wider than the terminal. */
enum terminal_wrap { TERMINAL_WRAP, TERMINAL_CUT, TERMINAL_LEAVE };
extern const char *const terminal_wrap_words[];

/*
 * terminal_fit(text, len, width, wrap, out):
 * Append lines, made with terminal_text() and colours, so that they fit ${width} columns.  A longer
 * line continues on the next, two columns right of where it began, broken at a space if one is
 * near; or it is cut, with an ellipsis.  False if ${out} is full.
 */
bool terminal_fit(
	const char *text, size_t len, unsigned width, enum terminal_wrap wrap, struct buf *out);

/*
 * terminal_hang(text, len, width, hang, out):
 * Append a paragraph as terminal_fit() does with TERMINAL_WRAP, each line but the first ${hang}
 * columns right of the margin.
 */
bool terminal_hang(const char *text, size_t len, unsigned width, unsigned hang, struct buf *out);

/*
 * terminal_wrote(data, len):
 * Note what was written to the standard output, which is a terminal.  If the last line has no end,
 * the next message from the functions below ends it first, if the standard error is a terminal too.
 */
void terminal_wrote(const char *data, size_t len);

/* terminal_in_line(): is there a line that nothing has ended yet? */
bool terminal_in_line(void);

/*
 * terminal_status(program, text):
 * Write "program: text" to the standard error, cut to the width, without a line end: the next
 * status overwrites it.  False, and nothing written, if it is not a terminal that can do this.
 */
bool terminal_status(const char *program, const char *text);

/*
 * terminal_say(program, text): "program: text" as one line on the standard error, made safe.
 * terminal_say_cut(program, text): the same, cut to the width of a terminal.
 */
void terminal_say(const char *program, const char *text);
void terminal_say_cut(const char *program, const char *text);

#endif
