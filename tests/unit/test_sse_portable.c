/* SPDX-License-Identifier: MIT */
/* The unit tests of the parser, of the code that machines without SSE2 get, on any machine. */
#define SSE_PORTABLE 1

#include "../../lib/sse_utf8.c"
#include "test_sse_parser.c"
