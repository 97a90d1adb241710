/* SPDX-License-Identifier: MIT */
/* What sse-serve tells beside the events; see notice.h. */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "closing.h"
#include "deleted.h"
#include "gap.h"
#include "notice.h"

/* Is the data, or a part of it, all that is shown of an event? */
static bool shows_data(const struct notice *notice)
{
	return notice->output->format->alone || notice->filter->rule_count > 0 ||
	       notice->filter->preset != NULL;
}

/* After the events before it, with which it may have come in one piece. */
static void tell(const struct notice *notice, const char *sentence)
{
	struct error again; /* a failure to write shows at the end of the piece, too */

	output_piece(notice->output, NULL, 0, &again);
	client_say(notice->client, CLIENT_WARN, "%s", sentence);
}

static bool take_gap(const struct notice *notice, const struct sse_event *event,
	struct buf *sentence, struct error *error)
{
	bool strict = notice->options->strict, dealt;

	if (!gap_read(event, sentence) || !buf_add_byte(sentence, '\0'))
		return false;
	if (strict)
		error_set(error, EX_UNAVAILABLE, "%.500s", sentence->data);
	dealt = shows_data(notice) || notice->options->silent || strict ||
		!filter_wants(notice->filter, event->type);
	if (dealt && !strict)
		tell(notice, sentence->data);
	return dealt;
}

static bool take_deleted(
	const struct notice *notice, const struct sse_event *event, struct buf *sentence)
{
	if (!shows_data(notice) || !filter_wants(notice->filter, event->type) ||
		!deleted_read(event, sentence) || !buf_add_byte(sentence, '\0'))
		return false;
	tell(notice, sentence->data);
	return true;
}

/* The event that closed the topic; in a terminal, say that there is no more. */
static bool take_closing(const struct notice *notice, const struct sse_event *event)
{
	if (!shows_data(notice) || !closing_read(event))
		return false;
	if (isatty(STDERR_FILENO))
		tell(notice, "the topic is closed: no event follows");
	return true;
}

bool notice_take(const struct notice *notice, const struct sse_event *event, struct error *error)
{
	struct buf sentence;
	bool dealt;

	if (take_closing(notice, event))
		return true;
	/* Nearly no event is one of these, and each is asked. */
	if (event->type.len != strlen("gap") && event->type.len != strlen("deleted"))
		return false;
	buf_init(&sentence, 4096);
	dealt = take_gap(notice, event, &sentence, error) || take_deleted(notice, event, &sentence);
	buf_free(&sentence);
	return dealt;
}
