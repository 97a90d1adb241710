/* SPDX-License-Identifier: MIT */
/*
 * Does a request name this server?  Any site can make its DNS name point to this machine (DNS
 * rebinding).  Then only the name in Host tells the requests of its pages from those of our own.
 * Pure functions.
 */
#ifndef HOST_H
#define HOST_H

#include <stddef.h>
#include <sys/socket.h>

#include "error.h"
#include "option.h"

/* What the operator calls the server. */
struct host_names {
	const struct option_list *hosts;  /* --host, accepted by host_check_name() */
	const struct option_list *listen; /* --listen; the name before a port counts too */
};

enum host_verdict {
	HOST_OURS,
	HOST_OTHER,   /* valid, but not a name of this server */
	HOST_INVALID, /* not a host, with or without a port (RFC 9110, section 7.2) */
};

/*
 * host_judge(names, host, local):
 * Judge the value of Host, or the authority of a target.  The names of this server are localhost,
 * the loopback addresses, the unspecified addresses (which lead there), ${local}, and ${names}.
 * ${local} is the local address of the connection; it may be NULL, or that of a local socket.  The
 * port is not compared, because it differs if a port is forwarded; nor is the zone of an IPv6
 * address.
 */
enum host_verdict host_judge(
	const struct host_names *names, const char *host, const struct sockaddr *local);

/* host_length(host): the length of a valid host without its port. */
size_t host_length(const char *host);

/*
 * host_check_name(name, error):
 * Is this valid for --host: NAME; *.NAME, where * stands for one or more labels; or an address as
 * in a URL?  Return 0, or -1 with EX_USAGE.
 */
int host_check_name(const char *name, struct error *error);

/*
 * host_in_target(target, len):
 * Return the authority of a target in absolute form, "http://localhost:8000/api/a", and set ${len}
 * to its length.  NULL for other forms.
 */
const char *host_in_target(const char *target, size_t *len);

#endif
