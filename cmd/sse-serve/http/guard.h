/* SPDX-License-Identifier: MIT */
/* Decides whether the sender of a request may do what it asks for. */
#ifndef GUARD_H
#define GUARD_H

struct request;

/*
 * guard_check(request):
 * Call it when the handler and the query are known.  Find out who sends the request, and whether
 * they are granted the handler's verb for all topics that the target names.  If not, reply: 401
 * without a valid proof, 403 with one.
 *
 * Two checks are left to the handler.  If the target is all topics, a grant for any topic is enough
 * here, and the handler checks each topic (request_check_topic()).  And a sender who may publish to
 * a topic under a name of their own may delete their own messages there.
 */
void guard_check(struct request *request);

/*
 * guard_check_again(request):
 * Call it when the body has arrived, which may have taken a while.  If the proof has ended
 * meanwhile, reply 401.
 */
void guard_check_again(struct request *request);

#endif
