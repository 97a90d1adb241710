/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/option.c: the command line, the environment, and what is wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "option.h"

#define WORDS_MAX 12

struct config {
	bool flag;
	int times, choice, stamp;
	const char *text, *empty, *place, *secret;
	struct option_list list, secrets;
	int64_t count, duration, size, wait;
	int word;
};

#define FIELD(name) .offset = offsetof(struct config, name)

static const char *const choices[] = {"one", "two", NULL};
static const char *const styles[] = {"iso", "unix", NULL};

static const struct option_row rows[] = {
	{"flag", 'f', OPTION_FLAG, FIELD(flag), NULL, "a flag", "A"},
	{"verbose", 'v', OPTION_TIMES, FIELD(times), NULL, "more", "A"},
	{"text", 't', OPTION_STRING, FIELD(text), "TEXT", "a text", "A"},
	{"void", 0, OPTION_STRING, FIELD(empty), "TEXT", "a text, or none", "A",
		.may_be_empty = true},
	{"place", 0, OPTION_STRING, FIELD(place), "TEXT", "where", "A",
		.if_empty = "begin at the start"},
	{"list", 'l', OPTION_LIST, FIELD(list), "TEXT", "texts (repeat)", "A"},
	{"count", 'n', OPTION_COUNT, FIELD(count), "COUNT", "a number", "A", 1, 100},
	{"duration", 0, OPTION_DURATION, FIELD(duration), "TIME", "a time", "A", 0, 60000},
	{"size", 0, OPTION_SIZE, FIELD(size), "SIZE", "a size", "A", 0, 1 << 20},
	{"choice", 0, OPTION_CHOICE, FIELD(choice), "WORD", "a word", "A", .choices = choices},
	{"stamp", 's', OPTION_CHOICE, FIELD(stamp), "STYLE", "a style", "A", .choices = styles,
		.preset = "iso"},
	{0},
};

static const struct option_row secret_rows[] = {
	{"bearer-token", 'b', OPTION_STRING, FIELD(secret), "TOKEN", "a token", "B",
		.variable = "SSE_TOKEN", .secret = true},
	{"header", 'H', OPTION_LIST, FIELD(secrets), "LINE", "a header", "B", .secret = true},
	{0},
};

static const struct option_row default_rows[] = {
	{"wait", 'w', OPTION_DURATION, FIELD(wait), "TIME",
		OPTION_DEFAULT("wait (default ", "1.5s", "); 0: never"), "C", 0, 60000},
	{"word", 0, OPTION_CHOICE, FIELD(word), "WORD", OPTION_DEFAULT("", "two", ", or one"), "C",
		.choices = choices},
	{0},
};

static const struct option_program program = {
	.name = "test",
	.synopsis = "[option ...]",
	.summary = "Test.",
	.tables = {rows, secret_rows, default_rows},
	.examples = "",
};

/* A command line in memory of its own, which may be permuted and written to. */
struct line {
	char *words[WORDS_MAX + 1];
	int count, first; /* first: of the operands */
	struct config config;
	struct error error;
};

static struct line *line;

static int start(void **state)
{
	static const char *const names[] = {"SSE_FLAG", "SSE_VERBOSE", "SSE_TEXT", "SSE_LIST",
		"SSE_COUNT", "SSE_DURATION", "SSE_SIZE", "SSE_CHOICE", "SSE_STAMP", "SSE_VOID",
		"SSE_BEARER_TOKEN", "SSE_TOKEN", "SSE_HEADER", "SSE_WAIT"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	line = calloc(1, sizeof(*line));
	return line != NULL ? 0 : -1;
}

static void forget(void)
{
	option_free(rows, &line->config);
	option_free(secret_rows, &line->config);
	for (int i = 0; i < line->count; i++)
		free(line->words[i]);
	*line = (struct line){0};
}

static int end(void **state)
{
	(void)state;
	forget();
	free(line);
	return 0;
}

/* Parse words that end with NULL; what an earlier call left is gone. */
static enum option_result parse(const char *word, ...)
{
	va_list more;

	forget();
	line->config.choice = line->config.stamp = -1;
	line->words[line->count++] = strdup("test");
	va_start(more, word);
	for (; word != NULL; word = va_arg(more, const char *)) {
		assert_in_range(line->count, 1, WORDS_MAX - 1);
		line->words[line->count++] = strdup(word);
	}
	va_end(more);
	return option_parse(
		&program, line->count, line->words, &line->config, &line->first, &line->error);
}

static void assert_bad(const char *words)
{
	assert_int_equal(line->error.status, EX_USAGE);
	if (strstr(line->error.text, words) == NULL)
		fail_msg("'%s' does not say '%s'", line->error.text, words);
}

/* --- the command line ------------------------------------------------------------------------- */

static void values_come_in_every_spelling(void **state)
{
	(void)state;
	assert_int_equal(parse("-f", "-t", "a b", "-n7", "--duration", "1m", "--size=4k",
				 "--choice", "two", "-vv", NULL),
		OPTION_RUN);
	assert_true(line->config.flag);
	assert_int_equal(line->config.times, 2);
	assert_string_equal(line->config.text, "a b");
	assert_int_equal(line->config.count, 7);
	assert_int_equal(line->config.duration, 60000);
	assert_int_equal(line->config.size, 4096);
	assert_int_equal(line->config.choice, 1);
	assert_int_equal(parse("--text=x", "--list=-l", "-l", "--", NULL), OPTION_RUN);
	assert_string_equal(line->config.text, "x");
	assert_int_equal(line->config.list.count, 2);
	assert_string_equal(line->config.list.values[0], "-l");
	assert_string_equal(line->config.list.values[1], "--");
}

static void operands_stand_last_wherever_they_were(void **state)
{
	(void)state;
	assert_int_equal(parse("one", "-f", "two", "--", "-t", NULL), OPTION_RUN);
	assert_true(line->config.flag);
	assert_int_equal(line->count - line->first, 3);
	assert_string_equal(line->words[line->first], "one");
	assert_string_equal(line->words[line->first + 1], "two");
	assert_string_equal(line->words[line->first + 2], "-t");
	assert_null(line->config.text);
}

static void an_argument_that_may_be_left_out_has_a_preset(void **state)
{
	static const struct {
		const char *word;
		int stamp;
	} spellings[] = {{"-s", 0}, {"--stamp", 0}, {"-sunix", 1}, {"-s=unix", 1},
		{"--stamp=unix", 1}, {"--stamp=iso", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		assert_int_equal(parse(spellings[i].word, "unix", NULL), OPTION_RUN);
		if (line->config.stamp != spellings[i].stamp)
			fail_msg("%s gives %d", spellings[i].word, line->config.stamp);
		/* The word behind it is not its own. */
		assert_string_equal(line->words[line->first], "unix");
	}
	assert_int_equal(parse("--stamp=", NULL), OPTION_BAD);
	assert_bad("--stamp: '' is not one of iso, unix");
	assert_int_equal(parse("-slocal", NULL), OPTION_BAD);
	assert_bad("'local' is not one of iso, unix");
}

static void a_value_that_is_given_twice_is_refused_but_lists_and_counts_grow(void **state)
{
	(void)state;
	assert_int_equal(parse("--text", "a", "-t", "b", NULL), OPTION_BAD);
	assert_bad("--text was given twice");
	assert_int_equal(parse("-f", "-f", NULL), OPTION_BAD);
	assert_bad("--flag was given twice");
	assert_int_equal(parse("-s", "-s", NULL), OPTION_BAD);
	assert_bad("--stamp was given twice");
	assert_int_equal(parse("-l", "a", "-l", "a", "-v", "--verbose", NULL), OPTION_RUN);
	assert_int_equal(line->config.list.count, 2);
	assert_int_equal(line->config.times, 2);
}

static void a_word_that_is_misspelt_suggests_the_nearest(void **state)
{
	(void)state;
	assert_int_equal(parse("--verbos", NULL), OPTION_BAD);
	assert_bad("there is no option --verbos; did you mean --verbose?");
	assert_int_equal(parse("--txet=a", NULL), OPTION_BAD);
	assert_bad("there is no option --txet; did you mean --text?");
	assert_int_equal(parse("--bearer", "x", NULL), OPTION_BAD);
	assert_bad("did you mean --bearer-token?");
	assert_int_equal(parse("--hlep", NULL), OPTION_BAD);
	assert_bad("did you mean --help?");
	assert_int_equal(parse("--nothing-like-it", NULL), OPTION_BAD);
	assert_bad("there is no option --nothing-like-it; --help lists them all");
	assert_int_equal(parse("-q", NULL), OPTION_BAD);
	assert_bad("there is no option -q");
}

static void a_name_cut_short_is_not_the_name(void **state)
{
	(void)state;
	assert_int_equal(parse("--fla", NULL), OPTION_BAD);
	assert_bad("did you mean --flag?");
	assert_int_equal(parse("--tex", "a", NULL), OPTION_BAD);
	assert_int_equal(parse("--tex=a", NULL), OPTION_BAD);
	assert_int_equal(parse("x", "--stam", NULL), OPTION_BAD);
	assert_bad("did you mean --stamp?");
}

static void a_value_that_is_missing_or_too_many_is_named(void **state)
{
	(void)state;
	assert_int_equal(parse("--text", NULL), OPTION_BAD);
	assert_bad("--text needs a value: --text TEXT");
	assert_int_equal(parse("-n", NULL), OPTION_BAD);
	assert_bad("--count needs a value: --count COUNT");
	assert_int_equal(parse("--flag=1", NULL), OPTION_BAD);
	assert_bad("--flag takes no value");
}

static void a_number_outside_its_range_names_the_range(void **state)
{
	(void)state;
	assert_int_equal(parse("-n", "0", NULL), OPTION_BAD);
	assert_bad("--count: ");
	assert_bad("100");
	assert_int_equal(parse("--count", "101", NULL), OPTION_BAD);
	assert_int_equal(parse("--count", "1x", NULL), OPTION_BAD);
	assert_int_equal(parse("--duration", "2m", NULL), OPTION_BAD);
	assert_bad("--duration: ");
	assert_bad("1m");
	assert_int_equal(parse("--size", "2M", NULL), OPTION_BAD);
	assert_bad("--size: ");
	assert_int_equal(parse("--choice", "three", NULL), OPTION_BAD);
	assert_bad("--choice: 'three' is not one of one, two");
}

static void an_empty_value_is_refused_unless_it_means_something(void **state)
{
	(void)state;
	assert_int_equal(parse("--text", "", NULL), OPTION_BAD);
	assert_bad("--text: the value is empty; give TEXT, or leave the option out");
	assert_int_equal(parse("--text=", NULL), OPTION_BAD);
	assert_int_equal(parse("-t", "", NULL), OPTION_BAD);
	assert_int_equal(parse("-l", "a", "-l", "", NULL), OPTION_BAD);
	assert_bad("--list: the value is empty");
	assert_int_equal(parse("--place", "", NULL), OPTION_BAD);
	assert_bad("--place: the value is empty; begin at the start");
	assert_int_equal(parse("--bearer-token", "", NULL), OPTION_BAD);
	assert_bad("--bearer-token: the value is empty");
	assert_int_equal(parse("--void", "", NULL), OPTION_RUN);
	assert_string_equal(line->config.empty, "");
	/* These say more. */
	assert_int_equal(parse("-n", "", NULL), OPTION_BAD);
	assert_bad("--count: '' is not a number from 1 to 100");
	assert_int_equal(parse("--choice=", NULL), OPTION_BAD);
	assert_bad("--choice: '' is not one of one, two");
}

/* --- defaults -------------------------------------------------------------------------------- */

static void a_default_holds_until_another_value_is_given(void **state)
{
	(void)state;
	assert_int_equal(parse(NULL), OPTION_RUN);
	assert_int_equal(line->config.wait, 1500);
	assert_int_equal(line->config.word, 1);
	assert_int_equal(parse("-w", "0", "--word", "one", NULL), OPTION_RUN);
	assert_int_equal(line->config.wait, 0);
	assert_int_equal(line->config.word, 0);
	setenv("SSE_WAIT", "2s", 1);
	assert_int_equal(parse(NULL), OPTION_RUN);
	assert_int_equal(line->config.wait, 2000);
	assert_int_equal(parse("-w", "3s", NULL), OPTION_RUN);
	assert_int_equal(line->config.wait, 3000);
}

static void a_row_without_a_default_leaves_its_field_alone(void **state)
{
	(void)state;
	assert_int_equal(parse("-f", NULL), OPTION_RUN);
	assert_int_equal(line->config.choice, -1);
	assert_int_equal(line->config.stamp, -1);
}

static void the_help_names_the_default(void **state)
{
	(void)state;
	assert_string_equal(default_rows[0].help, "wait (default 1.5s); 0: never");
	assert_string_equal(default_rows[1].help, "two, or one");
}

static void a_default_that_cannot_be_is_reported(void **state)
{
	static const struct option_row bad[] = {
		{"wait", 'w', OPTION_DURATION, FIELD(wait), "TIME",
			OPTION_DEFAULT("wait (", "2m", ")"), "C", 0, 60000},
		{0},
	};
	struct option_program with_bad = program;

	(void)state;
	with_bad.tables[2] = bad;
	assert_int_equal(parse(NULL), OPTION_RUN);
	assert_int_equal(option_parse(&with_bad, line->count, line->words, &line->config,
				 &line->first, &line->error),
		OPTION_BAD);
	assert_bad("the default of --wait: '2m' is not a duration from 0");
}

/* --- secrets ---------------------------------------------------------------------------------- */

static void a_secret_is_kept_and_what_others_can_see_of_it_is_overwritten(void **state)
{
	(void)state;
	assert_int_equal(parse("-b", "hidden", "--header", "Key: hidden", "-HOther: hidden",
				 "--text=hidden", NULL),
		OPTION_RUN);
	assert_string_equal(line->config.secret, "hidden");
	assert_int_equal(line->config.secrets.count, 2);
	assert_string_equal(line->config.secrets.values[0], "Key: hidden");
	assert_string_equal(line->config.secrets.values[1], "Other: hidden");
	for (int i = 1; i < line->count; i++) {
		if (strstr(line->words[i], "hidden") != NULL)
			assert_string_equal(line->words[i], "--text=hidden");
	}
	assert_int_equal(parse("--bearer-token=hidden", NULL), OPTION_RUN);
	assert_string_equal(line->config.secret, "hidden");
	assert_string_equal(line->words[1], "--bearer-token=******");
}

/* --- the environment -------------------------------------------------------------------------- */

static void the_environment_gives_what_the_command_line_does_not(void **state)
{
	(void)state;
	setenv("SSE_TEXT", "from outside", 1);
	setenv("SSE_FLAG", "Yes", 1);
	setenv("SSE_VERBOSE", "2", 1);
	setenv("SSE_COUNT", "5", 1);
	setenv("SSE_STAMP", "unix", 1);
	setenv("SSE_LIST", "a b", 1);
	assert_int_equal(parse(NULL), OPTION_RUN);
	assert_string_equal(line->config.text, "from outside");
	assert_true(line->config.flag);
	assert_int_equal(line->config.times, 2);
	assert_int_equal(line->config.count, 5);
	assert_int_equal(line->config.stamp, 1);
	assert_int_equal(line->config.list.count, 1);
	assert_int_equal(parse("-t", "given", "-s", "-n", "6", "-l", "c", "-v", NULL), OPTION_RUN);
	assert_string_equal(line->config.text, "given");
	assert_int_equal(line->config.stamp, 0);
	assert_int_equal(line->config.count, 6);
	assert_int_equal(line->config.list.count, 1);
	assert_string_equal(line->config.list.values[0], "c");
	assert_int_equal(line->config.times, 1);
}

static void an_empty_variable_counts_as_not_set(void **state)
{
	static const char *const names[] = {"SSE_FLAG", "SSE_VERBOSE", "SSE_TEXT", "SSE_LIST",
		"SSE_COUNT", "SSE_DURATION", "SSE_SIZE", "SSE_CHOICE", "SSE_STAMP", "SSE_VOID",
		"SSE_BEARER_TOKEN"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		setenv(names[i], "", 1);
	setenv("SSE_TOKEN", "other", 1);
	assert_int_equal(parse(NULL), OPTION_RUN);
	assert_false(line->config.flag);
	assert_null(line->config.text);
	assert_null(line->config.empty);
	assert_int_equal(line->config.list.count, 0);
	assert_int_equal(line->config.choice, -1);
	assert_string_equal(line->config.secret, "other");
}

static void a_flags_variable_says_yes_or_no(void **state)
{
	static const char *const yes[] = {"1", "yes", "TRUE", "on"};
	static const char *const no[] = {"", "0", "No", "false", "off"};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		setenv("SSE_FLAG", yes[i], 1);
		assert_int_equal(parse(NULL), OPTION_RUN);
		assert_true(line->config.flag);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		setenv("SSE_FLAG", no[i], 1);
		assert_int_equal(parse(NULL), OPTION_RUN);
		assert_false(line->config.flag);
	}
	setenv("SSE_FLAG", "2", 1);
	assert_int_equal(parse(NULL), OPTION_BAD);
	assert_bad("SSE_FLAG: '2' is neither 1 nor 0");
}

static void another_variable_is_read_if_the_first_is_not_set(void **state)
{
	(void)state;
	setenv("SSE_TOKEN", "other", 1);
	assert_int_equal(parse(NULL), OPTION_RUN);
	assert_string_equal(line->config.secret, "other");
	setenv("SSE_BEARER_TOKEN", "own", 1);
	assert_int_equal(parse(NULL), OPTION_RUN);
	assert_string_equal(line->config.secret, "own");
	assert_int_equal(parse("-b", "given", NULL), OPTION_RUN);
	assert_string_equal(line->config.secret, "given");
	/* The variables are as they were. */
	assert_string_equal(getenv("SSE_TOKEN"), "other");
}

static void a_bad_variable_is_named(void **state)
{
	(void)state;
	setenv("SSE_COUNT", "many", 1);
	assert_int_equal(parse(NULL), OPTION_BAD);
	assert_bad("SSE_COUNT: ");
	/* It is not looked at where the command line decides. */
	assert_int_equal(parse("-n", "1", NULL), OPTION_RUN);
	setenv("SSE_STAMP", "local", 1);
	assert_int_equal(parse("-n", "1", NULL), OPTION_BAD);
	assert_bad("SSE_STAMP: 'local' is not one of iso, unix");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)
	const struct CMUnitTest tests[] = {
		TEST(values_come_in_every_spelling),
		TEST(operands_stand_last_wherever_they_were),
		TEST(an_argument_that_may_be_left_out_has_a_preset),
		TEST(a_value_that_is_given_twice_is_refused_but_lists_and_counts_grow),
		TEST(a_word_that_is_misspelt_suggests_the_nearest),
		TEST(a_name_cut_short_is_not_the_name),
		TEST(a_value_that_is_missing_or_too_many_is_named),
		TEST(a_number_outside_its_range_names_the_range),
		TEST(an_empty_value_is_refused_unless_it_means_something),
		TEST(a_default_holds_until_another_value_is_given),
		TEST(a_row_without_a_default_leaves_its_field_alone),
		TEST(the_help_names_the_default),
		TEST(a_default_that_cannot_be_is_reported),
		TEST(a_secret_is_kept_and_what_others_can_see_of_it_is_overwritten),
		TEST(the_environment_gives_what_the_command_line_does_not),
		TEST(an_empty_variable_counts_as_not_set),
		TEST(a_flags_variable_says_yes_or_no),
		TEST(another_variable_is_read_if_the_first_is_not_set),
		TEST(a_bad_variable_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
