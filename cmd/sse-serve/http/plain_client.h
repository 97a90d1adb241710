/* SPDX-License-Identifier: MIT */
/* A client that speaks plain HTTP where TLS is spoken. */
#ifndef PLAIN_CLIENT_H
#define PLAIN_CLIENT_H

/* plain_client_refuse(fd): it would not understand an alert of TLS: say in plain HTTP what is wrong. */
void plain_client_refuse(int fd);

#endif
