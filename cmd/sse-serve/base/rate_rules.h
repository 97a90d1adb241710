/* SPDX-License-Identifier: MIT */
/* The value of --rate: what is limited, and how often it may be done.  Pure text. */
#ifndef RATE_RULES_H
#define RATE_RULES_H

#include "error.h"
#include "rates.h"

enum rate_kind { RATE_PUBLISH, RATE_STREAM, RATE_KINDS };

/* By enum rate_kind. */
struct rate_rules {
	const char *texts[RATE_KINDS]; /* as given, "publish=50/s", without a NUL; NULL: no limit */
	int lens[RATE_KINDS];	       /* of the texts */
	struct rates_rule rules[RATE_KINDS];
};

/*
 * rate_rules_parse(text, rate_rules, error):
 * Read KIND=COUNT/UNIT[:BURST],... with each kind, publish or stream, at most once; the unit is s,
 * m or h.  The default burst is what returns in a second, and at least 1.  NULL: no limits.
 * ${rate_rules} points into ${text}.  Return 0, or -1 with EX_USAGE.
 */
int rate_rules_parse(const char *text, struct rate_rules *rate_rules, struct error *error);

#endif
