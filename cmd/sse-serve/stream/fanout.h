/* SPDX-License-Identifier: MIT */
/*
 * The fan-out of one loop: takes new entries of the window in order and sends them to the
 * subscribers of their channels, one send per subscriber and pass.
 *
 * The boundary is the entry up to which the loop has taken the window.  A pass moves it to the head
 * and then serves the channels that have new entries, in slices, so that a large fan-out does not
 * delay the loop's other work.
 */
#ifndef FANOUT_H
#define FANOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

/* fanout_init(fanout, shared, mailbox, epoll, reader, now): start at the window's head. */
void fanout_init(struct fanout *fanout, struct fanouts *shared, struct mailbox *mailbox, int epoll,
	unsigned reader, uint32_t now);

/* fanout_count(shared, topic): the streams that want the topic of that name.  Any thread. */
uint64_t fanout_count(const struct fanouts *shared, const char *topic);

/*
 * fanout_count_streams(shared, streams, count):
 * Fill ${streams}, indexed by the topics' numbers below ${count}, with how many streams want each.
 * Any thread.
 */
void fanout_count_streams(const struct fanouts *shared, uint32_t *streams, uint32_t count);

/* fanout_work(fanout): do a slice of the work.  True if more is left. */
bool fanout_work(struct fanout *fanout);

/*
 * fanout_tick(fanout): check silent streams, and end the polls that have waited long enough.  Return
 * the ms until the next look.
 */
uint32_t fanout_tick(struct fanout *fanout);

/* fanout_bury(fanout): free the closed subscribers, after no event of epoll can name them. */
void fanout_bury(struct fanout *fanout);

/* fanout_close(fanout): end all streams. */
void fanout_close(struct fanout *fanout);

/* fanout_free(fanout): when no thread uses it any more. */
void fanout_free(struct fanout *fanout);

#endif
