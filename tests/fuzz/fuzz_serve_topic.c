/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing cmd/sse-serve/log/topic_name.c: libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver
 * of its own,
 *
 *     fuzz_serve_topic SECONDS [SEED]
 *
 * that mutates names, the same ones in the same order for the same seed.  For each name:
 * 1. if it is valid, it is UTF-8 of 1 to 200 bytes without controls, another node takes it, and it
 *    is a pattern that matches itself, below which there are other names;
 * 2. if it is valid, each of its segments is, unless only the whole is reserved;
 * 3. if it is not, there is a reason in one line.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "control.h"
#include "log/topic_name.h"
#include "parts/must.h"
#include "parts/mutate.h"
#include "sse.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_reserved_whole(const char *name, size_t len)
{
	return (len == 7 && memcmp(name, "session", len) == 0) ||
	       (len == 6 && memcmp(name, "ticket", len) == 0);
}

static void check_segments(const char *name)
{
	for (const char *segment = name;; segment++) {
		size_t len = strcspn(segment, "/");

		MUST(topic_name_check(segment, len, NULL) == 0 || is_reserved_whole(segment, len));
		segment += len;
		if (*segment == '\0')
			return;
	}
}

static void check_valid(const char *name, size_t len)
{
	char below[TOPIC_NAME_MAX + 3];

	MUST(len > 0 && len <= TOPIC_NAME_MAX && strlen(name) == len);
	MUST(sse_utf8_valid(name, len) == len && !control_is_in(name, len));
	MUST(topic_name_is_accepted(name, len));
	MUST(topic_pattern_check(name, len, NULL) == 0 && !topic_is_pattern(name));
	MUST(topic_matches(name, name) && topic_covers("**", name) && !topic_is_system(name));
	snprintf(below, sizeof(below), "%s/*", name);
	MUST((topic_pattern_check(below, len + 2, NULL) == 0) == (len + 2 <= TOPIC_NAME_MAX));
	MUST(!topic_matches(below, name));
	check_segments(name);
}

static bool check_input(const unsigned char *bytes, size_t len)
{
	struct error error = {0, ""};
	char *name = malloc(len + 1);
	bool valid;

	MUST(name != NULL);
	must_input(bytes, len);
	if (len > 0)
		memcpy(name, bytes, len);
	name[len] = '\0';
	valid = topic_name_check(name, len, &error) == 0;
	if (valid)
		check_valid(name, len);
	else
		MUST(error.status == EX_USAGE && error.text[0] != '\0' &&
			strchr(error.text, '\n') == NULL);
	free(name);
	return valid;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const struct sse_text seeds[] = {MUTATE_SEED("users"), MUTATE_SEED("chat/lobby"),
	MUTATE_SEED(u8"\ucc44\ud305/\ud55c\uad6d\uc5b4"), MUTATE_SEED(u8"caf\u00e9/cafe\u0301"),
	MUTATE_SEED("session/ticket"), MUTATE_SEED("a/event"), MUTATE_SEED(u8"q\u0323/\u0661")};

static const char *const pieces[] = {"/", ".", "..", "*", "**", "$sys", "event", "presence",
	"session", u8"\u0301", u8"\u0323", u8"\u1112\u1161", u8"\u11ab", u8"\ud55c", u8"\u3164",
	u8"\u202e", u8"\u200d", u8"\uff0e", u8"\U0001f600", u8"\u0e33", "\xc2\x85", "\xff",
	"\xed\xa0", "\n", "", "%"};

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_CUT, MUTATE_REPEAT, MUTATE_OTHER,
	MUTATE_START, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_serve_topic",
	.inputs = "names",
	.taken = "valid",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 256,
	.rounds = 3,
	.kept = 60,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
