/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/access/rules.c: the access file, each mistake in it, and what a change ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "access/rules.h"
#include "buf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Digests that differ in their last digit. */
#define ZEROS "000000000000000000000000000000000000000000000000000000000000000"
#define DIGEST(digit) "sha256:" ZEROS digit

static void digest_of(unsigned char last, unsigned char digest[TOKEN_DIGEST])
{
	memset(digest, 0, TOKEN_DIGEST);
	digest[TOKEN_DIGEST - 1] = last;
}

static struct rules *parse_bytes(const char *text, size_t len)
{
	struct error error = {0};
	struct rules *rules = rules_parse(text, len, &error);

	if (rules == NULL)
		fail_msg("'%.60s' is refused: %s", text, error.text);
	return rules;
}

static struct rules *parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static struct principal *find(const struct rules *rules, unsigned char last)
{
	unsigned char digest[TOKEN_DIGEST];

	digest_of(last, digest);
	return rules_find(rules, digest);
}

/* --- what a file says --- */

static void a_file_without_lines_lets_nobody_do_anything(void **state)
{
	static const char *const texts[] = {"", "\n", "\n\n# nobody\n", "  \t\r\n\t# x", "#"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct rules *rules = parse(texts[i]);

		assert_int_equal(rules->count, 0);
		assert_null(find(rules, 1));
		assert_null(rules->everyone->name);
		assert_null(rules->everyone->as);
		assert_false(rules->everyone->any_name);
		assert_false(grants_cover(&rules->everyone->grants, VERB_READ, "a"));
		assert_false(grants_cover(&rules->everyone->grants, VERB_STATUS, NULL));
		rules_free(rules);
	}
}

static void a_line_says_who_may_do_what(void **state)
{
	struct rules *rules =
		parse("# who\n"
		      "ann " DIGEST("1") " publish=chat,news/* read=** delete=chat as=Ann\n"
					 "ops as=* status\t" DIGEST("2") "\n");
	const struct principal *ann = find(rules, 1), *ops = find(rules, 2);

	(void)state;
	assert_int_equal(rules->count, 2);
	assert_string_equal(ann->name, "ann");
	assert_string_equal(ann->as, "Ann");
	assert_false(ann->any_name);
	assert_true(ann->expires == PRINCIPAL_FOREVER);
	assert_true(grants_cover(&ann->grants, VERB_PUBLISH, "chat"));
	assert_true(grants_cover(&ann->grants, VERB_PUBLISH, "news/x"));
	assert_false(grants_cover(&ann->grants, VERB_PUBLISH, "more"));
	assert_true(grants_cover(&ann->grants, VERB_READ, "more"));
	assert_true(grants_cover(&ann->grants, VERB_DELETE, "chat"));
	assert_false(grants_cover(&ann->grants, VERB_DELETE, "news/x"));
	assert_false(grants_cover(&ann->grants, VERB_STATUS, NULL));
	assert_string_equal(ops->name, "ops");
	assert_null(ops->as);
	assert_true(ops->any_name);
	assert_false(grants_cover(&ops->grants, VERB_READ, "more"));
	assert_true(grants_cover(&ops->grants, VERB_STATUS, NULL));
	assert_null(find(rules, 3));
	assert_true(rules_has_name(rules, "Ann"));
	assert_false(rules_has_name(rules, "ann"));
	assert_false(rules_has_name(rules, "*"));
	rules_free(rules);
}

/* The same line, written in other ways. */
static void words_are_quoted_and_spaced_as_one_likes(void **state)
{
	static const char *const lines[] = {
		"ann " DIGEST("1") " read=a,b as=\"A \\\"B\\\" \\\\C\"",
		"\t ann\t" DIGEST("1") "  read=a,b  as=\"A \\\"B\\\" \\\\C\"\t# comment \"",
		"ann " DIGEST("1") " \"read=a,b\" \"as=A \\\"B\\\" \\\\C\"\n",
		"ann " DIGEST("1") " read=a,\"b\" as=A\" \"\"\\\"\"B\"\\\" \\\\C\"\n\n",
		"ann " DIGEST("1") " read=a,b as=\"A \\\"B\\\" \\\\C\"\r\n",
		"\r\n#\r\nann \"" DIGEST("1") "\" read=a,b as=\"A \\\"B\\\" \\\\C\"\r",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct rules *rules = parse(lines[i]);
		const struct principal *ann = find(rules, 1);

		assert_non_null(ann);
		assert_string_equal(ann->as, "A \"B\" \\C");
		assert_true(grants_cover(&ann->grants, VERB_READ, "b"));
		rules_free(rules);
	}
}

/* Only those that stand for another character are left out; # begins a comment only as a word. */
static void other_characters_stand_for_themselves(void **state)
{
	struct rules *rules = parse("ann " DIGEST("1") " as=\"\\n\\\"\"\n"
						       "bob " DIGEST("2") " as=#1\n");

	(void)state;
	assert_string_equal(find(rules, 1)->as, "\\n\"");
	assert_string_equal(find(rules, 2)->as, "#1");
	rules_free(rules);
}

static void a_digest_is_read_in_either_case(void **state)
{
	struct rules *rules =
		parse("ann sha256:"
		      "0000000000000000000000000000000000000000000000000000000000abCDEF");
	unsigned char digest[TOKEN_DIGEST];

	(void)state;
	memset(digest, 0, sizeof(digest));
	memcpy(digest + TOKEN_DIGEST - 3, "\xab\xcd\xef", 3);
	assert_non_null(rules_find(rules, digest));
	rules_free(rules);
}

static void a_word_may_have_4096_bytes(void **state)
{
	struct error error = {0};
	struct buf text;

	(void)state;
	buf_init(&text, 10000);
	assert_true(buf_add_text(&text, "ann " DIGEST("1") " read="));
	for (size_t i = 5; i < 4096; i += 2)
		assert_true(buf_add_text(&text, i + 2 < 4096 ? "a," : "a"));
	rules_free(parse_bytes(text.data, text.len));
	assert_true(buf_add_text(&text, "a"));
	assert_null(rules_parse(text.data, text.len, &error));
	assert_string_equal(error.text, "line 1: a word is longer than 4096 bytes");
	buf_free(&text);
}

static void a_name_may_have_several_tokens(void **state)
{
	struct rules *rules =
		parse("ann " DIGEST("2") " as=Ann read=a\nann " DIGEST("1") " as=Ann\n");

	(void)state;
	assert_true(grants_cover(&find(rules, 2)->grants, VERB_READ, "a"));
	assert_false(grants_cover(&find(rules, 1)->grants, VERB_READ, "a"));
	rules_free(rules);
}

static void what_everyone_may_all_may(void **state)
{
	struct rules *rules =
		parse("ann " DIGEST("1") " read=a\n"
					 "anonymous read=news publish=open status as=*\n");
	const struct principal *ann = find(rules, 1);

	(void)state;
	assert_int_equal(rules->count, 1);
	assert_true(grants_cover(&ann->grants, VERB_READ, "a"));
	assert_true(grants_cover(&ann->grants, VERB_READ, "news"));
	assert_true(grants_cover(&ann->grants, VERB_PUBLISH, "open"));
	assert_true(grants_cover(&ann->grants, VERB_STATUS, NULL));
	/* Who has proven a name needs no other. */
	assert_false(ann->any_name);
	assert_true(rules->everyone->any_name);
	assert_false(grants_cover(&rules->everyone->grants, VERB_READ, "a"));
	assert_true(grants_cover(&rules->everyone->grants, VERB_STATUS, NULL));
	rules_free(rules);
}

static void open_status_shows_the_figures_to_everyone(void **state)
{
	struct rules *rules = parse("ann " DIGEST("1"));

	(void)state;
	rules_open_status(rules);
	assert_true(grants_cover(&rules->everyone->grants, VERB_STATUS, NULL));
	assert_true(grants_cover(&find(rules, 1)->grants, VERB_STATUS, NULL));
	rules_free(rules);
}

/* --- mistakes --- */

#define ANN "ann " DIGEST("1")
#define TOKEN "sse_abcdefghijklmnopqrstuvwxyz234567"

static const struct mistake {
	const char *text, *sentence;
} mistakes[] = {
	{"a!b " DIGEST("1"),
		"line 1: the name has a character other than A-Z a-z 0-9 . _ ~ @ + and -"},
	{"\"\" " DIGEST("1"), "line 1: the name is empty"},
	{"\n\n" DIGEST("1"), "line 3: the name is longer than 64 bytes"},
	{"\xef\xbb\xbf" ANN,
		"line 1: the name has a character other than A-Z a-z 0-9 . _ ~ @ + and -"},
	{TOKEN " read=a",
		"line 1: it begins with a token: begin it with a name, and put the token's digest after "
		"it, as sse-serve --new-token NAME prints it"},
	{"# x\r\nann read=a",
		"line 2: the digest of ann's token is missing: sse-serve --new-token ann prints "
		"one"},
	{"ann sha256:12",
		"line 1: after sha256: there must be the 64 hexadecimal digits of a token's digest"},
	{"ann sha256:" ZEROS "g",
		"line 1: after sha256: there must be the 64 hexadecimal digits of a token's digest"},
	{ANN "0",
		"line 1: after sha256: there must be the 64 hexadecimal digits of a token's digest"},
	{ANN " " DIGEST("2"), "line 1: it has two digests: write a line for each token"},
	{ANN "\nann " DIGEST("1"),
		"lines 1 and 2 have the same digest: each token needs its own line"},
	{"ann certificate\nann certificate",
		"lines 1 and 2 are for the same certificate: write one line for it"},
	{ANN " certificate", "line 1: it has two proofs: write a line for each token, and one for "
			     "the certificate"},
	{"anonymous certificate",
		"line 1: anonymous needs no proof, so it has no certificate"},
	{ANN " read=a read=b", "line 1: it has read= twice: separate the patterns with commas"},
	{ANN " publish=a publish=a",
		"line 1: it has publish= twice: separate the patterns with commas"},
	{ANN " status status", "line 1: it has status twice"},
	{ANN " as=A as=A", "line 1: it has as= twice"},
	{ANN " as=* as=*", "line 1: it has as= twice"},
	{ANN " as=A as=*", "line 1: it has as= twice"},
	{ANN " as=", "line 1: the name in as= is empty"},
	{ANN " as=\"Ann \"",
		"line 1: the name in as= begins or ends with white space, which pages do not show"},
	{ANN " as=\xe2\x80\x83"
	     "Ann",
		"line 1: the name in as= begins or ends with white space, which pages do not show"},
	{ANN " as=\"A\tB\"", "line 1: the name in as= contains a control character"},
	{ANN " as=\"A\rB\"", "line 1: the name in as= contains a control character"},
	{ANN " as=\xff", "line 1: the name in as= is not valid UTF-8"},
	{ANN " as=" ZEROS "00", "line 1: the name in as= is longer than 64 bytes"},
	{ANN " as=\"A", "line 1: a quote (\") is not closed"},
	{ANN " as=\"A\\\"\n\"", "line 1: a quote (\") is not closed"},
	{ANN " remove=a",
		"line 1: 'remove=a' is not sha256:DIGEST, certificate, publish=PATTERN,..., "
		"read=PATTERN,..., delete=PATTERN,..., status or as=NAME"},
	{ANN " Status",
		"line 1: 'Status' is not sha256:DIGEST, certificate, publish=PATTERN,..., "
		"read=PATTERN,..., delete=PATTERN,..., status or as=NAME"},
	{ANN " status=",
		"line 1: 'status=' is not sha256:DIGEST, certificate, publish=PATTERN,..., "
		"read=PATTERN,..., delete=PATTERN,..., status or as=NAME"},
	{ANN " " TOKEN, "line 1: it contains a token; the file takes only digests (sha256:...), as "
			"sse-serve --new-token NAME prints them"},
	{ANN " sse_abc",
		"line 1: it contains a token; the file takes only digests (sha256:...), as "
		"sse-serve --new-token NAME prints them"},
	{ANN " read=a*" TOKEN,
		"line 1: it contains a token; the file takes only digests (sha256:...), as "
		"sse-serve --new-token NAME prints them"},
	{"ann" TOKEN "x read=a",
		"line 1: it begins with a token: begin it with a name, and put the token's digest after "
		"it, as sse-serve --new-token NAME prints it"},
	{ANN " token=" TOKEN,
		"line 1: it contains a token; the file takes only digests (sha256:...), as "
		"sse-serve --new-token NAME prints them"},
	{ANN " read=", "line 1: read=: a topic's name cannot be empty"},
	{ANN " read=a,", "line 1: read=: a topic's name cannot be empty"},
	{ANN " read=a,,b", "line 1: read=: a topic's name cannot be empty"},
	{ANN " read=a,b//c", "line 1: read=b//c: a topic's name has an empty segment"},
	{ANN " publish=a*",
		"line 1: publish=a*: * matches a whole segment, as in chat/*, and not a part of one"},
	{ANN " read=$sys",
		"line 1: read=$sys: a topic's name is made of letters, digits, . _ ~ - and /; it has U+0024"},
	{"anonymous " DIGEST("1"), "line 1: anonymous needs no token, so it has no digest"},
	{"anonymous as=Ann",
		"line 1: anonymous cannot have a name of its own, since everyone would share it: "
		"it takes only as=*, any name that no other line has"},
	{"anonymous\n\nanonymous read=a", "line 3: there is an earlier line for anonymous"},
	{ANN " as=A\nbob " DIGEST("2") " as=A",
		"lines 1 and 2: ann and bob cannot both be present as 'A'"},
};

static void a_certificate_stands_in_place_of_a_token(void **state)
{
	static const char text[] = "ann certificate publish=chat\n"
				   "bob read=chat certificate\n";
	unsigned char digest[TOKEN_DIGEST];
	struct rules *rules = rules_parse(text, strlen(text), NULL);
	const struct principal *principal;

	(void)state;
	assert_non_null(rules);
	rules_subject_digest("ann", digest);
	principal = rules_find(rules, digest);
	assert_non_null(principal);
	assert_string_equal(principal->name, "ann");
	rules_subject_digest("ann2", digest);
	assert_null(rules_find(rules, digest));
	/* A token of that text is another proof. */
	token_digest("ann", 3, digest);
	assert_null(rules_find(rules, digest));
	rules_free(rules);
}

static void a_mistake_refuses_the_file_and_names_the_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		const struct mistake *one = &mistakes[i];
		struct error error = {0};
		struct rules *rules = rules_parse(one->text, strlen(one->text), &error);

		if (rules != NULL)
			fail_msg("'%s' is taken", one->text);
		assert_string_equal(error.text, one->sentence);
		assert_int_equal(error.status, EX_DATAERR);
	}
}

static void a_nul_is_refused_in_words_alone(void **state)
{
	static const char in_word[] = ANN " read=a\0,b", comment[] = "#\0\n" ANN;
	struct error error = {0};

	(void)state;
	assert_null(rules_parse(in_word, sizeof(in_word) - 1, &error));
	assert_string_equal(error.text, "line 1: it contains a NUL");
	rules_free(parse_bytes(comment, sizeof(comment) - 1));
}

/* What is after the length is not looked at. */
static void the_length_counts(void **state)
{
	static const char text[] = ANN " read=a,b//";
	struct rules *rules = parse_bytes(text, sizeof(text) - 5);

	(void)state;
	assert_true(grants_cover(&find(rules, 1)->grants, VERB_READ, "a"));
	rules_free(rules);
}

static void names_are_checked(void **state)
{
	char longest[66] = {0};

	(void)state;
	memset(longest, 'a', 64);
	assert_null(rules_check_name(longest));
	longest[64] = 'a';
	assert_string_equal(rules_check_name(longest), "is longer than 64 bytes");
	assert_null(rules_check_name("aZ09._~@+-"));
	assert_string_equal(rules_check_name(""), "is empty");
	for (int c = 1; c < 256; c++) {
		const char name[] = {'a', (char)c, '\0'};
		bool good = c < 128 && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789._~@+-",
					       c) != NULL;

		if ((rules_check_name(name) == NULL) != good)
			fail_msg("the byte 0x%02x", (unsigned)c);
	}
}

/* --- reading it again --- */

/* Two files, one after the other; what was held of the first is still held after them. */
struct change {
	struct principal *ann, *bob, *everyone;
	struct rules *rules;
	bool same;
};

#define BOB "bob " DIGEST("2") " read=b"

static void set_up(struct change *change, const char *before, const char *after)
{
	struct rules *old = parse(before);

	change->ann = principal_hold(find(old, 1));
	change->bob = principal_hold(find(old, 2));
	change->everyone = principal_hold(old->everyone);
	change->rules = parse(after);
	change->same = rules_succeed(change->rules, old);
	rules_free(old);
}

static void tear_down(struct change *change)
{
	rules_free(change->rules);
	principal_drop(change->ann);
	principal_drop(change->bob);
	principal_drop(change->everyone);
}

static void who_may_do_the_same_stays_who_they_are(void **state)
{
	struct change change;

	(void)state;
	set_up(&change, ANN " read=a as=Ann\n" BOB,
		"# new\n\n" BOB "\n" ANN " as=\"Ann\" read=a # x\n");
	assert_true(change.same);
	assert_ptr_equal(find(change.rules, 1), change.ann);
	assert_ptr_equal(find(change.rules, 2), change.bob);
	assert_ptr_equal(change.rules->everyone, change.everyone);
	assert_null(principal_over(change.ann, 0));
	assert_null(principal_over(change.bob, 0));
	assert_null(principal_over(change.everyone, 0));
	tear_down(&change);
}

static void whose_line_is_gone_is_over(void **state)
{
	struct change change;

	(void)state;
	set_up(&change, ANN "\n" BOB, BOB "\nann " DIGEST("3"));
	assert_true(change.same);
	assert_string_equal(principal_over(change.ann, 0), "the token was withdrawn");
	assert_null(find(change.rules, 1));
	assert_null(principal_over(find(change.rules, 3), 0));
	assert_null(principal_over(change.bob, 0));
	tear_down(&change);
}

static void whose_line_says_something_else_is_over(void **state)
{
	static const char *const lines[] = {ANN " read=a as=Anna", ANN " read=a",
		ANN " read=b as=Ann", ANN " read=a,b as=Ann", ANN " as=Ann",
		ANN " publish=a as=Ann", ANN " read=a as=Ann status", ANN " read=a as=*",
		"anna " DIGEST("1") " read=a as=Ann"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct change change;

		set_up(&change, ANN " read=a as=Ann", lines[i]);
		assert_true(change.same);
		assert_string_equal(
			principal_over(change.ann, 0), "what the token may do has changed");
		assert_ptr_not_equal(find(change.rules, 1), change.ann);
		assert_null(principal_over(find(change.rules, 1), 0));
		tear_down(&change);
	}
}

/* Also those whose line is the same, since they may do what everyone may. */
static void what_everyone_may_do_changes_for_all(void **state)
{
	static const char *const lines[] = {"anonymous read=b", "anonymous read=a,b",
		"anonymous read=a status", "", "anonymous publish=a"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct change change;
		char after[200];

		snprintf(after, sizeof(after), ANN "\n%s\n", lines[i]);
		set_up(&change, ANN "\nanonymous read=a\n", after);
		assert_false(change.same);
		assert_string_equal(
			principal_over(change.everyone, 0), "what everyone may do has changed");
		assert_string_equal(
			principal_over(change.ann, 0), "what the token may do has changed");
		assert_null(principal_over(find(change.rules, 1), 0));
		tear_down(&change);
	}
}

static void which_names_everyone_may_take_changes_for_them_alone(void **state)
{
	struct change change;

	(void)state;
	set_up(&change, ANN "\nanonymous read=a\n", ANN "\nanonymous read=a as=*\n");
	assert_false(change.same);
	assert_string_equal(principal_over(change.everyone, 0), "what everyone may do has changed");
	assert_null(principal_over(change.ann, 0));
	tear_down(&change);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_without_lines_lets_nobody_do_anything),
		cmocka_unit_test(a_line_says_who_may_do_what),
		cmocka_unit_test(words_are_quoted_and_spaced_as_one_likes),
		cmocka_unit_test(other_characters_stand_for_themselves),
		cmocka_unit_test(a_digest_is_read_in_either_case),
		cmocka_unit_test(a_word_may_have_4096_bytes),
		cmocka_unit_test(a_name_may_have_several_tokens),
		cmocka_unit_test(what_everyone_may_all_may),
		cmocka_unit_test(open_status_shows_the_figures_to_everyone),
		cmocka_unit_test(a_certificate_stands_in_place_of_a_token),
		cmocka_unit_test(a_mistake_refuses_the_file_and_names_the_line),
		cmocka_unit_test(a_nul_is_refused_in_words_alone),
		cmocka_unit_test(the_length_counts),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(who_may_do_the_same_stays_who_they_are),
		cmocka_unit_test(whose_line_is_gone_is_over),
		cmocka_unit_test(whose_line_says_something_else_is_over),
		cmocka_unit_test(what_everyone_may_do_changes_for_all),
		cmocka_unit_test(which_names_everyone_may_take_changes_for_them_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
