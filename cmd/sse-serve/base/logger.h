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

/* Room for the id of a request, with its NUL. */
#define LOGGER_ID 65

/* A request that has ended. */
struct logger_request {
	const char *id;	     /* only letters, digits and -_. */
	const char *address; /* of the client; likewise, with : */
	const char *method, *target;
	unsigned status;
	uint64_t bytes; /* of its body */
	uint64_t us;	/* from its head to the end of its answer */
};

/* A stream that has ended. */
struct logger_stream {
	const char *id, *address; /* of the request that opened it */
	const char *why;	  /* a word */
	uint64_t us;		  /* how long it was open */
	uint64_t events;	  /* that were sent */
};

/* logger_request(request), logger_stream(stream): log it.  Any thread. */
void logger_request(const struct logger_request *request);
void logger_stream(const struct logger_stream *stream);

#endif
