/* SPDX-License-Identifier: MIT */
/* What is followed, in a line; see following.h. */
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "client_target.h"
#include "client_voice.h"
#include "following.h"

/* "users, chat and logs" */
static bool add_topics(char *const *topics, struct buf *out)
{
	bool added = true;

	for (size_t i = 0; topics[i] != NULL && added; i++)
		added = buf_addf(out, "%s%s",
			i == 0			? ""
			: topics[i + 1] != NULL ? ", "
						: " and ",
			topics[i]);
	return added;
}

/* The server's URL: what is before its path of topics. */
static bool add_server(const char *shown, struct buf *out)
{
	const char *path = strstr(shown, "/api/");

	return buf_add(out, shown, path != NULL ? (size_t)(path - shown) : strlen(shown));
}

void following_say(
	const struct options *options, const struct client_url *url, const struct client *client)
{
	const char *topic = options_topic(options);
	char shown[CLIENT_URL_TEXT];
	char *const one[] = {(char *)(uintptr_t)topic, NULL};
	bool topics = options->many || topic != NULL, added;
	struct buf text;

	/* The answer to a question is not followed. */
	if (!isatty(STDERR_FILENO) || client->options->verbose > 0 || options->data != NULL ||
		options->json != NULL || options->filter.preset >= 0)
		return;
	buf_init(&text, (size_t)64 << 10);
	added = buf_add_text(&text, options->until >= 0 ? "reading " : "following ") &&
		(topics ? add_topics(options->many ? options->targets : one, &text) &&
					buf_add_text(&text, " at ") && add_server(url->shown, &text)
			: buf_add_text(&text, client_url_text(options->targets[0], shown))) &&
		(options->until >= 0 || buf_add_text(&text, " (Ctrl-C ends)")) &&
		buf_add_byte(&text, '\0');
	if (added)
		client_status_end(client, "%s", text.data);
	buf_free(&text);
}
