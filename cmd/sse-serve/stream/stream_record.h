/* SPDX-License-Identifier: MIT */
/* What is kept of a stream for the line of the log that tells of its end; only if streams are logged. */
#ifndef STREAM_RECORD_H
#define STREAM_RECORD_H

#include <stdint.h>

#include "base/address.h"
#include "base/logger.h"
#include "stream_end.h"

/* It stands in memory before its subscriber, which must stay aligned. */
struct stream_record {
	_Alignas(16) uint64_t began; /* by clock_now_us() */
	uint64_t events;	     /* that its socket took whole */
	char request[LOGGER_ID];     /* the id of the request that opened it */
	char client[ADDRESS_TEXT];   /* from where */
};

/* stream_record_end(record, why): write the line. */
void stream_record_end(const struct stream_record *record, enum stream_end why);

#endif
