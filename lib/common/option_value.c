/* SPDX-License-Identifier: MIT */
/* Storing values in the fields of a config struct; see option_value.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "number.h"
#include "option_value.h"

int option_value_choose(
	const struct option_row *row, const char *value, int *chosen, struct error *error)
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
	if (row->choices[1] == NULL)
		return error_set(error, EX_USAGE, "it takes only %s, not '%.60s'", words, value);
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

int option_value_store(
	const struct option_row *row, void *config, const char *value, struct error *error)
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
		return option_value_choose(row, value, field, error);
	}
	return -1;
}

int option_value_blame(struct error *error, const char *dashes, const char *name)
{
	struct error reason = *error;

	return error_set(error, reason.status, "%s%s: %.400s", dashes, name, reason.text);
}

int option_value_blame_line(struct error *error, const char *path, unsigned line)
{
	struct error reason = *error;

	return error_set(error, reason.status == EX_USAGE ? EX_DATAERR : reason.status,
		"%.200s:%u: %.300s", path, line, reason.text);
}

/* A flag's value says yes or no. */
static int store_flag(
	const struct option_row *row, void *config, const char *value, struct error *error)
{
	static const char *const words[] = {"0", "no", "false", "off", "1", "yes", "true", "on"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(words[i], value) == 0)
			return i < 4 ? 0 : option_value_store(row, config, value, error);
	}
	return error_set(error, EX_USAGE, "'%.60s' is neither 1 nor 0", value);
}

int option_value_store_word(
	const struct option_row *row, void *config, const char *value, struct error *error)
{
	int64_t times;

	if (row->type == OPTION_FLAG)
		return store_flag(row, config, value, error);
	if (row->type != OPTION_TIMES)
		return option_value_store(row, config, value, error);
	if (strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0 ||
		strcasecmp(value, "on") == 0)
		value = "1";
	if (number_count(value, 0, 9, &times, error) != 0)
		return -1;
	*(int *)((char *)config + row->offset) = (int)times;
	return 0;
}

static bool same_text(const char *one, const char *other)
{
	return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

bool option_value_equal(const struct option_row *row, const void *one, const void *other)
{
	const void *a = (const char *)one + row->offset, *b = (const char *)other + row->offset;
	const struct option_list *list = a, *second = b;

	switch (row->type) {
	case OPTION_FLAG:
		return *(const bool *)a == *(const bool *)b;
	case OPTION_TIMES:
	case OPTION_CHOICE:
		return *(const int *)a == *(const int *)b;
	case OPTION_STRING:
		return same_text(*(const char *const *)a, *(const char *const *)b);
	case OPTION_COUNT:
	case OPTION_DURATION:
	case OPTION_SIZE:
		return *(const int64_t *)a == *(const int64_t *)b;
	case OPTION_LIST:
		break;
	}
	for (size_t i = 0; i < list->count && i < second->count; i++) {
		if (strcmp(list->values[i], second->values[i]) != 0)
			return false;
	}
	return list->count == second->count;
}

int option_value_copy(const struct option_row *row, void *to, const void *from, struct error *error)
{
	const void *old = (const char *)from + row->offset;
	void *field = (char *)to + row->offset;
	const struct option_list *list = old;

	option_value_free(row, to);
	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)field = *(const bool *)old;
		return 0;
	case OPTION_TIMES:
	case OPTION_CHOICE:
		*(int *)field = *(const int *)old;
		return 0;
	case OPTION_COUNT:
	case OPTION_DURATION:
	case OPTION_SIZE:
		*(int64_t *)field = *(const int64_t *)old;
		return 0;
	case OPTION_STRING:
		*(const char **)field = *(const char *const *)old;
		return row->secret && *(const char **)field != NULL
			       ? keep_secret((const char **)field, error)
			       : 0;
	case OPTION_LIST:
		break;
	}
	for (size_t i = 0; i < list->count; i++) {
		if (option_value_store(row, to, list->values[i], error) != 0)
			return -1;
	}
	return 0;
}

void option_value_free(const struct option_row *row, void *config)
{
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
