/* SPDX-License-Identifier: MIT */
/* GET /api: the topics that the server knows, and what is stored of them. */
#ifndef TOPIC_LIST_H
#define TOPIC_LIST_H

#include "http/request.h"

/*
 * topic_list_run(request):
 * Answer a JSON array of {"topic","events","id","time","streams"} (or one line each, where NDJSON is
 * accepted), ordered by the bytes of the names: the topics that match a ?topic= and that the sender
 * may read, the first ?limit= of those after the name in ?after=.  A Link with rel="next" says that
 * more follow.  What is stored is as of the event in the header Last-Event-ID.  The replay thread
 * looks at a bounded number of topics at a time.
 */
void topic_list_run(struct request *request);

#endif
