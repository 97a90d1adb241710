/* SPDX-License-Identifier: MIT */
/* The log lines of sse-serve, on stderr: one write each, text or JSON, no control characters. */
#ifndef LOGGER_H
#define LOGGER_H

#include <stdbool.h>
#include <stdint.h>

enum logger_level { LOGGER_INFO, LOGGER_WARNING, LOGGER_ERROR };

/* logger_start(json): lines of JSON instead of text.  Before any thread starts. */
void logger_start(bool json);

/* report(level, format, ...): any thread. */
void logger_write(enum logger_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Room for the id of a request, and for an address, with their NULs. */
#define LOGGER_ID 65
#define LOGGER_ADDRESS 64

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
