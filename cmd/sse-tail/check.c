/* SPDX-License-Identifier: MIT */
/* A look at a stream, and one at resuming; see check.h. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "check_finding.h"
#include "check_head.h"
#include "check_look.h"
#include "check_resume.h"
#include "check_stream.h"
#include "client_run.h"
#include "client_voice.h"
#include "clock.h"
#include "number.h"
#include "terminal.h"

/* Looking ends when so many events came and it took so long (ms), ... */
#define ENOUGH_EVENTS 3
#define ENOUGH_MS 5000
/* ... or when only CHECK_RESUME_MS is left, for trying to resume. */

struct check {
	struct check_findings findings;
	struct check_target target;
	struct check_look look;
};

/* The head of the stream came. */
static void on_head(void *context)
{
	struct check *check = context;

	check_head(&check->findings, &check->target, &check->look);
}

static int conclude(const struct check *check, struct error *error)
{
	if (check->findings.unwritten == EPIPE)
		return error_set(error, 128 + SIGPIPE, "%s", "");
	if (check->findings.unwritten != 0)
		return error_set(error, EX_IOERR, "cannot write to the standard output: %s",
			strerror(check->findings.unwritten));
	if (client_signal() != 0)
		return client_stopped(error);
	/* Whoever sees the verdict need not read it twice. */
	if (check->findings.bad > 0 && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
		return error_set(error, check->findings.status, "%s", "");
	if (check->findings.bad > 0)
		return error_set(error, check->findings.status,
			"%.200s is not a healthy stream: %u BAD", check->target.url->shown,
			check->findings.bad);
	return 0;
}

/* For a person, who would wonder. */
static void say_time(const struct client *client, const struct client_url *url, int64_t ms)
{
	char text[NUMBER_TEXT];

	if (isatty(STDERR_FILENO))
		client_status_end(client, "checking for at most %s: %.300s",
			number_duration_text(ms, text), url->shown);
}

int check_run(struct client *client, const struct client_url *url,
	const struct check_options *options, struct error *error)
{
	struct check check = {.target = {client, url, options->follow},
		.findings.colour =
			terminal_colour((enum terminal_colour)options->colour, STDOUT_FILENO)};
	int64_t time = options->time > 0 ? options->time : CHECK_TIME;
	int64_t until = clock_now_ms() + time;
	const struct check_plan plan = {.last_id = options->follow->last_id,
		.until = until - (time / 4 < CHECK_RESUME_MS ? time / 4 : CHECK_RESUME_MS),
		.events = ENOUGH_EVENTS,
		.least = ENOUGH_MS,
		.opened = on_head,
		.context = &check};

	say_time(client, url, time);
	check_look_run(&check.look, &check.target, &plan);
	if (check.look.opened != CLIENT_NEVER) {
		check_stream(&check.findings, &check.look);
		check_resume(&check.findings, &check.target, &check.look, options->once, until);
	} else if (client_signal() == 0) {
		check_head_missing(&check.findings, &check.target, &check.look);
	}
	check_look_free(&check.look);
	if (client_signal() == 0)
		check_finding_verdict(&check.findings);
	return conclude(&check, error);
}
