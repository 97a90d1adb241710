/* SPDX-License-Identifier: MIT */
/* Logs for unit tests; see open_log.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nats.h"
#include "open_log.h"
#include "scratch.h"

static void deliver(void *context, const struct event *event)
{
	struct open_log *log = context;
	char id[IDENTITY_TEXT];

	if (log->window == NULL)
		return;
	window_add(log->window, event, id,
		identity_format(&log->store->identity, event->position, id));
	window_publish(log->window);
}

static void attach(struct open_log *log)
{
	assert_non_null(log->store);
	log->store->deliver = deliver;
	log->store->deliver_context = log;
	log->reader = log->store->ops->reader_new(log->store, NULL);
	assert_non_null(log->reader);
}

/* In the scratch database; servers is NULL unless that is a copy. */
static void open_with(
	struct open_log *log, const struct servers *servers, const char *retain, const char *rule)
{
	struct option_list list = {.values = &rule, .count = rule != NULL};
	const char *urls = servers != NULL ? servers->urls : NULL;

	*log = (struct open_log){.topics = topics_new()};
	assert_int_equal(retention_rules_parse(retain, &list, &log->rules, NULL), 0);
	log->store = store_kind_of(urls, scratch_path)
			     ->open(&(struct store_config){.path = scratch_path,
					    .topics = log->topics,
					    .retention_rules = &log->rules,
					    .idempotency_window = 60000,
					    .servers = servers},
				     NULL);
	attach(log);
}

void open_log_sqlite(struct open_log *log, const char *retain, const char *rule)
{
	open_with(log, NULL, retain, rule);
}

void open_log_nats(struct open_log *log, const char *retain, const char *rule)
{
	open_with(log, nats_servers(), retain, rule);
}

void open_log_memory(struct open_log *log, size_t size)
{
	*log = (struct open_log){.topics = topics_new()};
	log->store = store_memory_open(
		&(struct store_config){.topics = log->topics, .idempotency_window = 60000}, NULL);
	assert_non_null(log->store);
	log->window = window_new(size, 1, 0, true, NULL);
	assert_non_null(log->window);
	store_memory_attach(log->store, log->window, 0);
	attach(log);
}

void open_log_close(struct open_log *log)
{
	log->store->ops->reader_free(log->reader);
	log->store->ops->close(log->store);
	window_free(log->window);
	topics_free(log->topics);
	retention_rules_free(&log->rules);
}
