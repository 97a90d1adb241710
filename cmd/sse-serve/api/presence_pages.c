/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}/presence; see presence_pages.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "json.h"
#include "presence_pages.h"
#include "stream/fanout.h"
#include "stream/presence.h"

/* The answer, which lives as long as the request. */
static void free_answer(void *state)
{
	struct buf *answer = state;

	buf_free(answer);
	free(answer);
}

static bool add_names(struct buf *answer, const struct buf *names)
{
	for (size_t at = 0; at < names->len;) {
		size_t len = strlen(names->data + at);

		if ((at > 0 && !buf_add_byte(answer, ',')) ||
			!json_quote(names->data + at, len, answer))
			return false;
		at += len + 1;
	}
	return true;
}

static bool add_several(void *context, const char *name, uint32_t streams)
{
	struct buf *several = context;

	return buf_add_text(several, several->len == 0 ? ",\"several\":{" : ",") &&
	       json_quote(name, strlen(name), several) && buf_addf(several, ":%" PRIu32, streams);
}

/* Write the answer.  False without memory. */
static bool write_answer(const struct request *request, struct buf *answer)
{
	struct presence *presence = api_of(request)->presence;
	const char *topic = request_route(request)->topic;
	struct buf names, several;
	size_t count;
	bool written;

	buf_init(&names, SIZE_MAX / 2);
	buf_init(&several, SIZE_MAX / 2);
	written = presence_names(presence, topic, &names, &count) == 0 &&
		  presence_several(presence, topic, add_several, &several) &&
		  buf_addf(answer, "{\"count\":%zu,\"names\":[", count) &&
		  add_names(answer, &names) &&
		  buf_addf(answer, "],\"streams\":%" PRIu64,
			  fanout_count(api_of(request)->fanout->shared, topic)) &&
		  buf_add(answer, several.data, several.len) &&
		  buf_add_text(answer, several.len > 0 ? "}}\n" : "}\n");
	buf_free(&names);
	buf_free(&several);
	return written;
}

void presence_pages_run(struct request *request)
{
	struct buf *answer = malloc(sizeof(*answer));

	if (answer != NULL) {
		buf_init(answer, SIZE_MAX / 2);
		request_set_state(request, answer, free_answer);
	}
	if (answer == NULL || !write_answer(request, answer)) {
		request_problem(request, 503, "out of memory; try again later");
	} else if (!request_hold(request, answer->len)) {
		/* Count the names, so that many requests for many names cannot fill the memory. */
		request_problem(
			request, 503, REQUEST_BODIES_FULL, (long long)api_of(request)->max_bodies);
	} else {
		request_reply_static(request, 200, "application/json", answer->data, answer->len);
		request_add_header(request, "Cache-Control", "no-cache");
	}
}
