/* SPDX-License-Identifier: MIT */
/*
 * Dead letters: events that cannot be delivered, and files that cannot be read, go into the folder
 * failed/ of their queue, with the reason, and stay there for the user.  Only the modules of the
 * spool use this.
 *
 * Each function takes the lock of the folder, and stores durably before it returns 0.  ${kept}
 * receives the name within failed/: it begins with the number of the file that the events were in,
 * and it is new.  After -1, nothing was put there that the caller has to know of: EX_IOERR,
 * EX_OSERR, or EX_TEMPFAIL as queue_folder_lock().
 */
#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H

#include <stddef.h>

#include "buf.h"
#include "error.h"
#include "event/group.h"
#include "queue_folder.h"
#include "spool_name.h"

/*
 * dead_letter_put_file(folder, name, reason, kept, error):
 * Move the file ${name} out of the queue as it is, and write the reason into a file beside it.
 */
int dead_letter_put_file(struct queue_folder *folder, const char *name, const char *reason,
	char kept[SPOOL_NAME_SIZE], struct error *error);

/*
 * dead_letter_put_event(folder, group, index, name, reason, kept, error):
 * Put a copy of one event there, in a file whose name begins like ${name} up to its first dot.
 */
int dead_letter_put_event(struct queue_folder *folder, const struct group *group, size_t index,
	const char *name, const char *reason, char kept[SPOOL_NAME_SIZE], struct error *error);

/*
 * dead_letter_put_lines(folder, lines, name, spooled, reason, kept, error):
 * Put lines there that are not valid events, from a file that was spooled at ${spooled} (ms since
 * 1970).  Each line ends with a newline.
 */
int dead_letter_put_lines(struct queue_folder *folder, const struct buf *lines, const char *name,
	int64_t spooled, const char *reason, char kept[SPOOL_NAME_SIZE], struct error *error);

/* dead_letter_count(folder): how many events failed/ holds. */
uint64_t dead_letter_count(const struct queue_folder *folder);

#endif
