/* SPDX-License-Identifier: MIT */
/* A power cut, acted out on the files of a server that ran with shim_power.so and was killed. */
#ifndef POWER_H
#define POWER_H

#include <stdint.h>

#include "random.h"

/* What was lost, so that one sees that something was. */
struct power_loss {
	uint64_t sectors;     /* written and not synced */
	uint64_t checkpoints; /* cuts that left the database itself half written */
	uint64_t files;	      /* whose name was not durable */
};

/*
 * power_cut(folder, random, loss):
 * Leave of events.db and its journals what a disk may have after the power went: what was synced,
 * and of the rest nothing, all, or sectors at random; of names that no sync of the folder made
 * durable, at random.  Add to ${loss}.
 */
void power_cut(const char *folder, struct random *random, struct power_loss *loss);

#endif
