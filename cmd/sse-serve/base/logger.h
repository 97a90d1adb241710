/* SPDX-License-Identifier: MIT */
/* The log lines of sse-serve, on stderr: one write each, text or JSON, no control characters. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum report_level { REPORT_INFO, REPORT_WARNING, REPORT_ERROR };

/* report_start(json): lines of JSON instead of text.  Before any thread starts. */
void report_start(bool json);

/* report(level, format, ...): any thread. */
void report(enum report_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* report_request(address, method, target, status, bytes): log a request and its body's size. */
void report_request(const char *address, const char *method, const char *target, unsigned status,
	uint64_t bytes);

#endif
