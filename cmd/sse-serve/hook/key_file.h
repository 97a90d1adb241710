/* SPDX-License-Identifier: MIT */
/* The file with the secrets of one hook: one on each line, each of which is accepted. */
#ifndef KEY_FILE_H
#define KEY_FILE_H

#include <stddef.h>

#include "buf.h"
#include "error.h"
#include "signature.h"
#include "sse.h"

/* The most keys of a file: a wrong signature is compared with all of them. */
#define KEY_FILE_KEYS 16

struct key_file {
	struct buf bytes; /* of the keys, one after the other */
	struct sse_text keys[KEY_FILE_KEYS];
	size_t count;
};

/*
 * key_file_read(path, scheme, keys, error):
 * Read the keys; empty lines are left out.  The caller frees them with key_file_wipe().  If other
 * users can read the file, log a warning.  Return 0, or -1 with nothing in ${keys}: the file cannot
 * be read (private_file.h), it has no key or too many, or a line is not a secret of the scheme
 * (EX_DATAERR).  The sentence names the file and the line, and never repeats what it has.
 */
int key_file_read(
	const char *path, enum signature_scheme scheme, struct key_file *keys, struct error *error);

/* key_file_wipe(keys): overwrite the keys, and free them. */
void key_file_wipe(struct key_file *keys);

#endif
