/* SPDX-License-Identifier: MIT */
/* What the log thread counts; any thread reads it. */
#ifndef LOG_COUNTS_H
#define LOG_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/counter.h"

struct log_thread_counts {
	_Atomic uint64_t published;
	struct counter_times took; /* for stored events: from the complete request to its answer */
};

#endif
