/* SPDX-License-Identifier: MIT */
/* Certificates for tests, and clients that speak TLS. */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include <stdbool.h>

struct ssl_st;
struct tls;

/*
 * certificate_write(cert, key, name, days):
 * Make a key and a certificate that it signs itself, for this common name, and write both in PEM.
 */
void certificate_write(const char *cert, const char *key, const char *name, int days);

/*
 * certificate_connect(fd): the client's end of a session on a non-blocking socket; it accepts any
 * certificate.  The caller frees it by SSL_free().
 */
struct ssl_st *certificate_connect(int fd);

/* certificate_shake_hands(client, server): both ends, until the handshake is done. */
void certificate_shake_hands(struct ssl_st *client, struct tls *server);

#endif
