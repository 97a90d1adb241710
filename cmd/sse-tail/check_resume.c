/* SPDX-License-Identifier: MIT */
/* Going on after an id, in words; see check_resume.h. */
#include "check_resume.h"
#include "client_run.h"
#include "subscribe.h"
#include "clock.h"

/*
 * The stream was asked to go on after ${asked}; what came first?  Where ${next} is not empty, the
 * event with that id did so the first time.
 */
static void judge_resume(struct check_findings *findings, const struct check_look *first,
	const struct check_look *again, const struct buf *asked, const struct buf *next)
{
	const struct buf *came = &again->first_id;
	int len = check_finding_len(asked);

	if (again->opened == CLIENT_NEVER && again->end == FOLLOW_CLOSED)
		check_finding(findings, CHECK_OK,
			"asked to go on after the id %.*s, the server says that no more will come (204)",
			len, asked->data);
	else if (again->opened == CLIENT_NEVER)
		check_finding(findings, CHECK_BAD,
			"asked to go on after the id %.*s, there was no stream: %.400s", len,
			asked->data, again->error.text);
	else if (again->gap.len > 0)
		check_finding(findings, CHECK_BAD,
			"asked to go on after the id %.*s, the server did not: %.*s; keep events for "
			"longer",
			len, asked->data, (int)again->gap.len, again->gap.data);
	else if (check_look_is(came, next))
		check_finding(findings, CHECK_OK,
			"resuming works: asked to go on after the id %.*s, it did", len,
			asked->data);
	else if (check_look_is(came, asked) || check_look_is(came, &first->first_id))
		check_finding(findings, CHECK_BAD,
			"resuming does not work: asked to go on after the id %.*s, the server began "
			"again with %.*s; it must heed the header Last-Event-ID",
			len, asked->data, check_finding_len(came), came->data);
	else if (again->events == 0 && next->len > 0 && again->first_byte != CLIENT_NEVER)
		check_finding(findings, CHECK_BAD,
			"resuming does not work: asked to go on after the id %.*s, the server left out "
			"the event after it; it must keep events and heed the header Last-Event-ID",
			len, asked->data);
	else if (again->events == 0)
		check_finding(findings, CHECK_NOTE,
			"whether resuming works cannot be told: nothing came after the id %.*s; try "
			"again while events come",
			len, asked->data);
	else if (next->len > 0)
		check_finding(findings, CHECK_NOTE,
			"asked to go on after the id %.*s, the server went on with '%.*s' and not with "
			"%.*s, as before: look whether it leaves events out",
			len, asked->data, check_finding_len(came), came->len > 0 ? came->data : "",
			check_finding_len(next), next->data);
	else
		check_finding(findings, CHECK_OK,
			"asked to go on after the id %.*s, the server repeated nothing", len,
			asked->data);
}

/* Where events have gone by, one is asked for again; else only nothing must come twice. */
static void try_to_resume(struct check_findings *findings, const struct check_target *target,
	const struct check_look *look, int64_t until)
{
	bool known = look->before_id.len > 0 && look->gap.len == 0 &&
		     !check_look_is(&look->before_id, &look->last_id);
	const struct buf *asked = known ? &look->before_id : &look->last_id, none = {0};
	struct check_plan plan = {.until = until, .events = 1};
	struct check_look again = {0};
	struct buf id;

	buf_init(&id, SIZE_MAX);
	if (!buf_add(&id, asked->data, asked->len) || !buf_add_byte(&id, '\0'))
		goto out;
	if (!subscribe_id_fits(id.data)) {
		check_finding(findings, CHECK_BAD,
			"the id '%s' cannot be sent in a header, so no client can resume after it: use "
			"printable characters",
			id.data);
		goto out;
	}
	plan.last_id = id.data;
	check_look_run(&again, target, &plan);
	if (client_signal() == 0)
		judge_resume(findings, look, &again, asked, known ? &look->last_id : &none);
out:
	check_look_free(&again);
	buf_free(&id);
}

void check_resume(struct check_findings *findings, const struct check_target *target,
	const struct check_look *look, bool once, int64_t until)
{
	int64_t least = clock_now_ms() + CHECK_RESUME_MS;

	if (look->lines.json)
		check_finding(findings, CHECK_NOTE,
			"it is a stream of JSON lines, which have no ids, so no client can resume it: what "
			"is sent while one is away is lost to it, or comes again; an event stream can be "
			"resumed");
	if (look->lines.json || look->events == 0 || client_signal() != 0)
		return;
	if (look->with_id == 0 && look->position.len > 0)
		check_finding(findings, CHECK_NOTE,
			"the stream has ids, but no event that came has one: such events are lost to a "
			"client that is away");
	else if (look->with_id == 0)
		check_finding(findings, CHECK_NOTE,
			"events have no id: what is sent while a client is away is lost to it; send an "
			"id with each, and go on after the Last-Event-ID that clients send");
	else if (once)
		check_finding(findings, CHECK_NOTE,
			"events have ids; whether resuming works was not tested, because the request must "
			"not be sent twice");
	else
		try_to_resume(findings, target, look, until < least ? until : least);
}
