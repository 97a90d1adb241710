/* SPDX-License-Identifier: MIT */
/* Applies the limits of --rate to requests. */
#ifndef RATE_H
#define RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rate_rules.h"

struct request;

/* The most buckets that are kept for one kind; each takes about 150 bytes. */
#define RATE_BUCKETS 65536

/*
 * rate_admit(request, kind, amount):
 * May the client now publish ${amount} events, or open ${amount} streams?  Return false after
 * replying 429.  What is admitted counts, even if it fails later.
 */
bool rate_admit(struct request *request, enum rate_kind kind, uint32_t amount);

#endif
