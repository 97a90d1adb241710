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
		.help = "keep the events in NATS JetStream, at these servers, as in "
			"nats://host1:4222,nats://host2:4222: every sse-serve with the same log is "
			"a node of one cluster; --db names this node's copy of the log"},
	{.name = "cluster",
		.type = OPTION_STRING,
		.offset = FIELD(name),
		.argument = "NAME",
		.group = "Cluster",
		OPTION_DEFAULT("the name of the log in NATS, the same on all nodes (default ",
			"sse-serve", ")")},
	{.name = "replicas",
		.type = OPTION_COUNT,
		.offset = FIELD(replicas),
		.argument = "N",
		.min = 1,
		.max = 5,
		.group = "Cluster",
		.help = "on how many NATS servers a new log is kept (default: 3, or 1 if there is only "
			"one server)"},
	{.name = "compact",
		.type = OPTION_SIZE,
		.offset = FIELD(compact),
		.argument = "SIZE",
		.min = 64 << 10,
		.max = (int64_t)1 << 50,
		.group = "Cluster",
		OPTION_DEFAULT(
			"replace older messages of the log in NATS by a snapshot when about this "
			"much came since the last one, and twice as much as is kept (default ",
			"256M", ")")},
	{.name = "credentials",
		.type = OPTION_STRING,
		.offset = FIELD(credentials),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Cluster",
		.help = "prove to NATS who this is, with this credentials file"},
	{.name = "store-ca",
		.type = OPTION_STRING,
		.offset = FIELD(ca),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "Cluster",
		.help = "speak TLS to NATS, and trust the CAs in this file (PEM); tls:// URLs without it "
			"trust the system's"},
	{0},
};
