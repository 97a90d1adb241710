/* SPDX-License-Identifier: MIT */
/* The file with the secrets of one hook; see key_file.h. */
#include <string.h>
#include <sysexits.h>

#include "access/private_file.h"
#include "key_file.h"

static int add_line(struct key_file *keys, enum signature_scheme scheme, struct sse_text line,
	unsigned number, struct error *error)
{
	size_t start = keys->bytes.len;
	const char *fault;

	if (line.len == 0)
		return 0;
	if (keys->count == KEY_FILE_KEYS)
		return error_set(error, EX_DATAERR, "line %u: there are more than %d secrets",
			number, KEY_FILE_KEYS);
	fault = signature_add_key(scheme, line, &keys->bytes);
	if (fault != NULL)
		return error_set(error, EX_DATAERR, "line %u: the secret %s", number, fault);
	keys->keys[keys->count++] =
		(struct sse_text){keys->bytes.data + start, keys->bytes.len - start};
	return 0;
}

static int add_lines(struct key_file *keys, enum signature_scheme scheme, const struct buf *text,
	struct error *error)
{
	const char *line = text->data, *end = text->data + text->len, *stop;

	/* One allocation for all of them: growing would leave copies behind that nobody wipes. */
	buf_init(&keys->bytes, PRIVATE_FILE_MAX);
	if (buf_reserve(&keys->bytes, text->len) == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	for (unsigned number = 1; line < end; number++, line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (stop == NULL)
			stop = end;
		if (add_line(keys, scheme, (struct sse_text){line, (size_t)(stop - line)}, number,
			    error) != 0)
			return -1;
	}
	if (keys->count == 0)
		return error_set(error, EX_DATAERR,
			"it has no secret: write one on each line, as the sender shows it");
	return 0;
}

int key_file_read(
	const char *path, enum signature_scheme scheme, struct key_file *keys, struct error *error)
{
	struct error reason = {0};
	bool readable;
	struct buf text;
	int result;

	*keys = (struct key_file){0};
	if (private_file_read(path, &text, &readable, &reason) != 0)
		return error_set(error, reason.status, "--hook %s", reason.text);
	result = add_lines(keys, scheme, &text, &reason);
	private_file_wipe(&text);
	if (result != 0) {
		key_file_wipe(keys);
		return error_set(error, reason.status, "--hook %s: %s", path, reason.text);
	}
	private_file_warn("--hook", path, readable);
	return 0;
}

void key_file_wipe(struct key_file *keys)
{
	private_file_wipe(&keys->bytes);
	*keys = (struct key_file){0};
}
