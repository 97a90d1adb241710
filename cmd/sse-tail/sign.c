/* SPDX-License-Identifier: MIT */
/* Keys and signatures; see sign.h. */
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "sign.h"
#include "slurp.h"

/* The most bytes of a file of keys. */
#define FILE_MAX ((size_t)4096)

static const char prefix[] = "whsec_";

/* --- the keys -------------------------------------------------------------------------------- */

/* Is it base64 with its padding (RFC 4648, section 4)?  OpenSSL takes more than that. */
static bool is_base64(const char *text, size_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t padding = 0;

	while (padding < 2 && padding < len && text[len - padding - 1] == '=')
		padding++;
	for (size_t i = 0; i < len - padding; i++) {
		if (memchr(letters, text[i], sizeof(letters) - 1) == NULL)
			return false;
	}
	return len % 4 == 0;
}

/* The line is a key; false if it is not. */
static bool take_key(struct sign *sign, const char *line, size_t len)
{
	struct sign_key *key = &sign->keys[sign->count];
	unsigned char bytes[SIGN_KEY_MAX + 3];
	const char *text = line + sizeof(prefix) - 1;
	int size;

	if (len < sizeof(prefix) || memcmp(line, prefix, sizeof(prefix) - 1) != 0)
		return false;
	len -= sizeof(prefix) - 1;
	if (!is_base64(text, len) || len / 4 * 3 > sizeof(bytes))
		return false;
	/* It decodes the padding too, as zeros. */
	size = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
	for (size_t i = len; size > 0 && text[i - 1] == '='; i--)
		size--;
	if (size >= SIGN_KEY_MIN && size <= SIGN_KEY_MAX) {
		key->len = (size_t)size;
		memcpy(key->bytes, bytes, key->len);
		sign->count++;
	}
	explicit_bzero(bytes, sizeof(bytes));
	return key->len > 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int take_lines(
	struct sign *sign, const struct buf *file, const char *path, struct error *error)
{
	const char *end = file->data + file->len, *next;
	size_t number = 0;

	for (const char *line = file->data; line < end; line = next + 1) {
		const char *last = next = memchr(line, '\n', (size_t)(end - line));

		if (next == NULL)
			last = next = end;
		number++;
		while (line < last && is_blank(*line))
			line++;
		while (line < last && is_blank(last[-1]))
			last--;
		if (line == last)
			continue;
		if (sign->count == SIGN_KEYS_MAX)
			return error_set(error, EX_DATAERR,
				"--sign-key: '%.200s' holds more than %d keys", path,
				SIGN_KEYS_MAX);
		if (!take_key(sign, line, (size_t)(last - line)))
			return error_set(error, EX_DATAERR,
				"--sign-key: line %zu of '%.200s' is not a key; one is whsec_ and "
				"the base64 of %d to %d bytes",
				number, path, SIGN_KEY_MIN, SIGN_KEY_MAX);
	}
	if (sign->count == 0)
		return error_set(error, EX_DATAERR,
			"--sign-key: '%.200s' is empty; it must hold a key, whsec_ and the base64 of %d "
			"to %d bytes",
			path, SIGN_KEY_MIN, SIGN_KEY_MAX);
	return 0;
}

/* Can others than its owner read it?  Root gives a file to the group of a service. */
static bool others_read(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	       ((status.st_mode & S_IROTH) != 0 ||
		       ((status.st_mode & S_IRGRP) != 0 && status.st_uid != 0));
}

int sign_open(
	struct sign *sign, const char *path, int64_t until, bool *exposed, struct error *error)
{
	int fd = slurp_open(path, error), result;
	struct buf file;

	*sign = (struct sign){0};
	if (fd < 0)
		return -1;
	*exposed = others_read(fd);
	/* It gets all its room at once: growing would leave copies behind that nobody wipes. */
	buf_init(&file, FILE_MAX);
	result = slurp_all(fd, path, until, &file, error);
	close(fd);
	if (result > 0)
		result = error_set(error, EX_DATAERR,
			"--sign-key: '%.200s' is larger than 4 KiB; it must hold keys, a line each",
			path);
	else if (result == 0)
		result = take_lines(sign, &file, path, error);
	if (file.data != NULL)
		explicit_bzero(file.data, file.size);
	buf_free(&file);
	return result;
}

void sign_close(struct sign *sign)
{
	explicit_bzero(sign, sizeof(*sign));
}

/* --- the signatures -------------------------------------------------------------------------- */

/* "v1," and the base64 of an HMAC, which has 32 bytes. */
static bool add_signature(
	const struct sign_key *key, const struct sse_text *parts, size_t count, struct buf *out)
{
	EVP_PKEY *secret = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, key->bytes, key->len);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char sum[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
	size_t len = sizeof(sum);
	bool done = secret != NULL && context != NULL &&
		    EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, secret) == 1;

	for (size_t i = 0; i < count && done; i++)
		done = parts[i].len == 0 ||
		       EVP_DigestSignUpdate(context, parts[i].data, parts[i].len) == 1;
	done = done && EVP_DigestSignFinal(context, sum, &len) == 1 && buf_add_text(out, "v1,") &&
	       buf_add(out, text, (size_t)EVP_EncodeBlock(text, sum, (int)len));
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(secret);
	return done;
}

bool sign_make(const struct sign *sign, const char *id, const char *timestamp, struct sse_text body,
	struct buf *out)
{
	const struct sse_text parts[] = {
		{id, strlen(id)}, {".", 1}, {timestamp, strlen(timestamp)}, {".", 1}, body};

	for (size_t i = 0; i < sign->count; i++) {
		if ((i > 0 && !buf_add_byte(out, ' ')) ||
			!add_signature(
				&sign->keys[i], parts, sizeof(parts) / sizeof(parts[0]), out))
			return false;
	}
	return true;
}
