/* SPDX-License-Identifier: MIT */
/*
 * The log lines of sse-serve, on stderr or in a file: one write each, text or JSON, no control
 * characters.
 */
#ifndef LOGGER_H
#define LOGGER_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

enum logger_level { LOGGER_INFO, LOGGER_WARNING, LOGGER_ERROR };

/* logger_format(json): from now on, lines of JSON, or of text.  Any thread. */
void logger_format(bool json);

/*
 * logger_open(path, error):
 * From now on, append the lines to this file, which is made if it does not exist.  If it is called
 * again, for the same path or another, no line is lost or cut: each is in the file before or in
 * this one.  Return 0, or -1 with EX_CANTCREAT, and nothing has changed.  One thread at a time.
 */
int logger_open(const char *path, struct error *error);

/* report(level, format, ...): any thread. */
void logger_write(enum logger_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* logger_request(address, method, target, status, bytes): log a request and its body's size. */
void logger_request(const char *address, const char *method, const char *target, unsigned status,
	uint64_t bytes);

#endif
