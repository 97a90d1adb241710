/* SPDX-License-Identifier: MIT */
/* What was found about a stream, in words; see check.h. */
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "check.h"
#include "check_look.h"
#include "client_run.h"
#include "client_subscribe.h"
#include "number.h"
#include "terminal.h"

/* Looking ends when so many events came and it took so long (ms), ... */
#define ENOUGH_EVENTS 3
#define ENOUGH_MS 5000
/* ... or when only this is left, for trying to resume. */
#define RESUME_MS 3000

/* A head that takes longer is late, and what comes within the other of it came with it (ms). */
#define LATE_MS 2000
#define WITH_IT_MS 50

/* Silence of this length without a comment has proxies cut the connection (ms). */
#define SILENT_MS 15000

/* What clients wait before they connect again is best between these (ms). */
#define RETRY_LEAST 500
#define RETRY_MOST 60000

/* Events that are larger are unusual (bytes). */
#define USUAL_BYTES ((size_t)256 << 10)

#define MS_TEXT 24

enum verdict { OK, NOTE, BAD };

struct check {
	struct client *client;
	const struct client_url *url;
	const struct check_options *options;
	struct check_look look;	  /* the first connection */
	struct check_look resume; /* the second */
	unsigned bad;		  /* findings */
	int status;		  /* of the first of them */
	int unwritten;		  /* errno of the standard output, or 0 */
};

/* --- saying it ------------------------------------------------------------------------------- */

static void write_line(struct check *check, const char *word, const char *text)
{
	struct buf line;

	buf_init(&line, SIZE_MAX);
	if (!buf_addf(&line, "%-4s ", word) || !terminal_text(text, strlen(text), &line) ||
		!buf_add_byte(&line, '\n'))
		errno = ENOMEM;
	else if (fwrite(line.data, 1, line.len, stdout) == line.len && fflush(stdout) == 0)
		errno = 0;
	if (check->unwritten == 0)
		check->unwritten = errno;
	buf_free(&line);
}

static void say(struct check *check, enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* One finding; what comes from the server may be in it as it came. */
static void say(struct check *check, enum verdict verdict, const char *format, ...)
{
	static const char *const words[] = {"ok", "note", "BAD"};
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (verdict == BAD && check->bad++ == 0)
		check->status = EX_PROTOCOL;
	write_line(check, words[verdict], text);
}

/* What following would end with is a finding, and its status is ours. */
static void say_error(struct check *check, const struct error *error)
{
	bool first = check->bad == 0;

	say(check, BAD, "%s", error->text);
	if (first)
		check->status = error->status;
}

/* "120 ms", "1.5 s" */
static const char *ms_text(int64_t ms, char text[MS_TEXT])
{
	if (ms < 1000)
		snprintf(text, MS_TEXT, "%" PRId64 " ms", ms);
	else
		snprintf(text, MS_TEXT, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms % 1000 / 100);
	return text;
}

/* The id as far as it fits in a sentence; %.*s wants an int. */
static int shown_len(const struct buf *id)
{
	return id->len < 80 ? (int)id->len : 80;
}

/* --- the head -------------------------------------------------------------------------------- */

/* The value of a header of the last response; NULL if it has none of the name. */
static const char *header(const struct check *check, const char *name)
{
	struct curl_header *found;
	CURLHcode code = curl_easy_header(check->client->easy, name, 0, CURLH_HEADER, -1, &found);

	return code == CURLHE_OK ? found->value : NULL;
}

/* Is this word in the value of that header, in any letter case? */
static bool header_has(const struct check *check, const char *name, const char *word)
{
	const char *value = header(check, name);

	for (; value != NULL && *value != '\0'; value++) {
		if (strncasecmp(value, word, strlen(word)) == 0)
			return true;
	}
	return false;
}

static void find_redirects(struct check *check)
{
	struct client_url source = {0};
	char *effective = NULL;
	long count = 0;

	curl_easy_getinfo(check->client->easy, CURLINFO_REDIRECT_COUNT, &count);
	curl_easy_getinfo(check->client->easy, CURLINFO_EFFECTIVE_URL, &effective);
	if (count == 0 || effective == NULL || client_url_set(&source, effective, NULL, NULL) != 0)
		return;
	if (strncmp(check->url->origin, "https:", 6) == 0 &&
		strncmp(source.origin, "http:", 5) == 0)
		say(check, BAD,
			"the redirect to %.300s leaves https, so anyone on the way can read the stream: "
			"redirect to https",
			source.shown);
	else
		say(check, NOTE,
			"redirected, %ld of them, to %.300s: clients ask the first URL again each time "
			"they connect, so give them this one",
			count, source.shown);
	client_url_free(&source);
}

static void find_status(struct check *check)
{
	long status = 0;

	curl_easy_getinfo(check->client->easy, CURLINFO_RESPONSE_CODE, &status);
	say(check, OK, "the status is %ld, the Content-Type %.100s", status,
		header(check, "Content-Type"));
}

static void find_time_to_head(struct check *check)
{
	int64_t took = check->look.opened - check->look.begun;
	char text[MS_TEXT];

	if (took >= LATE_MS)
		say(check, NOTE,
			"the head came after %s: send it (and a comment) as soon as the request is "
			"there, and do not wait for an event",
			ms_text(took, text));
	else
		say(check, OK, "the head came after %s", ms_text(took, text));
}

static void find_version(struct check *check)
{
	long version = 0;

	curl_easy_getinfo(check->client->easy, CURLINFO_HTTP_VERSION, &version);
	if (version >= CURL_HTTP_VERSION_2_0)
		say(check, OK, "HTTP/%d: one connection carries many streams",
			version >= CURL_HTTP_VERSION_3 ? 3 : 2);
	else
		say(check, NOTE,
			"HTTP/1.%d: a browser opens at most six connections to a host, and each stream "
			"in each tab takes one: serve HTTP/2, or several topics on one stream",
			version == CURL_HTTP_VERSION_1_0 ? 0 : 1);
}

static void find_length(struct check *check)
{
	const char *length = header(check, "Content-Length");

	if (length != NULL)
		say(check, BAD,
			"there is a Content-Length, %.40s: the answer was complete before it was sent, "
			"so something collects the events; send each as it is made",
			length);
}

static void find_compression(struct check *check)
{
	const char *coding = header(check, "Content-Encoding");

	if (coding == NULL || strcasecmp(coding, "identity") == 0)
		say(check, OK, "the stream is not compressed");
	else if (client_has_header(check->client->options, "Accept-Encoding"))
		say(check, NOTE,
			"the stream is compressed (%.40s), as asked: a compressor holds events back "
			"unless it is flushed after each",
			coding);
	else
		say(check, BAD,
			"the stream is compressed (Content-Encoding: %.40s) without being asked: a "
			"compressor holds events back; turn it off for text/event-stream",
			coding);
}

static void find_caching(struct check *check)
{
	const char *control = header(check, "Cache-Control"), *age = header(check, "Age");

	if (age != NULL && strspn(age, "0") < strlen(age))
		say(check, BAD,
			"the answer comes out of a cache (Age: %.40s): send Cache-Control: no-store, and "
			"have the cache leave this URL alone",
			age);
	else if (header_has(check, "Cache-Control", "no-store") ||
		 header_has(check, "Cache-Control", "no-cache"))
		say(check, OK, "caches are told off (Cache-Control: %.100s)", control);
	else if (control == NULL)
		say(check, NOTE,
			"there is no Cache-Control, so a cache may keep the stream: send Cache-Control: "
			"no-cache");
	else
		say(check, NOTE,
			"Cache-Control is '%.100s': send no-cache, a stream is not to be kept",
			control);
}

/* An nginx takes X-Accel-Buffering for itself and shows it to nobody. */
static void find_proxy(struct check *check)
{
	const char *via = header(check, "Via"), *server = header(check, "Server");
	bool nginx =
		header_has(check, "Server", "nginx") || header_has(check, "Server", "openresty");

	if (header_has(check, "X-Accel-Buffering", "no"))
		say(check, OK, "an nginx on the way is told not to buffer (X-Accel-Buffering: no)");
	else if (nginx)
		say(check, NOTE,
			"it comes through %.80s, which buffers unless its upstream sends "
			"X-Accel-Buffering: no (not visible here) or it has proxy_buffering off",
			server);
	else if (via != NULL)
		say(check, NOTE,
			"there is a proxy on the way (Via: %.200s) and no X-Accel-Buffering: no: make "
			"sure that it does not buffer",
			via);
	else
		say(check, NOTE,
			"there is no X-Accel-Buffering: no: an nginx that is put in front will buffer; "
			"send it");
}

static void find_sharing(struct check *check)
{
	const char *origin = header(check, "Access-Control-Allow-Origin");

	if (origin == NULL)
		say(check, NOTE,
			"there is no Access-Control-Allow-Origin: in browsers only pages of the same "
			"origin can read it (-H 'Origin: https://example.com' asks as a page does)");
	else
		say(check, OK, "pages of '%.200s' can read it (Access-Control-Allow-Origin)",
			origin);
}

static void find_in_head(void *context)
{
	static void (*const findings[])(struct check *) = {find_redirects, find_status,
		find_time_to_head, find_version, find_length, find_compression, find_caching,
		find_proxy, find_sharing};

	for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++)
		findings[i](context);
}

/* There was no stream. */
static void find_no_stream(struct check *check)
{
	const struct check_look *look = &check->look;
	char text[MS_TEXT];
	struct error error;

	find_redirects(check);
	if (look->end == FOLLOW_ENDED)
		error_set(&error, EX_UNAVAILABLE,
			"the status is 204, which tells clients that nothing comes here and never to ask "
			"again: answer with a stream");
	else if (look->end == FOLLOW_TIME)
		error_set(&error, EX_TEMPFAIL,
			"no head came within %s: the server sends it only with the first event, or a "
			"proxy holds it back; send the head at once",
			ms_text(look->ended - look->begun, text));
	else
		error = look->error;
	say_error(check, &error);
}

/* --- the stream ------------------------------------------------------------------------------ */

static void find_times(struct check *check)
{
	const struct check_look *look = &check->look;
	char a[MS_TEXT], b[MS_TEXT];

	if (look->first_byte == CLIENT_NEVER)
		say(check, NOTE,
			"not a byte of the stream came in %s: it is silent, or held back; send a comment "
			"when it begins, so that clients and proxies see it live",
			ms_text(look->ended - look->opened, a));
	else if (look->first_byte - look->opened < WITH_IT_MS &&
		 look->opened - look->begun >= LATE_MS)
		say(check, NOTE,
			"the head and the first byte came together, late: the head was held back until "
			"there was something to send; flush it first");
	else if (look->first_event == CLIENT_NEVER)
		say(check, NOTE, "the first byte came %s after the head, but no event in %s",
			ms_text(look->first_byte - look->opened, a),
			ms_text(look->ended - look->opened, b));
	else
		say(check, OK, "the first byte came %s after the head, the first event %s after it",
			ms_text(look->first_byte - look->opened, a),
			ms_text(look->first_event - look->opened, b));
}

static void find_gap(struct check *check)
{
	const struct buf *gap = &check->look.gap;

	if (gap->len > 0)
		say(check, NOTE, "the server says: %.*s", (int)gap->len, gap->data);
}

static void find_bursts(struct check *check)
{
	const struct check_look *look = &check->look;

	if (look->held_bursts > 0)
		say(check, BAD,
			"what was made one by one came in bursts after silences: something on the way "
			"buffers; turn that off (nginx: proxy_buffering off or X-Accel-Buffering: no)");
	else if (look->bursts > 0)
		say(check, NOTE,
			"several events came at once after a silence, %" PRIu64
			" times: either they are "
			"made so or something buffers; compare with the server itself",
			look->bursts);
	else if (look->events > 1)
		say(check, OK, "events were not held back to come in bursts");
}

static void find_comments(struct check *check)
{
	const struct check_look *look = &check->look;
	char text[MS_TEXT];

	if (look->comment_after > 0)
		say(check, OK, "keep-alive comments come after %s of silence",
			ms_text(look->comment_after, text));
	else if (look->comments > 0)
		say(check, OK, "there are comments, %" PRIu64 " of them", look->comments);
	else if (look->silence >= SILENT_MS)
		say(check, NOTE,
			"nothing at all came for %s: proxies cut streams that are silent (nginx after "
			"60 s), and a lost one is not noticed; send a comment every 15 s",
			ms_text(look->silence, text));
	else
		say(check, NOTE,
			"no keep-alive comment came; the longest silence was %s (a longer --timeout "
			"would show one that comes later)",
			ms_text(look->silence, text));
}

static void find_retry(struct check *check)
{
	int64_t retry = check->look.lines.retry;
	char text[NUMBER_TEXT];

	if (retry < 0)
		say(check, NOTE,
			"there is no retry field: each client waits as it likes before it connects "
			"again; begin the stream with, for example, retry: 2000");
	else if (retry < RETRY_LEAST)
		say(check, NOTE,
			"retry is %s: when the server restarts all clients come at once; send 2000 or "
			"more",
			number_duration_text(retry, text));
	else if (retry > RETRY_MOST)
		say(check, NOTE, "retry is %s: clients stay away for so long; send less",
			number_duration_text(retry, text));
	else
		say(check, OK, "retry is %s", number_duration_text(retry, text));
}

/* Say what is wrong with some lines, if there are any; the format ends with one of them. */
static void find_lines(struct check *check, enum verdict verdict, const struct check_sample *sample,
	const char *what, const char *advice)
{
	if (sample->count > 0)
		say(check, verdict, "%s, %" PRIu64 " of them, the first '%.*s': %s", what,
			sample->count, (int)sample->len, sample->text, advice);
}

static void find_format(struct check *check)
{
	const struct check_lines *lines = &check->look.lines;
	unsigned before = check->bad;

	if (lines->bom)
		say(check, NOTE, "the stream begins with a byte order mark: leave it out");
	find_lines(check, BAD, &lines->not_utf8, "lines are not UTF-8", "send UTF-8");
	find_lines(check, BAD, &lines->no_field, "lines are neither field nor comment",
		"clients pass over them; begin each with 'data: '");
	find_lines(check, BAD, &lines->bad_id, "ids hold a NUL", "clients pass over them");
	find_lines(check, BAD, &lines->bad_retry, "values of retry are not digits",
		"clients pass over them");
	find_lines(check, NOTE, &lines->no_data, "events have a type but no data",
		"clients do not see them; add an empty 'data:'");
	if (check->look.first_byte != CLIENT_NEVER && check->bad == before)
		say(check, OK, "the lines are as the standard has them");
}

static void find_sizes(struct check *check)
{
	const struct check_look *look = &check->look;
	char text[NUMBER_TEXT];

	if (look->largest > USUAL_BYTES)
		say(check, NOTE,
			"the largest event has %s bytes: many clients and proxies are made for less; "
			"send a reference and let clients fetch it",
			number_size_text((int64_t)look->largest, text));
	else if (look->events > 0)
		say(check, OK, "events: %" PRIu64 ", the largest of %zu bytes", look->events,
			look->largest);
}

static void find_end(struct check *check)
{
	const struct check_look *look = &check->look;
	char text[MS_TEXT];

	if (look->end == FOLLOW_ENDED)
		say(check, NOTE,
			"the server ended the stream after %s: clients connect again each time, unless "
			"it answers 204 then; leave it open if more is to come",
			ms_text(look->ended - look->opened, text));
	else if (look->end == FOLLOW_FAILED && client_signal() == 0)
		say(check, BAD, "the stream broke after %s: %.400s",
			ms_text(look->ended - look->opened, text), look->error.text);
}

static void find_in_stream(struct check *check)
{
	static void (*const findings[])(struct check *) = {find_times, find_gap, find_bursts,
		find_comments, find_retry, find_format, find_sizes, find_end};

	for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++)
		findings[i](check);
}

/* --- resuming -------------------------------------------------------------------------------- */

/*
 * The stream was asked to go on behind ${asked}; what came first?  Where ${next} is not empty, the
 * event with that id did so the first time.
 */
static void judge_resume(struct check *check, const struct buf *asked, const struct buf *next)
{
	const struct check_look *first = &check->look, *again = &check->resume;
	const struct buf *came = &again->first_id;
	int len = shown_len(asked);

	if (again->opened == CLIENT_NEVER && again->end == FOLLOW_ENDED)
		say(check, OK,
			"asked to go on behind the id %.*s, the server says that it is all (204)",
			len, asked->data);
	else if (again->opened == CLIENT_NEVER)
		say(check, BAD, "asked to go on behind the id %.*s, there was no stream: %.400s",
			len, asked->data, again->error.text);
	else if (again->gap.len > 0)
		say(check, BAD,
			"asked to go on behind the id %.*s, the server did not: %.*s; keep events for "
			"longer",
			len, asked->data, (int)again->gap.len, again->gap.data);
	else if (check_look_is(came, next))
		say(check, OK, "resuming works: asked to go on behind the id %.*s, it did", len,
			asked->data);
	else if (check_look_is(came, asked) || check_look_is(came, &first->first_id))
		say(check, BAD,
			"resuming does not work: asked to go on behind the id %.*s, the server began "
			"again with %.*s; it has to heed the header Last-Event-ID",
			len, asked->data, shown_len(came), came->data);
	else if (again->events == 0 && next->len > 0 && again->first_byte != CLIENT_NEVER)
		say(check, BAD,
			"resuming does not work: asked to go on behind the id %.*s, the server left out "
			"the event behind it; it has to keep events and heed the header Last-Event-ID",
			len, asked->data);
	else if (again->events == 0)
		say(check, NOTE,
			"whether resuming works cannot be told: nothing came behind the id %.*s; try "
			"again while events come",
			len, asked->data);
	else if (next->len > 0)
		say(check, NOTE,
			"asked to go on behind the id %.*s, the server went on with '%.*s' and not with "
			"%.*s, as before: look whether it leaves events out",
			len, asked->data, shown_len(came), came->len > 0 ? came->data : "",
			shown_len(next), next->data);
	else
		say(check, OK, "asked to go on behind the id %.*s, the server repeated nothing",
			len, asked->data);
}

/* Where events have gone by, one is asked for again; else only nothing must come twice. */
static void try_to_resume(struct check *check, int64_t until)
{
	const struct check_look *look = &check->look;
	bool known = look->before_id.len > 0 && look->gap.len == 0 &&
		     !check_look_is(&look->before_id, &look->last_id);
	const struct buf *asked = known ? &look->before_id : &look->last_id, none = {0};
	struct check_plan plan = {.until = until, .events = 1};
	struct buf id;

	buf_init(&id, SIZE_MAX);
	if (!buf_add(&id, asked->data, asked->len) || !buf_add_byte(&id, '\0'))
		goto out;
	if (!subscribe_id_fits(id.data)) {
		say(check, BAD,
			"the id '%s' cannot be sent in a header, so nobody can resume behind it: use "
			"printable characters",
			id.data);
		goto out;
	}
	plan.last_id = id.data;
	check_look_run(&check->resume, check->client, check->url, check->options->follow, &plan);
	if (client_signal() == 0)
		judge_resume(check, asked, known ? &look->last_id : &none);
out:
	buf_free(&id);
}

static void find_resume(struct check *check, int64_t until)
{
	const struct check_look *look = &check->look;
	int64_t least = client_now() + RESUME_MS;

	if (look->events == 0 || client_signal() != 0)
		return;
	if (look->with_id == 0 && look->position.len > 0)
		say(check, NOTE,
			"the stream has ids, but no event that came has one: such events are lost to a "
			"client that is away");
	else if (look->with_id == 0)
		say(check, NOTE,
			"events have no id: what is sent while a client is away is lost to it; send an "
			"id with each, and go on behind the Last-Event-ID that clients send");
	else if (check->options->once)
		say(check, NOTE,
			"events have ids; whether resuming works was not tried, since the request is not "
			"to be sent twice");
	else
		try_to_resume(check, until < least ? until : least);
}

/* --- the run --------------------------------------------------------------------------------- */

static int conclude(const struct check *check, struct error *error)
{
	if (check->unwritten == EPIPE)
		return error_set(error, 128 + SIGPIPE, "%s", "");
	if (check->unwritten != 0)
		return error_set(error, EX_IOERR, "cannot write to the standard output: %s",
			strerror(check->unwritten));
	if (client_signal() != 0)
		return client_stopped(error);
	if (check->bad > 0)
		return error_set(error, check->status, "%.200s is not a healthy stream: %u BAD",
			check->url->shown, check->bad);
	return 0;
}

int check_run(struct client *client, const struct client_url *url,
	const struct check_options *options, struct error *error)
{
	struct check check = {.client = client, .url = url, .options = options};
	int64_t time = options->time > 0 ? options->time : CHECK_TIME;
	int64_t until = client_now() + time;
	const struct check_plan plan = {.last_id = options->follow->last_id,
		.until = until - (time / 4 < RESUME_MS ? time / 4 : RESUME_MS),
		.events = ENOUGH_EVENTS,
		.least = ENOUGH_MS,
		.opened = find_in_head,
		.context = &check};

	check_look_run(&check.look, client, url, options->follow, &plan);
	if (check.look.opened != CLIENT_NEVER) {
		find_in_stream(&check);
		find_resume(&check, until);
	} else if (client_signal() == 0) {
		find_no_stream(&check);
	}
	check_look_free(&check.look);
	check_look_free(&check.resume);
	return conclude(&check, error);
}
