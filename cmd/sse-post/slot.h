/* SPDX-License-Identifier: MIT */
/*
 * What the answer to a slot's request, or the lack of one, means for its events.  verdict.h knows the
 * rules; here they are applied, and slot->error says why a request did not succeed.  deliver.c acts
 * on the verdict.
 */
#ifndef SLOT_H
#define SLOT_H

#include <curl/curl.h>

#include "deliver.h"
#include "verdict.h"

/* slot_judge(slot, code): the transfer is over; ${code} is how it went for libcurl. */
enum verdict slot_judge(struct slot *slot, CURLcode code);

/* slot_judge_failure(slot, failure): there was no answer, for that reason. */
enum verdict slot_judge_failure(struct slot *slot, enum verdict_failure failure);

/*
 * slot_learn(slot):
 * Learn about batches from the answers to the first event, sent alone, and to later ones.
 */
void slot_learn(struct slot *slot);

/* slot_split_batch(slot): a batch was refused: send it otherwise. */
void slot_split_batch(struct slot *slot);

#endif
