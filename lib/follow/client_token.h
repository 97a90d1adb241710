/* SPDX-License-Identifier: MIT */
/*
 * A token in a file: the first line of a file, without blanks before and after it.  The
 * file is read again for each request, so that another program can replace the token at any time.
 * One thread.
 */
#ifndef CLIENT_TOKEN_H
#define CLIENT_TOKEN_H

#include <stdbool.h>

#include "error.h"

/* The longest token (bytes). */
#define CLIENT_TOKEN_MAX 16384

/* All clients of a process share one. */
struct client_token;

/*
 * client_token_open(path, error):
 * Read the token for the first time; a pipe is read only this once.  Return NULL with an error:
 * EX_NOINPUT if the file cannot be read, EX_DATAERR if it does not hold a token, or EX_OSERR.
 * ${path} is borrowed.  client_token_free() wipes the token, and takes NULL.
 */
struct client_token *client_token_open(const char *path, struct error *error);
void client_token_free(struct client_token *token);

/*
 * client_token_read(token, error):
 * Read the file again.  Return 0; or -1 with an error of client_token_open(), and the token stays
 * as it was.
 */
int client_token_read(struct client_token *token, struct error *error);

/* client_token_text(token): the token, valid until it is read again. */
const char *client_token_text(const struct client_token *token);

/* client_token_version(token): a number that differs after each change of the token. */
unsigned client_token_version(const struct client_token *token);

/*
 * client_token_is_exposed(token):
 * Can every user of this machine read the file?  True at most once, for one warning.
 */
bool client_token_is_exposed(struct client_token *token);

/* client_token_is_valid(text): can a header hold this token (visible ASCII, not too long)? */
bool client_token_is_valid(const char *text);

#endif
