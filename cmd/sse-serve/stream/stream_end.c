/* SPDX-License-Identifier: MIT */
/* Why a stream ended; see stream_end.h. */
#include "stream_end.h"

const char *stream_end_word(enum stream_end end)
{
	static const char *const words[STREAM_ENDS] = {
		[STREAM_END_CLIENT] = "client",
		[STREAM_END_COMPLETE] = "complete",
		[STREAM_END_CLOSED] = "closed",
		[STREAM_END_DENIED] = "denied",
		[STREAM_END_STALLED] = "stalled",
		[STREAM_END_UNREADABLE] = "unreadable",
		[STREAM_END_MEMORY] = "memory",
		[STREAM_END_STOPPED] = "stopped",
	};

	return words[end];
}
