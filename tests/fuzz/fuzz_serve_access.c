/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing the access file, cmd/sse-serve/access/rules.c: libFuzzer's entry and, with
 * -DFUZZ_STANDALONE, a driver of its own,
 *
 *     fuzz_serve_access SECONDS [SEED]
 *
 * that mutates files, the same ones in the same order for the same seed.  For each file:
 * 1. if it is taken, each rule is found by its digest and by no other, is whole, may do what everyone
 *    may, and has no name that another person has;
 * 2. what the rules say, written as another file in another order, is the same: whoever had the
 *    first would stay who they are;
 * 3. a file without lines would end them all;
 * 4. one that is refused gets a sentence about a line that is there, which repeats no token.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "access/rules.h"
#include "base/name.h"
#include "buf.h"
#include "log/topic.h"
#include "parts/must.h"
#include "parts/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CAP ((size_t)1 << 24)

/* Parse a copy of exactly its size, so that a sanitizer sees a read too far. */
static struct rules *parse(const void *text, size_t len, struct error *error)
{
	char *copy = malloc(len > 0 ? len : 1);
	struct rules *rules;

	MUST(copy != NULL);
	if (len > 0)
		memcpy(copy, text, len);
	*error = (struct error){0};
	rules = rules_parse(copy, len, error);
	MUST(rules != NULL ? error->status == 0
			   : error->status == EX_DATAERR && error->text[0] != '\0');
	free(copy);
	return rules;
}

/* --- what was taken --- */

static void check_grants(const struct grants *grants, const struct grants *everyone)
{
	struct error error;

	for (enum verb verb = 0; verb < VERB_COUNT; verb++) {
		MUST(grants->counts[verb] == 0 || verb == VERB_PUBLISH || verb == VERB_READ ||
			verb == VERB_DELETE);
		for (size_t i = 0; i < grants->counts[verb]; i++) {
			const char *pattern = grants->patterns[verb][i];

			MUST(topic_pattern_check(pattern, strlen(pattern), &error) == 0);
			MUST(grants_cover(grants, verb, pattern));
		}
		for (size_t i = 0; i < everyone->counts[verb]; i++)
			MUST(grants_cover(grants, verb, everyone->patterns[verb][i]));
	}
	MUST(grants->status || !everyone->status);
}

static void check_rule(const struct rules *rules, const struct rule *rule)
{
	const struct principal *principal = rule->principal;
	unsigned char other[TOKEN_DIGEST];

	MUST(rules_find(rules, rule->digest) == principal);
	memcpy(other, rule->digest, sizeof(other));
	for (int i = 0; i < TOKEN_DIGEST; i++) {
		other[i] ^= 1;
		MUST(rules_find(rules, other) != principal);
		other[i] ^= 1;
	}
	MUST(rules_check_name(principal->name) == NULL);
	MUST(strcmp(principal->name, RULES_EVERYONE) != 0);
	MUST(principal->as == NULL || !principal->any_name);
	if (principal->as != NULL) {
		MUST(name_fault(principal->as, strlen(principal->as)) == NULL);
		MUST(name_is_trimmed(principal->as));
		MUST(rules_has_name(rules, principal->as));
	}
	MUST(principal_over(principal, INT64_MAX - 1) == NULL);
	check_grants(&principal->grants, &rules->everyone->grants);
}

static void check_names(const struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct principal *one = rules->rules[i].principal;

		for (size_t j = 0; j < i && one->as != NULL; j++) {
			const struct principal *other = rules->rules[j].principal;

			MUST(other->as == NULL || strcmp(one->as, other->as) != 0 ||
				strcmp(one->name, other->name) == 0);
		}
	}
}

static void check_rules(const struct rules *rules, size_t lines)
{
	MUST(rules->everyone != NULL && rules->everyone->as == NULL);
	check_grants(&rules->everyone->grants, &rules->everyone->grants);
	MUST(rules->count <= lines);
	for (size_t i = 0; i < rules->count; i++) {
		MUST(rules->rules[i].line >= 1 && rules->rules[i].line <= lines);
		check_rule(rules, &rules->rules[i]);
	}
	check_names(rules);
}

/* --- written again --- */

static void write_patterns(
	struct buf *out, const struct grants *grants, enum verb verb, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i == 0)
			MUST(buf_addf(out, " %s=", verb_name(verb)));
		MUST(buf_addf(out, "%s%s", i > 0 ? "," : "", grants->patterns[verb][i]));
	}
}

/* ${shared} are everyone's grants, which stand after the line's own. */
static void write_rest(
	struct buf *out, const struct principal *principal, const struct grants *shared)
{
	const struct grants *grants = &principal->grants;

	write_patterns(
		out, grants, VERB_READ, grants->counts[VERB_READ] - shared->counts[VERB_READ]);
	write_patterns(out, grants, VERB_DELETE,
		grants->counts[VERB_DELETE] - shared->counts[VERB_DELETE]);
	if (grants->status)
		MUST(buf_add_text(out, "\t\"status\""));
	if (principal->any_name)
		MUST(buf_add_text(out, " as=*"));
	if (principal->as != NULL) {
		MUST(buf_add_text(out, " \"as="));
		for (const char *c = principal->as; *c != '\0'; c++)
			MUST(buf_addf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c));
		MUST(buf_add_byte(out, '"'));
	}
	write_patterns(out, grants, VERB_PUBLISH,
		grants->counts[VERB_PUBLISH] - shared->counts[VERB_PUBLISH]);
	MUST(buf_add_text(out, " # end\r\n\n"));
}

static void write_rules(struct buf *out, const struct rules *rules)
{
	static const struct grants none;
	char hex[TOKEN_HEX + 1];

	for (size_t i = rules->count; i > 0; i--) {
		const struct rule *rule = &rules->rules[i - 1];

		token_hex(rule->digest, hex);
		MUST(buf_addf(out, "%s sha256:%s", rule->principal->name, hex));
		write_rest(out, rule->principal, &rules->everyone->grants);
	}
	MUST(buf_add_text(out, RULES_EVERYONE));
	write_rest(out, rules->everyone, &none);
}

/* A line has one word for each verb, so what was read from words fits into words. */
static void check_again(const struct rules *rules)
{
	struct error error;
	struct rules *again, *none;
	struct buf text;

	buf_init(&text, CAP);
	write_rules(&text, rules);
	again = parse(text.data, text.len, &error);
	MUST(again != NULL && again->count == rules->count);
	MUST(rules_succeed(again, rules));
	MUST(again->everyone == rules->everyone);
	for (size_t i = 0; i < rules->count; i++) {
		MUST(again->rules[i].principal == rules->rules[i].principal);
		MUST(principal_over(rules->rules[i].principal, 0) == NULL);
	}
	none = parse("", 0, &error);
	rules_succeed(none, again);
	for (size_t i = 0; i < rules->count; i++)
		MUST(principal_over(rules->rules[i].principal, 0) != NULL);
	rules_free(none);
	rules_free(again);
	buf_free(&text);
}

/* --- what was refused --- */

/* Does the text hold one that could be a token? */
static bool holds_token(const char *text)
{
	while ((text = strstr(text, TOKEN_PREFIX)) != NULL) {
		text += strlen(TOKEN_PREFIX);
		if (strspn(text, "abcdefghijklmnopqrstuvwxyz234567") >= 32)
			return true;
	}
	return false;
}

static void check_sentence(const struct error *error, size_t lines)
{
	unsigned first = 0, second = 0;

	if (sscanf(error->text, "lines %u and %u", &first, &second) == 2)
		MUST(first >= 1 && first <= lines && second >= 1 && second <= lines &&
			first != second);
	else
		MUST(sscanf(error->text, "line %u: ", &first) == 1 && first >= 1 && first <= lines);
	MUST(!holds_token(error->text));
}

static size_t count_lines(const unsigned char *data, size_t len)
{
	size_t count = len > 0 && data[len - 1] != '\n';

	for (size_t i = 0; i < len; i++)
		count += data[i] == '\n';
	return count;
}

/* Return whether the file was taken and names somebody. */
static bool check_input(const unsigned char *data, size_t len)
{
	size_t lines = count_lines(data, len);
	struct error error;
	struct rules *rules;
	bool named = false;

	must_input(data, len);
	rules = parse(data, len, &error);
	if (rules != NULL) {
		named = rules->count > 0;
		check_rules(rules, lines);
		check_again(rules);
	} else {
		check_sentence(&error, lines);
	}
	rules_free(rules);
	return named;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

#define DIGEST "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddee"

static const struct sse_text seeds[] = {
	MUTATE_SEED("ann " DIGEST "01 publish=chat,news read=** as=\"Ann \\\"B.\\\" \\\\\"\n"),
	MUTATE_SEED("# who\n\nops " DIGEST "02 read=** status\nbob " DIGEST "03 as=*"),
	MUTATE_SEED("anonymous read=news,a/* as=*\r\nann " DIGEST "04 as=A\r\n"),
	MUTATE_SEED("ann " DIGEST "05 as=A read=a\nann " DIGEST "06 as=A read=b # new\n"),
	MUTATE_SEED("sse_abcdefghijklmnopqrstuvwxyz234567 read=a"),
	MUTATE_SEED("a@b " DIGEST "07 status\nb+c " DIGEST "08 publish=x/**"),
};

/* What makes or breaks a file. */
static const char *const pieces[] = {"", "\n", "\r\n", " ", "\t", "\"", "\\", "\\\"", "#", "=", ",",
	" publish=", " read=", " delete=", " as=", " as=*", " status", "anonymous", "ann ",
	DIGEST "09", DIGEST "0A", " sha256:", "sse_", "sse_abcdefghijklmnopqrstuvwxyz234567", "**",
	"/*", "a/b", "\xc3\xa9", "\xe2\x80\x83", "\xff", "$sys", "session"};

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_BIT, MUTATE_CUT, MUTATE_REPEAT,
	MUTATE_OTHER, MUTATE_START, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_serve_access",
	.inputs = "files",
	.taken = "taken",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 2048,
	.rounds = 3,
	.kept = 400,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
