/* SPDX-License-Identifier: MIT */
/* What the tests of presence share: streams that open, and what readers are told. */
#ifndef PARTS_PRESENCE_H
#define PARTS_PRESENCE_H

#include <stdint.h>

#include "stream/presence.h"

/* enter(presence, topic, name): a stream of this node that is open. */
struct presence_lease *enter(struct presence *presence, const char *topic, const char *name);

/* told(presence, now, expected): the next change for readers is this one, "join a/Ada 1"; "": there is none. */
void told(struct presence *presence, uint32_t now, const char *expected);

#endif
