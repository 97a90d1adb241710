/* SPDX-License-Identifier: MIT */
/* The messages about a server that is away; see trouble.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client_run.h"
#include "client_voice.h"
#include "trouble.h"
#include "clock.h"
#include "number.h"
#include "terminal.h"

/* Report trouble that lasts longer (ms), and keep the line up to date so often. */
#define TROUBLE_MS 10000
#define TROUBLE_FOLDED_MS 1000
#define DRAW_MS 200

/* A silence is told after this long, or when a heartbeat is as late as that (ms); and so often. */
#define QUIET_MS 60000
#define LATE_MS 2000
#define QUIET_DRAW_MS 1000

/* An attempt that has no answer after this long is what there is to tell, not why another failed. */
#define ATTEMPT_MS 1000

void trouble_init(struct trouble *trouble, const struct client *client,
	const struct trouble_words *words, const char *origin)
{
	const char *host = strstr(origin, "://");

	*trouble = (struct trouble){.words = words,
		.client = client,
		.host = host != NULL ? host + 3 : origin,
		.folds = !client->options->quiet && client->options->verbose == 0 &&
			 terminal_obeys(STDERR_FILENO),
		.since = CLIENT_NEVER,
		.next = CLIENT_NEVER,
		.tried = CLIENT_NEVER,
		.heard = CLIENT_NEVER};
}

/* Is it trouble already that there is no answer yet?  Only a person waits for it. */
void trouble_await(struct trouble *trouble)
{
	if (trouble->folds && trouble->since == CLIENT_NEVER)
		trouble->since = clock_now_ms();
}

void trouble_note(struct trouble *trouble, bool stream, const struct brief *why, int64_t until)
{
	if (!stream)
		trouble->attempts++;
	/* A silence that was told of is a part of it. */
	if (trouble->since == CLIENT_NEVER)
		trouble->since = trouble->quiet ? trouble->heard : clock_now_ms();
	trouble->told = trouble->told || trouble->quiet;
	trouble->quiet = false;
	brief_write(why, trouble->reason);
	trouble->next = until;
	trouble->tried = CLIENT_NEVER;
	trouble->untold = true;
}

void trouble_try(struct trouble *trouble)
{
	trouble->next = CLIENT_NEVER;
	if (trouble->tried == CLIENT_NEVER)
		trouble->tried = clock_now_ms();
}

void trouble_listen(struct trouble *trouble, int64_t heard, int64_t heartbeat)
{
	trouble->heard = heard;
	trouble->heartbeat = heartbeat;
}

void trouble_hear(struct trouble *trouble)
{
	if (trouble->quiet)
		client_status_clear();
	trouble->quiet = false;
}

/* How long it has lasted, in whole seconds. */
static const char *lasted(const struct trouble *trouble, char text[NUMBER_TEXT])
{
	return number_duration_text((clock_now_ms() - trouble->since) / 1000 * 1000, text);
}

void trouble_over(struct trouble *trouble)
{
	const char *works =
		trouble->ever_worked ? trouble->words->works_again : trouble->words->works;
	char text[NUMBER_TEXT];

	if (trouble->told && trouble->folds && trouble->reason[0] != '\0')
		client_status_end(trouble->client, "%s after %s (%s: %.200s)", works,
			lasted(trouble, text), trouble->reason, trouble->host);
	else if (trouble->told && trouble->folds)
		client_status_end(trouble->client, "%s after %s", works, lasted(trouble, text));
	else if (trouble->told)
		client_say(
			trouble->client, CLIENT_WARN, "%s after %s", works, lasted(trouble, text));
	trouble->since = trouble->next = trouble->tried = CLIENT_NEVER;
	trouble->attempts = 0;
	trouble->told = trouble->untold = false;
	trouble->reason[0] = '\0';
	trouble->ever_worked = true;
}

/* When to tell a person of a silence. */
static int64_t quiet_due(const struct trouble *trouble)
{
	if (trouble->heard == CLIENT_NEVER || !trouble->folds || terminal_in_line())
		return CLIENT_NEVER;
	if (trouble->quiet)
		return trouble->drawn_at + QUIET_DRAW_MS;
	return trouble->heard + (trouble->heartbeat > 0 ? trouble->heartbeat + LATE_MS : QUIET_MS);
}

int64_t trouble_due(const struct trouble *trouble)
{
	/* Who has not seen it work yet is told of the first failure. */
	bool at_once =
		!trouble->ever_worked && trouble->untold && isatty(STDERR_FILENO) && !trouble->told;

	if (trouble->since == CLIENT_NEVER)
		return quiet_due(trouble);
	if (at_once)
		return trouble->since;
	if (trouble->folds)
		return trouble->told ? trouble->drawn_at + DRAW_MS
				     : trouble->since + TROUBLE_FOLDED_MS;
	return trouble->untold ? trouble->since + TROUBLE_MS : CLIENT_NEVER;
}

static bool awaits_answer(const struct trouble *trouble)
{
	return trouble->tried != CLIENT_NEVER && clock_now_ms() - trouble->tried >= ATTEMPT_MS;
}

/* The reason comes first: the end is cut off where the terminal is narrow. */
static void draw(struct trouble *trouble)
{
	int64_t now = clock_now_ms(), left = trouble->next - now;
	char lasting[80] = "", text[NUMBER_TEXT], next[60] = ", trying again";

	if (trouble->next != CLIENT_NEVER && left > 0)
		snprintf(
			next, sizeof(next), ", trying again in %" PRId64 " s", (left + 999) / 1000);
	if (now - trouble->since >= TROUBLE_MS)
		snprintf(lasting, sizeof(lasting), "; %s %s %s", trouble->words->none,
			trouble->ever_worked ? "for" : "yet, after", lasted(trouble, text));
	if (awaits_answer(trouble))
		trouble->reason[0] = '\0';
	if (trouble->reason[0] != '\0')
		client_status(trouble->client, "%s: %.200s%s%s", trouble->reason, trouble->host,
			next, lasting);
	else
		client_status(trouble->client, "no answer yet: %.200s, waiting%s", trouble->host,
			lasting);
	trouble->drawn_at = now;
}

static void draw_quiet(struct trouble *trouble)
{
	int64_t now = clock_now_ms();
	char text[NUMBER_TEXT];

	client_status(trouble->client, "%s for %s: %.200s",
		trouble->heartbeat > 0 ? "no heartbeat" : "no data",
		number_duration_text((now - trouble->heard) / 1000 * 1000, text), trouble->host);
	trouble->quiet = true;
	trouble->drawn_at = now;
}

static void tell_once(struct trouble *trouble, const struct error *reason)
{
	char text[NUMBER_TEXT], times[40] = "", since[40] = "yet";

	if (trouble->ever_worked)
		snprintf(since, sizeof(since), "for %s", lasted(trouble, text));
	if (trouble->attempts > 1)
		snprintf(times, sizeof(times), " after %" PRId64 " attempts", trouble->attempts);
	if (awaits_answer(trouble))
		client_status(trouble->client, "%s %s%s: no answer from %.200s; still waiting",
			trouble->words->none, since, times, trouble->host);
	else
		client_status(trouble->client, "%s %s%s: %.400s; still trying",
			trouble->words->none, since, times, reason->text);
}

void trouble_tell(struct trouble *trouble, const struct error *reason)
{
	if (trouble->since == CLIENT_NEVER) {
		draw_quiet(trouble);
		return;
	}
	if (trouble->folds)
		draw(trouble);
	else
		tell_once(trouble, reason);
	trouble->told = true;
	trouble->untold = false;
}

enum client_outcome trouble_wait(struct trouble *trouble, int64_t until, const struct error *reason)
{
	for (;;) {
		int64_t due = trouble_due(trouble);
		enum client_outcome outcome = client_wait(due < until ? due : until);

		if (outcome != CLIENT_TIME || clock_now_ms() >= until)
			return outcome;
		trouble_tell(trouble, reason);
	}
}
