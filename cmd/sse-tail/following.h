/* SPDX-License-Identifier: MIT */
/* The line that tells a person at a terminal what is followed. */
#ifndef FOLLOWING_H
#define FOLLOWING_H

#include "client.h"
#include "client_url.h"
#include "options.h"

/*
 * following_say(options, url, client):
 * The first stream is open: say of what it is, if the standard error is a terminal, neither -q nor
 * -v was given, and it is not the answer to a request with a body, or of a model.  Only now is it
 * true, and only now is silence no failure.
 */
void following_say(
	const struct options *options, const struct client_url *url, const struct client *client);

#endif
