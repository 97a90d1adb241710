/* SPDX-License-Identifier: MIT */
/*
 * Ends streams whose proof has ended: sends them an event that says so, and closes them.
 *
 *   event: denied
 *   data: {"reason":"the token was withdrawn"}
 */
#ifndef DENIAL_H
#define DENIAL_H

#include "channel.h"

/*
 * The longest time between two looks, in ms, and so the longest that an ended proof can be of use.
 */
#define DENIAL_LOOK_MS 500

/*
 * denial_expect(fanout, principal):
 * A stream of the principal opens on this loop: look when the principal expires, or at once if it
 * has ended.  Takes NULL.
 */
void denial_expect(struct fanout *fanout, const struct principal *principal);

/*
 * denial_look(fanout):
 * If a principal may have ended, end its streams.  Return the ms until the next look, or -1 if
 * there is nothing to look at.
 */
int denial_look(struct fanout *fanout);

#endif
