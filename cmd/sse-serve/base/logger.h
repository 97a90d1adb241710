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

/* logger_request(address, method, target, status, bytes): log a request and its body's size. */
void logger_request(const char *address, const char *method, const char *target, unsigned status,
	uint64_t bytes);

#endif
