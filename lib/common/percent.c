/* SPDX-License-Identifier: MIT */
/* Bytes as %XX; see percent.h. */
#include "percent.h"

bool percent_encode(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool plain = c > ' ' && c < 0x7f && c != '%';

		if (plain ? !buf_add_byte(out, (char)c) : !buf_addf(out, "%%%02X", c))
			return false;
	}
	return true;
}
