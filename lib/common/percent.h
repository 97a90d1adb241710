/* SPDX-License-Identifier: MIT */
/* Any text as visible ASCII, for what can hold nothing else. */
#ifndef PERCENT_H
#define PERCENT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/*
 * percent_encode(text, len, out):
 * Append ${text} with %, and each byte that is not visible ASCII, written as %XX: different texts
 * stay different.  False if ${out} is full.
 */
bool percent_encode(const char *text, size_t len, struct buf *out);

#endif
