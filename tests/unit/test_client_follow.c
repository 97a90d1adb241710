/* SPDX-License-Identifier: MIT */
/*
 * Tests of lib/client/follow.c: what it does after each end of an attempt.  A server in a thread
 * gives each connection the next answer of a script, and notes what was asked.  The words of the
 * stream tell the sink what to do: see on_event().
 *
 * On a slow machine a test may take longer, or see less, but it does not fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "backoff.h"
#include "client_target.h"
#include "client_voice.h"
#include "clock.h"
#include "follow.h"
#include "client_run.h"
#include "follow_run.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* A follower that does not end is ended after so long, and its test fails (ms). */
#define SAFETY_MS 15000

#define ANSWERS_MAX 6
#define REQUESTS_MAX 32

#define STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define LINES "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
#define STATUS(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define MOVED(place)                                                                               \
	"HTTP/1.1 307 Go\r\nLocation: " place "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

/*
 * Marks in an answer: wait for a while before the rest; hold the connection until the client closes
 * it, instead of closing it at the end; send the process a SIGHUP.
 */
#define LATER "\001"
#define HOLD "\002"
#define HANG_UP "\003"
#define LATER_MS 300

/* The last answer is that of all further connections. */
struct script {
	const char *words;
	const char *answers[ANSWERS_MAX];
	const char *id;		/* to begin after */
	int64_t delay;		/* 0: FOLLOW_DELAY_MIN */
	int64_t attempts;	/* in a row that may fail; 0: any number */
	int64_t silence, until; /* ms; 0: none */
	bool once, for_good, flush, lines, lines_again;

	enum follow_end end;
	int status;
	const char *asked; /* "/x@1 ": the path and the Last-Event-ID of each; NULL: any */
	const char *heard; /* "[e(a)c(b)": opened (a { for lines), an event, a comment; NULL:
				   anything */
};

struct server {
	int listener, port;
	int stop[2]; /* a pipe; closed at one end it stops the thread */
	pthread_t thread;
	const char *const *answers;
	size_t requests;
	int64_t at[REQUESTS_MAX]; /* when each came, by clock_now_ms() */
	char asked[1024];
};

/* What came of a script. */
struct seen {
	enum follow_end end;
	struct error error;
	char heard[1024];
	bool stop_at_piece;
	int64_t until;
	bool late; /* nothing else had ended it */
};

static void add(char *text, size_t size, const char *before, const char *word, size_t len,
	const char *after)
{
	size_t at = strlen(text);

	snprintf(text + at, size - at, "%s%.*s%s", before, (int)len, word, after);
}

/* --- the server ------------------------------------------------------------------------------- */

/* A port of this host; to connect to one that does not listen is refused. */
static int bind_port(int *port, bool listens)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_true(!listens || listen(fd, 16) == 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* Note the path and the id of a request; false if the client is gone. */
static bool read_request(struct server *server, int fd)
{
	char head[4096] = "", *path, *id;
	size_t len = 0;
	ssize_t count;

	while (strstr(head, "\r\n\r\n") == NULL) {
		count = read(fd, head + len, sizeof(head) - 1 - len);
		if (count <= 0)
			return false;
		len += (size_t)count;
		head[len] = '\0';
	}
	path = strchr(head, ' ') + 1;
	add(server->asked, sizeof(server->asked), "", path, strcspn(path, " "), "");
	id = strstr(head, "\r\nLast-Event-ID: ");
	if (id != NULL)
		add(server->asked, sizeof(server->asked), "@", id + 17, strcspn(id + 17, "\r"), "");
	add(server->asked, sizeof(server->asked), "", " ", 1, "");
	if (server->requests < REQUESTS_MAX)
		server->at[server->requests++] = clock_now_ms();
	return true;
}

static void give_answer(int fd, const char *answer)
{
	char rest[256];

	for (size_t len; *answer != '\0'; answer += len) {
		len = strcspn(answer, LATER HOLD HANG_UP);
		send(fd, answer, len, MSG_NOSIGNAL);
		if (answer[len] == *LATER)
			poll(NULL, 0, LATER_MS);
		if (answer[len] == *HANG_UP)
			kill(getpid(), SIGHUP);
		while (answer[len] == *HOLD && read(fd, rest, sizeof(rest)) > 0)
			;
		len += answer[len] != '\0';
	}
}

static void *serve(void *context)
{
	struct server *server = context;
	struct pollfd fds[] = {{.fd = server->listener, .events = POLLIN},
		{.fd = server->stop[0], .events = POLLIN}};
	size_t i = 0;

	while (poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
		int fd = accept(server->listener, NULL, NULL);

		if (read_request(server, fd))
			give_answer(fd, server->answers[i]);
		close(fd);
		if (i + 1 < ANSWERS_MAX && server->answers[i + 1] != NULL)
			i++;
	}
	return NULL;
}

static void start_server(struct server *server, const char *const *answers)
{
	*server = (struct server){.answers = answers};
	server->listener = bind_port(&server->port, true);
	assert_int_equal(pipe(server->stop), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop_server(struct server *server)
{
	close(server->stop[1]);
	pthread_join(server->thread, NULL);
	close(server->stop[0]);
	close(server->listener);
}

/* --- the follower ----------------------------------------------------------------------------- */

static bool is(struct sse_text text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

static bool on_event(void *context, const struct sse_event *event, const char *origin)
{
	struct seen *seen = context;

	(void)origin;
	add(seen->heard, sizeof(seen->heard), "e(", event->data.data, event->data.len, ")");
	if (is(event->data, "TERM"))
		raise(SIGTERM);
	if (is(event->data, "HUP"))
		raise(SIGHUP);
	if (is(event->data, "the time is up"))
		seen->until = clock_now_ms();
	if (is(event->data, "a little time"))
		seen->until = client_after(3 * LATER_MS);
	if (is(event->data, "more time"))
		seen->until = client_after(SAFETY_MS);
	if (is(event->data, "stop at the piece"))
		seen->stop_at_piece = true;
	return !is(event->data, "stop");
}

static bool on_comment(void *context, struct sse_text text)
{
	struct seen *seen = context;

	add(seen->heard, sizeof(seen->heard), "c(", text.data, text.len, ")");
	return !is(text, "stop");
}

static bool on_piece(void *context, const char *data, size_t len, struct sse_text last_id)
{
	const struct seen *seen = context;

	(void)data, (void)len, (void)last_id;
	return !seen->stop_at_piece;
}

static bool on_opened(void *context, const struct client_answer *answer, bool lines)
{
	struct seen *seen = context;

	(void)answer;
	add(seen->heard, sizeof(seen->heard), "", lines ? "{" : "[", 1, "");
	return true;
}

/* Follow /x at this port with the options of the script. */
static void follow(const struct script *script, int port, struct seen *seen)
{
	static const struct follow_sink sink = {on_event, on_comment, on_piece, on_opened};
	struct client_options common = {0};
	struct follow_options options = FOLLOW_OPTIONS_DEFAULT;
	struct client client = {0};
	struct client_url url = {0};
	int64_t safety = client_after(SAFETY_MS);
	char text[64];

	*seen = (struct seen){.end = FOLLOW_FAILED,
		.until = script->until != 0 ? client_after(script->until) : safety};
	common.quiet = true;
	common.proxy = "";
	options.last_id = script->id;
	options.delay = script->delay != 0 ? script->delay : FOLLOW_DELAY_MIN;
	options.retry_max = script->attempts - 1;
	options.read_timeout = script->silence;
	options.until = &seen->until;
	options.reconnect = !script->once;
	options.refused_for_good = script->for_good;
	options.flush_end = script->flush;
	options.lines = script->lines;
	options.lines_again = script->lines_again;
	snprintf(text, sizeof(text), "http://127.0.0.1:%d/x", port);
	if (client_target_make(text, CLIENT_STREAM, NULL, &url, &seen->error) == 0 &&
		client_open(&client, "test", &common, &seen->error) == 0)
		seen->end = follow_run(&client, &url, &options, &sink, seen, &seen->error);
	seen->late = clock_now_ms() >= safety;
	client_close(&client);
	client_url_free(&url);
}

static void assert_seen(
	const struct script *script, const struct seen *seen, const struct server *server)
{
	if (seen->late)
		fail_msg("%s: it did not end", script->words);
	if (seen->end != script->end || seen->error.status != script->status)
		fail_msg("%s: end %d, status %d, '%s'", script->words, (int)seen->end,
			seen->error.status, seen->error.text);
	if (script->asked != NULL && strcmp(server->asked, script->asked) != 0)
		fail_msg("%s: asked '%s'", script->words, server->asked);
	if (script->heard != NULL && strcmp(seen->heard, script->heard) != 0)
		fail_msg("%s: heard '%s'", script->words, seen->heard);
}

static void run_script(const struct script *script, struct server *server, struct seen *seen)
{
	start_server(server, script->answers);
	follow(script, server->port, seen);
	stop_server(server);
	assert_seen(script, seen, server);
}

static void run_scripts(const struct script *scripts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct server server;
		struct seen seen;

		run_script(&scripts[i], &server, &seen);
	}
}

/* --- the tests -------------------------------------------------------------------------------- */

static void a_stream_that_ends(void **state)
{
	static const struct script scripts[] = {
		{"it connects again after the last event, until 204",
			{STREAM "id: 1\ndata: a\n\n", STREAM "data: b\n\n", STATUS("204 No")},
			.id = "0", .end = FOLLOW_CLOSED, .asked = "/x@0 /x@1 /x@1 ",
			.heard = "[e(a)[e(b)"},
		{"an id without an event counts, one that is cut off does not",
			{STREAM "id: 7\n\n", STREAM "id: 8\n", STATUS("204 No")},
			.end = FOLLOW_CLOSED, .asked = "/x /x@7 /x@7 ", .heard = "[["},
		{"an empty id resets it", {STREAM "id: 1\ndata: a\n\nid\n\n", STATUS("204 No")},
			.end = FOLLOW_CLOSED, .asked = "/x /x ", .heard = "[e(a)"},
		{"an event that is cut off is dropped",
			{STREAM "data: a\n\ndata: cut\n", STATUS("204 No")}, .end = FOLLOW_CLOSED,
			.asked = "/x /x ", .heard = "[e(a)"},
		{"an event that is cut off is handed over, if so wished",
			{STREAM "data: a\n\ndata: cut", STATUS("204 No")}, .flush = true,
			.end = FOLLOW_CLOSED, .asked = "/x /x ", .heard = "[e(a)e(cut)"},
		{"the id of an event that is cut off does not count, so that it comes again whole",
			{STREAM "id: 11\ndata: a\n\nid: 12\ndata: hal",
				STREAM "id: 12\ndata: half\n\n", STATUS("204 No")},
			.flush = true, .end = FOLLOW_CLOSED, .asked = "/x /x@11 /x@12 ",
			.heard = "[e(a)e(hal)[e(half)"},
		{"an id that is cut off does not count",
			{STREAM "id: 11\ndata: a\n\nid: 1", STATUS("204 No")}, .flush = true,
			.end = FOLLOW_CLOSED, .asked = "/x /x@11 ", .heard = "[e(a)"},
	};

	(void)state;
	run_scripts(scripts, ROWS(scripts));
}

/* The last event of a topic ends it for good, without another attempt. */
static void a_closed_topic(void **state)
{
	static const struct script scripts[] = {
		{"it ends after the event that closed the topic",
			{STREAM "id: 1\ndata: a\n\nevent: closed\ndata: {}\nid: 2\n\n"},
			.end = FOLLOW_CLOSED, .asked = "/x ", .heard = "[e(a)e({})"},
		{"in an envelope too, and before the mark",
			{STREAM "event: closed\ndata: {\"topic\":\"x\",\"event\":\"closed\",\"data\":{}}\n"
				"id: 2\n\nevent: uptodate\ndata: {\"id\":\"2\"}\n\n"},
			.end = FOLLOW_CLOSED, .asked = "/x "},
		{"another event of that type, or one before others, ends nothing",
			{STREAM "event: closed\ndata: shop\nid: 1\n\n",
				STREAM "event: closed\ndata: {}\n\n",
				STREAM "event: closed\ndata: {}\nid: 2\n\ndata: a\nid: 3\n\n",
				STATUS("204 No")},
			.end = FOLLOW_CLOSED, .asked = "/x /x@1 /x@1 /x@3 "},
	};

	(void)state;
	run_scripts(scripts, ROWS(scripts));
}

static void lines_that_end(void **state)
{
	static const struct script scripts[] = {
		{"a whole answer is all", {LINES "\r\n1\n\n[2]"}, .end = FOLLOW_ENDED,
			.asked = "/x ", .heard = "{e(1)c()e([2])"},
		{"with a length, too", {LINES "Content-Length: 4\r\n\r\n1\n2\n"},
			.end = FOLLOW_ENDED, .asked = "/x ", .heard = "{e(1)e(2)"},
		{"the end cuts a line", {LINES "\r\n1\n{\"a\":"}, .end = FOLLOW_ENDED,
			.asked = "/x ", .heard = "{e(1)"},
		{"a line that is cut is handed over, if so wished", {LINES "\r\n1\n{\"a\":"},
			.flush = true, .end = FOLLOW_ENDED, .asked = "/x ",
			.heard = "{e(1)e({\"a\":)"},
		{"what broke is asked for again, what it cut is dropped even if it is JSON",
			{LINES "Content-Length: 9\r\n\r\n1\n[2]", LINES "\r\n3\n"},
			.id = "7", .end = FOLLOW_ENDED, .asked = "/x@7 /x@7 ", .heard = "{e(1){e(3)"},
		{"what broke is not asked for again by one attempt",
			{LINES "Content-Length: 9\r\n\r\n1\n[2]"}, .once = true,
			.end = FOLLOW_FAILED, .status = EX_UNAVAILABLE, .asked = "/x ",
			.heard = "{e(1)"},
		{"what is whole is asked for again, if so wished",
			{LINES "\r\n1\n", LINES "\r\n2", STATUS("204 No")}, .lines_again = true,
			.end = FOLLOW_CLOSED, .asked = "/x /x /x ", .heard = "{e(1){"},
		{"each connection is of its own kind, and the id stays",
			{STREAM "id: 1\ndata: a\n\n", LINES "Content-Length: 9\r\n\r\n1\n",
				STREAM "data: b\n\n", STATUS("204 No")},
			.end = FOLLOW_CLOSED, .asked = "/x /x@1 /x@1 /x@1 ", .heard = "[e(a){e(1)[e(b)"},
		{"lines of another type are none",
			{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n1\n"},
			.end = FOLLOW_FAILED, .status = EX_PROTOCOL, .asked = "/x ", .heard = ""},
		{"unless the user says so",
			{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n1\n"},
			.lines = true, .end = FOLLOW_ENDED, .asked = "/x ", .heard = "{e(1)"},
		{"the sink stops", {LINES "\r\n1\nstop\n3\n" HOLD}, .end = FOLLOW_STOPPED,
			.asked = "/x ", .heard = "{e(1)e(stop)"},
	};

	(void)state;
	run_scripts(scripts, ROWS(scripts));
}

static void no_stream(void **state)
{
	static const struct script scripts[] = {
		{"400", {STATUS("400 Bad")}, .end = FOLLOW_FAILED, .status = EX_DATAERR,
			.asked = "/x "},
		{"401", {STATUS("401 No")}, .end = FOLLOW_FAILED, .status = EX_NOPERM,
			.asked = "/x "},
		{"404", {STATUS("404 No")}, .end = FOLLOW_FAILED, .status = EX_UNAVAILABLE,
			.asked = "/x "},
		{"404 after a stream", {STREAM "id: 1\ndata: a\n\n", STATUS("404 No")},
			.end = FOLLOW_FAILED, .status = EX_UNAVAILABLE, .asked = "/x /x@1 ",
			.heard = "[e(a)"},
		{"5xx, 408, 429 and no answer at all may pass",
			{STATUS("503 Busy"), STATUS("429 Many"), STATUS("408 Late"),
				STATUS("500 Bad"), "", STATUS("204 No")},
			.end = FOLLOW_CLOSED, .asked = "/x /x /x /x /x /x ", .heard = ""},
		{"503 fails, if so wished", {STATUS("503 Busy")}, .for_good = true,
			.end = FOLLOW_FAILED, .status = EX_TEMPFAIL, .asked = "/x "},
		{"another Content-Type",
			{"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\ndata: a\n\n"},
			.end = FOLLOW_FAILED, .status = EX_PROTOCOL, .asked = "/x ", .heard = ""},
		{"no Content-Type", {"HTTP/1.1 200 OK\r\n\r\ndata: a\n\n"}, .end = FOLLOW_FAILED,
			.status = EX_PROTOCOL, .asked = "/x ", .heard = ""},
	};

	(void)state;
	run_scripts(scripts, ROWS(scripts));
}

/* What sse-serve sends when the login of a stream is no longer valid. */
#define DENIED "event: denied\ndata: {\"reason\":\"the token has expired\"}\n\n"

static void denied(void **state)
{
	static const struct script scripts[] = {
		{"it ends, and the events before it were handed over",
			{STREAM "id: 1\ndata: a\n\n" DENIED}, .end = FOLLOW_FAILED,
			.status = EX_NOPERM, .asked = "/x ", .heard = "[e(a)"},
		{"it ends without waiting for the connection's end", {STREAM DENIED HOLD},
			.end = FOLLOW_FAILED, .status = EX_NOPERM, .asked = "/x ", .heard = "["},
		{"with an id it is an event of a topic",
			{STREAM "event: denied\nid: 1\ndata: {\"reason\":\"x\"}\n\n",
				STATUS("204 No")},
			.end = FOLLOW_CLOSED, .asked = "/x /x@1 ",
			.heard = "[e({\"reason\":\"x\"})"},
		{"so it is with another type",
			{STREAM "event: Denied\ndata: {\"reason\":\"x\"}\n\n", STATUS("204 No")},
			.end = FOLLOW_CLOSED, .asked = "/x /x ", .heard = "[e({\"reason\":\"x\"})"},
		{"so it is with other data",
			{STREAM "event: denied\ndata: {\"reason\":\"x\",\"a\":1}\n\n"
				"event: denied\ndata: {\"reason\":1}\n\nevent: denied\ndata: {}\n\n"
				"event: denied\ndata: reason\n\nevent: denied\ndata: {\"why\":\"x\"}\n\n",
				STATUS("204 No")},
			.end = FOLLOW_CLOSED, .asked = "/x /x ",
			.heard = "[e({\"reason\":\"x\",\"a\":1})e({\"reason\":1})e({})e(reason)"
				 "e({\"why\":\"x\"})"},
	};

	(void)state;
	run_scripts(scripts, ROWS(scripts));
}

static void once(void **state)
{
	static const struct script scripts[] = {
		{"the end of the stream ends it", {STREAM "data: a\n\n"}, .once = true,
			.end = FOLLOW_ENDED, .asked = "/x ", .heard = "[e(a)"},
		{"a stream that breaks fails",
			{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
			 "Content-Length: 99\r\n\r\ndata: a\n\n"},
			.once = true, .end = FOLLOW_FAILED, .status = EX_UNAVAILABLE,
			.asked = "/x ", .heard = "[e(a)"},
		{"503 fails", {STATUS("503 Busy")}, .once = true, .end = FOLLOW_FAILED,
			.status = EX_TEMPFAIL, .asked = "/x "},
	};

	(void)state;
	run_scripts(scripts, ROWS(scripts));
}

static void redirects(void **state)
{
	static const struct script scripts[] = {
		{"the id goes with it, and the next attempt begins anew",
			{MOVED("/y"), STREAM "id: 1\ndata: a\n\n", STATUS("204 No")}, .id = "0",
			.end = FOLLOW_CLOSED, .asked = "/x@0 /y@0 /x@1 ", .heard = "[e(a)"},
		{"without a target", {STATUS("307 Go")}, .end = FOLLOW_FAILED,
			.status = EX_PROTOCOL, .asked = "/x "},
		{"in a circle", {MOVED("/x")}, .end = FOLLOW_FAILED, .status = EX_PROTOCOL},
	};

	(void)state;
	run_scripts(scripts, ROWS(scripts));
}

static void the_sink_stops(void **state)
{
	static const struct script scripts[] = {
		{"at an event", {STREAM "data: a\n\ndata: stop\n\ndata: b\n\n" HOLD},
			.end = FOLLOW_STOPPED, .asked = "/x ", .heard = "[e(a)e(stop)"},
		{"at a comment", {STREAM ":a\n:stop\n\ndata: b\n\n" HOLD}, .end = FOLLOW_STOPPED,
			.asked = "/x ", .heard = "[c(a)c(stop)"},
		{"at a piece", {STREAM "data: stop at the piece\n\n" HOLD}, .end = FOLLOW_STOPPED,
			.asked = "/x ", .heard = "[e(stop at the piece)"},
		{"at an event that the end cuts off", {STREAM "data: stop"}, .flush = true,
			.end = FOLLOW_STOPPED, .asked = "/x ", .heard = "[e(stop)"},
		{"after a failure", {STATUS("503 Busy"), STREAM "data: stop\n\n" HOLD},
			.end = FOLLOW_STOPPED, .asked = "/x /x ", .heard = "[e(stop)"},
	};

	(void)state;
	run_scripts(scripts, ROWS(scripts));
}

static void attempts_in_a_row(void **state)
{
	static const struct script scripts[] = {
		{"so many are enough", {STATUS("503 Busy")}, .attempts = 2, .end = FOLLOW_FAILED,
			.status = EX_TEMPFAIL, .asked = "/x /x "},
		{"a stream without an event is one of them", {STATUS("503 Busy"), STREAM ":a\n\n"},
			.attempts = 2, .end = FOLLOW_FAILED, .status = EX_TEMPFAIL,
			.asked = "/x /x ", .heard = "[c(a)"},
		{"an event begins a new row",
			{STATUS("503 Busy"), STREAM "data: a\n\n", STATUS("503 Busy")},
			.attempts = 2, .end = FOLLOW_FAILED, .status = EX_TEMPFAIL,
			.asked = "/x /x /x ", .heard = "[e(a)"},
	};

	(void)state;
	run_scripts(scripts, ROWS(scripts));
}

static void connections_that_are_refused(void **state)
{
	const struct script gives_up = {"it gives up", .attempts = 3, .end = FOLLOW_FAILED,
		.status = EX_TEMPFAIL, .heard = ""};
	struct script goes_on = {
		"it goes on", {NULL, STATUS("204 No")}, .end = FOLLOW_CLOSED, .asked = "/x /x "};
	struct server server;
	struct seen seen;
	char moved[200];
	int port, fd = bind_port(&port, false);

	(void)state;
	follow(&gives_up, port, &seen);
	assert_seen(&gives_up, &seen, NULL);
	assert_non_null(strstr(seen.error.text, "after 3 attempts in a row"));

	snprintf(moved, sizeof(moved), MOVED("http://127.0.0.1:%d/"), port);
	goes_on.answers[0] = moved;
	run_script(&goes_on, &server, &seen);
	close(fd);
}

/* A pause may be longer, but not shorter.  It is a minute where the retry field is not used. */
static void pauses(void **state)
{
	static const struct script scripts[] = {
		{"the stream's retry field", {STREAM "retry: 300\ndata: a\n\n", STATUS("204 No")},
			.delay = 60000, .end = FOLLOW_CLOSED, .asked = "/x /x "},
		{"there is a least one", {STREAM "retry: 0\ndata: a\n\n", STATUS("204 No")},
			.delay = 60000, .end = FOLLOW_CLOSED, .asked = "/x /x "},
		{"the answer's Retry-After",
			{"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
				STATUS("204 No")},
			.end = FOLLOW_CLOSED, .asked = "/x /x "},
	};
	static const int64_t least[] = {300, BACKOFF_ASKED_MIN, 1000};

	(void)state;
	for (size_t i = 0; i < ROWS(scripts); i++) {
		struct server server;
		struct seen seen;

		run_script(&scripts[i], &server, &seen);
		assert_int_equal(server.requests, 2);
		if (server.at[1] - server.at[0] < least[i])
			fail_msg("%s: it waited for %d ms", scripts[i].words,
				(int)(server.at[1] - server.at[0]));
	}
}

/* A server that is slow gets more than two requests, and then, too, the last answer. */
static void silence(void **state)
{
	static const struct script scripts[] = {
		{"of a stream", {STREAM ":a\n\n" HOLD, STATUS("204 No")}, .silence = 200,
			.end = FOLLOW_CLOSED},
		{"of a stream that brings nothing", {STREAM HOLD, STATUS("204 No")}, .silence = 200,
			.end = FOLLOW_CLOSED},
		{"before the head", {"HTTP/1.1 2" HOLD, STATUS("204 No")}, .silence = 200,
			.end = FOLLOW_CLOSED},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(scripts); i++) {
		struct server server;
		struct seen seen;

		run_script(&scripts[i], &server, &seen);
		assert_in_range(server.requests, 2, REQUESTS_MAX);
	}
}

static void its_time(void **state)
{
	static const struct script scripts[] = {
		{"with a stream", {STREAM "data: the time is up\n\n" HOLD}, .end = FOLLOW_TIME,
			.asked = "/x ", .heard = "[e(the time is up)"},
		{"with a stream that is not the first",
			{STATUS("503 Busy"), STREAM "data: the time is up\n\n" HOLD},
			.end = FOLLOW_TIME, .asked = "/x /x "},
		{"without an answer", {"" HOLD}, .until = 100, .end = FOLLOW_TIME,
			.status = EX_TEMPFAIL, .heard = ""},
		{"in a pause", {STATUS("503 Busy")}, .until = 100, .delay = 60000,
			.end = FOLLOW_TIME, .status = EX_TEMPFAIL},
		{"the sink puts it off",
			{STREAM "data: a little time\n\n" LATER
				"data: more time\n\n" LATER LATER LATER "data: stop\n\n" HOLD},
			.end = FOLLOW_STOPPED, .heard = "[e(a little time)e(more time)e(stop)"},
	};
	struct script refused = {
		"refused", .until = 100, .end = FOLLOW_TIME, .status = EX_UNAVAILABLE, .heard = ""};
	struct seen seen;
	int port, fd;

	(void)state;
	run_scripts(scripts, ROWS(scripts));
	fd = bind_port(&port, false);
	follow(&refused, port, &seen);
	assert_seen(&refused, &seen, NULL);
	close(fd);
}

/* The last test: the process is told to end, and every follower after it would end at once. */
static void signals(void **state)
{
	static const struct script scripts[] = {
		{"SIGHUP amid a piece: at once again, with the id, and the rest is left",
			{STREAM "id: 1\ndata: HUP\n\ndata: a\n\n" HOLD, STATUS("204 No")},
			.delay = 60000, .end = FOLLOW_CLOSED, .asked = "/x /x@1 ",
			.heard = "[e(HUP)"},
		{"SIGHUP while the stream is silent", {STREAM HANG_UP HOLD, STATUS("204 No")},
			.delay = 60000, .end = FOLLOW_CLOSED, .asked = "/x /x "},
		{"SIGHUP in a pause: the next attempt is the first of a row",
			{"HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n" LATER
					HANG_UP,
				STATUS("503 Busy"), STATUS("204 No")},
			.attempts = 2, .end = FOLLOW_CLOSED, .asked = "/x /x /x "},
		{"SIGTERM", {STREAM "data: TERM\n\n" HOLD}, .end = FOLLOW_FAILED,
			.status = 128 + SIGTERM, .asked = "/x ", .heard = "[e(TERM)"},
	};

	(void)state;
	client_watch_hangup();
	run_scripts(scripts, ROWS(scripts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_that_ends),
		cmocka_unit_test(a_closed_topic),
		cmocka_unit_test(lines_that_end),
		cmocka_unit_test(no_stream),
		cmocka_unit_test(denied),
		cmocka_unit_test(once),
		cmocka_unit_test(redirects),
		cmocka_unit_test(the_sink_stops),
		cmocka_unit_test(attempts_in_a_row),
		cmocka_unit_test(connections_that_are_refused),
		cmocka_unit_test(pauses),
		cmocka_unit_test(silence),
		cmocka_unit_test(its_time),
		cmocka_unit_test(signals),
	};
	struct error error;
	int failed;

	if (client_start(&error) != 0)
		return error.status;
	failed = cmocka_run_group_tests_name("client_follow", tests, NULL, NULL);
	client_end();
	return failed;
}
