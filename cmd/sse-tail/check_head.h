/* SPDX-License-Identifier: MIT */
/* For --check: the findings in the head of the answer, and those if no stream came. */
#ifndef CHECK_HEAD_H
#define CHECK_HEAD_H

#include "check_finding.h"
#include "check_look.h"

/*
 * check_head(findings, target, look):
 * Print the findings in the head of a stream that has just opened; the transfer continues.
 */
void check_head(struct check_findings *findings, const struct check_target *target,
	const struct check_look *look);

/* check_head_missing(findings, target, look): print what came instead of a stream. */
void check_head_missing(struct check_findings *findings, const struct check_target *target,
	const struct check_look *look);

#endif
