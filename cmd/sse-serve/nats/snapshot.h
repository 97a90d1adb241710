/* SPDX-License-Identifier: MIT */
/*
 * Snapshots: files that hold what the messages of a stream up to some sequence amount to.  They are kept
 * in a second stream beside it, so that a node which has nothing begins with the newest one, and older
 * messages can be removed.
 *
 * Any thread may call these while the owner of the jetstream uses it.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct jetstream;

struct snapshot {
	char name[17];	   /* of its own; its parts are found by it */
	uint64_t sequence; /* of the newest message that it has */
	uint64_t bytes, parts;
	char digest[65]; /* SHA-256, in hexadecimal digits */
	uint64_t
		done; /* the sequence, in the stream of snapshots, of the message that says all this */
};

/*
 * snapshot_newest(jetstream, snapshot, error):
 * Find the newest.  Return 1 if there is one, 0 if not, or -1 with EX_TEMPFAIL.
 */
int snapshot_newest(struct jetstream *jetstream, struct snapshot *snapshot, struct error *error);

/*
 * snapshot_get(jetstream, snapshot, path, error):
 * Write it to a new file.  Return 0, or -1 with EX_TEMPFAIL if it cannot be read, perhaps as a newer one has
 * replaced it, or EX_CANTCREAT; then there is no file.
 */
int snapshot_get(struct jetstream *jetstream, const struct snapshot *snapshot, const char *path,
	struct error *error);

/*
 * snapshot_put(jetstream, sequence, path, stop, error):
 * Store the file as the newest snapshot, remove the one before, and the messages that this one had: so a node
 * may lag behind by a snapshot before it must begin anew.  It is abandoned once *${stop} is true.  Return 0, or -1.
 */
int snapshot_put(struct jetstream *jetstream, uint64_t sequence, const char *path,
	const _Atomic bool *stop, struct error *error);

/*
 * snapshot_claim(jetstream, ms): may this node make a snapshot now?  Not if another one was allowed to
 * within this time.
 */
bool snapshot_claim(struct jetstream *jetstream, int64_t ms);

/*
 * snapshot_due(jetstream, bytes): have about so many bytes of messages come since the newest snapshot?  No,
 * if that cannot be learnt.
 */
bool snapshot_due(struct jetstream *jetstream, uint64_t bytes);

/*
 * snapshot_first(jetstream, data, len, error):
 * Store the first message of a stream.  Return 0, or -1 with EX_CANTCREAT if it has one already, or
 * EX_TEMPFAIL.
 */
int snapshot_first(struct jetstream *jetstream, const void *data, size_t len, struct error *error);

#endif
