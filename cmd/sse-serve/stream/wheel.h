/* SPDX-License-Identifier: MIT */
/*
 * The wheel of silent streams: each is in the slot whose turn comes when it will have been silent
 * for the shorter of --heartbeat and --stall-timeout.  fanout_tick() turns it.
 */
#ifndef WHEEL_H
#define WHEEL_H

#include <stdint.h>

#include "channel.h"

/* wheel_step(fanout): the ms from one slot to the next. */
uint32_t wheel_step(const struct fanout *fanout);

/* wheel_put(fanout, subscriber): look at it again when it will have been silent for that long. */
void wheel_put(struct fanout *fanout, struct subscriber *subscriber);

/* wheel_remove(subscriber): also valid for a subscriber that is in no slot. */
void wheel_remove(struct subscriber *subscriber);

#endif
