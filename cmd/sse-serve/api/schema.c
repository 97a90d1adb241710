/* SPDX-License-Identifier: MIT */
/* What a topic requires; see schema.h. */
#include <string.h>
#include <sysexits.h>

#include "schema.h"

#define FIELDS_MAX 8

struct schema {
	const char *topic;
	const char *fields[FIELDS_MAX + 1]; /* required strings, in the order of the event */
};

static const struct schema schemas[] = {
	{"users", {"firstname", "lastname", NULL}},
};

static const struct schema *find(const char *topic)
{
	for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
		if (strcmp(schemas[i].topic, topic) == 0)
			return &schemas[i];
	}
	return NULL;
}

bool schema_requires(const char *topic)
{
	return find(topic) != NULL;
}

/* Find the required fields among the members. */
static int collect(const struct schema *schema, struct json_text value, struct json_text *found,
	struct error *error)
{
	struct json_text key, member;
	size_t cursor = 0;

	while (json_member(value, &cursor, &key, &member)) {
		for (size_t i = 0; schema->fields[i] != NULL; i++) {
			const char *field = schema->fields[i];

			if (!json_string_is(key, field, strlen(field)))
				continue;
			if (found[i].text != NULL)
				return error_set(
					error, EX_DATAERR, "the field '%s' appears twice", field);
			if (json_kind(member) != JSON_STRING)
				return error_set(error, EX_DATAERR,
					"the field '%s' must be a string", field);
			found[i] = member;
		}
	}
	return 0;
}

int schema_apply(const char *topic, struct json_text value, struct buf *out, struct error *error)
{
	const struct schema *schema = find(topic);
	struct json_text found[FIELDS_MAX] = {{0}};
	bool added = true;

	if (json_kind(value) != JSON_OBJECT)
		return error_set(error, EX_DATAERR,
			"%s takes a JSON object with the strings 'firstname' and 'lastname'",
			topic);
	if (collect(schema, value, found, error) != 0)
		return -1;
	for (size_t i = 0; schema->fields[i] != NULL; i++) {
		if (found[i].text == NULL)
			return error_set(error, EX_DATAERR,
				"the field '%s' is missing; it must be a string",
				schema->fields[i]);
		added = added &&
			buf_addf(out, "%c\"%s\":", i == 0 ? '{' : ',', schema->fields[i]) &&
			buf_add(out, found[i].text, found[i].len);
	}
	if (!added || !buf_add_byte(out, '}'))
		return error_set(error, EX_DATAERR, "the event is too large");
	return 0;
}
