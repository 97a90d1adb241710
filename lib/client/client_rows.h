/* SPDX-License-Identifier: MIT */
/* The options that the clients share, as rows of the option table. */
#ifndef CLIENT_ROWS_H
#define CLIENT_ROWS_H

#include "client_options.h"
#include "error.h"

/* The rows of those options. */
extern const struct option_row client_option_rows[];

/*
 * client_options_check(options, error):
 * Check what the table cannot check, and read the token file.  Return 0, or -1: EX_USAGE,
 * EX_NOINPUT, EX_CANTCREAT, or an error of client_token_open().
 */
int client_options_check(struct client_options *options, struct error *error);

/*
 * client_options_check_headers(headers, option, error):
 * Check the lines of an option --${option} for headers.  Return 0, or -1: EX_USAGE.
 */
int client_options_check_headers(
	const struct option_list *headers, const char *option, struct error *error);

/* client_options_free(options): release the lists and the secrets. */
void client_options_free(struct client_options *options);

#endif
