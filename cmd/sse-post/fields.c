/* SPDX-License-Identifier: MIT */
/* One object from NAME=TEXT and NAME:=JSON; see fields.h. */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "fields.h"
#include "json.h"
#include "sse.h"

/* One operand, taken apart; the name is a copy that is cut into its parts. */
struct field {
	const char *operand;
	const char *value;
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

	if (!field->json)
		return cJSON_CreateString(field->value);
	if (!json_check(field->value, strlen(field->value), &value, &wrong)) {
		error_set(error, EX_DATAERR,
			"'%.200s' is not NAME:=JSON: %s at byte %zu of the value", field->operand,
			wrong.what, wrong.offset + 1);
		return NULL;
	}
	buf_init(&compact, SIZE_MAX);
	if (json_compact(value, &compact) && buf_add_byte(&compact, '\0'))
		item = cJSON_CreateRaw(compact.data);
	buf_free(&compact);
	return item;
}

/* Go into the object of this name, making it if there is none. */
static cJSON *enter(cJSON *object, const char *name, const struct field *field, struct error *error)
{
	cJSON *inner = cJSON_GetObjectItemCaseSensitive(object, name);

	if (inner == NULL)
		return cJSON_AddObjectToObject(object, name);
	if (cJSON_IsObject(inner))
		return inner;
	error_set(error, EX_USAGE, "'%.200s': '%.60s' was given a value of its own already",
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
			error, EX_USAGE, "'%.200s': this name was given already", field->operand);
	item = make_value(field, error);
	return item != NULL && cJSON_AddItemToObject(object, name, item) ? 0 : -1;
}

static int add_operand(cJSON *object, const char *operand, struct error *error)
{
	struct field field = {.operand = operand};
	size_t len = strcspn(operand, "=");
	int result;

	if (sse_utf8_valid(operand, strlen(operand)) != strlen(operand))
		return error_set(error, EX_DATAERR, "'%.200s' is not UTF-8", operand);
	field.value = operand + len + 1;
	field.json = len > 0 && operand[len - 1] == ':';
	if (field.json)
		len--;
	field.rest = strndup(operand, len);
	if (field.rest == NULL)
		return -1;
	{
		char *name = field.rest;

		result = add(object, &field, error);
		free(name);
	}
	return result;
}

int fields_to_json(char *const *fields, size_t count, struct buf *out, struct error *error)
{
	cJSON *object = cJSON_CreateObject();
	char *text = NULL;
	int result = object != NULL ? 0 : -1;

	error_set(error, EX_OSERR, "out of memory");
	for (size_t i = 0; i < count && result == 0; i++)
		result = add_operand(object, fields[i], error);
	if (result == 0)
		text = cJSON_PrintUnformatted(object);
	if (text == NULL || !buf_add_text(out, text))
		result = -1;
	cJSON_free(text);
	cJSON_Delete(object);
	return result;
}
