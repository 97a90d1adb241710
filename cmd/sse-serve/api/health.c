/* SPDX-License-Identifier: MIT */
/* GET /healthz and /readyz; see health.h. */
#include "api.h"
#include "base/leaving.h"
#include "health.h"
#include "log/store.h"

void health_live(struct request *request)
{
	request_reply_static(request, 200, "text/plain; charset=utf-8", "ok\n", 3);
	request_add_header(request, "Cache-Control", "no-store");
}

void health_ready(struct request *request)
{
	const struct store *store = api_of(request)->store;
	struct error error = {0};

	if (api_of(request)->leaving->begun) {
		request_problem(request, 503, "the server is stopping; use another, or try again");
		return;
	}
	if (store->ops->check(store, &error) != 0) {
		request_problem(request, 503, "%s", error.text);
		return;
	}
	request_reply_static(request, 200, "text/plain; charset=utf-8", "ready\n", 6);
	request_add_header(request, "Cache-Control", "no-store");
}
