/* SPDX-License-Identifier: MIT */
/* An event log for unit tests of the stores: in the scratch database, in NATS, or in a window. */
#ifndef OPEN_LOG_H
#define OPEN_LOG_H

#include <stddef.h>

#include "log/retention_rules.h"
#include "log/store.h"

struct open_log {
	struct topics *topics;
	struct store *store;
	struct store_reader *reader;
	struct window *window; /* of the memory log */
	struct retention_rules rules;
};

/*
 * open_log_sqlite(log, retain, rule):
 * Open the database at scratch_path (scratch.h), with what --retain and one --retain-topic say; each
 * NULL without.
 */
void open_log_sqlite(struct open_log *log, const char *retain, const char *rule);

/* open_log_nats(log, retain, rule): likewise the log of nats_servers() (nats.h), with that copy. */
void open_log_nats(struct open_log *log, const char *retain, const char *rule);

/* open_log_memory(log, size): a log that is a window of ${size} bytes. */
void open_log_memory(struct open_log *log, size_t size);

void open_log_close(struct open_log *log);

#endif
