/* SPDX-License-Identifier: MIT */
/* Signals and messages around a follower; see follow_run.h. */
#include "clock.h"
#include "client_run.h"
#include "follow_run.h"
#include "trouble.h"

struct run {
	struct client *client;
	struct follow *follow;
	struct trouble trouble;
	struct error reason; /* of the last pause */
};

static bool again(void *context)
{
	const struct run *run = context;
	bool hung_up = client_hangup();

	if (hung_up)
		client_say(run->client, CLIENT_EXPLAIN, "SIGHUP, connecting again");
	return hung_up;
}

static void works(void *context)
{
	struct run *run = context;

	trouble_over(&run->trouble);
}

static void hears(void *context)
{
	struct run *run = context;

	trouble_hear(&run->trouble);
}

static void pauses(void *context, bool stream, const struct error *reason, int64_t ms)
{
	struct run *run = context;
	struct brief why = follow_brief(run->follow);

	trouble_note(&run->trouble, stream, &why, clock_now_ms() + ms);
	run->reason = *reason;
}

/* Tell of the trouble if it is time; return when to look again. */
static int64_t look_at_trouble(struct run *run)
{
	if (!follow_is_pausing(run->follow))
		trouble_try(&run->trouble);
	trouble_listen(&run->trouble, follow_heard(run->follow), follow_heartbeat(run->follow));
	if (clock_now_ms() >= trouble_due(&run->trouble))
		trouble_tell(&run->trouble, &run->reason);
	return trouble_due(&run->trouble);
}

static enum follow_end run_all(struct run *run, struct error *error)
{
	enum follow_end end;
	int64_t due, told;

	while ((end = follow_step(run->follow)) == FOLLOW_ON) {
		if (again(run))
			follow_again(run->follow);
		told = look_at_trouble(run);
		due = follow_due(run->follow);
		if (client_poll(run->client->multi, -1, due < told ? due : told) == CLIENT_SIGNAL)
			break;
	}
	/* A signal outranks the moment that it may have come with. */
	if (end == FOLLOW_ON || (end == FOLLOW_TIME && client_signal() != 0)) {
		client_stopped(error);
		return FOLLOW_FAILED;
	}
	*error = *follow_error(run->follow);
	return end;
}

enum follow_end follow_run(struct client *client, const struct client_url *url,
	const struct follow_options *options, const struct follow_sink *sink, void *context,
	struct error *error)
{
	static const struct trouble_words words = {
		"no stream", "the stream is open", "the stream is back"};
	struct run run = {.client = client};
	const struct follow_host host = {
		.again = again, .works = works, .hears = hears, .pauses = pauses, .context = &run};
	enum follow_end end;

	*error = (struct error){0};
	trouble_init(&run.trouble, client, &words, url->origin);
	if (options->reconnect)
		trouble_await(&run.trouble);
	run.follow = follow_new(client, url, options, sink, &host, context, error);
	if (run.follow == NULL)
		return FOLLOW_FAILED;
	end = run_all(&run, error);
	follow_free(run.follow);
	return end;
}
