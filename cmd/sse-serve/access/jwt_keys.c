/* SPDX-License-Identifier: MIT */
/* The keys of --jwt-keys; see jwt_keys.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "jwt_jwk.h"
#include "jwt_key.h"
#include "jwt_keys.h"
#include "jwt_pem.h"
#include "private_file.h"

static bool is_json(const struct buf *content)
{
	size_t at = 0;

	while (at < content->len && strchr(" \t\r\n", content->data[at]) != NULL &&
		content->data[at] != '\0')
		at++;
	return at < content->len && content->data[at] == '{';
}

static int read_keys(const struct buf *content, struct jwt_keys *keys, struct error *error)
{
	struct json_error fault;
	struct json_text text;

	if (!is_json(content))
		return jwt_pem_read(content->data, content->len, keys, error);
	if (!json_check(content->data, content->len, &text, &fault))
		return error_set(error, EX_DATAERR, "not JSON at byte %zu: %s", fault.offset + 1,
			fault.what);
	return jwt_jwk_read(text, keys, error);
}

static bool holds_secret(const struct jwt_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (keys->keys[i].secret)
			return true;
	}
	return false;
}

struct jwt_keys *jwt_keys_load(const char *path, bool *exposed, struct error *error)
{
	struct jwt_keys *keys = calloc(1, sizeof(*keys));
	struct error reason = {0};
	struct buf content;
	bool readable;

	if (keys == NULL) {
		(void)error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	if (private_file_read(path, &content, &readable, error) != 0)
		goto err0;
	if (read_keys(&content, keys, &reason) != 0) {
		(void)error_set(error, reason.status, "%s: %s", path, reason.text);
		goto err1;
	}
	private_file_wipe(&content);
	*exposed = readable && holds_secret(keys);
	return keys;

err1:
	private_file_wipe(&content);
err0:
	jwt_keys_free(keys);
	return NULL;
}

bool jwt_keys_has(const struct jwt_keys *keys, const unsigned char thumbprint[JWT_THUMBPRINT])
{
	for (size_t i = 0; i < keys->count; i++) {
		if (memcmp(keys->keys[i].thumbprint, thumbprint, JWT_THUMBPRINT) == 0)
			return true;
	}
	return false;
}

void jwt_keys_free(struct jwt_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++)
		jwt_key_free(&keys->keys[i]);
	free(keys);
}
