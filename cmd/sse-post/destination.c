/* SPDX-License-Identifier: MIT */
/* Where events are sent; see destination.h. */
#include <unistd.h>

#include "body.h"
#include "client.h"
#include "client_target.h"
#include "destination.h"
#include "number.h"

int destination_open(struct destination *destination, const char *operand,
	const struct options *options, struct error *error)
{
	*destination = (struct destination){
		.batching = (enum batching)options->batching, .batch_bytes = BODY_BYTES_MAX};
	/*
	 * A batch cannot hold a form; and a batch with the user's own Content-Type would be one
	 * event.
	 */
	if (options->form == FORM_FORM ||
		client_options_has_header(&options->client, "Content-Type") ||
		client_options_has_header(&options->client, "Accept"))
		destination->batching = BATCHING_NEVER;
	return client_target_make(operand, CLIENT_TOPIC, NULL, &destination->url, error);
}

void destination_close(struct destination *destination)
{
	client_url_free(&destination->url);
}

/* Is this the first time for a user at a terminal, whom nothing else tells what happens? */
static bool is_to_be_told(const struct client *client, bool *told)
{
	bool first = !*told && client->options->verbose == 0 && isatty(STDERR_FILENO);

	*told = *told || first;
	return first;
}

/* Whole seconds, or tenths of one. */
static const char *time_text(int64_t ms, char text[NUMBER_TEXT])
{
	int64_t unit = ms >= 1000 ? 1000 : 100;

	return number_duration_text((ms + unit / 2) / unit * unit, text);
}

void destination_tell_trouble(struct destination *destination, const struct client *client,
	const char *reason, int64_t ms)
{
	char text[NUMBER_TEXT];

	if (is_to_be_told(client, &destination->trouble_told))
		client_say(client, CLIENT_WARN, "%s; trying again for %s", reason,
			time_text(ms, text));
}

void destination_tell_silence(
	struct destination *destination, const struct client *client, int64_t ms)
{
	bool first = is_to_be_told(client, &destination->silence_told);
	char text[NUMBER_TEXT];

	client_say(client, first ? CLIENT_WARN : CLIENT_EXPLAIN,
		"no answer yet from %.200s; waiting for up to %s more", destination->url.shown,
		time_text(ms, text));
}
