/* SPDX-License-Identifier: MIT */
/* A stream that was watched, in words; see check_stream.h. */
#include <inttypes.h>

#include "check_stream.h"
#include "client_run.h"
#include "number.h"

/* Bytes within this time after the head count as sent with it (ms). */
#define WITH_IT_MS 50

/* Silence of this length without a comment has proxies cut the connection (ms). */
#define SILENT_MS 15000

/* What clients wait before they connect again is best between these (ms). */
#define RETRY_LEAST 500
#define RETRY_MOST 60000

/* Events that are larger are unusual (bytes). */
#define USUAL_BYTES ((size_t)256 << 10)

/* What keeps a silent stream alive. */
static const char *heartbeat(const struct check_look *look)
{
	return look->lines.json ? "empty line" : "comment";
}

static void find_times(struct check_findings *findings, const struct check_look *look)
{
	char a[CHECK_FINDING_MS], b[CHECK_FINDING_MS];

	if (look->first_byte == CLIENT_NEVER)
		check_finding(findings, CHECK_NOTE,
			"not a byte of the stream came in %s: it is silent, or held back; send %s %s "
			"when it begins, so that clients and proxies see that it is alive",
			check_finding_ms(look->ended - look->opened, a),
			look->lines.json ? "an" : "a", heartbeat(look));
	else if (look->first_byte - look->opened < WITH_IT_MS &&
		 look->opened - look->begun >= CHECK_LOOK_LATE_MS)
		check_finding(findings, CHECK_NOTE,
			"the head and the first byte came together, late: the head was held back until "
			"there was something to send; flush it first");
	else if (look->first_event == CLIENT_NEVER)
		check_finding(findings, CHECK_NOTE,
			"the first byte came %s after the head, but no event in %s",
			check_finding_ms(look->first_byte - look->opened, a),
			check_finding_ms(look->ended - look->opened, b));
	else
		check_finding(findings, CHECK_OK,
			"the first byte came %s after the head, the first event %s after it",
			check_finding_ms(look->first_byte - look->opened, a),
			check_finding_ms(look->first_event - look->opened, b));
}

static void find_gap(struct check_findings *findings, const struct check_look *look)
{
	const struct buf *gap = &look->gap;

	if (gap->len > 0)
		check_finding(
			findings, CHECK_NOTE, "the server says: %.*s", (int)gap->len, gap->data);
}

static void find_bursts(struct check_findings *findings, const struct check_look *look)
{
	if (look->held_bursts > 0)
		check_finding(findings, CHECK_BAD,
			"events made one by one came in bursts after silences: something on the way "
			"buffers; turn that off (nginx: proxy_buffering off or X-Accel-Buffering: no)");
	else if (look->bursts > 0)
		check_finding(findings, CHECK_NOTE,
			"several events came at once after a silence, %" PRIu64
			" times: either the server "
			"sends them so, or something on the way buffers; compare with the server itself",
			look->bursts);
	else if (look->events > 1)
		check_finding(findings, CHECK_OK, "events were not held back to come in bursts");
}

static void find_comments(struct check_findings *findings, const struct check_look *look)
{
	char text[CHECK_FINDING_MS];

	if (look->comment_after > 0)
		check_finding(findings, CHECK_OK, "keep-alive %ss come after %s of silence",
			heartbeat(look), check_finding_ms(look->comment_after, text));
	else if (look->comments > 0)
		check_finding(findings, CHECK_OK, "%ss came, %" PRIu64 " of them", heartbeat(look),
			look->comments);
	else if (look->silence >= SILENT_MS)
		check_finding(findings, CHECK_NOTE,
			"nothing at all came for %s: proxies cut streams that are silent (nginx after "
			"60 s), and a lost one is not noticed; send one %s every 15 s",
			check_finding_ms(look->silence, text), heartbeat(look));
	else
		check_finding(findings, CHECK_NOTE,
			"no keep-alive %s came; the longest silence was %s (a longer --timeout "
			"would show one that comes later)",
			heartbeat(look), check_finding_ms(look->silence, text));
}

static void find_retry(struct check_findings *findings, const struct check_look *look)
{
	int64_t retry = look->lines.retry;
	char text[NUMBER_TEXT];

	if (look->lines.json)
		return;
	if (retry < 0)
		check_finding(findings, CHECK_NOTE,
			"there is no retry field: each client chooses how long it waits before it connects "
			"again; begin the stream with, for example, retry: 2000");
	else if (retry < RETRY_LEAST)
		check_finding(findings, CHECK_NOTE,
			"retry is %s: when the server restarts all clients come at once; send 2000 or "
			"more",
			number_duration_text(retry, text));
	else if (retry > RETRY_MOST)
		check_finding(findings, CHECK_NOTE,
			"retry is %s: clients stay away for so long; send less",
			number_duration_text(retry, text));
	else
		check_finding(findings, CHECK_OK, "retry is %s", number_duration_text(retry, text));
}

/* Say what is wrong with some lines, if there are any; the format ends with one of them. */
static void find_lines(struct check_findings *findings, enum check_verdict verdict,
	const struct check_sample *sample, const char *what, const char *advice)
{
	if (sample->count > 0)
		check_finding(findings, verdict, "%s, %" PRIu64 " of them, the first '%.*s': %s",
			what, sample->count, (int)sample->len, sample->text, advice);
}

static void find_format(struct check_findings *findings, const struct check_look *look)
{
	const struct check_lines *lines = &look->lines;
	unsigned before = findings->bad;

	if (lines->bom)
		check_finding(findings, CHECK_NOTE,
			"the stream begins with a byte order mark: leave it out");
	find_lines(findings, CHECK_BAD, &lines->not_utf8, "lines are not UTF-8", "send UTF-8");
	find_lines(findings, CHECK_BAD, &lines->not_json, "lines are not JSON",
		"clients cannot read them; send one JSON text on each line");
	find_lines(findings, CHECK_BAD, &lines->no_field, "lines are neither field nor comment",
		"clients ignore them; begin each with 'data: '");
	find_lines(findings, CHECK_BAD, &lines->bad_id, "ids hold a NUL", "clients ignore them");
	find_lines(findings, CHECK_BAD, &lines->bad_retry, "values of retry are not digits",
		"clients ignore them");
	find_lines(findings, CHECK_NOTE, &lines->no_data, "events have a type but no data",
		"clients do not see them; add an empty 'data:'");
	if (look->first_byte != CLIENT_NEVER && findings->bad == before)
		check_finding(findings, CHECK_OK,
			lines->json ? "each line is JSON" : "the lines follow the standard");
}

static void find_sizes(struct check_findings *findings, const struct check_look *look)
{
	char text[NUMBER_TEXT];

	if (look->largest > USUAL_BYTES)
		check_finding(findings, CHECK_NOTE,
			"the largest event has %s bytes: many clients and proxies are made for less; "
			"send a reference and let clients fetch it",
			number_size_text((int64_t)look->largest, text));
	else if (look->events > 0)
		check_finding(findings, CHECK_OK, "events: %" PRIu64 ", the largest of %zu bytes",
			look->events, look->largest);
}

static void find_end(struct check_findings *findings, const struct check_look *look)
{
	char text[CHECK_FINDING_MS];

	if (look->end == FOLLOW_ENDED)
		check_finding(findings, CHECK_NOTE,
			"the server ended the stream after %s: clients %s; leave it open if more events "
			"will come",
			check_finding_ms(look->ended - look->opened, text),
			look->lines.json ? "take that for the end of all lines"
					 : "reconnect each time, unless it answers 204 then");
	else if (look->end == FOLLOW_CLOSED)
		check_finding(findings, CHECK_OK,
			"the server ended the stream after %s, since its topic is closed: nothing more "
			"will ever come",
			check_finding_ms(look->ended - look->opened, text));
	else if (look->end == FOLLOW_FAILED && client_signal() == 0)
		check_finding(findings, CHECK_BAD, "the stream broke after %s: %.400s",
			check_finding_ms(look->ended - look->opened, text), look->error.text);
}

void check_stream(struct check_findings *findings, const struct check_look *look)
{
	find_times(findings, look);
	find_gap(findings, look);
	find_bursts(findings, look);
	find_comments(findings, look);
	find_retry(findings, look);
	find_format(findings, look);
	find_sizes(findings, look);
	find_end(findings, look);
}
