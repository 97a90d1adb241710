/* SPDX-License-Identifier: MIT */
/* How long lines are skipped; see sse_internal.h. */
#include "sse_internal.h"

#ifdef SSE_USE_SSE2
#include <immintrin.h>

#define STEP 128

/*
 * With AVX2, which has a minimum of signed bytes: what is not ASCII is below 0x0E, too.  Two blocks
 * at a time, from the second time on at addresses of which no load crosses a line of the cache.
 */
__attribute__((target("avx2"))) static const char *skip_avx2(const char *next, const char *end)
{
	const __m256i least = _mm256_set1_epi8(0x0e);

	for (; end - next >= STEP; next += STEP - ((uintptr_t)next & 31)) {
		const __m256i *at = (const __m256i *)(const void *)next;
		__m256i a = _mm256_min_epi8(_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1));
		__m256i b = _mm256_min_epi8(_mm256_loadu_si256(at + 2), _mm256_loadu_si256(at + 3));

		if (_mm256_movemask_epi8(_mm256_cmpgt_epi8(least, _mm256_min_epi8(a, b))) != 0)
			break;
	}
	return next;
}

const char *sse_scan_skip(const char *next, const char *end)
{
	if (__builtin_cpu_supports("avx2"))
		return skip_avx2(next, end);
	while (end - next >= SSE_BLOCK && sse_quiet(next))
		next += SSE_BLOCK;
	return next;
}

#endif
