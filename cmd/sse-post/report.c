/* SPDX-License-Identifier: MIT */
/* Results, progress and counts; see report.h. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "body.h"
#include "client_run.h"
#include "client_voice.h"
#include "clock.h"
#include "json.h"
#include "number.h"
#include "report.h"
#include "terminal.h"

/* Progress is shown after this long, and this often (ms). */
#define SHOW_AFTER 1000
#define SHOW_EVERY 200

void report_open(struct report *report, const struct options *options)
{
	const char *terminal = getenv("TERM");

	*report = (struct report){.options = options, .start = clock_now_ms()};
	buf_init(&report->lines, SIZE_MAX / 2);
	report->shows = !options->client.quiet && options->client.verbose == 0 && !options->flush &&
			options_many(options) && isatty(STDERR_FILENO) && terminal != NULL &&
			strcmp(terminal, "dumb") != 0;
}

void report_close(struct report *report)
{
	buf_free(&report->lines);
}

/* --- each event ------------------------------------------------------------------------------ */

static bool is_wanted(const struct report *report)
{
	return report->options->results == RESULTS_JSON;
}

/* The start of a line about an event. */
static void begin(struct report *report, const struct group *group, size_t index, const char *what)
{
	const struct event *event = &group->all[index];
	struct sse_text key = group_text(group, event->key);
	struct buf *out = &report->lines;

	buf_addf(out, "{\"result\":\"%s\"", what);
	if (event->line > 0)
		buf_addf(out, ",\"line\":%" PRIu64, event->line);
	if (key.len > 0) {
		buf_add_text(out, ",\"key\":");
		json_quote(key.data, key.len, out);
	}
}

static void end_with_reason(struct report *report, const char *reason)
{
	size_t len = strlen(reason);

	buf_add_text(&report->lines, ",\"reason\":");
	/* A sentence may have been cut in the middle of a character. */
	json_quote(reason, sse_utf8_valid(reason, len), &report->lines);
	buf_add_text(&report->lines, "}\n");
}

/* Only what is posted is stored by a 2xx; 202 leaves open what becomes of it. */
static const char *result_of(const struct report *report, const struct slot *slot)
{
	static const char *const storing[] = {"POST", "PUT", "PATCH"};
	const char *method = report->options->client.method;

	for (size_t i = 0; i < sizeof(storing) / sizeof(storing[0]); i++) {
		if (method == NULL || strcmp(method, storing[i]) == 0)
			return slot->request.answer.status == 202 ? "accepted" : "stored";
	}
	return "accepted";
}

/* One that was accepted; an id in JSON's own writing if ${quoted}. */
static void tell_one(struct report *report, const struct slot *slot, size_t index,
	struct sse_text id, bool quoted, bool duplicate)
{
	const struct event *event = &slot->group->all[index];
	struct buf *out = &report->lines;
	char line[40] = "";

	if (is_wanted(report)) {
		begin(report, slot->group, index, result_of(report, slot));
		if (id.len > 0) {
			buf_add_text(out, ",\"id\":");
			if (quoted)
				buf_addf(out, "\"%.*s\"", (int)id.len, id.data);
			else
				json_quote(id.data, sse_utf8_valid(id.data, id.len), out);
		}
		buf_addf(out, ",\"duplicate\":%s}\n", duplicate ? "true" : "false");
	}
	if (report->options->client.verbose == 0)
		return;
	if (event->line > 0)
		snprintf(line, sizeof(line), "line %" PRIu64 ": ", event->line);
	client_say(&slot->request.client, CLIENT_EXPLAIN, "%s%ld, accepted%s%.*s%s", line,
		slot->request.answer.status, id.len > 0 ? ", id " : "", (int)id.len, id.data,
		duplicate ? ", which the server had already" : "");
}

void report_accepted(struct report *report, const struct slot *slot, size_t from, size_t count)
{
	struct body_result result = {.id = {"", 0}};
	size_t cursor = 0;
	bool more = true;

	report->accepted += count;
	if (!is_wanted(report) && report->options->client.verbose == 0)
		return;
	if (!slot->request.batch) {
		tell_one(report, slot, from,
			(struct sse_text){slot->request.answer.id, strlen(slot->request.answer.id)},
			false, slot->request.replayed);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		more = more && body_result(&slot->request.answer_lines, &cursor, &result);
		tell_one(report, slot, from + i, more ? result.id : (struct sse_text){"", 0}, true,
			more && result.duplicate);
	}
}

void report_refused(
	struct report *report, const struct group *group, size_t index, const struct error *error)
{
	report->refused++;
	if (!is_wanted(report))
		return;
	begin(report, group, index, "refused");
	end_with_reason(report, error->text);
}

void report_failed(
	struct report *report, const struct group *group, size_t index, const struct error *error)
{
	if (!is_wanted(report))
		return;
	begin(report, group, index, "failed");
	end_with_reason(report, error->text);
}

void report_spooled(struct report *report, const struct group *group, size_t from)
{
	report->spooled += group->count - from;
	for (size_t i = from; i < group->count && is_wanted(report); i++) {
		begin(report, group, i, "spooled");
		buf_add_text(&report->lines, "}\n");
	}
}

bool report_flush(struct report *report)
{
	struct buf *lines = &report->lines;

	while (lines->len > 0 && report->error.status == 0) {
		ssize_t count = write(STDOUT_FILENO, lines->data, lines->len);

		if (count >= 0)
			buf_drop(lines, (size_t)count);
		else if (errno == EPIPE)
			error_set(&report->error, 128 + SIGPIPE, "%s", "");
		else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
			error_set(&report->error, EX_IOERR,
				"cannot write to the standard output: %s", strerror(errno));
		else if ((errno == EINTR || !client_wait_output(STDOUT_FILENO)) &&
			 client_signal() != 0)
			client_stopped(&report->error);
	}
	return report->error.status == 0;
}

/* --- progress -------------------------------------------------------------------------------- */

/* "12345678" becomes "12,345,678". */
static const char *group_digits(uint64_t number, char text[32])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, number), out = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[out++] = ',';
		text[out++] = digits[i];
	}
	text[out] = '\0';
	return text;
}

#define RATE_TEXT 40

/* "1,200/s" between these; nothing where it is less than one a second. */
static const char *rate_text(uint64_t done, int64_t passed, const char *before, const char *after,
	char text[RATE_TEXT])
{
	uint64_t rate = done * 1000 / (uint64_t)passed;
	char number[32];

	text[0] = '\0';
	if (rate > 0)
		snprintf(text, RATE_TEXT, "%s%s/s%s", before, group_digits(rate, number), after);
	return text;
}

int64_t report_progress(struct report *report, const struct input *input)
{
	int64_t now = clock_now_ms(), passed = now - report->start;
	char accepted[32], rate[RATE_TEXT], spooled[32], left[60] = "";
	uint64_t done = report->accepted + report->spooled;

	if (!report->shows)
		return CLIENT_NEVER;
	if (passed < SHOW_AFTER)
		return report->start + SHOW_AFTER;
	if (now < report->shown_at + SHOW_EVERY)
		return report->shown_at + SHOW_EVERY;
	if (input->total > 0 && input->read > 0 && input->read <= input->total) {
		double share =
			(double)(input->read - (input->split.bytes.len - input->split.used)) /
			(double)input->total;

		if (share > 0)
			snprintf(left, sizeof(left), ", %d %%, %" PRId64 " s left",
				(int)(100 * share),
				(int64_t)((double)passed * (1 - share) / share / 1000));
	}
	fprintf(stderr, "\r\033[K%s sent%s%s%s%s", group_digits(report->accepted, accepted),
		report->spooled > 0 ? ", spooled " : "",
		report->spooled > 0 ? group_digits(report->spooled, spooled) : "",
		rate_text(done, passed, ", ", "", rate), left);
	fflush(stderr);
	client_status_drawn();
	report->shown = true;
	report->shown_at = now;
	return now + SHOW_EVERY;
}

void report_end(struct report *report)
{
	int64_t passed = clock_now_ms() - report->start;
	uint64_t done = report->accepted + report->spooled;
	char accepted[32], rate[RATE_TEXT], spooled[32], time[NUMBER_TEXT];

	if (!report->shown)
		return;
	client_status_clear();
	fprintf(stderr, "sse-post: %s event%s sent%s%s%s in %s%s\n",
		group_digits(report->accepted, accepted), report->accepted == 1 ? "" : "s",
		report->spooled > 0 ? ", " : "",
		report->spooled > 0 ? group_digits(report->spooled, spooled) : "",
		report->spooled > 0 ? " spooled," : "",
		number_duration_text(passed / 1000 * 1000, time),
		rate_text(done, passed, " (", ")", rate));
	fflush(stderr);
	report->shown = false;
}

/* --- counts ---------------------------------------------------------------------------------- */

static void account_one(const struct report *report, struct error *error)
{
	struct error reason = *error;

	if (report->accepted > 0)
		error_set(error, reason.status, "%.400s; the event was accepted", reason.text);
	else if (report->spooled > 0)
		error_set(error, reason.status, "%.400s; the event is in the spool", reason.text);
}

void report_account(
	const struct report *report, struct input *input, uint64_t line, struct error *error)
{
	struct error reason = *error;
	const char *what = input->parser != NULL ? "event" : "line";
	char spooled[80] = "";
	const char *read;

	if (input->kind == NULL) {
		account_one(report, error);
		return;
	}
	read = input_count_rest(input) ? "" : "read so far ";
	if (report->spooled > 0)
		snprintf(spooled, sizeof(spooled), ", %" PRIu64 " are in the spool",
			report->spooled);
	if (report->accepted == input->events)
		error_set(error, reason.status, "%.400s; all %" PRIu64 " %ss %swere accepted",
			reason.text, report->accepted, what, read);
	else if (report->accepted + report->spooled == input->events || line == 0)
		error_set(error, reason.status,
			"%.350s; %" PRIu64 " of %" PRIu64 " %ss %swere accepted%s", reason.text,
			report->accepted, input->events, what, read, spooled);
	else
		error_set(error, reason.status,
			"%.320s; %" PRIu64 " of %" PRIu64 " %ss %swere accepted%s, %s %" PRIu64
			" is the first that was not",
			reason.text, report->accepted, input->events, what, read, spooled, what,
			line);
}
