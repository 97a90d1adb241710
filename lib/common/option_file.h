/* SPDX-License-Identifier: MIT */
/*
 * The lines of a configuration file: the long name of an option and, after blanks or `=`, its
 * value.  Blank lines, and what follows a # at the start of a line or after a blank, are left out.
 * A value between two quotes, single or double, is taken as it stands.  Pure: it says what the lines
 * are, not what they mean.
 */
#ifndef OPTION_FILE_H
#define OPTION_FILE_H

#include <stddef.h>

#include "error.h"

struct option_file {
	char *next; /* the first line that is not taken yet */
	char *end;  /* of the text */
	unsigned line;
};

struct option_line {
	unsigned number; /* from 1 */
	char *name;
	char *value; /* NULL: there is none */
};

/*
 * option_file_begin(file, text, len):
 * Read these ${len} bytes, after which one more byte may be written.  They are changed, and outlive
 * the lines, which point into them.
 */
void option_file_begin(struct option_file *file, char *text, size_t len);

/*
 * option_file_next(file, line, error):
 * Take the next line that has an option.  Return 1; 0 at the end; or -1 with EX_DATAERR, and
 * ${line}->number is that of the line at fault.
 */
int option_file_next(struct option_file *file, struct option_line *line, struct error *error);

#endif
