/* SPDX-License-Identifier: MIT */
/* Reading the body; see body.h. */
#include <sysexits.h>
#include <unistd.h>

#include "body.h"
#include "slurp.h"
#include "json.h"

static int read_file(const char *path, int64_t until, struct buf *body, struct error *error)
{
	int fd = slurp_open(path, error), more;

	if (fd < 0)
		return -1;
	more = slurp_all(fd, path, until, body, error);
	close(fd);
	if (more > 0)
		return error_set(error, EX_NOINPUT,
			"%.300s is larger than the %zu MiB that a request may hold", path,
			BODY_MAX >> 20);
	return more;
}

int body_load(const struct options *options, int64_t until, struct buf *body, const char **type,
	struct error *error)
{
	const char *data = options->json != NULL ? options->json : options->data;
	struct json_error wrong;
	bool json;

	*type = NULL;
	buf_init(body, BODY_MAX);
	if (data == NULL)
		return 0;
	if (*data == '@' ? read_file(data + 1, until, body, error) != 0 : !buf_add_text(body, data))
		return *data == '@' ? -1 : error_set(error, EX_DATAERR, "--data is too large");
	json = body->len > 0 && json_check(body->data, body->len, NULL, &wrong);
	if (!json && options->json != NULL)
		return error_set(error, EX_DATAERR, "--json: it is not JSON: %s at byte %zu",
			body->len > 0 ? wrong.what : "expected a value",
			body->len > 0 ? wrong.offset + 1 : 1);
	*type = json ? "application/json" : "application/x-www-form-urlencoded";
	return 0;
}
