/* SPDX-License-Identifier: MIT */
/*
 * POST /hook/{name}: a delivery of a webhook.  If it is signed, it is published as one event
 *
 *     {"headers":{"X-GitHub-Event":"push",...},"body":...}
 *
 * whose type is what the sender calls the delivery, and whose key is the delivery's id, so that the
 * event is stored once however often it is sent.  The body is the JSON that came, with its digits;
 * any other text is a string.
 *
 * The signature is all that counts: --access does not apply, nor does it matter which page sends
 * the request.  A page of another site can send one, but cannot sign it.
 */
#ifndef HOOK_H
#define HOOK_H

#include "http/request.h"

/*
 * Check the head: is there this hook, and can a delivery with these headers be accepted?  A
 * stranger is refused before the body arrives.
 */
void hook_check(struct request *request);

/* The body. */
void hook_run(struct request *request);

#endif
