/* SPDX-License-Identifier: MIT */
/* What net.c does with a connection that speaks TLS; see net.h.  Only net.c includes this. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <sys/types.h>

#include "net.h"

/* net_tls_begin(source, error): give a connection its session.  0; or -1, and it is closed. */
int net_tls_begin(struct source *source, struct error *error);

int net_tls_shake(struct source *source);
ssize_t net_tls_send(struct source *source, const void *data, size_t len);
ssize_t net_tls_recv(struct source *source, void *data, size_t max);

/* net_tls_end(source): send close_notify, and free the session, if there is one. */
void net_tls_end(struct source *source);

const char *net_tls_words(void);

#endif
