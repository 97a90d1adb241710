/* SPDX-License-Identifier: MIT */
/*
 * A client that prints its messages: client.h for the programs, with lines on the standard error
 * and in a terminal a line that is written over.  One thread.
 */
#ifndef CLIENT_VOICE_H
#define CLIENT_VOICE_H

#include <stdio.h>

#include "client.h"

/*
 * client_open(client, program, options, error):
 * As client_init(), with the name of the program as User-Agent; what client_say() says is written
 * to the standard error, one line after the program's name, with controls escaped.  client_close()
 * releases it, also after a failure; it takes a struct that is all zero.
 */
int client_open(struct client *client, const char *program, const struct client_options *options,
	struct error *error);
void client_close(struct client *client);

/*
 * client_status(client, format, ...):
 * Write as with CLIENT_WARN, but in a terminal the next status replaces the line, so that lasting
 * trouble takes one line.  Elsewhere, write only the first status until client_say() writes.
 */
void client_status(const struct client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * client_status_end(client, format, ...):
 * Write the last status, which stays; without one, a line of its own that is cut to the width of a
 * terminal.
 */
void client_status_end(const struct client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * client_status_drawn(): the caller wrote a line to the terminal, without an end, which it will write
 * over: what client_say() says begins after it.
 */
void client_status_drawn(void);

/* client_status_clear(): remove the last status, unless it stays. */
void client_status_clear(void);

/*
 * client_await_echo():
 * After a SIGINT, wait until a terminal has echoed the ^C.  It sends the signal first and then
 * echoes, so that a line end written at once would land before the ^C instead of after it.
 */
void client_await_echo(void);

/*
 * client_break_line():
 * Let the next output begin a new line: the terminal has echoed ^C at its cursor, or shows a
 * status.  Call it once, when nothing else ends that line.
 */
void client_break_line(void);

/* client_version(out): libcurl's version for --version. */
void client_version(FILE *out);

#endif
