/* SPDX-License-Identifier: MIT */
/*
 * What a handler may ask of a request, and how it answers.
 *
 * A handler is called on the thread of the request's loop, when the whole request has arrived.  It
 * replies, takes over the socket, or waits; if it waits, it later replies and then calls
 * request_resume().
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/address.h"
#include "buf.h"
#include "route.h"

struct access;
struct principal;
struct request;
struct tls;

/* request_is_secure(request): does its client speak TLS with this server? */
bool request_is_secure(const struct request *request);

/* request_context(request): the context that http_new() was given for the handlers. */
void *request_context(const struct request *request);

/* request_route(request): what its target names. */
const struct route *request_route(const struct request *request);

/* request_target(request): its target as the client sent it. */
const char *request_target(const struct request *request);

/* request_body(request): for run(), which may change it. */
struct buf *request_body(struct request *request);

/*
 * request_set_state(request, state, free_state):
 * Keep the handler's state until the request ends; then ${free_state} is called.
 */
void request_set_state(struct request *request, void *state, void (*free_state)(void *state));

/* request_answered(request): was it answered, by one of the functions below? */
bool request_answered(const struct request *request);

/* request_header(request, name): a header's value, or NULL. */
const char *request_header(const struct request *request, const char *name);

/* request_header_count(request, name): how many headers have this name. */
unsigned request_header_count(const struct request *request, const char *name);

/*
 * request_address(request): the client's address; NULL on a local socket.  Valid until the request
 * ends.  If a trusted proxy says for which client it sends the request (forwarded.h), this is the
 * address of that client, otherwise that of the connection.
 */
const struct sockaddr *request_address(const struct request *request);

/* request_write_address(request, text): write that address for a person, "local" for none. */
void request_write_address(const struct request *request, char text[ADDRESS_TEXT]);

/*
 * request_id(request): its id, as the answer and the log have it; request_is_logged(request): does
 * the log tell of it?
 */
const char *request_id(const struct request *request);
bool request_is_logged(const struct request *request);

/*
 * request_is_local(request): does it come from this machine, by loopback or a local socket?  Either
 * a trusted proxy says so, or the request has no header that a proxy adds.
 */
bool request_is_local(const struct request *request);

/*
 * request_identify(request):
 * Find the principal of the request: that of its token, ticket or session cookie, or that of
 * everyone if it has none.  Return true if that is done, or if there is no access control; false
 * after replying what is wrong with the proof.
 */
bool request_identify(struct request *request);

/*
 * request_principal(request): the principal of the request; NULL without access control, or before
 * request_identify().  It lives as long as the request.
 */
struct principal *request_principal(const struct request *request);

/*
 * request_check_topic(request, topic, line):
 * Is the handler's verb granted for a topic that the body names in this line?  False after replying
 * that it is not.
 */
bool request_check_topic(struct request *request, const char *topic, uint32_t line);

/* request_has_token(request): is its proof in its Authorization header? */
bool request_has_token(const struct request *request);

/* request_access(request): what checks proofs; NULL: there is no access control. */
struct access *request_access(const struct request *request);

/*
 * request_write_binding(request, text):
 * Append what a ticket is bound to, with a NUL: the page and the address that the request comes
 * from, and the topics that it names.  False without memory.
 */
bool request_write_binding(const struct request *request, struct buf *text);

/*
 * request_may_be_wrong(request, proofs):
 * Its proof is wrong: may its address send one more such proof now?  False after replying 429:
 * there were too many wrong ${proofs}, "tokens".
 */
bool request_may_be_wrong(struct request *request, const char *proofs);

/* request_is_head(request): are only the headers of the answer wanted? */
bool request_is_head(const struct request *request);

/*
 * request_hold(request, bytes):
 * Count ${bytes} more memory as the request's, until it ends.  False if all requests together would
 * then hold more than --max-bodies: answer 503 with REQUEST_BODIES_FULL.
 */
bool request_hold(struct request *request, size_t bytes);

/*
 * request_release(request, bytes):
 * The body is no longer needed: free it, and count only ${bytes} as the request's from now on.
 * Call it before the answer is sent, so that a client that has the answer finds room for its next
 * request.
 */
void request_release(struct request *request, size_t bytes);
#define REQUEST_BODIES_FULL                                                                        \
	"the requests in progress hold %lld bytes, the limit (--max-bodies); try again in a "      \
	"second"

/* --- replying, once --- */

/*
 * request_reply(request, status, type, data, len):
 * Answer with a copy of ${data}; ${type} is the Content-Type, NULL without a body.
 */
void request_reply(
	struct request *request, unsigned status, const char *type, const void *data, size_t len);

/* request_reply_static(...): as above, for data that stays valid until free_state() is called. */
void request_reply_static(
	struct request *request, unsigned status, const char *type, const void *data, size_t len);

/* request_reply_file(request, type, fd, size): answer 200 with a file; takes ${fd}. */
void request_reply_file(struct request *request, const char *type, int fd, uint64_t size);

/*
 * request_reply_stream(request, type, read):
 * Answer 200 with the bytes that ${read} writes.  It is called with the state, and returns the
 * number of bytes in ${out}; 0 if it has to wait (it calls request_resume() later); -1 at the end;
 * -2 for a failure (the connection is cut, so the client sees that the answer is incomplete).
 */
void request_reply_stream(struct request *request, const char *type,
	ssize_t (*read)(void *state, char *out, size_t max));

/*
 * request_reply_list(request, type, read):
 * The same, compressed where the client accepts gzip.
 *
 * request_wants_gzip(request, len):
 * Does the client accept gzip, and is an answer of ${len} bytes, which could be sent at once, worth
 * it?  An answer that depends on this has the header Vary: Accept-Encoding.
 */
void request_reply_list(struct request *request, const char *type,
	ssize_t (*read)(void *state, char *out, size_t max));
bool request_wants_gzip(const struct request *request, size_t len);

/*
 * request_problem(request, status, format, ...):
 * Answer with application/problem+json (RFC 9457) and one sentence: what was wrong, and what would
 * be right.
 */
void request_problem(struct request *request, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* request_add_header(request, name, value): add it to the latest answer. */
void request_add_header(struct request *request, const char *name, const char *value);

/* request_add_retry_after(request, seconds): say in the latest answer when to try again. */
void request_add_retry_after(struct request *request, int64_t seconds);

/* request_wait(request) / request_resume(request): see above. */
void request_wait(struct request *request);
void request_resume(struct request *request);

/*
 * request_take_socket(request, status, tls):
 * Take the client's socket; the caller writes the answer itself, with this status (for the log).
 * Return a non-blocking descriptor that the caller owns, or -1 with errno.  If the client speaks
 * TLS, the session is stored in *${tls}, and belongs to the caller too; otherwise that is NULL.
 * The library closes its own descriptor without shutting the connection down.
 */
int request_take_socket(struct request *request, unsigned status, struct tls **tls);

/*
 * request_write_head(request, status, type, more, out, size):
 * Write the head of an answer that the library does not send: a stream's, or one that is sent
 * before the body has arrived.  The body ends with the connection.  ${more} is further header lines
 * with their line ends.  Return its length, 0 if it does not fit.
 */
size_t request_write_head(const struct request *request, unsigned status, const char *type,
	const char *more, char *out, size_t size);

/* request_cors(request): is the request's Origin allowed; the value to answer, or NULL. */
const char *request_cors(const struct request *request);

/*
 * request_check_origin(request, what):
 * May the page that sends this request do something that other clients see?  A page of another site
 * may not, unless --cors allows it.  False after replying with the problem that it may not do
 * ${what}.
 */
bool request_check_origin(struct request *request, const char *what);

/*
 * request_check_page(request, what):
 * The same for requests that change the cookies of a browser.  --cors '*' does not allow these to
 * the pages of any site, since such a page could log a user in as somebody else.
 */
bool request_check_page(struct request *request, const char *what);

#endif
