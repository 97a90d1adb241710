/* SPDX-License-Identifier: MIT */
/* --flush: send only the events that wait in the spool; see run.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "client_run.h"
#include "client_url.h"
#include "run.h"
#include "spool/spool.h"
#include "terminal.h"

/* The URLs of the queues that have something. */
struct urls {
	char **all;
	size_t count;
	bool failed;
};

static bool add_url(void *context, const struct spool_status *status)
{
	struct urls *urls = context;
	char **all;

	if (status->events == 0)
		return true;
	all = realloc(urls->all, (urls->count + 1) * sizeof(*all));
	if (all != NULL)
		urls->all = all;
	if (all == NULL || (all[urls->count] = strdup(status->url)) == NULL) {
		urls->failed = true;
		return false;
	}
	urls->count++;
	return true;
}

static void free_urls(struct urls *urls)
{
	for (size_t i = 0; i < urls->count; i++)
		free(urls->all[i]);
	free(urls->all);
}

/* Nothing that was meant for one host is sent to another. */
static int check_hosts(const struct urls *urls, const struct options *options, struct error *error)
{
	struct client_url first = {0}, other = {0};
	int result = 0;

	if (options->client.user == NULL && options->client.bearer == NULL &&
		options->client.token == NULL && options->client.headers.count == 0)
		return 0;
	for (size_t i = 0; i < urls->count && result == 0; i++) {
		result = client_url_set(i == 0 ? &first : &other, urls->all[i], NULL, error);
		if (i > 0 && result == 0 && strcmp(first.origin, other.origin) != 0)
			result = error_set(error, EX_USAGE,
				"events wait for %.100s and %.100s: give the URL that the login or "
				"header is for",
				first.origin, other.origin);
		client_url_free(&other);
	}
	client_url_free(&first);
	return result;
}

/* One more reason: report those before it, and keep the status of the first. */
static void tell_and_keep(const char *program, const struct options *options,
	const struct error *reason, struct error *error)
{
	int first = error->status;

	if (first != 0 && !options->client.quiet)
		terminal_say(program, error->text);
	*error = *reason;
	if (first != 0)
		error->status = first;
}

static int flush_each(const char *program, const struct options *options, const struct urls *urls,
	int64_t until, struct error *error)
{
	struct error one, all = {0};

	for (size_t i = 0; i < urls->count && client_signal() == 0; i++) {
		int status;

		/* If the URL had a secret, the stored URL lacks it. */
		if (strstr(urls->all[i], "=...") != NULL)
			status = error_set(&one, EX_USAGE,
				"%.300s holds a secret, which the spool does not keep: give the whole URL",
				urls->all[i]);
		else
			status = run_flush_queue(program, options, urls->all[i], until, &one);
		if (status != 0)
			tell_and_keep(program, options, &one, &all);
	}
	if (all.status == 0)
		return client_signal() != 0 ? client_stopped(error) : 0;
	*error = all;
	return -1;
}

int run_flush(const char *program, const struct options *options, struct error *error)
{
	int64_t until = client_after(options->timeout);
	struct error lost = {0};
	struct urls urls = {0};
	int result = 0;

	if (options->target != NULL)
		return run_flush_queue(program, options, options->target, until, error);
	/* A queue that cannot be sent does not delay the rest. */
	spool_each(options->spool, add_url, &urls, &lost);
	if (urls.failed)
		result = error_set(error, EX_OSERR, "out of memory");
	if (result == 0)
		result = check_hosts(&urls, options, error);
	if (result == 0 && urls.count == 0 && lost.status == 0)
		run_tell_empty(program, options, NULL);
	if (result == 0)
		result = flush_each(program, options, &urls, until, error);
	if (lost.status != 0) {
		if (result == 0)
			error->status = 0;
		tell_and_keep(program, options, &lost, error);
		result = -1;
	}
	free_urls(&urls);
	return result;
}
