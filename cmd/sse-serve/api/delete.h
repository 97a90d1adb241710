/* SPDX-License-Identifier: MIT */
/* DELETE /api/{topic}/{id}, DELETE /api/{topic}?before=ID and DELETE /api/{topic}. */
#ifndef DELETE_H
#define DELETE_H

struct request;

/* delete_check(request): may the page that sends it delete here?  The check before the body. */
void delete_check(struct request *request);

/*
 * delete_run(request):
 * Delete one event, those before another, or all of the topic: 204 when they are gone.  A client
 * that may not delete in the topic, but may publish to it under a name of its own, may delete its
 * messages.
 */
void delete_run(struct request *request);

#endif
