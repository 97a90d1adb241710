/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/option_file.c, and of what option.c and option_config.c make of its lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "option_config.h"
#include "option_file.h"

/* The lines of a text, as "NUMBER NAME=VALUE;", or the mistake that ends them. */
static const char *lines_of(const char *text)
{
	static char result[600];
	struct option_file file;
	struct option_line line;
	struct error error = {0};
	char *copy = malloc(strlen(text) + 1);
	size_t used = 0;
	int next;

	assert_non_null(copy);
	memcpy(copy, text, strlen(text));
	result[0] = '\0';
	option_file_begin(&file, copy, strlen(text));
	while ((next = option_file_next(&file, &line, &error)) == 1)
		used += (size_t)snprintf(result + used, sizeof(result) - used, "%u %s=%s;",
			line.number, line.name, line.value != NULL ? line.value : "NULL");
	if (next != 0) {
		assert_int_equal(error.status, EX_DATAERR);
		snprintf(
			result + used, sizeof(result) - used, "%u: %.20s", line.number, error.text);
	}
	free(copy);
	return result;
}

static void lines_have_names_and_values(void **state)
{
	(void)state;
	assert_string_equal(lines_of(""), "");
	assert_string_equal(lines_of("\n # a\n\t\n"), "");
	assert_string_equal(lines_of("a\nb 1\n\nc = 2\nd=3\n"), "1 a=NULL;2 b=1;4 c=2;5 d=3;");
	assert_string_equal(lines_of(" a \t b c  # d\r\n"), "1 a=b c;");
	assert_string_equal(lines_of("a b#c\na #c\n"), "1 a=b#c;2 a=NULL;");
	assert_string_equal(
		lines_of("a '# b '\na \"it's\" # c\na ''\n"), "1 a=# b ;2 a=it's;3 a=;");
	assert_string_equal(lines_of("a =b=c\na b='c'\n"), "1 a=b=c;2 a=b='c';");
}

static void a_mistake_ends_them(void **state)
{
	(void)state;
	assert_string_equal(lines_of("a 1\nb 2"), "1 a=1;2: the last line does n");
	assert_string_equal(lines_of("a\001b\n"), "1: the line has a contr");
	assert_string_equal(lines_of("a \x7f\n"), "1: the line has a contr");
	assert_string_equal(lines_of("=1\n"), "1: a line begins with t");
	assert_string_equal(lines_of("a =\n"), "1: the value after the ");
	assert_string_equal(lines_of("a 'b\n"), "1: the value begins wit");
	assert_string_equal(lines_of("a 'b' c\n"), "1: text follows the clo");
	assert_string_equal(lines_of("\n-a\n"), "2: write the names of o");
	assert_string_equal(lines_of("a#b\n"), "1: a comment begins wit");
}

/* --- with a table --- */

struct config {
	const char *file, *text;
	struct option_list list;
	int64_t count;
	int times;
	bool flag;
};

#define FIELD(name) offsetof(struct config, name)

static const struct option_row rows[] = {
	{.name = "config",
		.letter = 'c',
		.type = OPTION_STRING,
		.offset = FIELD(file),
		.argument = "FILE",
		.command = true,
		.group = "A"},
	{.name = "text",
		.type = OPTION_STRING,
		.offset = FIELD(text),
		.argument = "TEXT",
		.group = "A"},
	{.name = "list",
		.type = OPTION_LIST,
		.offset = FIELD(list),
		.argument = "TEXT",
		.live = true,
		.group = "A"},
	{.name = "count",
		.type = OPTION_COUNT,
		.offset = FIELD(count),
		.argument = "N",
		.min = 1,
		.max = 9,
		.group = "A",
		.default_value = "3"},
	{.name = "times", .type = OPTION_TIMES, .offset = FIELD(times), .live = true, .group = "A"},
	{.name = "flag", .type = OPTION_FLAG, .offset = FIELD(flag), .group = "A"},
	{0},
};

static const char *content;

static int read_content(const char *path, char **text, size_t *len, struct error *error)
{
	(void)path;
	(void)error;
	*len = strlen(content);
	*text = malloc(*len + 1);
	assert_non_null(*text);
	memcpy(*text, content, *len);
	return 0;
}

static const struct option_program program = {.name = "test",
	.synopsis = "",
	.summary = "",
	.tables = {rows},
	.examples = "",
	.file = "config",
	.read = read_content};

struct parsed {
	struct config config;
	struct option_sources sources;
	struct error error;
};

/* Parse `test -c f` and one word more, or none, with this file. */
static enum option_result parse(struct parsed *parsed, const char *text, const char *word)
{
	char name[] = "test", option[] = "-c", path[] = "f", more[40] = "";
	char *argv[] = {name, option, path, word != NULL ? more : NULL, NULL};
	enum option_result result;
	int operands;

	*parsed = (struct parsed){0};
	content = text;
	snprintf(more, sizeof(more), "%s", word != NULL ? word : "");
	result = option_parse_sources(&program, word != NULL ? 4 : 3, argv, &parsed->config,
		&operands, &parsed->sources, &parsed->error);
	/* These words end with this function. */
	parsed->sources.path = "f";
	return result;
}

static void drop(struct parsed *parsed)
{
	option_free(rows, &parsed->config);
	option_sources_free(&parsed->sources);
}

static void a_file_gives_what_nothing_else_does(void **state)
{
	struct parsed parsed;

	(void)state;
	unsetenv("SSE_COUNT");
	assert_int_equal(
		parse(&parsed, "count 5\nlist a\nlist b\ntimes 2\nflag\n", NULL), OPTION_RUN);
	assert_int_equal(parsed.config.count, 5);
	assert_int_equal(parsed.config.times, 2);
	assert_true(parsed.config.flag);
	assert_int_equal(parsed.config.list.count, 2);
	assert_string_equal(parsed.config.list.values[1], "b");
	drop(&parsed);
	setenv("SSE_COUNT", "6", 1);
	assert_int_equal(parse(&parsed, "count 5\n", NULL), OPTION_RUN);
	assert_int_equal(parsed.config.count, 6);
	drop(&parsed);
	assert_int_equal(parse(&parsed, "count 5\nlist a\n", "--count=7"), OPTION_RUN);
	assert_int_equal(parsed.config.count, 7);
	assert_int_equal(parsed.config.list.count, 1);
	drop(&parsed);
	unsetenv("SSE_COUNT");
}

static void refused(const char *text, const char *word, const char *want)
{
	struct parsed parsed;

	assert_int_equal(parse(&parsed, text, word), OPTION_BAD);
	assert_int_equal(parsed.error.status, EX_DATAERR);
	assert_string_equal(parsed.error.text, want);
	drop(&parsed);
}

static void a_mistake_names_the_line(void **state)
{
	(void)state;
	refused("\ncoun 5\n", NULL, "f:2: there is no option coun; did you mean count?");
	refused("count 5\ncount 6\n", NULL, "f:2: count is already in line 1; it takes one value");
	refused("count 0\n", "--count=7", "f:1: count: '0' is not a number from 1 to 9");
	refused("list ''\n", "--list=a",
		"f:1: list: the value is empty; give TEXT, or leave the option out");
	refused("count\n", NULL, "f:1: count needs a value: count N");
	refused("config g\n", NULL, "f:1: config belongs on the command line, not in a file");
	refused("version\n", NULL, "f:1: version belongs on the command line, not in a file");
}

static void an_error_is_put_down_to_the_line_of_the_value_it_quotes(void **state)
{
	struct parsed parsed;
	struct error error;

	(void)state;
	assert_int_equal(parse(&parsed, "list a\nlist b\ntext t\n", "--flag"), OPTION_RUN);
	error_set(&error, EX_USAGE, "--list 'b' is wrong");
	option_config_blame(&program, &parsed.sources, &error);
	assert_string_equal(error.text, "f:2: --list 'b' is wrong");
	assert_int_equal(error.status, EX_DATAERR);
	error_set(&error, EX_USAGE, "--flag needs --text");
	option_config_blame(&program, &parsed.sources, &error);
	assert_string_equal(error.text, "f:3: --flag needs --text");
	error_set(&error, EX_USAGE, "--flag is wrong");
	option_config_blame(&program, &parsed.sources, &error);
	assert_string_equal(error.text, "--flag is wrong");
	assert_int_equal(error.status, EX_USAGE);
	drop(&parsed);
}

static void what_is_not_live_is_kept_and_named(void **state)
{
	struct parsed running, fresh;
	char names[100];

	(void)state;
	assert_int_equal(parse(&running, "text a\nlist a\ncount 2\n", NULL), OPTION_RUN);
	assert_int_equal(parse(&fresh, "text b\nlist b\nlist c\nflag\n", NULL), OPTION_RUN);
	assert_int_equal(option_config_keep(&program, &fresh.config, &running.config, names,
				 sizeof(names), NULL),
		0);
	assert_string_equal(names, "text, count, flag");
	assert_string_equal(fresh.config.text, "a");
	assert_int_equal(fresh.config.count, 2);
	assert_false(fresh.config.flag);
	assert_int_equal(fresh.config.list.count, 2);
	assert_string_equal(fresh.config.list.values[0], "b");
	drop(&fresh);
	drop(&running);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_names_and_values),
		cmocka_unit_test(a_mistake_ends_them),
		cmocka_unit_test(a_file_gives_what_nothing_else_does),
		cmocka_unit_test(a_mistake_names_the_line),
		cmocka_unit_test(an_error_is_put_down_to_the_line_of_the_value_it_quotes),
		cmocka_unit_test(what_is_not_live_is_kept_and_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
