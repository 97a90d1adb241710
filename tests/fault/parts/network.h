/* SPDX-License-Identifier: MIT */
/*
 * A network of its own for each of some processes, and a bridge between them and this process, all of it out
 * of sight of the machine, and gone with these processes.  For root; it calls ip(8).
 */
#ifndef NETWORK_H
#define NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * network_new(): this process, which has one thread, gets a network with nothing but a loopback and a
 * bridge.  False if it may not, or there is no ip(8).
 */
bool network_new(void);

/* network_address(number, out, size): of a process with a network of its own; numbers begin with 1. */
void network_address(unsigned number, char *out, size_t size);

/* network_enter(number): in a new child, give it the network with this number.  False if that fails. */
bool network_enter(unsigned number);

/*
 * network_cut(pid, other): from now on, what this process sends to the ${other}th network gets lost.
 * network_mend(pid, other): it does not any more.
 * network_link(pid, up): take its one link down, or up.
 */
void network_cut(pid_t pid, unsigned other);
void network_mend(pid_t pid, unsigned other);
void network_link(pid_t pid, bool up);

#endif
