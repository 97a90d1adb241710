/* SPDX-License-Identifier: MIT */
/* The options of sse_follow.h, as rows, and the texts of them, which they own. */
#ifndef SSE_FOLLOW_OPTIONS_H
#define SSE_FOLLOW_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "client_options.h"
#include "error.h"
#include "follow.h"
#include "sse_follow.h"

/* Read the fields, do not write them. */
struct sse_follow_options {
	struct client_options client;
	struct follow_options follow;
	const char *agent;
	int64_t time;	 /* ms; 0: no limit */
	unsigned tokens; /* how often one was set */
};

/* sse_follow_options_init(options) / sse_follow_options_free(options): the defaults. */
void sse_follow_options_init(struct sse_follow_options *options);
void sse_follow_options_free(struct sse_follow_options *options);

/*
 * sse_follow_options_text(options, option, value, late, error) / sse_follow_options_number(...):
 * Set an option, as sse_follow.h says; after the first step if ${late}.  False with the error.
 */
bool sse_follow_options_text(struct sse_follow_options *options, enum sse_follow_option option,
	const char *value, bool late, struct error *error);
bool sse_follow_options_number(struct sse_follow_options *options, enum sse_follow_option option,
	int64_t value, bool late, struct error *error);

#endif
