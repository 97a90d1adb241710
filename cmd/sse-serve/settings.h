/* SPDX-License-Identifier: MIT */
/*
 * What the options say to the loops.  Settings are constant.  When the configuration is read again,
 * each loop gets new ones, and begins to use them between two turns; whoever drops them last frees
 * them.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "api/api.h"
#include "http/http_config.h"
#include "options.h"

struct settings {
	_Atomic unsigned holders;
	const struct options *options;
	struct options *own; /* the same, if they go with the settings; or NULL */
	struct http_config http;
	struct api api; /* without its fanout, which each loop puts into a copy */
};

/*
 * settings_new(options): settings of these, without http and api, held for the caller.  NULL without
 * memory.
 */
struct settings *settings_new(const struct options *options);

/* settings_hold(settings): return them, held once more.  Any thread. */
struct settings *settings_hold(struct settings *settings);

/* settings_drop(settings): takes NULL.  Any thread. */
void settings_drop(struct settings *settings);

#endif
