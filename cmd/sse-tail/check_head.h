/* SPDX-License-Identifier: MIT */
/* For --check: what the head of the answer shows, and what it means that no stream came. */
#ifndef CHECK_HEAD_H
#define CHECK_HEAD_H

#include "check_finding.h"
#include "check_look.h"

/*
 * check_head(findings, target, look):
 * Print what is found in the head of a stream that has just opened; the transfer goes on.
 */
void check_head(struct check_findings *findings, const struct check_target *target,
	const struct check_look *look);

/* check_head_missing(findings, target, look): there was no stream: print what came instead. */
void check_head_missing(struct check_findings *findings, const struct check_target *target,
	const struct check_look *look);

#endif
