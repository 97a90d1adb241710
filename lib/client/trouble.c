/* SPDX-License-Identifier: MIT */
/* The messages about a server that is away; see trouble.h. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client_run.h"
#include "client_voice.h"
#include "trouble.h"
#include "clock.h"
#include "number.h"

/* Report trouble that lasts longer (ms). */
#define TROUBLE_MS 10000

void trouble_init(struct trouble *trouble, struct client *client, const struct trouble_words *words)
{
	*trouble = (struct trouble){.words = words, .client = client, .since = CLIENT_NEVER};
}

void trouble_note(struct trouble *trouble, bool stream)
{
	if (!stream)
		trouble->attempts++;
	if (trouble->since == CLIENT_NEVER)
		trouble->since = clock_now_ms();
}

/* How long it has lasted, in whole seconds. */
static const char *lasted(const struct trouble *trouble, char text[NUMBER_TEXT])
{
	return number_duration_text((clock_now_ms() - trouble->since) / 1000 * 1000, text);
}

void trouble_over(struct trouble *trouble)
{
	char text[NUMBER_TEXT];

	if (trouble->told)
		client_say(trouble->client, CLIENT_WARN, "%s after %s",
			trouble->ever_worked ? trouble->words->works_again : trouble->words->works,
			lasted(trouble, text));
	trouble_init(trouble, trouble->client, trouble->words);
	trouble->ever_worked = true;
}

int64_t trouble_due(const struct trouble *trouble)
{
	bool at_once = !trouble->ever_worked && isatty(STDERR_FILENO);

	return trouble->since + (at_once ? 0 : TROUBLE_MS);
}

void trouble_tell(struct trouble *trouble, const struct error *reason)
{
	char text[NUMBER_TEXT], times[40] = "", since[40] = "yet";

	if (trouble->ever_worked)
		snprintf(since, sizeof(since), "for %s", lasted(trouble, text));
	if (trouble->attempts > 1)
		snprintf(times, sizeof(times), " after %" PRId64 " attempts", trouble->attempts);
	/* The number comes first: the end is cut off where the terminal is narrow. */
	client_status(trouble->client, "%s %s%s: %.400s; still trying", trouble->words->none, since,
		times, reason->text);
	trouble->told = true;
}

enum client_outcome trouble_wait(struct trouble *trouble, int64_t until, const struct error *reason)
{
	int64_t moment = trouble_due(trouble);
	enum client_outcome outcome;

	if (moment <= until) {
		outcome = client_wait(moment);
		if (outcome != CLIENT_TIME)
			return outcome;
		trouble_tell(trouble, reason);
	}
	return client_wait(until);
}
