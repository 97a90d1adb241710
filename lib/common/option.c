/* SPDX-License-Identifier: MIT */
/* Parsing by option table, over getopt_long; see option.h. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "nearest.h"
#include "number.h"
#include "option.h"
#include "option_text.h"

enum built_in { BUILT_IN_HELP, BUILT_IN_VERSION, BUILT_IN_COMPLETIONS };

static int choose(const struct option_row *row, const char *value, int *chosen, struct error *error)
{
	char words[200] = "";

	for (int i = 0; row->choices[i] != NULL; i++) {
		if (strcmp(row->choices[i], value) == 0) {
			*chosen = i;
			return 0;
		}
		if (i > 0)
			strncat(words, ", ", sizeof(words) - strlen(words) - 1);
		strncat(words, row->choices[i], sizeof(words) - strlen(words) - 1);
	}
	return error_set(error, EX_USAGE, "'%.60s' is not one of %s", value, words);
}

static int list_add(struct option_list *list, const char *value, struct error *error)
{
	const char **values = realloc(list->values, (list->count + 1) * sizeof(*values));

	if (values == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	values[list->count++] = value;
	list->values = values;
	return 0;
}

/* A copy of a secret, which outlives the wiping of argv. */
static int keep_secret(const char **value, struct error *error)
{
	*value = strdup(*value);
	return *value != NULL ? 0 : error_set(error, EX_OSERR, "out of memory");
}

/* Numbers and choices have their own sentences about values that are not valid. */
static int refuse_empty(const struct option_row *row, const char *value, struct error *error)
{
	bool text = row->type == OPTION_STRING || row->type == OPTION_LIST;

	if (!text || *value != '\0' || row->may_be_empty)
		return 0;
	if (row->if_empty != NULL)
		return error_set(error, EX_USAGE, "the value is empty; %s", row->if_empty);
	return error_set(error, EX_USAGE, "the value is empty; give %s, or leave the option out",
		row->argument);
}

/* Store one value in the field of its row. */
static int store(const struct option_row *row, void *config, const char *value, struct error *error)
{
	void *field = (char *)config + row->offset;

	if (value != NULL && refuse_empty(row, value, error) != 0)
		return -1;
	if (row->secret && keep_secret(&value, error) != 0)
		return -1;

	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_TIMES:
		++*(int *)field;
		return 0;
	case OPTION_STRING:
		*(const char **)field = value;
		return 0;
	case OPTION_LIST:
		return list_add(field, value, error);
	case OPTION_COUNT:
		return number_count(value, row->min, row->max, field, error);
	case OPTION_DURATION:
		return number_duration(value, row->min, row->max, field, error);
	case OPTION_SIZE:
		return number_size(value, row->min, row->max, field, error);
	case OPTION_CHOICE:
		return choose(row, value, field, error);
	}
	return -1;
}

/* Put what the value was given to in front of the sentence about the value. */
static int blame(struct error *error, const char *dashes, const char *name)
{
	struct error reason = *error;

	return error_set(error, reason.status, "%s%s: %.400s", dashes, name, reason.text);
}

static int store_defaults(
	const struct option_row *const *rows, size_t count, void *config, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->default_value != NULL &&
			store(rows[i], config, rows[i]->default_value, error) != 0)
			return blame(error, "the default of --", rows[i]->name);
	}
	return 0;
}

/* A flag's variable says yes or no. */
static int store_flag_variable(
	const struct option_row *row, void *config, const char *value, struct error *error)
{
	static const char *const words[] = {"0", "no", "false", "off", "1", "yes", "true", "on"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(words[i], value) == 0)
			return i < 4 ? 0 : store(row, config, value, error);
	}
	return error_set(error, EX_USAGE, "'%.60s' is neither 1 nor 0", value);
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

static int store_variable(const struct option_row *row, void *config, struct error *error)
{
	char variable[80];
	const char *value = find_variable(row, variable);
	int64_t times;

	if (value == NULL)
		return 0;
	if (row->type == OPTION_FLAG) {
		if (store_flag_variable(row, config, value, error) != 0)
			return blame(error, "", variable);
	} else if (row->type == OPTION_TIMES) {
		if (strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0 ||
			strcasecmp(value, "on") == 0)
			value = "1";
		if (number_count(value, 0, 9, &times, error) != 0)
			return blame(error, "", variable);
		*(int *)((char *)config + row->offset) = (int)times;
	} else if (store(row, config, value, error) != 0) {
		return blame(error, "", variable);
	}
	return 0;
}

static int unknown(
	const struct option_row *const *rows, size_t count, const char *word, struct error *error)
{
	size_t len = strcspn(word, "=");
	struct nearest nearest;

	nearest_start(&nearest, word, len);
	for (size_t i = 0; i < count; i++)
		nearest_offer(&nearest, rows[i]->name);
	if (nearest.name == NULL)
		return error_set(error, EX_USAGE,
			"there is no option --%.*s; --help lists them all", (int)len, word);
	return error_set(error, EX_USAGE, "there is no option --%.*s; did you mean --%s?", (int)len,
		word, nearest.name);
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
		if (choose(row, optarg, &shell, error) != 0) {
			blame(error, "--", row->name);
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
static int take(const struct option_row *row, bool *seen, void *config, struct error *error)
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
	if (store(row, config, value, error) != 0)
		return blame(error, "--", row->name);
	if (row->secret)
		memset(optarg, '*', strlen(optarg));
	return 0;
}

static int bad_option(const struct option_row *const *rows, size_t count, int answer, char **argv,
	struct error *error)
{
	if (answer == ':') {
		const struct option_row *row = row_of(rows, count, optopt);

		if (row != NULL && optopt >= 256 && cut_short(argv[optind - 1], row))
			return unknown(rows, count, argv[optind - 1] + 2, error);
		return error_set(error, EX_USAGE, "--%s needs a value: --%s %s",
			row ? row->name : "?", row ? row->name : "?", row ? row->argument : "?");
	}
	if (optopt >= 256)
		return error_set(error, EX_USAGE, "--%s takes no value", rows[optopt - 256]->name);
	if (optopt != 0)
		return error_set(error, EX_USAGE, "there is no option -%c; --help lists them all",
			optopt >= ' ' && optopt < 127 ? optopt : '?');
	return unknown(rows, count, argv[optind - 1] + 2, error);
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

enum option_result option_parse(const struct option_program *program, int argc, char **argv,
	void *config, int *operands, struct error *error)
{
	const struct option_row *rows[OPTION_TABLE_MAX];
	size_t count = option_table_rows(program, rows, OPTION_TABLE_MAX);
	struct getopt_tables tables;
	bool seen[OPTION_TABLE_MAX] = {false};
	int answer, index;

	if (store_defaults(rows, count, config, error) != 0)
		return OPTION_BAD;
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
			break;
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
				unknown(rows, count, argv[word] + 2, error);
				return OPTION_BAD;
			}
		}
		for (size_t i = 0; i < count; i++) {
			if (rows[i] != row)
				continue;
			if (row >= option_table_built_in && row < option_table_built_in + 3)
				return answer_built_in(program, row, error);
			if (take(row, &seen[i], config, error) != 0)
				return OPTION_BAD;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (!seen[i] && !has_rival(rows, seen, count, rows[i]) &&
			rows[i]->group != option_table_built_in[0].group &&
			store_variable(rows[i], config, error) != 0)
			return OPTION_BAD;
	}
	*operands = optind;
	return OPTION_RUN;
}

void option_free(const struct option_row *rows, void *config)
{
	for (const struct option_row *row = rows; row->name != NULL; row++) {
		void *field = (char *)config + row->offset;

		if (row->type == OPTION_LIST) {
			struct option_list *list = field;

			for (size_t i = 0; row->secret && i < list->count; i++)
				free((char *)(uintptr_t)list->values[i]);
			free(list->values);
			*list = (struct option_list){0};
		} else if (row->secret) {
			free(*(char **)field);
			*(char **)field = NULL;
		}
	}
}
