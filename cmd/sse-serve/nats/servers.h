/* SPDX-License-Identifier: MIT */
/* The servers of NATS that keep the log, as options name them.  It needs no library. */
#ifndef SERVERS_H
#define SERVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* The longest name of a cluster, with the NUL, and the most URLs. */
#define SERVERS_NAME 65
#define SERVERS_MAX 32

struct servers {
	const char *urls;	 /* nats: or tls:, separated by commas */
	const char *name;	 /* of the log there: the stream and its subjects begin with it */
	const char *credentials; /* a credentials file of NATS, or NULL */
	const char *ca;		 /* a file of CAs that TLS trusts; NULL: the system's */
	int64_t replicas;	 /* of a new stream; 0: 3 if the servers are a cluster, else 1 */
	int64_t compact;	 /* bytes of the log, at least, before a snapshot replaces them */
};

/* servers_are_named(text): does --store name servers of NATS? */
bool servers_are_named(const char *text);

/* servers_check(servers, error): are URLs and name in the right form?  Return 0, or -1 with EX_USAGE. */
int servers_check(const struct servers *servers, struct error *error);

/*
 * servers_look_up(servers): look up their addresses, so that what the system loads for that is loaded.
 * Call it before a sandbox is entered that forbids loading code.
 */
void servers_look_up(const struct servers *servers);

#endif
