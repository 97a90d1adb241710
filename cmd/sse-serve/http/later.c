/* SPDX-License-Identifier: MIT */
/* Heads for later; see later.h. */
#include <stdlib.h>
#include <string.h>

#include "later.h"
#include "request.h"
#include "request_internal.h"

struct later {
	bool vary, cors;
	int64_t hsts;
	char id[REQUEST_ID];
	char origin[]; /* with cors */
};

struct later *later_new(const struct request *request)
{
	const char *cors = request_cors(request);
	size_t size = cors != NULL ? strlen(cors) + 1 : 1;
	struct later *later = calloc(1, sizeof(*later) + size);

	if (later == NULL)
		return NULL;
	later->vary = request->shared->config->cors->count > 0;
	later->hsts = request_hsts(request);
	later->cors = cors != NULL;
	memcpy(later->id, request->id, sizeof(later->id));
	if (cors != NULL)
		memcpy(later->origin, cors, size);
	return later;
}

size_t later_write_head(const struct later *later, unsigned status, const char *type,
	const char *more, char *out, size_t size)
{
	return request_write_head_of(later->id, later->cors ? later->origin : NULL, later->vary,
		later->hsts, status, type, more, out, size);
}
