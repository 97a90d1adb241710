/* SPDX-License-Identifier: MIT */
/* Plain requests, from other machines, to a server that speaks TLS. */
#ifndef REDIRECT_H
#define REDIRECT_H

#include <stdbool.h>

struct request;

/*
 * redirect_to_tls(request):
 * If the request came without TLS, on an address beyond loopback, and the server has a port with TLS:
 * reply with a redirect to there (308, so that a POST stays one), and return true.  Call it after
 * authority_check(), so that the host which the redirect leads to is one of the server's names.
 */
bool redirect_to_tls(struct request *request);

#endif
