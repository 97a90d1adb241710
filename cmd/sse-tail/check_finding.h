/* SPDX-License-Identifier: MIT */
/* For --check: the findings, a line each on the standard output, and how many are BAD. */
#ifndef CHECK_FINDING_H
#define CHECK_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

enum check_verdict { CHECK_OK, CHECK_NOTE, CHECK_BAD };

/* All zero at the start but for the colour.  Read the fields, do not write them. */
struct check_findings {
	bool colour;	/* for the first word of a line */
	unsigned notes; /* how many are notes */
	unsigned bad;	/* how many are BAD */
	int status;	/* the exit status that the first of them means */
	int unwritten;	/* errno of the standard output, or 0 */
};

/*
 * check_finding(findings, verdict, format, ...):
 * Print one finding, in a terminal broken at words.  It may contain unescaped text from the server.
 */
void check_finding(struct check_findings *findings, enum check_verdict verdict, const char *format,
	...) __attribute__((format(printf, 3, 4)));

/* check_finding_verdict(findings): print the last line, which sums them up. */
void check_finding_verdict(struct check_findings *findings);

/*
 * check_finding_error(findings, error): report an error that would end following as BAD; use its
 * status.
 */
void check_finding_error(struct check_findings *findings, const struct error *error);

/* check_finding_ms(ms, text): "120 ms", "1.5 s"; return ${text}. */
#define CHECK_FINDING_MS 24
const char *check_finding_ms(int64_t ms, char text[CHECK_FINDING_MS]);

/* check_finding_len(id): how much of an id fits in a sentence, for %.*s. */
int check_finding_len(const struct buf *id);

#endif
