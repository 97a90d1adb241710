/* SPDX-License-Identifier: MIT */
/*
 * What each fuzzer has: an entry for inputs, and what it says when it found something, which
 * condition does not hold and for which input.
 */
#ifndef MUST_H
#define MUST_H

#include <stddef.h>
#include <stdint.h>

/*
 * libFuzzer's entry, which each fuzzer defines: try the bytes as one input; one that shows a bug
 * does not return.  0 otherwise.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* MUST(condition): end as must_fail() does unless it holds. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			must_fail(__FILE__, __LINE__, #condition);                                 \
	} while (0)

/* must_input(data, len): the bytes to show from here on; they are the caller's, and stay. */
void must_input(const unsigned char *data, size_t len);

/* must_fail(file, line, condition): print where and what, and the input in hex; abort. */
_Noreturn void must_fail(const char *file, int line, const char *condition);

#endif
