/* SPDX-License-Identifier: MIT */
/* This server as a node of a cluster; see node.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/name.h"
#include "cluster/cluster.h"
#include "log/store.h"
#include "node.h"

/* ":PORT" at the end of the URL, or nothing. */
static const char *port_of(const char *url)
{
	const char *colon = strrchr(url, ':');

	if (colon == NULL || colon[1] == '\0' || colon[1 + strspn(colon + 1, "0123456789")] != '\0')
		return "";
	return colon;
}

static void find_name(
	const char *given, const struct listeners *listeners, char name[NODE_NAME_MAX + 1])
{
	char host[NODE_NAME_MAX - 8];

	if (given != NULL) {
		snprintf(name, NODE_NAME_MAX + 1, "%s", given);
		return;
	}
	if (gethostname(host, sizeof(host)) != 0)
		host[0] = '\0';
	/* A long one may be cut. */
	host[sizeof(host) - 1] = '\0';
	if (name_fault(host, strlen(host)) != NULL)
		strcpy(host, "localhost");
	snprintf(name, NODE_NAME_MAX + 1, "%s%.6s", host, port_of(listeners->url));
}

static void read_figures(void *context, struct node_figures *figures)
{
	metrics_node(context, figures);
}

int node_join(const char *given, const struct listeners *listeners, struct metrics_sources *metrics,
	struct mailbox *teller, struct error *error)
{
	const struct cluster_config config = {.store = metrics->store,
		.presence = metrics->presence,
		.teller = teller,
		.figures = read_figures,
		.context = metrics};

	if (metrics->store->ops->tell == NULL)
		return 0;
	find_name(given, listeners, metrics->node);
	metrics->cluster = cluster_new(&config);
	if (metrics->cluster == NULL)
		return error_set(error, EX_OSERR, "out of memory for the nodes of the cluster");
	return cluster_start(metrics->cluster, error);
}
