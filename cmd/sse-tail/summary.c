/* SPDX-License-Identifier: MIT */
/* Counting and telling; see summary.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client_run.h"
#include "clock.h"
#include "hash.h"
#include "number.h"
#include "summary.h"

void summary_init(struct summary *summary)
{
	*summary = (struct summary){.began = clock_now_ms()};
	buf_init(&summary->id, SSE_EVENT_MAX);
}

void summary_free(struct summary *summary)
{
	buf_free(&summary->id);
}

void summary_event(struct summary *summary, struct sse_text type)
{
	/* It tells types apart whose first letters are the same. */
	uint64_t hash = hash_fnv1a(HASH_START, type.data, type.len);
	struct summary_type *new;

	summary->events++;
	for (size_t i = 0; i < summary->type_count; i++) {
		if (summary->types[i].hash == hash) {
			summary->types[i].count++;
			return;
		}
	}
	if (summary->type_count == SUMMARY_TYPES) {
		summary->others++;
		return;
	}
	new = &summary->types[summary->type_count++];
	new->hash = hash;
	new->count = 1;
	snprintf(new->name, sizeof(new->name), "%.*s", (int)(type.len < 39 ? type.len : 39),
		type.data);
}

void summary_piece(struct summary *summary, size_t len, struct sse_text last_id)
{
	struct buf *id = &summary->id;

	summary->bytes += len;
	if (buf_is(id, last_id.data, last_id.len))
		return;
	id->len = 0;
	buf_add(id, last_id.data, last_id.len);
}

void summary_opened(struct summary *summary)
{
	summary->streams++;
}

/* Is it, as it stands, one word to a shell?  It need not end with a NUL. */
static bool is_plain(const char *word, size_t len)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "@%+=:,./-_";

	for (size_t i = 0; i < len; i++) {
		if (memchr(plain, word[i], sizeof(plain) - 1) == NULL)
			return false;
	}
	return len > 0;
}

/* A word as a shell takes it: in single quotes, if it has to be. */
static bool add_word(struct buf *out, const char *word, size_t len)
{
	bool added = true;

	if (is_plain(word, len))
		return buf_add(out, word, len);
	added = buf_add_byte(out, '\'');
	for (size_t i = 0; i < len && added; i++)
		added = word[i] == '\'' ? buf_add_text(out, "'\\''") : buf_add_byte(out, word[i]);
	return added && buf_add_byte(out, '\'');
}

static bool add_types(const struct summary *summary, struct buf *out)
{
	bool added = true;

	for (size_t i = 0; i < summary->type_count && added; i++)
		added = buf_addf(out, "%s%s %" PRIu64, i > 0 ? ", " : ": ", summary->types[i].name,
			summary->types[i].count);
	return added &&
	       (summary->others == 0 || buf_addf(out, ", others %" PRIu64, summary->others));
}

/* What to type to resume after the last event. */
static bool add_command(
	const struct summary *summary, char *const *targets, bool plain, struct buf *out)
{
	bool added = buf_add_text(out, plain ? "sse-tail " : "the same with ");

	for (size_t i = 0; targets[i] != NULL && plain && added; i++)
		added = add_word(out, targets[i], strlen(targets[i])) && buf_add_byte(out, ' ');
	return added && buf_add_text(out, "--last-event-id ") &&
	       add_word(out, summary->id.data, summary->id.len) && buf_add_byte(out, '\0');
}

void summary_say(const struct summary *summary, const struct client *client, char *const *targets,
	bool plain)
{
	int64_t ms = clock_now_ms() - summary->began;
	uint64_t again = summary->streams > 0 ? summary->streams - 1 : 0;
	struct buf text;
	char time[NUMBER_TEXT];

	buf_init(&text, (size_t)64 << 10);
	if (buf_addf(&text, "%" PRIu64 " event%s in %s", summary->events,
		    summary->events == 1 ? "" : "s",
		    number_duration_text(ms < 1000 ? ms : ms / 1000 * 1000, time)) &&
		add_types(summary, &text) &&
		buf_addf(&text, "; %" PRIu64 " bytes, connected again %" PRIu64 " time%s",
			summary->bytes, again, again == 1 ? "" : "s") &&
		buf_add_byte(&text, '\0'))
		client_say(client, CLIENT_EXPLAIN, "%s", text.data);
	text.len = 0;
	if (summary->id.len > 0 && add_command(summary, targets, plain, &text))
		client_say(client, CLIENT_EXPLAIN, "to go on from there: %s", text.data);
	buf_free(&text);
}
