/* SPDX-License-Identifier: MIT */
/* bench_parser of the parser that machines without SSE2 get, on any machine. */
#define SSE_PORTABLE 1

#include "../../lib/sse_utf8.c"
#include "../../lib/sse_value.c"
#include "../../lib/sse_block.c"
#include "../../lib/sse_parser.c"
#include "bench_parser.c"
