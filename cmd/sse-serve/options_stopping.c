/* SPDX-License-Identifier: MIT */
/* The options that say how the server stops; see options.h. */
#include <stddef.h>

#include "options.h"

#define FIELD(name) offsetof(struct options, name)

/* --drain of a service, in ms. */
#define DRAIN_OF_SERVICE 10000

const struct option_row options_of_stopping[] = {
	{.name = "drain-delay",
		.type = OPTION_DURATION,
		.offset = FIELD(drain_delay),
		.argument = "TIME",
		.min = 0,
		.max = 3600000,
		.group = "Stopping",
		OPTION_DEFAULT("keep serving for this long after a signal to stop, while /readyz "
			       "answers 503 (default ",
			"0s", ")")},
	{.name = "drain",
		.type = OPTION_DURATION,
		.offset = FIELD(drain),
		.argument = "TIME",
		.min = 0,
		.max = 3600000,
		.group = "Stopping",
		.help = "end the streams of a server that stops one after the other, over this "
			"time (default: 10s under systemd, otherwise 0)"},
	{0},
};

int64_t options_drain(const struct options *options, bool service)
{
	if (options->drain != OPTIONS_DRAIN_UNSET)
		return options->drain;
	return service ? DRAIN_OF_SERVICE : 0;
}
