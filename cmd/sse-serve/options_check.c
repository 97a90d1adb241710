/* SPDX-License-Identifier: MIT */
/* What values of options mean, and which do not go together; see options_internal.h. */
#include <string.h>
#include <sysexits.h>

#include "api/schema.h"
#include "base/name.h"
#include "http/host.h"
#include "log/store.h"
#include "options.h"
#include "options_internal.h"

/* What fits into the heads that are written by hand. */
#define ORIGIN_MAX 200

/* An origin is compared as a whole, so one that no browser sends would allow nothing. */
static int check_origins(const struct option_list *origins, struct error *error)
{
	for (size_t i = 0; i < origins->count; i++) {
		const char *origin = origins->values[i], *host = strstr(origin, "://");

		if (strcmp(origin, "*") == 0)
			continue;
		if (host == NULL || host[3] == '\0' || strchr(host + 3, '/') != NULL ||
			strlen(origin) > ORIGIN_MAX)
			return error_set(error, EX_USAGE,
				"--cors '%.60s': an origin is scheme://host or scheme://host:port, without "
				"a slash at the end, or * for all",
				origin);
	}
	return 0;
}

static int check_access(const struct options *options, struct error *error)
{
	if (options->jwt_keys == NULL &&
		(options->jwt_issuer != NULL || options->jwt_audience != NULL))
		return error_set(error, EX_USAGE,
			"--jwt-issuer and --jwt-audience need --jwt-keys: they say which JWTs are "
			"accepted");
	if (options->open && options_guarded(options))
		return error_set(error, EX_USAGE,
			"--open lets everyone do everything, but --access and --jwt-keys do not: "
			"leave one of them out");
	return 0;
}

static int check_hooks(struct options *options, struct error *error)
{
	if (hook_rules_parse(&options->hook, &options->hook_rules, error) != 0)
		return -1;
	for (size_t i = 0; i < options->hook_rules.count; i++) {
		const char *topic = options->hook_rules.rules[i].topic;

		if (schema_requires(topic))
			return error_set(error, EX_USAGE,
				"--hook '%.60s': the topic %s takes only events with certain fields, "
				"which deliveries do not have",
				options->hook.values[i], topic);
	}
	return 0;
}

static int check_hosts(const struct option_list *hosts, struct error *error)
{
	for (size_t i = 0; i < hosts->count; i++) {
		if (host_check_name(hosts->values[i], error) != 0)
			return -1;
	}
	return 0;
}

static int check_shared(const struct options *options, struct error *error)
{
	const char *fault;

	if (options->db != NULL && strcmp(options->db, ":memory:") == 0)
		return error_set(error, EX_USAGE,
			"--store and --db :memory: do not go together: --db names the file of this "
			"node's copy of the log");
	fault = options->node != NULL ? name_fault(options->node, strlen(options->node)) : NULL;
	if (fault != NULL)
		return error_set(error, EX_USAGE, "--node: the name %s", fault);
	return servers_check(&options->servers, error);
}

/* What is for a log of several nodes alone. */
static int check_alone(const struct options *options, struct error *error)
{
	if (options->servers.replicas != 0 || options->servers.credentials != NULL ||
		options->servers.ca != NULL || options->node != NULL)
		return error_set(error, EX_USAGE,
			"--replicas, --credentials, --store-ca and --node need --store: they are for a "
			"log that is kept in NATS");
	return 0;
}

/* What the store that --db chooses cannot do. */
static int check_store(const struct options *options, struct error *error)
{
	const struct store_kind *store = store_kind_of(options->servers.urls, options->db);

	if (store->shared)
		return check_shared(options, error);
	if (check_alone(options, error) != 0)
		return -1;
	if (!store->in_file && options_maintains(options) > 0)
		return error_set(error, EX_USAGE,
			"--verify, --export, --import and --backup need a database: --db %.60s keeps "
			"none",
			options->db);
	if (store->attach == NULL)
		return 0;
	if (options->retain_all != NULL || options->retain_topic.count > 0)
		return error_set(error, EX_USAGE,
			"--retain and --retain-topic need a database: --db %.60s keeps what "
			"--window holds",
			options->db);
	/* Text of line ends alone grows sevenfold by its framing. */
	if (options->max_body > options->window / 8)
		return error_set(error, EX_USAGE,
			"with --db %.60s the window is the log: --window must be at least 8 times "
			"--max-body",
			options->db);
	return 0;
}

int options_check(struct options *options, struct error *error)
{
	if (options_maintains(options) > 1)
		return error_set(error, EX_USAGE,
			"--verify, --export, --import and --backup are done one at a time");
	if (check_hosts(&options->host, error) != 0 || check_origins(&options->cors, error) != 0 ||
		check_access(options, error) != 0 || options_check_tls(&options->tls, error) != 0 ||
		check_hooks(options, error) != 0 ||
		forwarded_proxies_parse(&options->trust_proxy, &options->proxies, error) != 0 ||
		rate_rules_parse(options->rate, &options->rate_rules, error) != 0)
		return -1;
	/* A POST of that size would get in only when it is alone. */
	if (options->max_bodies < options->max_body)
		return error_set(error, EX_USAGE,
			"--max-bodies, for all POST bodies together, must be at least --max-body");
	if (retention_rules_parse(options->retain_all, &options->retain_topic,
		    &options->retention_rules, error) != 0)
		return -1;
	return check_store(options, error);
}

bool options_guarded(const struct options *options)
{
	return options->access != NULL || options->jwt_keys != NULL;
}

bool options_proves(const struct options *options)
{
	return options_guarded(options) || options->hook_rules.count > 0;
}

bool options_reloads(const struct options *options)
{
	return options->config != NULL || options_proves(options) || options->tls.cert != NULL;
}

void options_free_meanings(struct options *options)
{
	forwarded_proxies_free(&options->proxies);
	hook_rules_free(&options->hook_rules);
	retention_rules_free(&options->retention_rules);
}
