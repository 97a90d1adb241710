/* SPDX-License-Identifier: MIT */
/* One connection, looked at; see check_look.h. */
#include <string.h>

#include "check_look.h"
#include "client_run.h"
#include "clock.h"
#include "follow_run.h"
#include "gap.h"

/* Bytes that come within this time of each other came at once; a silence is longer (ms). */
#define AT_ONCE_MS 100
#define SILENCE_MS 1000

/* So many at once, after a silence, are a burst. */
#define BURST 3

/* The longest id that is kept; HTTP carries no longer one either. */
#define ID_MAX 8192

static void keep(struct buf *id, const char *text, size_t len)
{
	id->len = 0;
	buf_add(id, text, len);
}

bool check_look_is(const struct buf *id, const struct buf *other)
{
	return id->len > 0 && id->len == other->len && memcmp(id->data, other->data, id->len) == 0;
}

/* --- silence and bursts ---------------------------------------------------------------------- */

/*
 * A group ended, and a silence followed.  The server may have sent several events at once.  But two
 * keep-alive comments have no reason to come together, and no server pauses for long within an
 * event: a buffer held those back.
 */
static void end_group(struct check_look *look, int64_t silence)
{
	const struct check_group *group = &look->group;
	bool torn = group->torn && silence >= SILENCE_MS;

	if (group->before >= SILENCE_MS && group->events + group->comments >= BURST) {
		look->bursts++;
		look->held_bursts += group->comments > 1 || torn;
	}
	look->group = (struct check_group){.before = silence};
}

static void add_to_group(struct check_look *look, int64_t now)
{
	int64_t silence = now - look->last_byte;
	struct check_group *group = &look->group;

	look->last_byte = now;
	if (silence > look->silence)
		look->silence = silence;
	if (silence >= AT_ONCE_MS)
		end_group(look, silence);
	group->events += look->piece_events;
	group->comments += look->piece_comments;
	group->torn = check_lines_within(&look->lines);
	if (look->piece_comments > 0 && group->events == 0 && group->before >= SILENCE_MS)
		look->comment_after = group->before;
	look->piece_events = look->piece_comments = 0;
}

/* --- what the stream brings ------------------------------------------------------------------ */

static void take_id(struct check_look *look, struct sse_text id)
{
	if (look->with_id++ == 0)
		keep(&look->first_id, id.data, id.len);
	keep(&look->before_id, look->position.data, look->position.len);
	keep(&look->last_id, id.data, id.len);
	keep(&look->position, id.data, id.len);
}

static bool on_event(void *context, const struct sse_event *event, const char *origin)
{
	struct check_look *look = context;

	(void)origin;
	if (look->events == 0) {
		look->first_event = clock_now_ms();
		gap_read(event, &look->gap);
	}
	look->events++;
	look->piece_events++;
	check_lines_event(&look->lines, event->data);
	if (event->data.len > look->largest)
		look->largest = event->data.len;
	if (event->has_id && event->id.len > 0)
		take_id(look, event->id);
	return true;
}

static bool on_comment(void *context, struct sse_text text)
{
	struct check_look *look = context;

	(void)text;
	look->comments++;
	look->piece_comments++;
	return true;
}

/* Once there are events enough only the time that it takes at least remains. */
static void end_if_enough(struct check_look *look)
{
	int64_t least = look->opened + look->plan->least;

	if (look->events >= look->plan->events && least < look->until)
		look->until = least;
}

static bool on_piece(void *context, const char *data, size_t len, struct sse_text last_id)
{
	struct check_look *look = context;
	int64_t now = clock_now_ms();

	if (len == 0)
		return true;
	if (look->first_byte == CLIENT_NEVER)
		look->first_byte = now;
	check_lines_feed(&look->lines, data, len);
	add_to_group(look, now);
	keep(&look->position, last_id.data, last_id.len);
	end_if_enough(look);
	return now < look->until;
}

static bool on_opened(void *context, const struct client_answer *answer, bool lines)
{
	struct check_look *look = context;

	(void)answer;
	look->lines.json = lines;
	look->opened = look->last_byte = clock_now_ms();
	if (look->plan->opened != NULL)
		look->plan->opened(look->plan->context);
	return true;
}

/* --- the connection -------------------------------------------------------------------------- */

static void start(struct check_look *look, const struct check_plan *plan)
{
	struct buf *ids[] = {&look->first_id, &look->last_id, &look->before_id, &look->position};

	*look = (struct check_look){.begun = clock_now_ms(),
		.opened = CLIENT_NEVER,
		.first_byte = CLIENT_NEVER,
		.first_event = CLIENT_NEVER,
		.plan = plan,
		.until = plan->until};
	look->last_byte = look->begun;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		buf_init(ids[i], ID_MAX);
	buf_init(&look->gap, 4096);
	check_lines_init(&look->lines);
}

void check_look_run(
	struct check_look *look, const struct check_target *target, const struct check_plan *plan)
{
	static const struct follow_sink sink = {
		.event = on_event, .comment = on_comment, .piece = on_piece, .opened = on_opened};
	struct follow_options once = *target->follow;

	start(look, plan);
	once.last_id = plan->last_id;
	once.reconnect = once.flush_end = false;
	once.read_timeout = 0;
	once.until = &look->until;
	look->end = follow_run(target->client, target->url, &once, &sink, look, &look->error);
	look->ended = clock_now_ms();
	if (look->ended - look->last_byte > look->silence)
		look->silence = look->ended - look->last_byte;
	end_group(look, look->ended - look->last_byte);
}

void check_look_free(struct check_look *look)
{
	buf_free(&look->first_id);
	buf_free(&look->last_id);
	buf_free(&look->before_id);
	buf_free(&look->position);
	buf_free(&look->gap);
	check_lines_free(&look->lines);
}
