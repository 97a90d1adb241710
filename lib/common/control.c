/* SPDX-License-Identifier: MIT */
/* Control characters; see control.h. */
#include "control.h"

/* U+007F to U+009F but the first begin with the byte C2. */
bool control_is_in(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0)
			return true;
	}
	return false;
}
