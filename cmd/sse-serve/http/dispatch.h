/* SPDX-License-Identifier: MIT */
/* Which handler a request gets, by its target and its method. */
#ifndef DISPATCH_H
#define DISPATCH_H

struct request;

/*
 * dispatch_find(request):
 * Read the target into request->route, choose request->handler, and read the query for it.  OPTIONS
 * is answered here, for any target.  If the target is not valid, or takes another method, or its
 * query is wrong, the problem is replied.
 */
void dispatch_find(struct request *request);

#endif
