/* SPDX-License-Identifier: MIT */
/* What of Unicode may be in the name of a topic.  A pure function. */
#ifndef TOPIC_LETTERS_H
#define TOPIC_LETTERS_H

#include <stddef.h>

#include "error.h"

/*
 * topic_letters_check(segment, len, error):
 * Does this segment of a name, which is UTF-8, have only letters, marks and decimal digits beside
 * its ASCII, none of them invisible and no mark without a letter or digit before it; and is it in
 * Normalization Form C?  Return 0, or -1 with the reason (EX_USAGE; EX_OSERR without memory).
 */
int topic_letters_check(const char *segment, size_t len, struct error *error);

#endif
