/* SPDX-License-Identifier: MIT */
/*
 * What a request is to the files of this room.  Handlers see request.h alone.
 *
 * exchange.c makes and frees requests and calls the others in turn: dispatch.c finds the handler,
 * body.c takes the body, refusal.c answers early, request.c is what the handler calls.
 */
#ifndef REQUEST_INTERNAL_H
#define REQUEST_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counter.h"
#include "buf.h"
#include "forwarded.h"
#include "http_config.h"
#include "linger.h"
#include "request_id.h"
#include "route.h"

struct MHD_Connection;
struct MHD_Response;
struct connection;
struct principal;

/* The statuses of answers, from 100 on. */
#define HTTP_STATUSES 500

/* What all requests of a loop share. */
struct request_shared {
	const struct http_config *config;
	void *context;		     /* the handlers' */
	_Atomic uint64_t requests;   /* so far; the loop's thread counts */
	_Atomic uint64_t for_topics; /* of these, those whose handler is FOR_TOPICS */
	struct counter_times took;   /* from the head to the end of the answer, or to a stream */
	_Atomic uint64_t answers[HTTP_STATUSES]; /* [status - 100] */
	struct request_ids ids;
	struct lingerers lingerers;
	size_t waiting; /* requests that wait */
	bool wants_run; /* the library has to run, although no socket is ready */
};

struct request {
	struct request_shared *shared;
	struct connection *socket;
	struct MHD_Connection *connection; /* the same, to the library */
	struct MHD_Response *response;	   /* the latest answer; NULL before the first */
	const struct handler *handler;
	const char *method;
	char *target;
	char id[REQUEST_ID];
	uint64_t began;	  /* when its head had arrived, by clock_now_us(); 0: not yet */
	const char *host; /* the server that it names; NULL if an HTTP/1.0 client names none */
	char *authority;  /* of a target in absolute form, which is the host then; or NULL */
	struct route route;
	struct forwarded forwarded; /* by trusted proxies */
	struct buf body;
	void *state; /* the handler's */
	void (*free_state)(void *state);
	unsigned status;
	enum { REQUEST_NEW, REQUEST_BODY, REQUEST_RUN, REQUEST_TAKEN } stage;
	unsigned refused;   /* the status by which the body is refused before it is read; or 0 */
	uint64_t announced; /* the Content-Length; 0 without one */
	size_t received;    /* bytes of body, for the log */
	int64_t held;	    /* of config->bodies */
	bool waiting;
	bool held_up;		     /* it was asked whether it must wait before its handler runs */
	const char *authorization;   /* its Authorization header, or NULL; of several any one */
	unsigned proofs;	     /* how many it has */
	struct principal *principal; /* who sends it, held; NULL: nobody asked */
	enum {
		PROOF_IS_NONE,
		PROOF_IS_TOKEN,
		PROOF_IS_TICKET,
		PROOF_IS_COOKIE,
		PROOF_IS_CERTIFICATE,
	} proof;
};

/*
 * request_find_client(request): when its head has arrived, find out for whom a trusted proxy sends
 * it.  Before, request_address() is the address that it comes from.
 */
void request_find_client(struct request *request);

/*
 * request_copy_socket(request, status):
 * Take the socket that the library has, to which the caller writes an answer that ends the connection.
 * Return a non-blocking descriptor that the caller owns, or -1 with errno.
 */
int request_copy_socket(struct request *request, unsigned status);

/*
 * request_own_host(request): the host whose pages are the server's own, for origin.h; NULL if a page
 * that came without TLS sends a request with TLS.
 */
const char *request_own_host(const struct request *request);

/* request_hsts(request): s for which a browser shall use only TLS here, or 0 (--hsts). */
int64_t request_hsts(const struct request *request);

/* request_reason(status): the reason phrase of a status, "Not Found". */
const char *request_reason(unsigned status);

/*
 * request_write_head_of(id, cors, vary, hsts, status, type, more, out, size):
 * Write a head as request_write_head() does, of what is known of the request: its id, its CORS
 * origin, or NULL, whether the answer depends on the origin, and its request_hsts().
 */
size_t request_write_head_of(const char *id, const char *cors, bool vary, int64_t hsts,
	unsigned status, const char *type, const char *more, char *out, size_t size);

#endif
