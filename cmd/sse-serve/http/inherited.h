/* SPDX-License-Identifier: MIT */
/*
 * The listening sockets that the process inherited, as systemd passes them: LISTEN_FDS is their
 * number, from descriptor 3 on; LISTEN_PID is the process that they are for; LISTEN_FDNAMES has
 * their names (sd_listen_fds(3)).  systemd keeps them open, so connections wait there while one
 * server ends and the next one starts.  To stop accepting, only close them: shutdown() would affect
 * the next server.
 */
#ifndef INHERITED_H
#define INHERITED_H

#include "error.h"
#include "listen.h"

/*
 * inherited_count(error):
 * How many there are for this process.  -1 if the number is not valid (EX_USAGE).
 */
int inherited_count(struct error *error);

/*
 * inherited_add(count, open, tls, listeners, error):
 * Add them, and remove the variables, which are not for any other process.  With ${tls}, clients of
 * all but local sockets and those with the name `http` speak TLS.  Return 0, or -1 (EX_USAGE) if
 * one is not a stream socket that listens, is beyond loopback without ${open}, or has the name
 * `https` without ${tls}.
 */
int inherited_add(int count, bool open, bool tls, struct listeners *listeners, struct error *error);

#endif
