/* SPDX-License-Identifier: MIT */
/*
 * The life of a request, from its first line to the end of its answer, as libmicrohttpd reports it.
 * Each connection has its struct connection as the library's socket context.  Of the callbacks,
 * ${context} is the struct request_shared of the loop.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <microhttpd.h>
#include <stddef.h>

struct http_config;
struct request;

/*
 * exchange_memory(config):
 * The library's memory for one connection, which it clears each time: a head (and a piece of a
 * body), and for each parameter of the query and each topic that one may name its bytes and the
 * library's note of it.
 */
size_t exchange_memory(const struct http_config *config);

/*
 * exchange_new(context, target, connection):
 * MHD_OPTION_URI_LOG_CALLBACK: the request line is there.  Return the request, which has the raw
 * target, because the library's own decoding would spoil it; NULL without memory.
 */
void *exchange_new(void *context, const char *target, struct MHD_Connection *connection);

/*
 * exchange_continue(context, connection, url, method, version, data, len, con_cls):
 * The library calls this when the head has arrived, for each piece of body, at its end, and after a
 * resume.  ${con_cls} has the request.
 */
enum MHD_Result exchange_continue(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *len, void **con_cls);

/*
 * exchange_end(context, connection, con_cls, code):
 * MHD_OPTION_NOTIFY_COMPLETED: log the request and free it.  The library does not report the end of
 * every request whose parameters it had no memory for; such a request is freed with its connection.
 */
void exchange_end(void *context, struct MHD_Connection *connection, void **con_cls,
	enum MHD_RequestTerminationCode code);

/* exchange_free(request): log a request that the library does not end, and free it. */
void exchange_free(struct request *request);

#endif
