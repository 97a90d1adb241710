/* SPDX-License-Identifier: MIT */
/* The unit tests of UTF-8, of the code that machines without vectors run, on any machine. */
#define SSE_PORTABLE 1

#include "../../lib/sse_utf8.c"
#include "test_sse_utf8.c"
