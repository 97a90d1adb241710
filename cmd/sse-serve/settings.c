/* SPDX-License-Identifier: MIT */
/* What the options say to the loops; see settings.h. */
#include <stdatomic.h>
#include <stdlib.h>

#include "settings.h"

struct settings *settings_new(const struct options *options)
{
	struct settings *settings = calloc(1, sizeof(*settings));

	if (settings == NULL)
		return NULL;
	settings->holders = 1;
	settings->options = options;
	return settings;
}

struct settings *settings_hold(struct settings *settings)
{
	atomic_fetch_add(&settings->holders, 1);
	return settings;
}

void settings_drop(struct settings *settings)
{
	if (settings == NULL || atomic_fetch_sub(&settings->holders, 1) > 1)
		return;
	if (settings->own != NULL)
		options_free(settings->own);
	free(settings->own);
	free(settings);
}
