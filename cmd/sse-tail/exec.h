/* SPDX-License-Identifier: MIT */
/* Running a command for each event. */
#ifndef EXEC_H
#define EXEC_H

#include "error.h"
#include "sse.h"

/* Data of more than this is not put into the environment (bytes). */
#define EXEC_DATA_MAX ((size_t)64 << 10)

/*
 * exec_event(command, event, topic, url, error):
 * Run ${command} by /bin/sh with the event's data as its standard input, and wait for its end.  It
 * gets SSE_MSG_EVENT, SSE_MSG_ID, SSE_MSG_DATA, SSE_MSG_TOPIC and SSE_MSG_URL; a variable that
 * would hold a NUL, more than EXEC_DATA_MAX or an unknown topic is left out.  A signal to sse-tail is
 * passed on to the shell.  Return
 * 0; 1 if the command failed, with the reason in ${error} (EX_TEMPFAIL); -1 if it could not be run
 * (EX_OSERR) or a signal came (128+n).
 */
int exec_event(const char *command, const struct sse_event *event, struct sse_text topic,
	const char *url, struct error *error);

#endif
