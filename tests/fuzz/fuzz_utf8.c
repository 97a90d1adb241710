/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of UTF-8 in libsse.  For any bytes, sse_utf8_valid() and sse_utf8_repair() say what a slow
 * reference says: as this machine runs them, and by words, as machines without vectors do.  Each
 * input has memory of its own size, so a sanitizer sees what is read before or after it.
 *
 * With clang it is a libFuzzer target.  With -DFUZZ_STANDALONE it has a main of its own:
 * fuzz_utf8 SECONDS [SEED]
 */
#define SSE_PORTABLE 1
#define sse_utf8_valid words_valid
#define sse_utf8_repair words_repair
#define sse_utf8_repaired_size words_repaired_size
#include "../../lib/sse_utf8.c"
#undef sse_utf8_valid
#undef sse_utf8_repair
#undef sse_utf8_repaired_size

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "parts/drive.h"
#include "parts/must.h"
#include "parts/utf8_reference.h"

size_t sse_utf8_valid(const char *text, size_t len);
size_t sse_utf8_repair(const char *text, size_t len, char *out);
size_t sse_utf8_repaired_size(const char *text, size_t len);

static char *new_bytes(size_t len)
{
	char *bytes = malloc(len > 0 ? len : 1);

	MUST(bytes != NULL);
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = new_bytes(len), *wanted = new_bytes(3 * len), *out = new_bytes(3 * len);
	size_t valid, size;

	must_input(data, len);
	if (len > 0)
		memcpy(text, data, len);
	size = utf8_reference_repair(text, len, wanted, &valid);
	MUST(sse_utf8_valid(text, len) == valid);
	MUST(words_valid(text, len) == valid);
	MUST(sse_utf8_repaired_size(text, len) == size);
	MUST(words_repaired_size(text, len) == size);
	MUST(sse_utf8_repair(text, len, out) == size && memcmp(out, wanted, size) == 0);
	MUST(words_repair(text, len, out) == size && memcmp(out, wanted, size) == 0);
	free(text);
	free(wanted);
	free(out);
	return 0;
}

#ifdef FUZZ_STANDALONE

#define MAX 3000

static size_t below(struct random *random, size_t limit)
{
	return (size_t)random_below(random, limit);
}

/* Bytes at which what may come next changes. */
static const unsigned char EDGES[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1,
	0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};

static const char *const CHARACTERS[] = {"a", "{\"key\":", " ", "\xc3\xa9", "\xdf\xbf",
	"\xce\xbb\xcf\x8c\xce\xb3\xce\xbf\xcf\x82", "\xe0\xa0\x80", "\xed\x95\x98\xeb\x8a\x98",
	"\xed\x9f\xbf", "\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf0\x9f\x8c\x8d", "\xf4\x8f\xbf\xbf",
	"some words of which each byte is ASCII, to the end of a vector and beyond it"};

/* Characters of one kind or of all, then perhaps a few bytes at an edge, perhaps cut. */
static size_t make_text(struct random *random, unsigned char *out)
{
	size_t kinds = sizeof(CHARACTERS) / sizeof(CHARACTERS[0]), len = 0, i, faults;
	size_t only = below(random, 2 * kinds);
	size_t wanted = below(random, below(random, 8) == 0 ? MAX - 100 : 150);

	while (len < wanted) {
		const char *text = CHARACTERS[only < kinds ? only : below(random, kinds)];

		memcpy(out + len, text, strlen(text));
		len += strlen(text);
	}
	faults = len > 0 ? below(random, 4) : 0;
	for (i = 0; i < faults; i++)
		out[below(random, len)] = EDGES[below(random, sizeof(EDGES))];
	return len - (len > 3 ? below(random, 4) : 0);
}

int main(int argc, char **argv)
{
	static unsigned char text[MAX];
	struct drive drive;
	int status = drive_start(&drive, "fuzz_utf8", argc, argv);
	size_t len, i;

	if (status != 0)
		return status;
	while (drive_goes_on(&drive)) {
		if (drive.count % 4 == 0) {
			len = below(&drive.random, 80);
			for (i = 0; i < len; i++)
				text[i] = EDGES[below(&drive.random, sizeof(EDGES))];
		} else {
			len = make_text(&drive.random, text);
		}
		LLVMFuzzerTestOneInput(text, len);
	}
	printf("%" PRIu64 " texts, seed %" PRIu64 ": all properties hold\n", drive.count,
		drive.seed);
	return 0;
}

#endif
