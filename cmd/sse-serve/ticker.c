/* SPDX-License-Identifier: MIT */
/* The demo's tick; see ticker.h. */
#include "clock.h"
#include "ticker.h"

static void back(struct message *message)
{
	((struct ticker *)message)->busy = false;
}

void ticker_init(struct ticker *ticker, struct log_thread *log_thread, struct mailbox *mailbox,
	uint32_t interval, uint32_t now)
{
	*ticker = (struct ticker){
		.log_thread = log_thread, .interval = interval, .due = now + interval};
	ticker->publish.message.handle = back;
	ticker->publish.mailbox = mailbox;
	ticker->publish.group = (struct store_group){.appends = &ticker->append, .count = 1};
	ticker->append = (struct store_append){.topic = "users",
		.event = {.ephemeral = true, .type = {"update", 6}, .data = {"Hello, world!", 13}}};
}

int ticker_run(struct ticker *ticker, uint32_t now)
{
	if (ticker->interval == 0)
		return -1;
	if (clock_due(&ticker->due, ticker->interval, now) && !ticker->busy &&
		!log_thread_draining(ticker->log_thread))
		ticker->busy = log_thread_submit(ticker->log_thread, &ticker->publish);
	return (int)(ticker->due - now);
}

bool ticker_busy(const struct ticker *ticker)
{
	return ticker->busy;
}
