/* SPDX-License-Identifier: MIT */
/* The options of TLS: a part of the one option table of sse-serve. */
#ifndef OPTIONS_TLS_H
#define OPTIONS_TLS_H

#include <stdint.h>

#include "error.h"
#include "option_table.h"

/* What the first member of the struct options is: the rows have offsets in it. */
struct tls_options {
	const char *cert;      /* the certificate, with its key: clients speak TLS; or NULL */
	const char *key;       /* its private key */
	const char *client_ca; /* clients need a certificate of this CA; or NULL */
	int64_t hsts;	       /* ms for which browsers use only TLS here; 0: they are not told */
};

extern const struct option_row options_tls_rows[];

/* options_check_tls(tls, error): do they go together?  EX_USAGE if not. */
int options_check_tls(const struct tls_options *tls, struct error *error);

#endif
