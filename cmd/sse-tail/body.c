/* SPDX-License-Identifier: MIT */
/* Reading the body; see body.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "body.h"
#include "json.h"

#define READ_SIZE ((size_t)64 << 10)

static int read_file(const char *path, struct buf *body, struct error *error)
{
	FILE *file = fopen(path, "rbe");
	size_t count = 1;
	int result = 0;

	if (file == NULL)
		return error_set(
			error, EX_NOINPUT, "cannot open %.300s: %s", path, strerror(errno));
	while (count > 0 && result == 0) {
		size_t left = body->cap - body->len;
		char *room = buf_reserve(body, left < READ_SIZE ? left : READ_SIZE);

		if (left == 0 || room == NULL) {
			result = error_set(error, EX_NOINPUT,
				"%.300s is larger than the %zu MiB that a request may hold", path,
				BODY_MAX >> 20);
			break;
		}
		count = fread(room, 1, left < READ_SIZE ? left : READ_SIZE, file);
		body->len += count;
	}
	if (result == 0 && ferror(file))
		result = error_set(
			error, EX_NOINPUT, "cannot read %.300s: %s", path, strerror(errno));
	fclose(file);
	return result;
}

int body_load(
	const struct options *options, struct buf *body, const char **type, struct error *error)
{
	const char *data = options->json != NULL ? options->json : options->data;
	struct json_error wrong;
	bool json;

	*type = NULL;
	buf_init(body, BODY_MAX);
	if (data == NULL)
		return 0;
	if (*data == '@' ? read_file(data + 1, body, error) != 0 : !buf_add_text(body, data))
		return *data == '@' ? -1 : error_set(error, EX_DATAERR, "--data is too large");
	json = body->len > 0 && json_check(body->data, body->len, NULL, &wrong);
	if (!json && options->json != NULL)
		return error_set(error, EX_DATAERR, "--json: it is not JSON: %s at byte %zu",
			body->len > 0 ? wrong.what : "expected a value",
			body->len > 0 ? wrong.offset + 1 : 1);
	*type = json ? "application/json" : "application/x-www-form-urlencoded";
	return 0;
}
