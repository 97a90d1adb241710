/* SPDX-License-Identifier: MIT */
/*
 * Proofs for pages, which cannot send a header with EventSource: a session, which is a cookie, for
 * pages of this server; and tickets, each for one stream, for pages of other sites.
 */
#ifndef SESSION_H
#define SESSION_H

struct request;

/* session_show(request): GET /api/session: who the client is, and what it may do. */
void session_show(struct request *request);

/* session_check(request): may the page that sends the request begin or end a session? */
void session_check(struct request *request);

/* session_start(request): POST /api/session with a token: begin a session, and set its cookie. */
void session_start(struct request *request);

/* session_end(request): DELETE /api/session: end the session, and remove its cookie. */
void session_end(struct request *request);

/*
 * ticket_check(request), ticket_make(request): POST /api/ticket?topic=...: for one stream of these
 * topics.
 */
void ticket_check(struct request *request);
void ticket_make(struct request *request);

#endif
