/* SPDX-License-Identifier: MIT */
/* The one table that names all handlers of sse-serve. */
#ifndef ROUTES_H
#define ROUTES_H

#include "http/http_config.h"

/* For http_new(). */
extern const struct http_routes routes_all;

#endif
