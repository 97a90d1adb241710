/* SPDX-License-Identifier: MIT */
/* The end of a fuzzer that found something; see must.h. */
#include <stdio.h>
#include <stdlib.h>

#include "must.h"

static const unsigned char *input;
static size_t input_len;

void must_input(const unsigned char *data, size_t len)
{
	input = data;
	input_len = len;
}

_Noreturn void must_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: %s does not hold for these %zu bytes:\n", file, line, condition,
		input_len);
	for (size_t i = 0; i < input_len; i++)
		fprintf(stderr, "%02x%s", input[i], i % 40 == 39 ? "\n" : " ");
	fputc('\n', stderr);
	abort();
}
