/* SPDX-License-Identifier: MIT */
/*
 * The answer to an error: one sentence that says what was wrong and what would be right, for
 * programs or for a person.  Pure: text in, text out.
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include <stdbool.h>

#include "buf.h"

struct problem {
	unsigned status;
	const char *title;  /* "Not Found" */
	const char *detail; /* the sentence, UTF-8 */
};

/*
 * problem_json(problem, out): append an object of application/problem+json (RFC 9457).
 * problem_page(problem, out): append a page, text/html in UTF-8, that needs no other file; send it
 * with PROBLEM_POLICY.
 * Both return false if ${out} is full, or without memory.
 */
bool problem_json(const struct problem *problem, struct buf *out);
bool problem_page(const struct problem *problem, struct buf *out);

/* The Content-Security-Policy: it allows only the style in the page, named by its hash. */
#define PROBLEM_POLICY                                                                             \
	"default-src 'none'; "                                                                     \
	"style-src 'sha256-K338ZAOXAAr7S13fjAWBjZ6ngsoBX7wKTUKAWHx53yo='; "                        \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* problem_prefers_page(accept): does this Accept header, NULL if there is none, ask for the page?
 */
bool problem_prefers_page(const char *accept);

#endif
