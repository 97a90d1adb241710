/* SPDX-License-Identifier: MIT */
/* The files that are served: the embedded pages, or those of the folder given by --web. */
#ifndef PAGES_H
#define PAGES_H

#include "http/request.h"

struct page_bytes {
	const unsigned char *data;
	size_t len;
};

/* A page in the program; embed.sh makes the table at build time, ended by a NULL path. */
struct page {
	const char *path;	       /* "index.html" */
	struct page_bytes plain, gzip; /* gzip.len 0: gzip does not make it smaller */
};

extern const struct page pages[];

/* GET of anything that is not the API. */
void pages_run(struct request *request);

#endif
