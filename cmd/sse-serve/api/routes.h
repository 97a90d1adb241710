/* SPDX-License-Identifier: MIT */
/* What sse-serve serves: the one table that names all handlers. */
#ifndef ROUTES_H
#define ROUTES_H

#include "http/http.h"

/* For http_new(). */
extern const struct http_routes routes_all;

#endif
