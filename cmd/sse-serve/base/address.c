/* SPDX-License-Identifier: MIT */
/* Addresses of the network; see address.h. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "address.h"

bool address_is_loopback(const struct sockaddr *address)
{
	const struct in6_addr *v6;

	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
	if (address->sa_family != AF_INET6)
		return false;
	v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}
