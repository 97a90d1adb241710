/* SPDX-License-Identifier: MIT */
/*
 * What the server tells the service manager that started it: datagrams of VARIABLE=VALUE lines to
 * the local socket NOTIFY_SOCKET (sd_notify(3)).  The socket is made and connected before the
 * sandbox, in which there are no new ones; libsystemd makes one for each message.  One thread only.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct notify {
	int fd;		  /* -1: nobody wants to know */
	int64_t watchdog; /* ms within which it wants to hear that we are alive; 0: it does not */
};

/* notify_wanted(): is there a service manager that wants to know?  Valid until notify_open(). */
bool notify_wanted(void);

/*
 * notify_open(notify, error):
 * Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and remove them: they are for no other
 * process.  Return 0; or -1 with what is wrong with them, and then nobody is told what that was for.
 */
int notify_open(struct notify *notify, struct error *error);

/* notify_send(notify, format, ...): send a message, unless nobody wants to know. */
void notify_send(const struct notify *notify, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* notify_close(notify) */
void notify_close(struct notify *notify);

#endif
