/* SPDX-License-Identifier: MIT */
/* From the stream to filter, command or delivery, output and state; see tail.h. */
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "body.h"
#include "check.h"
#include "client_run.h"
#include "client_target.h"
#include "clock.h"
#include "ending.h"
#include "event_type.h"
#include "exec.h"
#include "follow_run.h"
#include "following.h"
#include "notice.h"
#include "tail.h"

/* --- the state ------------------------------------------------------------------------------- */

static int keep(struct tail *tail, struct sse_text id)
{
	if (tail->state.path == NULL || tail->stuck)
		return 0;
	if (id.len > STATE_ID_MAX) {
		client_say(&tail->client, CLIENT_WARN,
			"an id of %zu bytes is too long to be kept; the state stays before it",
			id.len);
		return 0;
	}
	/* Most pieces of a stream without ids, and all comments, change nothing. */
	if (buf_is(&tail->kept, id.data, id.len))
		return 0;
	if (state_save(&tail->state, id.data, id.len, clock_now_ms(), &tail->error) != 0)
		return -1;
	tail->kept.len = 0;
	return buf_add(&tail->kept, id.data, id.len)
		       ? 0
		       : error_set(&tail->error, EX_OSERR, "out of memory");
}

/* If a later event of this piece ends the run with an error, this is the id to keep. */
static bool note_shown(struct tail *tail, struct sse_text id)
{
	if (tail->state.path == NULL || id.len > STATE_ID_MAX)
		return true;
	tail->shown_id.len = 0;
	tail->piece_shown = buf_add(&tail->shown_id, id.data, id.len);
	if (!tail->piece_shown)
		error_set(&tail->error, EX_OSERR, "out of memory");
	return tail->piece_shown;
}

/* The run ends with ${tail}->error amid a piece, all of whose shown events were written. */
static void keep_shown(struct tail *tail)
{
	const struct sse_text id = {tail->shown_id.data, tail->shown_id.len};

	if (tail->piece_shown)
		keep(tail, id);
}

static int64_t sync_due(void *context)
{
	const struct tail *tail = context;

	return state_due(&tail->state);
}

/* A failure shows again at the next save, or at the end. */
static void sync_state(void *context)
{
	struct tail *tail = context;

	state_sync(&tail->state, clock_now_ms(), NULL);
}

/* --- the sink -------------------------------------------------------------------------------- */

static void note_life(struct tail *tail)
{
	int64_t idle = client_after(tail->options->until_idle);

	tail->until = idle < tail->end ? idle : tail->end;
}

/* What the server tells beside the events, where the format does not show it. */
static bool take_notice(struct tail *tail, const struct sse_event *event)
{
	const struct notice notice = {&tail->output, &tail->filter, tail->options, &tail->client};

	return notice_take(&notice, event, &tail->error);
}

/* Run the command; false if that is a reason to stop. */
static bool run_command(struct tail *tail, const struct sse_event *event)
{
	struct error error = {0};
	int result = exec_event(
		tail->options->exec, event, tail->envelope.topic, tail->url.shown, &error);

	if (result == 0)
		return keep(tail, event->id) == 0;
	tail->stuck = true;
	if (result < 0 || tail->options->strict) {
		tail->error = error;
		return false;
	}
	client_say(&tail->client, CLIENT_WARN, "%s%s", error.text,
		tail->state.path != NULL ? "; the state stays before this event" : "");
	return true;
}

/* Deliver it; false if that is a reason to stop. */
static bool deliver(struct tail *tail, const struct sse_event *event, const char *origin)
{
	if (relay_event(&tail->relay, event, origin, &tail->error) == 0)
		return keep(tail, event->id) == 0;
	tail->stuck = true;
	return false;
}

/* Is something done with each event, beside showing it? */
static bool is_acting(const struct tail *tail)
{
	return tail->options->exec != NULL || tail->options->post.target != NULL;
}

static bool act(struct tail *tail, const struct sse_event *event, const char *origin)
{
	bool done = tail->options->exec != NULL ? run_command(tail, event)
						: deliver(tail, event, origin);

	/* Events that came meanwhile are not idleness. */
	note_life(tail);
	return done;
}

/* The receiver of --post is to know of it, unless it wants no such events. */
static bool pass_notice(struct tail *tail, const struct sse_event *event, const char *origin)
{
	return tail->options->post.target == NULL || !filter_wants(&tail->filter, event->type) ||
	       deliver(tail, event, origin);
}

/* Has the time of --timeout come, or a signal?  Then the error says so. */
static bool is_over(struct tail *tail)
{
	if (client_signal() != 0)
		client_stopped(&tail->error);
	tail->time_up = clock_now_ms() >= tail->end;
	return client_signal() != 0 || tail->time_up;
}

static bool show(struct tail *tail, const struct sse_event *event, const char *origin)
{
	if (!tail->options->silent && output_event(&tail->output, event, origin, &tail->error) != 0)
		return false;
	/* The command's output belongs after the event. */
	if (is_acting(tail) && (output_piece(&tail->output, NULL, 0, &tail->error) != 0 ||
				       !act(tail, event, origin)))
		return false;
	if (!note_shown(tail, event->id))
		return false;
	tail->shown++;
	if (tail->shown == tail->options->count)
		return false;
	/* A piece can hold many events, and each command take its time. */
	return !is_acting(tail) || !is_over(tail);
}

/*
 * Is it the mark that the server sends for --until, and then ends the stream, or for --latest, when
 * these are all values?
 */
static bool is_mark(const struct tail *tail, const struct sse_event *event)
{
	return (tail->options->until >= 0 || tail->options->latest) && event_type_is_mark(event);
}

static bool on_event(void *context, const struct sse_event *came, const char *origin)
{
	struct tail *tail = context;
	struct sse_event inner, wanted;
	const struct sse_event *event = came;

	if (is_mark(tail, event))
		return tail->options->until < 0;
	if (tail->options->envelopes != ENVELOPES_NONE &&
		envelope_open(&tail->envelope, came, &inner, &tail->error) != 0)
		return false;
	if (tail->options->envelopes == ENVELOPES_OPEN)
		event = &inner;
	note_life(tail);
	if (tail->options->client.verbose > 0)
		summary_event(&tail->summary, event->type);
	if (take_notice(tail, event))
		return tail->error.status == 0 && pass_notice(tail, event, origin);
	switch (filter_event(&tail->filter, event, &wanted, &tail->error)) {
	case FILTER_SKIP:
		return true;
	case FILTER_SHOW:
		return show(tail, &wanted, origin);
	case FILTER_LAST:
		show(tail, &wanted, origin);
		break;
	case FILTER_DONE:
	case FILTER_ERROR:
		break;
	}
	return false;
}

static bool on_comment(void *context, struct sse_text text)
{
	struct tail *tail = context;

	return output_comment(&tail->output, text, &tail->error) == 0;
}

static bool on_piece(void *context, const char *data, size_t len, struct sse_text last_id)
{
	struct tail *tail = context;
	struct error error = {0};

	summary_piece(&tail->summary, len, last_id);
	if (!tail->options->silent && tail->error.status == 0)
		output_position(&tail->output, last_id, &tail->error);
	/* Show the events before a failure all the same; report the failure. */
	if (output_piece(&tail->output, data, len, &error) != 0) {
		if (tail->error.status == 0)
			tail->error = error;
		tail->time_up = error.status == 0;
		return false;
	}
	if (tail->error.status != 0) {
		keep_shown(tail);
		return false;
	}
	tail->piece_shown = false;
	return keep(tail, last_id) == 0;
}

/* Lines have no ids and no times.  Say so, once each, where that can make a difference. */
static void warn_of_lines(const struct tail *tail)
{
	const struct options *options = tail->options;
	const struct {
		const char *asked, *sentence;
	} warnings[] = {
		{options->state,
			"the file of --state stays as it is, and cannot say where to go on"},
		{options->resume_from,
			"nothing says whether the server went on after that of --resume-from"},
		{options->last_event_id,
			"nothing says whether the server went on after that of --last-event-id"},
		{options->since, "nothing says whether the server heeds --since"},
		{options->last >= 0 ? "" : NULL, "nothing says whether the server heeds --last"},
	};

	for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++) {
		if (tail->summary.streams == 1 && warnings[i].asked != NULL)
			client_say(&tail->client, CLIENT_WARN, "JSON lines have no ids: %s",
				warnings[i].sentence);
	}
	if (tail->summary.streams == 2)
		client_say(&tail->client, CLIENT_WARN,
			"JSON lines have no ids: after connecting again, some may be missing, or come "
			"again");
}

static bool on_opened(void *context, const struct client_answer *answer, bool lines)
{
	struct tail *tail = context;

	summary_opened(&tail->summary);
	if (lines)
		warn_of_lines(tail);
	if (tail->summary.streams == 1)
		following_say(tail->options, &tail->url, &tail->client);
	note_life(tail);
	if (tail->options->latest && answer->latest[0] == '\0') {
		error_set(&tail->error, EX_PROTOCOL,
			"--latest: %.200s does not say that it knows present values; only "
			"sse-serve does. Leave it out, or try --since or --last",
			tail->url.shown);
		return false;
	}
	if ((tail->options->until < 0 && !tail->options->poll) || answer->until[0] != '\0')
		return true;
	if (tail->options->poll) {
		error_set(&tail->error, EX_PROTOCOL,
			"--poll: %.200s does not know polls; only sse-serve does", tail->url.shown);
		return false;
	}
	error_set(&tail->error, EX_PROTOCOL,
		"--until: %.200s does not say where its stored events end; only "
		"sse-serve does. End with --count, --timeout or --until-idle",
		tail->url.shown);
	return false;
}

/* --- the run --------------------------------------------------------------------------------- */

/* The id to begin with: what a state says outranks --last-event-id, which is for the first time. */
static int find_start(struct tail *tail, struct error *error)
{
	const struct options *options = tail->options;
	const char *path = options->state != NULL ? options->state : options->resume_from;

	/* Before state_open(), so that a file that cannot be read is EX_NOINPUT. */
	if (path != NULL && state_load(path, &tail->start_id, error) != 0)
		return -1;
	/* Only with the lock held it is sure that no other process saves a later id. */
	if (options->state != NULL && (state_open(&tail->state, path, error) != 0 ||
					      state_load(path, &tail->start_id, error) != 0))
		return -1;
	if (!buf_add(&tail->kept, tail->start_id.data, tail->start_id.len))
		return error_set(error, EX_OSERR, "out of memory");
	if (tail->start_id.len == 0 && options->last_event_id != NULL &&
		!buf_add_text(&tail->start_id, options->last_event_id))
		return error_set(error, EX_OSERR, "out of memory");
	if (!buf_add_byte(&tail->start_id, '\0'))
		return error_set(error, EX_OSERR, "out of memory");
	return 0;
}

static int make_url(struct tail *tail, struct error *error)
{
	const struct options *options = tail->options;
	char text[OPTIONS_QUERY];
	const char *query = options_query(options, text);

	return options->many ? client_target_join(options->targets, query, &tail->url, error)
			     : client_target_make(options->targets[0], CLIENT_STREAM, query,
				       &tail->url, error);
}

int tail_open(
	struct tail *tail, const char *program, const struct options *options, struct error *error)
{
	tail->options = options;
	buf_init(&tail->start_id, STATE_ID_MAX + 1);
	buf_init(&tail->kept, STATE_ID_MAX);
	buf_init(&tail->shown_id, STATE_ID_MAX);
	summary_init(&tail->summary);
	tail->end = client_after(options->timeout);
	envelope_init(&tail->envelope, options_topic(options));
	output_init(&tail->output, &options->output, tail->end);
	output_about(&tail->output, &tail->envelope);
	if (filter_open(&tail->filter, &options->filter, error) != 0 || make_url(tail, error) != 0)
		return -1;
	client_target_hide(&tail->url, options->targets[0]);
	if (client_open(&tail->client, program, &options->client, error) != 0 ||
		find_start(tail, error) != 0)
		return -1;
	if (options->post.target == NULL)
		return 0;
	if (relay_open(&tail->relay, program, &options->post, &options->client, tail->url.shown,
		    tail->start_id.data, tail->end, error) != 0)
		return -1;
	relay_about(&tail->relay, &tail->envelope);
	return 0;
}

void tail_close(struct tail *tail)
{
	client_set_task(NULL);
	relay_close(&tail->relay);
	client_close(&tail->client);
	client_url_free(&tail->url);
	filter_close(&tail->filter);
	output_free(&tail->output);
	envelope_free(&tail->envelope);
	state_close(&tail->state);
	summary_free(&tail->summary);
	buf_free(&tail->start_id);
	buf_free(&tail->kept);
	buf_free(&tail->shown_id);
}

static int judge(const struct tail *tail, enum follow_end end, struct error *error)
{
	const struct ending ending = {
		.options = tail->options,
		.shown_url = tail->url.shown,
		.end = tail->end,
		.shown = tail->shown,
		.time_up = tail->time_up,
		.error = tail->error,
	};

	return ending_judge(&ending, end, error);
}

static int follow(struct tail *tail, const struct follow_options *how, struct error *error)
{
	const struct client_task task = {sync_due, sync_state, tail};
	const struct follow_sink sink = {.event = on_event,
		.comment = tail->options->comments ? on_comment : NULL,
		.piece = on_piece,
		.opened = on_opened};
	struct error late = {0};
	enum follow_end end;
	const char *why;
	int result;

	client_watch_hangup();
	client_set_task(&task);
	end = follow_run(&tail->client, &tail->url, how, &sink, tail, error);
	result = judge(tail, end, error);
	client_set_task(NULL);
	client_await_echo();
	if (!output_end(&tail->output))
		client_break_line();
	why = ending_explain(tail->options, end, &tail->error);
	if (why != NULL)
		client_say(&tail->client, CLIENT_EXPLAIN, "%s", why);
	summary_say(&tail->summary, &tail->client, tail->options->targets,
		how->body == NULL && tail->options->client.method == NULL &&
			tail->options->client.headers.count == 0);
	if (tail->state.path != NULL && state_sync(&tail->state, clock_now_ms(), &late) != 0 &&
		result == 0) {
		*error = late;
		result = -1;
	}
	return result;
}

int tail_run(struct tail *tail, struct error *error)
{
	const struct options *options = tail->options;
	struct follow_options how = {.last_id = tail->start_id.data,
		.lines = options->lines,
		.reconnect = options->reconnect,
		.polls = options->poll,
		.falls_back = options->reconnect && !options->lines && !options->check,
		.lines_again = options->reconnect_always,
		.refused_for_good = options->fail,
		.flush_end = options->flush_eof,
		.delay = options->reconnect_delay,
		.retry_max = options->retry_max,
		.read_timeout = options->read_timeout,
		.until = &tail->until};
	struct buf body;
	int result;

	client_interrupt_at(tail->end);
	note_life(tail);
	result = body_load(options, tail->end, &body, &how.body_type, error);
	if (how.body_type != NULL)
		how.body = body.data != NULL ? body.data : "";
	how.body_len = body.len;
	if (result == 0 && options->check) {
		const struct check_options what = {options->timeout, &how,
			.once = !options->reconnect, .colour = options->output.colour};

		result = check_run(&tail->client, &tail->url, &what, error);
	} else if (result == 0) {
		result = follow(tail, &how, error);
	}
	buf_free(&body);
	return result;
}
