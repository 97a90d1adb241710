/* SPDX-License-Identifier: MIT */
/* Decides whether the sender of a request may do what it asks for. */
#ifndef GUARD_H
#define GUARD_H

struct request;

/*
 * guard_check(request):
 * Call it when the handler and the query are known.  Find out who sends the request, and whether
 * the handler's verb is granted to them for all topics that the target names; for any topic, if it
 * is all topics, of which the handler checks each that it shows or takes (request_check_topic()).
 * Whoever may publish to a topic under a name of their own may delete their own messages there: the
 * handler checks that too.
 * If not, reply: 401 without a valid proof, 403 with one.
 */
void guard_check(struct request *request);

/*
 * guard_check_again(request):
 * Call it when the body has arrived, which may have taken a while.  If the proof has ended
 * meanwhile, reply 401.
 */
void guard_check_again(struct request *request);

#endif
