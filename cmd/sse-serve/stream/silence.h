/* SPDX-License-Identifier: MIT */
/*
 * What the loop does about a silent stream: one that is LIVE gets a comment, so that its client
 * knows that it is alive, and one whose socket stays full is closed.  The wheel (wheel.h) says when
 * to look at a stream.
 */
#ifndef SILENCE_H
#define SILENCE_H

#include <stdint.h>

#include "channel.h"

/*
 * silence_look(subscriber, margin):
 * Send a comment if it is between two events and will have been silent for --heartbeat in
 * ${margin} ms; close it if it has taken nothing for --stall-timeout.
 */
void silence_look(struct subscriber *subscriber, uint32_t margin);

#endif
