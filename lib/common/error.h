/* SPDX-License-Identifier: MIT */
/*
 * Errors as values: a sentence for a person, and an exit status.  Only main() prints one and exits.
 */
#ifndef ERROR_H
#define ERROR_H

struct error {
	int status;	/* one of sysexits.h: EX_USAGE, EX_DATAERR, ... */
	char text[512]; /* one line without its end: what was wrong, what would be right */
};

/*
 * error_set(error, status, format, ...):
 * Store ${status} and the formatted sentence in ${error}; a sentence that is too long is cut.
 * ${error} may be NULL.  Return -1 always, so that a caller can `return error_set(...)`.
 */
int error_set(struct error *error, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
