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

void destination_tell_trouble(struct destination *destination, const struct client *client,
	const char *reason, int64_t ms)
{
	char text[NUMBER_TEXT];

	if (destination->trouble_told || client->options->verbose > 0 || !isatty(STDERR_FILENO))
		return;
	client_say(client, CLIENT_WARN, "%s; trying again for %s", reason,
		number_duration_text(ms, text));
	destination->trouble_told = true;
}
