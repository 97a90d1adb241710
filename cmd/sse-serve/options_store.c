/* SPDX-License-Identifier: MIT */
/* The options of a log that several nodes share; see options.h. */
#include <stddef.h>

#include "options.h"

#define FIELD(name) offsetof(struct options, servers.name)

const struct option_row options_of_store[] = {
	{.name = "store",
		.type = OPTION_STRING,
		.offset = FIELD(urls),
		.argument = "URL,...",
		.group = "Cluster",
		.help = "keep the log in NATS JetStream on these servers, as in "
			"nats://host1:4222,nats://host2:4222, and share it with every sse-serve that "
			"names it; --db is then this node's copy"},
	{.name = "cluster",
		.type = OPTION_STRING,
		.offset = FIELD(name),
		.argument = "NAME",
		.group = "Cluster",
		OPTION_DEFAULT("the name of the log in NATS, the same on all nodes (default ",
			"sse-serve", ")")},
	{.name = "node",
		.type = OPTION_STRING,
		.offset = offsetof(struct options, node),
		.argument = "NAME",
		.group = "Cluster",
		.help = "what this node is called in $sys and on the page /status (default: the host "
			"and the port)"},
	{.name = "replicas",
		.type = OPTION_COUNT,
		.offset = FIELD(replicas),
		.argument = "N",
		.min = 1,
		.max = 5,
		.group = "Cluster",
		.help = "store a new log on this many NATS servers (default: 3, or 1 if the server is "
			"not in a cluster)"},
	{.name = "compact",
		.type = OPTION_SIZE,
		.offset = FIELD(compact),
		.argument = "SIZE",
		.min = 64 << 10,
		.max = (int64_t)1 << 50,
		.group = "Cluster",
		OPTION_DEFAULT("once the log in NATS has grown by this much, and by twice the size of a "
			"copy, replace its old messages with a snapshot (default ",
			"256M", ")")},
	{.name = "credentials",
		.type = OPTION_STRING,
		.offset = FIELD(credentials),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Cluster",
		.help = "log in to NATS with this credentials file"},
	{.name = "store-ca",
		.type = OPTION_STRING,
		.offset = FIELD(ca),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Cluster",
		.help = "connect to NATS with TLS, and trust the CAs in this file (PEM) instead of the "
			"system's"},
	{0},
};
