/* SPDX-License-Identifier: MIT */
/* The ids of requests; see request_id.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "request_id.h"

void request_id_start(struct request_ids *ids)
{
	uint32_t random;

	/* The letters need not be secret. */
	if (getentropy(&random, sizeof(random)) != 0)
		random = (uint32_t)(clock_now_us() ^ (uintptr_t)ids);
	snprintf(ids->prefix, sizeof(ids->prefix), "%08" PRIx32, random);
	ids->next = 0;
}

void request_id_new(struct request_ids *ids, char id[REQUEST_ID])
{
	static const char digits[] = "0123456789abcdef";
	uint32_t number = ids->next++;

	/* Each request comes here: no printf. */
	memcpy(id, ids->prefix, 8);
	for (int i = 15; i >= 8; i--, number /= 16)
		id[i] = digits[number % 16];
	id[16] = '\0';
}

bool request_id_take(const char *given, char id[REQUEST_ID])
{
	size_t len =
		strspn(given, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.");

	if (len == 0 || len >= REQUEST_ID || given[len] != '\0')
		return false;
	memcpy(id, given, len + 1);
	return true;
}
