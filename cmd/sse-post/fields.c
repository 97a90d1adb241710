/* SPDX-License-Identifier: MIT */
/* One object from NAME=TEXT and NAME:=JSON; see fields.h. */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "event/group.h"
#include "fields.h"
#include "json.h"
#include "sse.h"
#include "data_file.h"

/* One operand, taken apart; the name is a copy that is cut into its parts. */
struct field {
	const char *operand;
	const char *value; /* NUL-terminated, also that of a file */
	size_t len;
	bool json;
	char *rest; /* of the name */
};

/* Cut the next part off the name; a dot ends it, \. is a dot.  NULL at the end. */
static char *next_part(struct field *field)
{
	char *part = field->rest, *to = part;

	if (part == NULL)
		return NULL;
	for (char *from = part;; from++) {
		if (from[0] == '\\' && from[1] == '.')
			*to++ = *++from;
		else if (*from == '.' || *from == '\0') {
			field->rest = *from == '.' ? from + 1 : NULL;
			break;
		} else
			*to++ = *from;
	}
	*to = '\0';
	return part;
}

/* The value as the JSON text that it is sent as. */
static cJSON *make_value(const struct field *field, struct error *error)
{
	struct json_error wrong = {0};
	struct json_text value;
	struct buf compact;
	cJSON *item = NULL;

	buf_init(&compact, SIZE_MAX);
	if (!field->json) {
		/* Quoted by our own: what a file holds may have a NUL. */
		if (json_quote(field->value, field->len, &compact) && buf_add_byte(&compact, '\0'))
			item = cJSON_CreateRaw(compact.data);
	} else if (!json_check(field->value, field->len, &value, &wrong)) {
		error_set(error, EX_DATAERR,
			"'%.200s' is not NAME:=JSON: %s at byte %zu of the value (NAME=TEXT sends text)",
			field->operand, wrong.what, wrong.offset + 1);
	} else if (json_compact(value, &compact) && buf_add_byte(&compact, '\0')) {
		item = cJSON_CreateRaw(compact.data);
	}
	buf_free(&compact);
	return item;
}

/* Enter the object of this name, and create it if it does not exist. */
static cJSON *enter(cJSON *object, const char *name, const struct field *field, struct error *error)
{
	cJSON *inner = cJSON_GetObjectItemCaseSensitive(object, name);

	if (inner == NULL)
		return cJSON_AddObjectToObject(object, name);
	if (cJSON_IsObject(inner))
		return inner;
	error_set(error, EX_USAGE, "'%.200s': '%.60s' already has a value of its own",
		field->operand, name);
	return NULL;
}

static int add(cJSON *object, struct field *field, struct error *error)
{
	char *name = next_part(field);
	cJSON *item;

	for (int depth = 1;; depth++) {
		if (*name == '\0')
			return error_set(
				error, EX_USAGE, "'%.200s' has an empty name", field->operand);
		if (depth > JSON_DEPTH)
			return error_set(error, EX_USAGE, "'%.60s...' is nested deeper than %d",
				field->operand, JSON_DEPTH);
		if (field->rest == NULL)
			break;
		object = enter(object, name, field, error);
		if (object == NULL)
			return -1;
		name = next_part(field);
	}
	if (cJSON_GetObjectItemCaseSensitive(object, name) != NULL)
		return error_set(
			error, EX_USAGE, "'%.200s': this name was given before", field->operand);
	item = make_value(field, error);
	return item != NULL && cJSON_AddItemToObject(object, name, item) ? 0 : -1;
}

/*
 * Find the value: the text in the operand, the content of the file that it names after an @, or,
 * after \@, a text that begins with an @.
 */
static int find_value(
	struct field *field, const char *text, int64_t until, struct buf *file, struct error *error)
{
	field->value = text;
	field->len = strlen(text);
	if (text[0] == '\\' && text[1] == '@') {
		field->value++;
		field->len--;
	}
	if (text[0] != '@')
		return 0;
	if (data_file_read(text + 1, until, file, error) != 0) {
		struct error reason = *error;

		return error_set(error, reason.status,
			"'%.100s': %.300s (a text that begins with @ is written \\@)",
			field->operand, reason.text);
	}
	field->len = file->len;
	if (sse_utf8_valid(file->data ? file->data : "", file->len) < file->len)
		return error_set(
			error, EX_DATAERR, "'%.200s': the file is not UTF-8", field->operand);
	if (!buf_add_byte(file, '\0'))
		return error_set(
			error, EX_DATAERR, "'%.200s': the file is too large", field->operand);
	field->value = file->data;
	return 0;
}

static int add_operand(cJSON *object, const char *operand, int64_t until, struct error *error)
{
	struct field field = {.operand = operand};
	size_t len = strcspn(operand, "=");
	struct buf file;
	char *name;
	int result;

	if (sse_utf8_valid(operand, strlen(operand)) != strlen(operand))
		return error_set(error, EX_DATAERR, "'%.200s' is not UTF-8", operand);
	field.json = len > 0 && operand[len - 1] == ':';
	name = field.rest = strndup(operand, field.json ? len - 1 : len);
	if (name == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	buf_init(&file, EVENT_MAX);
	result = find_value(&field, operand + len + 1, until, &file, error);
	if (result == 0)
		result = add(object, &field, error);
	buf_free(&file);
	free(name);
	return result;
}

int fields_to_json(
	char *const *fields, size_t count, int64_t until, struct buf *out, struct error *error)
{
	cJSON *object = cJSON_CreateObject();
	char *text = NULL;
	int result = object != NULL ? 0 : -1;

	error_set(error, EX_OSERR, "out of memory");
	for (size_t i = 0; i < count && result == 0; i++)
		result = add_operand(object, fields[i], until, error);
	if (result == 0)
		text = cJSON_PrintUnformatted(object);
	if (text != NULL && !buf_add_text(out, text)) {
		error_set(error, EX_DATAERR,
			"the data is larger than %zu MiB, the limit for one event",
			EVENT_MAX >> 20);
		result = -1;
	}
	if (text == NULL)
		result = -1;
	cJSON_free(text);
	cJSON_Delete(object);
	return result;
}
