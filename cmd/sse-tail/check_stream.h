/* SPDX-License-Identifier: MIT */
/* For --check: the findings from watching a stream.  Pure, but for what it prints. */
#ifndef CHECK_STREAM_H
#define CHECK_STREAM_H

#include "check_finding.h"
#include "check_look.h"

/* check_stream(findings, look): print the findings; the stream had opened, and the look is over. */
void check_stream(struct check_findings *findings, const struct check_look *look);

#endif
