/* SPDX-License-Identifier: MIT */
/* What SIGHUP and SIGUSR1 make the server do.  Not on a loop. */
#ifndef RELOAD_H
#define RELOAD_H

#include "options.h"
#include "server.h"

/*
 * reload_run(argc, argv, options, server):
 * Read the configuration file, and the files that the options name, again, and use what can change
 * while the server runs; ${options} are those of the start.  All of it or, after a mistake, nothing.
 * The log says what was done, or why not, and what needs a restart.
 */
void reload_run(int argc, char **argv, const struct options *options, struct server *server);

/* reload_log(options): open the file of --log-file again. */
void reload_log(const struct options *options);

#endif
