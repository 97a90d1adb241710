/* SPDX-License-Identifier: MIT */
/* This server as a node of a cluster; see node.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "node.h"

/* ":PORT" at the end of the URL, or nothing. */
static const char *port_of(const char *url)
{
	const char *colon = strrchr(url, ':');

	if (colon == NULL || colon[1] == '\0' || colon[1 + strspn(colon + 1, "0123456789")] != '\0')
		return "";
	return colon;
}

void node_name(const char *given, const struct listeners *listeners, char name[NODE_NAME_MAX + 1])
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

struct cluster *node_new(struct metrics_sources *metrics, struct mailbox *teller)
{
	return cluster_new(&(struct cluster_config){.store = metrics->store,
		.presence = metrics->presence,
		.teller = teller,
		.figures = read_figures,
		.context = metrics});
}
