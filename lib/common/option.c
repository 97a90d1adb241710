/* SPDX-License-Identifier: MIT */
/* Parsing by option table, over getopt_long; see option.h. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "nearest.h"
#include "option.h"
#include "option_file.h"
#include "option_text.h"
#include "option_value.h"

enum built_in { BUILT_IN_HELP, BUILT_IN_VERSION, BUILT_IN_COMPLETIONS };

static int store_defaults(
	const struct option_row *const *rows, size_t count, void *config, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->default_value != NULL &&
			option_value_store(rows[i], config, rows[i]->default_value, error) != 0)
			return option_value_blame(error, "the default of --", rows[i]->name);
	}
	return 0;
}

/* The value of the row's variable, whose name is stored; NULL if none is set. */
static const char *find_variable(const struct option_row *row, char name[80])
{
	const char *value;

	option_table_variable(row->name, name, 80);
	value = getenv(name);
	if ((value == NULL || *value == '\0') && row->variable != NULL) {
		snprintf(name, 80, "%s", row->variable);
		value = getenv(name);
	}
	return value != NULL && *value != '\0' ? value : NULL;
}

/* Keep where a value comes from, if somebody wants to know. */
static int note(struct option_sources *sources, const struct option_row *row, const char *value,
	enum option_origin origin, unsigned line, struct error *error)
{
	struct option_given *given;

	if (sources == NULL)
		return 0;
	given = realloc(sources->given, (sources->count + 1) * sizeof(*given));
	if (given == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	sources->given = given;
	given[sources->count++] =
		(struct option_given){row, row->secret ? NULL : value, origin, line};
	return 0;
}

static int store_variable(const struct option_row *row, void *config, bool *seen,
	struct option_sources *sources, struct error *error)
{
	char variable[80];
	const char *value = find_variable(row, variable);

	if (value == NULL)
		return 0;
	*seen = true;
	if (option_value_store_word(row, config, value, error) != 0)
		return option_value_blame(error, "", variable);
	return note(sources, row, value, OPTION_BY_VARIABLE, 0, error);
}

/* ${dashes}: "--" on the command line, nothing in a file. */
static int unknown(const struct option_row *const *rows, size_t count, const char *dashes,
	const char *word, struct error *error)
{
	size_t len = strcspn(word, "=");
	struct nearest nearest;

	nearest_start(&nearest, word, len);
	for (size_t i = 0; i < count; i++)
		nearest_offer(&nearest, rows[i]->name);
	if (nearest.name == NULL)
		return error_set(error, EX_USAGE,
			"there is no option %s%.*s; --help lists them all", dashes, (int)len, word);
	return error_set(error, EX_USAGE, "there is no option %s%.*s; did you mean %s%s?", dashes,
		(int)len, word, dashes, nearest.name);
}

/* getopt_long()'s own tables, made from the rows; its val is the row's index + 256. */
struct getopt_tables {
	char letters[3 * OPTION_TABLE_MAX + 2];
	struct option names[OPTION_TABLE_MAX + 1];
};

static void make_tables(
	const struct option_row *const *rows, size_t count, struct getopt_tables *tables)
{
	char *letter = tables->letters;

	*letter++ = ':';
	for (size_t i = 0; i < count; i++) {
		int argument = rows[i]->preset	   ? optional_argument
			       : rows[i]->argument ? required_argument
						   : no_argument;

		tables->names[i] = (struct option){rows[i]->name, argument, NULL, (int)i + 256};
		if (rows[i]->letter == 0)
			continue;
		*letter++ = rows[i]->letter;
		for (int colons = argument; colons > 0; colons--)
			*letter++ = ':';
	}
	*letter = '\0';
	tables->names[count] = (struct option){0};
}

/* The row that getopt_long() means by its answer, or NULL. */
static const struct option_row *row_of(
	const struct option_row *const *rows, size_t count, int answer)
{
	if (answer >= 256)
		return rows[answer - 256];
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->letter == answer && answer != 0)
			return rows[i];
	}
	return NULL;
}

/* getopt_long() takes a name cut short for the whole: we do not, or a new option could break it. */
static bool cut_short(const char *word, const struct option_row *row)
{
	return strncmp(word, "--", 2) == 0 &&
	       (strlen(row->name) != strcspn(word + 2, "=") ||
		       strncmp(row->name, word + 2, strlen(row->name)) != 0);
}

static enum option_result answer_built_in(
	const struct option_program *program, const struct option_row *row, struct error *error)
{
	int shell = 0;

	switch ((enum built_in)(row - option_table_built_in)) {
	case BUILT_IN_HELP:
		option_print_help(program, stdout);
		break;
	case BUILT_IN_VERSION:
		option_print_version(program, stdout);
		break;
	case BUILT_IN_COMPLETIONS:
		if (option_value_choose(row, optarg, &shell, error) != 0) {
			option_value_blame(error, "--", row->name);
			return OPTION_BAD;
		}
		option_print_completions(program, (enum option_shell)shell, stdout);
		break;
	}
	if (fflush(stdout) != 0) {
		error_set(error, EX_IOERR, "cannot write to the standard output");
		return OPTION_BAD;
	}
	return OPTION_DONE;
}

/* One option of the command line. */
static int take(const struct option_row *row, bool *seen, void *config,
	struct option_sources *sources, struct error *error)
{
	bool once = row->type != OPTION_LIST && row->type != OPTION_TIMES;
	const char *value = optarg;

	if (once && *seen)
		return error_set(
			error, EX_USAGE, "--%s was given twice; it takes one value", row->name);
	*seen = true;
	if (value == NULL)
		value = row->preset;
	/* -t=iso is meant as --time=iso is. */
	else if (row->preset != NULL && *value == '=')
		value++;
	if (option_value_store(row, config, value, error) != 0)
		return option_value_blame(error, "--", row->name);
	if (row->secret)
		memset(optarg, '*', strlen(optarg));
	return note(sources, row, value, OPTION_BY_COMMAND_LINE, 0, error);
}

static int bad_option(const struct option_row *const *rows, size_t count, int answer, char **argv,
	struct error *error)
{
	if (answer == ':') {
		const struct option_row *row = row_of(rows, count, optopt);

		if (row != NULL && optopt >= 256 && cut_short(argv[optind - 1], row))
			return unknown(rows, count, "--", argv[optind - 1] + 2, error);
		return error_set(error, EX_USAGE, "--%s needs a value: --%s %s",
			row ? row->name : "?", row ? row->name : "?", row ? row->argument : "?");
	}
	if (optopt >= 256)
		return error_set(error, EX_USAGE, "--%s takes no value", rows[optopt - 256]->name);
	if (optopt != 0)
		return error_set(error, EX_USAGE, "there is no option -%c; --help lists them all",
			optopt >= ' ' && optopt < 127 ? optopt : '?');
	return unknown(rows, count, "--", argv[optind - 1] + 2, error);
}

/* Does the command line have an option that makes this one senseless? */
static bool has_rival(const struct option_row *const *rows, const bool *seen, size_t count,
	const struct option_row *row)
{
	for (size_t i = 0; row->rivals != NULL && i < count; i++) {
		if (seen[i] && rows[i]->rivals != NULL && strcmp(rows[i]->rivals, row->rivals) == 0)
			return true;
	}
	return false;
}

/* --- the configuration file --- */

/* Everything that the command line and the variables do not give. */
struct file_parse {
	const struct option_row *const *rows;
	size_t count;
	const bool *higher; /* by row: it is given by what takes precedence */
	unsigned *lines;    /* by row: where it stands; 0: nowhere yet */
	void *config;
	struct option_sources *sources;
};

/* What takes precedence is checked, too, and then forgotten. */
static int check_only(const struct option_row *row, const char *value, struct error *error)
{
	struct option_row elsewhere = *row;
	union {
		struct option_list list;
		const char *text;
		int64_t number;
		int times;
		bool flag;
	} field = {0};
	int result;

	elsewhere.offset = 0;
	result = value != NULL ? option_value_store_word(&elsewhere, &field, value, error) : 0;
	option_value_free(&elsewhere, &field);
	return result;
}

static int store_line(const struct file_parse *parse, size_t i, const struct option_line *line,
	struct error *error)
{
	const struct option_row *row = parse->rows[i];
	const char *value = line->value != NULL ? line->value : row->preset;
	bool higher = parse->higher[i] || has_rival(parse->rows, parse->higher, parse->count, row);
	int result;

	if (row->command)
		return error_set(error, EX_USAGE, "%s belongs on the command line, not in a file",
			row->name);
	if (parse->lines[i] != 0 && row->type != OPTION_LIST)
		return error_set(error, EX_USAGE, "%s is already in line %u; it takes one value",
			row->name, parse->lines[i]);
	parse->lines[i] = line->number;
	if (value == NULL && row->argument != NULL)
		return error_set(error, EX_USAGE, "%s needs a value: %s %s", row->name, row->name,
			row->argument);
	if (higher)
		result = check_only(row, value, error);
	else if (value == NULL)
		result = option_value_store(row, parse->config, NULL, error);
	else
		result = option_value_store_word(row, parse->config, value, error);
	if (result != 0)
		return option_value_blame(error, "", row->name);
	return higher ? 0
		      : note(parse->sources, row, line->value, OPTION_BY_FILE, line->number, error);
}

static int take_line(
	const struct file_parse *parse, const struct option_line *line, struct error *error)
{
	for (size_t i = 0; i < parse->count; i++) {
		if (strcmp(parse->rows[i]->name, line->name) == 0)
			return store_line(parse, i, line, error);
	}
	return unknown(parse->rows, parse->count, "", line->name, error);
}

static int take_file(const struct file_parse *parse, size_t len, struct error *error)
{
	struct option_sources *sources = parse->sources;
	struct option_file file;
	struct option_line line;
	int result;

	option_file_begin(&file, sources->text, len);
	while ((result = option_file_next(&file, &line, error)) == 1) {
		result = take_line(parse, &line, error);
		if (result != 0)
			break;
	}
	return result == 0 ? 0 : option_value_blame_line(error, sources->path, line.number);
}

/* Read the file that the command line or the environment names, if they do. */
static int store_file(
	const struct option_program *program, struct file_parse *parse, struct error *error)
{
	struct option_sources *sources = parse->sources;
	unsigned lines[OPTION_TABLE_MAX] = {0};
	size_t len = 0;

	for (size_t i = 0; i < sources->count; i++) {
		if (strcmp(sources->given[i].row->name, program->file) == 0)
			sources->path = sources->given[i].value;
	}
	if (sources->path == NULL)
		return 0;
	if (program->read(sources->path, &sources->text, &len, error) != 0)
		return option_value_blame(error, "--", program->file);
	parse->lines = lines;
	return take_file(parse, len, error);
}

/* --- all of them --- */

/* Read the command line; what it gives is ${seen}. */
static enum option_result store_command_line(const struct option_program *program, int argc,
	char **argv, void *config, bool *seen, struct option_sources *sources, struct error *error)
{
	const struct option_row *rows[OPTION_TABLE_MAX];
	size_t count = option_table_rows(program, rows, OPTION_TABLE_MAX);
	struct getopt_tables tables;
	int answer, index;

	make_tables(rows, count, &tables);
	opterr = 0;
	/* 0, not 1: it also forgets the middle of a word at which an earlier call ended. */
	optind = 0;
	for (;;) {
		const struct option_row *row;
		int word = optind;

		index = -1;
		answer = getopt_long(argc, argv, tables.letters, tables.names, &index);
		if (answer == -1)
			return OPTION_RUN;
		row = answer == '?' || answer == ':' ? NULL : row_of(rows, count, answer);
		if (row == NULL) {
			bad_option(rows, count, answer, argv, error);
			return OPTION_BAD;
		}
		/* Operands may have been skipped: the option's own word is before its value. */
		if (answer >= 256) {
			word = optind - 1;
			if (row->argument != NULL && optarg != NULL && optarg == argv[optind - 1])
				word--;
			if (cut_short(argv[word], row)) {
				unknown(rows, count, "--", argv[word] + 2, error);
				return OPTION_BAD;
			}
		}
		for (size_t i = 0; i < count; i++) {
			if (rows[i] != row)
				continue;
			if (row >= option_table_built_in && row < option_table_built_in + 3)
				return answer_built_in(program, row, error);
			if (take(row, &seen[i], config, sources, error) != 0)
				return OPTION_BAD;
		}
	}
}

enum option_result option_parse_sources(const struct option_program *program, int argc, char **argv,
	void *config, int *operands, struct option_sources *sources, struct error *error)
{
	const struct option_row *rows[OPTION_TABLE_MAX];
	size_t count = option_table_rows(program, rows, OPTION_TABLE_MAX);
	bool seen[OPTION_TABLE_MAX] = {false}, given[OPTION_TABLE_MAX];
	struct file_parse parse = {rows, count, given, NULL, config, sources};
	enum option_result result;

	if (sources != NULL)
		*sources = (struct option_sources){0};
	if (store_defaults(rows, count, config, error) != 0)
		return OPTION_BAD;
	result = store_command_line(program, argc, argv, config, seen, sources, error);
	if (result != OPTION_RUN)
		return result;
	*operands = optind;
	memcpy(given, seen, sizeof(given));
	for (size_t i = 0; i < count; i++) {
		if (!seen[i] && !has_rival(rows, seen, count, rows[i]) &&
			rows[i]->group != option_table_built_in[0].group &&
			store_variable(rows[i], config, &given[i], sources, error) != 0)
			return OPTION_BAD;
	}
	if (program->file != NULL && store_file(program, &parse, error) != 0)
		return OPTION_BAD;
	return OPTION_RUN;
}

enum option_result option_parse(const struct option_program *program, int argc, char **argv,
	void *config, int *operands, struct error *error)
{
	return option_parse_sources(program, argc, argv, config, operands, NULL, error);
}

void option_free(const struct option_row *rows, void *config)
{
	for (const struct option_row *row = rows; row->name != NULL; row++)
		option_value_free(row, config);
}

void option_sources_free(struct option_sources *sources)
{
	free(sources->given);
	free(sources->text);
	*sources = (struct option_sources){0};
}
