/* SPDX-License-Identifier: MIT */
/*
 * libsse-follow: follows an event stream (WHATWG HTML, section 9.2) over libcurl.  It connects,
 * hands over each event as it arrives, and connects again after the last one when the stream ends
 * or fails.
 *
 *	static bool print(void *context, const struct sse_item *item)
 *	{
 *		(void)context;
 *		return item->kind != SSE_ITEM_EVENT ||
 *		       printf("%.*s\n", (int)item->data.len, item->data.data) >= 0;
 *	}
 *
 *	struct sse_follow *follow = sse_follow_new(argv[1], print, NULL);
 *	enum sse_follow_state end = sse_follow_run(follow);
 *
 *	if (end >= SSE_FOLLOW_DENIED)
 *		fprintf(stderr, "%s\n", sse_follow_error(follow));
 *	sse_follow_free(follow);
 *
 * It prints nothing, catches no signal, starts no thread of its own (libcurl may, to find a host),
 * and reads no environment but what libcurl reads for proxies.  Followers share nothing: each
 * thread may have some.  One thread at a time may use a follower; sse_follow_stop() is for any
 * thread.
 */
#ifndef SSE_FOLLOW_H
#define SSE_FOLLOW_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sse.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is declared here is what the shared library exports. */
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

struct sse_follow;

/* What a callback is told of.  Later versions may have more: return true for kinds not known. */
enum sse_item_kind {
	SSE_ITEM_EVENT = 1,
	/* sse-serve's own events, with their fields as those of any event: */
	SSE_ITEM_GAP = 2,      /* events are missing here; the text says which and why */
	SSE_ITEM_UPTODATE = 3, /* all stored events came; what follows is new */
	SSE_ITEM_CLOSED = 4,   /* the topic is closed: it has no further event */
	/* No events: */
	SSE_ITEM_OPEN = 5, /* a stream is open, the first or after trouble */
	/* There is no stream, for the reason in the text; the next attempt follows in wait_ms. */
	SSE_ITEM_TROUBLE = 6,
	/*
	 * The login was refused, for the reason in the text.  With another token, set before the
	 * callback returns, it is tried again; else this is the end.
	 */
	SSE_ITEM_DENIED = 7,
};

/* The texts are valid during the call.  Later versions may add fields at the end. */
struct sse_item {
	enum sse_item_kind kind;
	/* Of an event, as in struct sse_event; otherwise empty: */
	struct sse_text type;
	struct sse_text data;
	struct sse_text id;
	bool has_id;
	const char *origin; /* where it came from, after redirects: "https://host:port" */
	/* Of any kind: */
	const char *text; /* a sentence, "" if there is none */
	int64_t wait_ms;
};

/* Called in sse_follow_run() and sse_follow_step().  Return false to stop: SSE_FOLLOW_STOPPED. */
typedef bool sse_follow_callback(void *context, const struct sse_item *item);

/* Numbers grow with what went wrong; an end stays. */
enum sse_follow_state {
	SSE_FOLLOW_ON = 0,	/* it goes on */
	SSE_FOLLOW_CLOSED = 1,	/* the server has nothing more: 204, or the topic is closed */
	SSE_FOLLOW_ENDED = 2,	/* by the server, and it is not to connect again */
	SSE_FOLLOW_STOPPED = 3, /* by the callback, or sse_follow_stop() */
	SSE_FOLLOW_TIME = 4,	/* the time of SSE_FOLLOW_TIME_MS is up */
	SSE_FOLLOW_DENIED = 5,	/* the login was refused, or one is required */
	SSE_FOLLOW_FAILED = 6,	/* the next attempt would fail too, or there were enough */
};

/* What can be set before the first step; only a token also later.  The numbers do not change. */
enum sse_follow_option {
	/* Texts: */
	SSE_FOLLOW_LAST_ID = 1,	     /* resume after this id; without one, as the URL says */
	SSE_FOLLOW_TOKEN = 2,	     /* log in with a bearer token, */
	SSE_FOLLOW_TOKEN_FILE = 3,   /* ... that in a file, read again for each attempt, */
	SSE_FOLLOW_USER = 4,	     /* ... or "name:password" */
	SSE_FOLLOW_HEADER = 5,	     /* "Name: value", one more each time */
	SSE_FOLLOW_CA_FILE = 6,	     /* authorities to trust (PEM); default: libcurl's */
	SSE_FOLLOW_CERT_FILE = 7,    /* the client's certificate (PEM) */
	SSE_FOLLOW_KEY_FILE = 8,     /* its key, if not in the same file */
	SSE_FOLLOW_PROXY = 9,	     /* its URL, "" for none; default: the environment's */
	SSE_FOLLOW_UNIX_SOCKET = 10, /* connect to this instead of the host */
	SSE_FOLLOW_USER_AGENT = 11,
	SSE_FOLLOW_BODY = 12,	   /* POST this with each attempt, instead of a GET */
	SSE_FOLLOW_BODY_TYPE = 13, /* its Content-Type; default: application/json */
	/* Numbers, with their defaults: */
	SSE_FOLLOW_SILENCE_MS = 101, /* connect again if nothing comes for so long; 0:
					what the server's heartbeat says, or no limit */
	SSE_FOLLOW_CONNECT_MS = 102, /* 10000: give up connecting after so long */
	SSE_FOLLOW_DELAY_MS = 103,   /* 2000: the least pause, until the stream names another */
	SSE_FOLLOW_ATTEMPTS = 104,   /* 0 (no limit): enough in a row without an event */
	SSE_FOLLOW_TIME_MS = 105,    /* 0 (no limit): end so long after the first step */
	SSE_FOLLOW_RECONNECT = 106,  /* 1; 0: there is one attempt */
};

/*
 * sse_follow_new(url, callback, context):
 * A follower of this URL; nothing is sent yet.  NULL without memory, which the other functions
 * take: it has failed.  A URL that is none shows at the first step.  sse_follow_free() ends what is
 * under way, without a call of the callback; not for use in the callback.
 */
struct sse_follow *sse_follow_new(const char *url, sse_follow_callback *callback, void *context);
void sse_follow_free(struct sse_follow *follow);

/*
 * sse_follow_set_text(follow, option, value) / sse_follow_set_number(follow, option, value):
 * Set an option; a text is copied.  False if the value cannot be used, or the library does not know
 * the option, or it is too late: sse_follow_error() says which, until the next step.
 */
bool sse_follow_set_text(
	struct sse_follow *follow, enum sse_follow_option option, const char *value);
bool sse_follow_set_number(struct sse_follow *follow, enum sse_follow_option option, int64_t value);

/* sse_follow_run(follow): follow until the end, which is returned. */
enum sse_follow_state sse_follow_run(struct sse_follow *follow);

/*
 * sse_follow_step(follow, timeout_ms):
 * Do what there is to do, or wait for something to do for ${timeout_ms}, 0 not at all, -1 for as
 * long as it takes, and do that.  It may return earlier with nothing done.
 */
enum sse_follow_state sse_follow_step(struct sse_follow *follow, int timeout_ms);

/*
 * sse_follow_fds(follow, fds, room, timeout_ms):
 * For a loop of the caller's: store what a step would wait for in the first ${room} of ${fds}, and
 * in *${timeout_ms} how long at most until the next step.  Return how many
 * descriptors there are, which can be more than ${room}; they change with each step.  Not in the
 * callback.
 */
size_t sse_follow_fds(struct sse_follow *follow, struct pollfd *fds, size_t room, int *timeout_ms);

/*
 * sse_follow_stop(follow):
 * End it, from any thread while ${follow} exists, or from the callback: no event is handed over
 * from then on, but the one under way.  It ends a wait of sse_follow_run() and sse_follow_step().
 * Not for signal handlers.
 */
void sse_follow_stop(struct sse_follow *follow);

/*
 * sse_follow_last_id(follow): the id to resume after, for a program that stores it: of the last event
 * that was handed over or followed by nothing but an id.  Valid until the next step; empty without
 * one.
 */
struct sse_text sse_follow_last_id(const struct sse_follow *follow);

/*
 * sse_follow_error(follow): one sentence on why it ended or what went wrong last, without secrets;
 * "" if nothing did.  It may hold what a server said.  Valid until the next call with this
 * follower.
 */
const char *sse_follow_error(const struct sse_follow *follow);

/* sse_follow_http_status(follow): of the last answer, 0 if there was none. */
long sse_follow_http_status(const struct sse_follow *follow);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
