/* SPDX-License-Identifier: MIT */
/*
 * Following a stream in a program: follow.h with the signals of client_run.h, and with messages on
 * the standard error.
 */
#ifndef FOLLOW_RUN_H
#define FOLLOW_RUN_H

#include "client_voice.h"
#include "follow.h"

/*
 * follow_run(client, url, options, sink, context, error):
 * Follow the stream until it ends, or a signal arrives: FOLLOW_FAILED, with the error of
 * client_stopped().  The standard error tells of trouble that lasts, and of its end.  After
 * client_watch_hangup(), a SIGHUP makes the follower connect again at once.
 */
enum follow_end follow_run(struct client *client, const struct client_url *url,
	const struct follow_options *options, const struct follow_sink *sink, void *context,
	struct error *error);

#endif
