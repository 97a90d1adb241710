/* SPDX-License-Identifier: MIT */
/* A configuration that was read; see option_config.h. */
#include <stdbool.h>
#include <string.h>

#include "option_config.h"
#include "option_value.h"

/* Where the comments begin. */
#define COMMENT_COLUMN 40

/* The next value of the row, from *${i} on; NULL: there is none. */
static const struct option_given *next_given(
	const struct option_sources *sources, const struct option_row *row, size_t *i)
{
	while (*i < sources->count) {
		const struct option_given *given = &sources->given[(*i)++];

		if (given->row == row)
			return given;
	}
	return NULL;
}

/* --- showing --- */

static bool needs_quotes(const char *value)
{
	size_t len = strlen(value);

	return len == 0 || strchr("\"'#= \t", value[0]) != NULL || value[len - 1] == ' ' ||
	       value[len - 1] == '\t' || strstr(value, " #") != NULL ||
	       strstr(value, "\t#") != NULL;
}

static int print_value(const struct option_row *row, const char *value, FILE *out)
{
	const char *quote = "";

	if (value == NULL)
		return fprintf(out, "%s", row->name);
	if (needs_quotes(value))
		quote = strchr(value, '"') == NULL ? "\"" : "'";
	return fprintf(out, "%s %s%s%s", row->name, quote, value, quote);
}

static void print_comment(int printed, const char *text, FILE *out)
{
	fprintf(out, "%*s # %s", printed < COMMENT_COLUMN ? COMMENT_COLUMN - printed : 0, "", text);
}

static void print_given(
	const struct option_given *given, const struct option_sources *sources, FILE *out)
{
	char variable[80];
	int printed;

	if (given->row->secret)
		printed = fprintf(out, "# %s is a secret", given->row->name);
	else
		printed = print_value(given->row, given->value, out);
	switch (given->origin) {
	case OPTION_BY_FILE:
		print_comment(printed, sources->path, out);
		fprintf(out, ":%u\n", given->line);
		break;
	case OPTION_BY_VARIABLE:
		option_table_variable(given->row->name, variable, sizeof(variable));
		print_comment(printed, variable, out);
		fputc('\n', out);
		break;
	case OPTION_BY_COMMAND_LINE:
		print_comment(printed, "command line\n", out);
		break;
	}
}

static void print_default(const struct option_row *row, FILE *out)
{
	if (row->default_value != NULL)
		print_comment(print_value(row, row->default_value, out), "default\n", out);
	else if (row->type == OPTION_FLAG)
		print_comment(print_value(row, "no", out), "default\n", out);
	else if (row->type == OPTION_TIMES)
		print_comment(print_value(row, "0", out), "default\n", out);
	else
		print_comment(fprintf(out, "# %s", row->name), "not given\n", out);
}

static void print_row(const struct option_row *row, const struct option_sources *sources, FILE *out)
{
	const struct option_given *given;
	size_t i = 0, times = 0, before = 0;
	bool any = false;

	/* What was counted on the command line is one value. */
	while ((given = next_given(sources, row, &i)) != NULL) {
		if (row->type == OPTION_TIMES && given->value == NULL)
			times++;
	}
	i = 0;
	while ((given = next_given(sources, row, &i)) != NULL) {
		char count[24];
		struct option_given one = *given;

		any = true;
		if (times > 1) {
			snprintf(count, sizeof(count), "%zu", times);
			one.value = count;
			if (before++ > 0)
				continue;
		}
		print_given(&one, sources, out);
	}
	if (!any)
		print_default(row, out);
}

void option_config_print(
	const struct option_program *program, const struct option_sources *sources, FILE *out)
{
	const struct option_row *rows[OPTION_TABLE_MAX];
	size_t count = option_table_rows(program, rows, OPTION_TABLE_MAX);

	for (size_t i = 0; i < count; i++) {
		if (!rows[i]->command)
			print_row(rows[i], sources, out);
	}
}

/* --- blaming --- */

/* Does the text have the value in quotes?  Sentences cut long values off. */
static bool quotes(const char *text, const char *value)
{
	const char *quote = strchr(text, '\'');

	for (; quote != NULL; quote = strchr(quote + 1, '\'')) {
		const char *end = strchr(quote + 1, '\'');

		if (end != NULL && end > quote + 1 &&
			strncmp(quote + 1, value, (size_t)(end - quote - 1)) == 0)
			return true;
	}
	return false;
}

static unsigned line_of(
	const struct option_sources *sources, const struct option_row *row, const char *text)
{
	const struct option_given *given;
	unsigned line = 0;
	size_t i = 0;

	while ((given = next_given(sources, row, &i)) != NULL) {
		if (given->origin != OPTION_BY_FILE)
			return 0;
		if (line == 0 || (given->value != NULL && quotes(text, given->value)))
			line = given->line;
	}
	return line;
}

void option_config_blame(const struct option_program *program, const struct option_sources *sources,
	struct error *error)
{
	const struct option_row *rows[OPTION_TABLE_MAX];
	size_t count = option_table_rows(program, rows, OPTION_TABLE_MAX);

	for (const char *name = strstr(error->text, "--"); name != NULL;
		name = strstr(name, "--")) {
		size_t len = strspn(name += 2, "abcdefghijklmnopqrstuvwxyz0123456789-");

		for (size_t i = 0; i < count; i++) {
			unsigned line;

			if (strlen(rows[i]->name) != len || memcmp(rows[i]->name, name, len) != 0)
				continue;
			line = line_of(sources, rows[i], name + len);
			if (line == 0)
				continue;
			option_value_blame_line(error, sources->path, line);
			return;
		}
	}
}

/* --- reading again --- */

static void add_name(char *names, size_t size, const char *name)
{
	size_t len = strlen(names);

	snprintf(names + len, size - len, "%s%s", len > 0 ? ", " : "", name);
}

int option_config_keep(const struct option_program *program, void *to, const void *from,
	char *names, size_t size, struct error *error)
{
	const struct option_row *rows[OPTION_TABLE_MAX];
	size_t count = option_table_rows(program, rows, OPTION_TABLE_MAX);

	names[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->live || rows[i]->command)
			continue;
		if (!option_value_equal(rows[i], to, from))
			add_name(names, size, rows[i]->name);
		if (option_value_copy(rows[i], to, from, error) != 0)
			return -1;
	}
	return 0;
}
