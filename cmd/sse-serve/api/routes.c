/* SPDX-License-Identifier: MIT */
/* Everything that is served: one row each. */
#include "ahead.h"
#include "delete.h"
#include "health.h"
#include "history.h"
#include "hook.h"
#include "metrics.h"
#include "pages.h"
#include "poll.h"
#include "presence_pages.h"
#include "publish.h"
#include "routes.h"
#include "samples.h"
#include "session.h"
#include "status.h"
#include "stream.h"
#include "topic_list.h"

static const struct handler handlers[] = {
	{ROUTE_STREAM, "GET", stream_check, stream_run, VERB_READ, FOR_TOPICS},
	{ROUTE_STREAMS, "GET", stream_check, stream_run, VERB_READ, FOR_TOPICS},
	{ROUTE_TOPICS, "GET", NULL, topic_list_run, VERB_READ, FOR_OTHERS},
	{ROUTE_TOPIC, "GET", NULL, poll_list, VERB_READ, FOR_TOPICS},
	{ROUTE_TOPIC, "POST", publish_check, publish_run, VERB_PUBLISH, FOR_TOPICS},
	{ROUTE_TOPICS, "POST", publish_check, publish_run, VERB_PUBLISH, FOR_TOPICS},
	{ROUTE_EVENT, "GET", NULL, history_event, VERB_READ, FOR_TOPICS},
	{ROUTE_TOPIC, "DELETE", delete_check, delete_run, VERB_DELETE, FOR_TOPICS},
	{ROUTE_EVENT, "DELETE", delete_check, delete_run, VERB_DELETE, FOR_TOPICS},
	{ROUTE_PRESENCE, "GET", NULL, presence_pages_run, VERB_READ, FOR_TOPICS},
	{ROUTE_STATUS, "GET", status_check_stream, stream_run, VERB_STATUS, FOR_OTHERS},
	{ROUTE_SAMPLES, "GET", status_check, samples_run, VERB_STATUS, FOR_OTHERS},
	{ROUTE_SYSTEM, "GET", NULL, status_refuse, VERB_FREE, FOR_OTHERS},
	{ROUTE_SESSION, "GET", NULL, session_show, VERB_FREE, FOR_OTHERS},
	{ROUTE_SESSION, "POST", session_check, session_start, VERB_FREE, FOR_OTHERS},
	{ROUTE_SESSION, "DELETE", session_check, session_end, VERB_FREE, FOR_OTHERS},
	{ROUTE_TICKET, "POST", ticket_check, ticket_make, VERB_READ, FOR_OTHERS},
	{ROUTE_HOOK, "POST", hook_check, hook_run, VERB_FREE, FOR_TOPICS},
	{ROUTE_HEALTH, "GET", NULL, health_live, VERB_FREE, FOR_OTHERS},
	{ROUTE_READY, "GET", NULL, health_ready, VERB_FREE, FOR_OTHERS},
	{ROUTE_METRICS, "GET", status_check, metrics_run, VERB_STATUS, FOR_OTHERS},
	{ROUTE_PAGE, "GET", NULL, pages_run, VERB_FREE, FOR_OTHERS},
};

const struct http_routes routes_all = {
	handlers, sizeof(handlers) / sizeof(handlers[0]), ahead_wait};
