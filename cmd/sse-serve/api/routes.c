/* SPDX-License-Identifier: MIT */
/* Everything that is served: one row each. */
#include "health.h"
#include "history.h"
#include "metrics.h"
#include "pages.h"
#include "presence_pages.h"
#include "publish.h"
#include "routes.h"
#include "status.h"
#include "stream.h"

static const struct handler handlers[] = {
	{ROUTE_STREAM, "GET", stream_check, stream_run},
	{ROUTE_STREAMS, "GET", stream_check, stream_run},
	{ROUTE_TOPIC, "GET", NULL, history_list},
	{ROUTE_TOPIC, "POST", publish_check, publish_run},
	{ROUTE_EVENT, "GET", NULL, history_event},
	{ROUTE_PRESENCE, "GET", NULL, presence_pages_run},
	{ROUTE_STATUS, "GET", status_check_stream, stream_run},
	{ROUTE_SYSTEM, "GET", NULL, status_refuse},
	{ROUTE_HEALTH, "GET", NULL, health_live},
	{ROUTE_READY, "GET", NULL, health_ready},
	{ROUTE_METRICS, "GET", status_check, metrics_run},
	{ROUTE_PAGE, "GET", NULL, pages_run},
};

const struct http_routes routes_all = {handlers, sizeof(handlers) / sizeof(handlers[0])};
