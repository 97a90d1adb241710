/* SPDX-License-Identifier: MIT */
/* Addresses of the network. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* address_is_loopback(address): is it loopback: IPv4, IPv6, or IPv4 mapped into IPv6? */
bool address_is_loopback(const struct sockaddr *address);

#endif
