/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/api/author.c and base/name.c: under whose name one may write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <cmocka.h>

#include "access/access.h"
#include "api/author.h"
#include "base/name.h"
#include "parts/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Ann has a name, Bob may take any, Dan none. */
struct fixture {
	struct access_config config;
	struct access *access;
	struct principal *ann, *bob, *dan;
};

static struct principal *new_principal(const char *as, bool any_name)
{
	struct grants none = {0};
	struct principal *principal = principal_new("x", as, &none, PRINCIPAL_FOREVER, NULL);

	assert_non_null(principal);
	principal->any_name = any_name;
	return principal;
}

static void set_up(struct fixture *f)
{
	struct error error = {0};
	FILE *file = fopen(scratch_path, "w");

	assert_non_null(file);
	fprintf(file, "ann sha256:%064d as=Ann\ncy sha256:%064d as=\"Cy D.\"\n", 1, 2);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(scratch_path, 0600), 0);
	*f = (struct fixture){.config = {.file = scratch_path},
		.ann = new_principal("Ann", false),
		.bob = new_principal(NULL, true),
		.dan = new_principal(NULL, false)};
	f->access = access_new(&f->config, &error);
	assert_non_null(f->access);
}

static void tear_down(struct fixture *f)
{
	access_free(f->access);
	principal_drop(f->ann);
	principal_drop(f->bob);
	principal_drop(f->dan);
}

static int check(const struct fixture *f, const struct principal *principal, const char *type,
	const char *data, bool json)
{
	struct event event = {
		.json = json, .type = {type, strlen(type)}, .data = {data, strlen(data)}};
	struct error error = {0};
	int result = author_check(f->access, principal, &event, &error);

	assert_int_equal(error.status, result == 0 ? 0 : EX_NOPERM);
	return result;
}

/* --- messages --- */

static const struct row {
	const char *data;
	bool ann, bob, dan; /* may write it */
} rows[] = {
	{"{\"name\":\"Ann\",\"text\":\"x\"}", true, false, false},
	{"{\"text\":\"x\",\"name\":\"Ann\"}", true, false, false},
	{"{ \"text\" : \"x\" , \"name\" : \"Ann\" , \"more\" : 1 }", true, false, false},
	{"{\"name\":\"Bob\",\"text\":\"x\"}", false, true, false},
	{"{\"name\":\"Cy D.\",\"text\":\"x\"}", false, false, false},
	{"{\"name\":\"ann\",\"text\":\"x\"}", false, true, false},
	/* Escapes, in names and in keys. */
	{"{\"name\":\"\\u0041nn\",\"text\":\"x\"}", true, false, false},
	{"{\"n\\u0061me\":\"Ann\",\"\\u0074ext\":\"x\"}", true, false, false},
	{"{\"name\":\"Ann\\u0000\",\"text\":\"x\"}", false, false, false},
	{"{\"name\":\"\\u0000\",\"text\":\"x\"}", false, false, false},
	{"{\"name\":\"B\\nb\",\"text\":\"x\"}", false, false, false},
	/* Of two, a reader may take either. */
	{"{\"name\":\"Ann\",\"name\":\"Bob\",\"text\":\"x\"}", false, false, false},
	{"{\"name\":\"Bob\",\"name\":\"Ann\",\"text\":\"x\"}", false, false, false},
	{"{\"name\":\"Ann\",\"name\":\"Ann\",\"text\":\"x\"}", true, false, false},
	{"{\"name\":\"Ann\",\"text\":1,\"text\":\"x\"}", true, false, false},
	/* The chat shows these as Ann. */
	{"{\"name\":\"Ann \",\"text\":\"x\"}", false, false, false},
	{"{\"name\":\"\\u2003\\tAnn\\u00a0\\ufeff\\u0020\",\"text\":\"x\"}", false, false, false},
	{"{\"name\":\" Bob\\n\",\"text\":\"x\"}", false, true, false},
	/* The chat shows these without a name. */
	{"{\"text\":\"x\"}", true, true, true},
	{"{\"name\":\"\",\"text\":\"x\"}", true, true, true},
	{"{\"name\":1,\"text\":\"x\"}", true, true, true},
	{"{\"name\":[\"Ann\"],\"text\":\"x\"}", true, true, true},
	{"{\"name\":null,\"text\":\"x\"}", true, true, true},
	{"{\"Name\":\"Ann\",\"text\":\"x\"}", true, true, true},
	{"{\"a\":{\"name\":\"Ann\"},\"text\":\"x\"}", true, true, true},
	/* The chat shows these as JSON. */
	{"{\"name\":\"Ann\"}", true, true, true},
	{"{\"name\":\"Ann\",\"text\":1}", true, true, true},
	{"[\"name\",\"Ann\",\"text\"]", true, true, true},
	{"[{\"name\":\"Ann\",\"text\":\"x\"}]", true, true, true},
	{"\"{\\\"name\\\":\\\"Ann\\\",\\\"text\\\":\\\"x\\\"}\"", true, true, true},
	{"1", true, true, true},
	{"{}", true, true, true},
};

static void nobody_writes_under_the_name_of_another(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		bool ann = check(&f, f.ann, "message", row->data, true) == 0;
		bool bob = check(&f, f.bob, "message", row->data, true) == 0;
		bool dan = check(&f, f.dan, "message", row->data, true) == 0;

		if (ann != row->ann || bob != row->bob || dan != row->dan)
			fail_msg("%s: Ann %d, Bob %d, Dan %d", row->data, ann, bob, dan);
		/* A stream shows text as it shows JSON; and perhaps nobody has to prove anything. */
		assert_true((check(&f, f.ann, "message", row->data, false) == 0) == ann);
		assert_true((check(&f, f.bob, "message", row->data, false) == 0) == bob);
		assert_true((check(&f, f.dan, "message", row->data, false) == 0) == dan);
		assert_int_equal(check(&f, NULL, "message", row->data, true), 0);
	}
	tear_down(&f);
}

/* Others would read as JSON what is nested too deep to be looked into. */
static void what_cannot_be_looked_into_is_refused(void **state)
{
	char deep[1000] = "{\"name\":\"Ann\",\"text\":\"\",\"more\":";
	struct fixture f;

	(void)state;
	set_up(&f);
	memset(deep + strlen(deep), '[', 250);
	memset(deep + strlen(deep), ']', 250);
	strcat(deep, "}");
	assert_int_equal(check(&f, f.dan, "message", deep, false), -1);
	deep[0] = 'x';
	assert_int_equal(check(&f, f.dan, "message", deep, false), 0);
	assert_int_equal(check(&f, f.dan, "message", "Ann: {", false), 0);
	assert_int_equal(check(&f, f.dan, "message", "", false), 0);
	tear_down(&f);
}

static void typing_needs_no_text(void **state)
{
	static const char name[] = "{\"name\":\"Ann\"}";
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(check(&f, f.ann, "typing", name, true), 0);
	assert_int_equal(check(&f, f.bob, "typing", name, true), -1);
	assert_int_equal(check(&f, f.dan, "typing", name, true), -1);
	assert_int_equal(check(&f, f.dan, "typings", name, true), 0);
	assert_int_equal(check(&f, f.dan, "typin", name, true), 0);
	assert_int_equal(check(&f, f.dan, "typing", "{\"name\":1}", true), 0);
	/* Text is a name as a whole. */
	assert_int_equal(check(&f, f.ann, "typing", "Ann", false), 0);
	assert_int_equal(check(&f, f.bob, "typing", "Ann", false), -1);
	assert_int_equal(check(&f, f.bob, "typing", " Ann", false), -1);
	assert_int_equal(check(&f, f.dan, "typing", "Ann", false), -1);
	assert_int_equal(check(&f, f.dan, "typing", "", false), 0);
	assert_int_equal(check(&f, f.dan, "message", "Ann", false), 0);
	tear_down(&f);
}

/* Some message of a name, each byte of which is escaped. */
static int check_long(const struct fixture *f, size_t len)
{
	char data[8192] = "{\"text\":\"\",\"name\":\"";

	for (size_t i = 0; i < len; i++)
		strcat(data, "\\u0061");
	strcat(data, "\"}");
	return check(f, f->bob, "message", data, true);
}

static void a_name_has_at_most_64_bytes_however_it_is_written(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(check_long(&f, 64), 0);
	assert_int_equal(check_long(&f, 65), -1);
	assert_int_equal(check_long(&f, 1000), -1);
	tear_down(&f);
}

static void the_sentence_says_whose_name_it_is(void **state)
{
	static const char data[] = "{\"name\":\"Cy D.\",\"text\":\"\"}";
	const struct event event = {
		.json = true, .type = {"message", 7}, .data = {data, sizeof(data) - 1}};
	struct error error = {0};
	struct fixture f;

	(void)state;
	set_up(&f);
	author_check(f.access, f.ann, &event, &error);
	assert_string_equal(error.text, "the name in the data is Cy D., but yours is Ann");
	author_check(f.access, f.bob, &event, &error);
	assert_string_equal(error.text,
		"nothing proves that the name in the data, Cy D., is yours: as= in the access "
		"file gives a name to a token");
	tear_down(&f);
}

/* --- names --- */

static void a_name_is_taken_by_whom_it_is_proven_of(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_true(author_may_be(f.access, f.ann, "Ann"));
	assert_false(author_may_be(f.access, f.ann, "Ann "));
	assert_false(author_may_be(f.access, f.ann, "Bob"));
	assert_true(author_may_be(f.access, f.bob, "Bob"));
	assert_true(author_may_be(f.access, f.bob, "A n n"));
	assert_false(author_may_be(f.access, f.bob, "Ann"));
	assert_false(author_may_be(f.access, f.bob, "Ann "));
	assert_false(author_may_be(f.access, f.bob, "\u3000Ann"));
	assert_false(author_may_be(f.access, f.bob, ""));
	assert_false(author_may_be(f.access, f.bob, "\x01"));
	assert_false(author_may_be(f.access, f.dan, "Dan"));
	tear_down(&f);
}

/* What String.prototype.trim() of ECMAScript removes, and its neighbours, which it does not. */
static void white_space_is_cut_off_as_pages_do(void **state)
{
	static const char *const spaces[] = {"\t", "\n", "\v", "\f", "\r", " ", "\u00a0", "\u1680",
		"\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007",
		"\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000",
		"\ufeff"};
	static const char *const others[] = {"\x08", "\x0e", "\xc2\x85", "\u180e", "\u200b",
		"\u202a", "\u2060", "\u3001", "\ufefe"};
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT(spaces); i++) {
		for (size_t j = 0; j < COUNT(spaces); j++) {
			snprintf(text, sizeof(text), "%s%sa b%s%s", spaces[i], spaces[j], spaces[j],
				spaces[i]);
			assert_string_equal(name_trim(text), "a b");
		}
		snprintf(text, sizeof(text), "%sa", spaces[i]);
		assert_false(name_is_trimmed(text));
		snprintf(text, sizeof(text), "a%s", spaces[i]);
		assert_false(name_is_trimmed(text));
		snprintf(text, sizeof(text), "a%sb", spaces[i]);
		assert_true(name_is_trimmed(text));
		snprintf(text, sizeof(text), "%s", spaces[i]);
		assert_string_equal(name_trim(text), "");
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		snprintf(text, sizeof(text), "%sa%s", others[i], others[i]);
		assert_true(name_is_trimmed(text));
	}
	assert_true(name_is_trimmed(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_writes_under_the_name_of_another),
		cmocka_unit_test(what_cannot_be_looked_into_is_refused),
		cmocka_unit_test(typing_needs_no_text),
		cmocka_unit_test(a_name_has_at_most_64_bytes_however_it_is_written),
		cmocka_unit_test(the_sentence_says_whose_name_it_is),
		cmocka_unit_test(a_name_is_taken_by_whom_it_is_proven_of),
		cmocka_unit_test(white_space_is_cut_off_as_pages_do),
	};

	return cmocka_run_group_tests(tests, scratch_set_up, scratch_tear_down);
}
