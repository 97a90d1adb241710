/* SPDX-License-Identifier: MIT */
/* Control characters in UTF-8 text. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>

/* control_is_in(text, len): does UTF-8 text contain U+0000 to U+001F, or U+007F to U+009F? */
bool control_is_in(const char *text, size_t len);

#endif
