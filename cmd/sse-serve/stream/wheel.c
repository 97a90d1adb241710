/* SPDX-License-Identifier: MIT */
/* The wheel of silent streams; see wheel.h. */
#include "wheel.h"

static uint32_t interval_of(const struct fanout *fanout)
{
	const struct fanouts *shared = fanout->shared;

	return shared->heartbeat < shared->stall_timeout ? shared->heartbeat
							 : shared->stall_timeout;
}

uint32_t wheel_step(const struct fanout *fanout)
{
	return interval_of(fanout) / WHEEL_SLOTS + 1;
}

void wheel_put(struct fanout *fanout, struct subscriber *subscriber)
{
	uint32_t step = wheel_step(fanout);
	uint32_t silent = fanout->now - subscriber->sent;
	uint32_t wait = silent < interval_of(fanout) ? interval_of(fanout) - silent : 0;
	uint32_t slot = (fanout->wheel_slot + wait / step) % WHEEL_SLOTS;
	struct subscriber **head = &fanout->wheel[slot];

	subscriber->wheel_next = *head;
	subscriber->wheel_back = head;
	if (*head != NULL)
		(*head)->wheel_back = &subscriber->wheel_next;
	*head = subscriber;
}

void wheel_remove(struct subscriber *subscriber)
{
	if (subscriber->wheel_back == NULL)
		return;
	*subscriber->wheel_back = subscriber->wheel_next;
	if (subscriber->wheel_next != NULL)
		subscriber->wheel_next->wheel_back = subscriber->wheel_back;
	subscriber->wheel_back = NULL;
}
