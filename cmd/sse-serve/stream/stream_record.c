/* SPDX-License-Identifier: MIT */
/* The end of a stream in the log; see stream_record.h. */
#include "clock.h"
#include "stream_record.h"

void stream_record_end(const struct stream_record *record, enum stream_end why)
{
	logger_stream(&(struct logger_stream){.id = record->request,
		.address = record->client,
		.why = stream_end_word(why),
		.us = clock_now_us() - record->began,
		.events = record->events});
}
