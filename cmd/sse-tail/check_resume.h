/* SPDX-License-Identifier: MIT */
/* For --check: can a client that reconnects resume where it was?  A second connection tries it. */
#ifndef CHECK_RESUME_H
#define CHECK_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "check_finding.h"
#include "check_look.h"

/* The longest that trying takes (ms). */
#define CHECK_RESUME_MS 3000

/*
 * check_resume(findings, target, look, once, until):
 * After a first ${look}, request the stream from after an event that was seen, until the moment
 * ${until}, or for CHECK_RESUME_MS if that is sooner, and print the findings.  With ${once}, the
 * request must not be sent a second time, and nothing is tried.  A signal ends it early.
 */
void check_resume(struct check_findings *findings, const struct check_target *target,
	const struct check_look *look, bool once, int64_t until);

#endif
