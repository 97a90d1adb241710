/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of a shared log: when the log in NATS has grown much larger than what it amounts to, as old
 * events are not kept, one of the nodes stores a copy of its database there, and older commands are
 * removed.  A thread does this beside the log thread.
 */
#ifndef STORE_NATS_SNAPSHOT_H
#define STORE_NATS_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "nats/jetstream.h"

struct snapshots;

/*
 * snapshots_start(jetstream, path, least, never, error):
 * Look now and then whether a snapshot of the copy at ${path} is due: when at least ${least} bytes
 * were written to the log since the newest one, and twice as many as the copy has; none once *${never} is true.
 * NULL with EX_OSERR.  All of them outlive the result.
 */
struct snapshots *snapshots_start(
	struct jetstream *jetstream, const char *path, int64_t least, const _Atomic bool *never,
	struct error *error);

/* snapshots_stop(snapshots): abandon the one that is being made.  Takes NULL. */
void snapshots_stop(struct snapshots *snapshots);

/*
 * snapshots_prepare(jetstream, stream, path, tag, ours, error):
 * Before the copy at this path is opened: if it does not exist, or lacks commands that the stream does not
 * have any more, put the newest snapshot in its place.  A file of another log is removed if ${ours} says
 * that nobody else chose the path.  Return 0, or -1 with EX_TEMPFAIL if another process uses it, or
 * EX_DATAERR if it cannot become a copy of the log.
 */
int snapshots_prepare(struct jetstream *jetstream, const struct jetstream_stream *stream,
	const char *path, const char *tag, bool ours, struct error *error);

#endif
