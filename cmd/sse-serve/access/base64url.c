/* SPDX-License-Identifier: MIT */
/* Strict base64 and base64url; see base64url.h. */
#include <limits.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base64url.h"

/* The six bits that a character stands for, or -1; the alphabets differ in the last two. */
static int value_of(char c, const char last[2])
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == last[0])
		return 62;
	return c == last[1] ? 63 : -1;
}

static bool decode(const char *text, size_t len, const char last[2], struct buf *out)
{
	size_t before = out->len;
	uint32_t bits = 0;
	unsigned count = 0; /* of bits that belong to no byte yet */

	for (size_t i = 0; i < len; i++) {
		int value = value_of(text[i], last);

		if (value < 0)
			goto err0;
		bits = (bits << 6 | (uint32_t)value) & 0xfff;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		if (!buf_add_byte(out, (char)(bits >> count)))
			goto err0;
	}
	if (count < 6 && (bits & ((1U << count) - 1)) == 0)
		return true;
err0:
	out->len = before;
	return false;
}

bool base64url_decode(const char *text, size_t len, struct buf *out)
{
	return decode(text, len, "-_", out);
}

bool base64_decode(const char *text, size_t len, struct buf *out)
{
	if (len % 4 != 0)
		return false;
	for (int padding = 0; padding < 2 && len > 0 && text[len - 1] == '='; padding++)
		len--;
	return decode(text, len, "+/", out);
}

bool base64url_encode(const unsigned char *bytes, size_t len, struct buf *out)
{
	char *text = len < INT_MAX / 2 ? buf_reserve(out, (len + 2) / 3 * 4 + 1) : NULL;
	size_t padded;

	if (text == NULL)
		return false;
	padded = (size_t)EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	for (size_t i = 0; i < padded && text[i] != '='; i++) {
		if (text[i] == '+')
			text[i] = '-';
		else if (text[i] == '/')
			text[i] = '_';
		out->len++;
	}
	return true;
}
