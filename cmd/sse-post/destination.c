/* SPDX-License-Identifier: MIT */
/* Where events are sent; see destination.h. */
#include "body.h"
#include "client.h"
#include "destination.h"

int destination_open(struct destination *destination, const char *operand,
	const struct options *options, struct error *error)
{
	*destination = (struct destination){
		.batching = (enum batching)options->batching, .batch_bytes = BODY_BYTES_MAX};
	/*
	 * A batch cannot hold a form; and a batch with the user's own Content-Type would be one
	 * event.
	 */
	if (options->form == FORM_FORM || client_has_header(&options->client, "Content-Type") ||
		client_has_header(&options->client, "Accept"))
		destination->batching = BATCHING_NEVER;
	return client_url_make(operand, CLIENT_TOPIC, NULL, &destination->url, error);
}

void destination_close(struct destination *destination)
{
	client_url_free(&destination->url);
}
