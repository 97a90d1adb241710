/* SPDX-License-Identifier: MIT */
/* Limits on streams; see limits.h. */
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "limits.h"

struct limits_address {
	unsigned char bytes[ADDRESS_KEY];
	int64_t streams;
};

struct limits {
	_Atomic int64_t max_streams, max_per_address;
	_Atomic int64_t streams;

	pthread_mutex_t lock; /* guards the tree; a leaf */
	void *addresses;      /* tsearch tree of struct limits_address */
};

static int compare(const void *a, const void *b)
{
	return memcmp(((const struct limits_address *)a)->bytes,
		((const struct limits_address *)b)->bytes, ADDRESS_KEY);
}

struct limits *limits_new(int64_t streams, int64_t per_address)
{
	struct limits *limits = calloc(1, sizeof(*limits));

	if (limits == NULL)
		return NULL;
	limits->max_streams = streams;
	limits->max_per_address = per_address;
	pthread_mutex_init(&limits->lock, NULL);
	return limits;
}

void limits_set(struct limits *limits, int64_t streams, int64_t per_address)
{
	limits->max_streams = streams;
	limits->max_per_address = per_address;
}

/* Find the address, or note it.  NULL without memory. */
static struct limits_address *find(struct limits *limits, const struct limits_address *key)
{
	struct limits_address **node = tfind(key, &limits->addresses, compare), *one;

	if (node != NULL)
		return *node;
	one = malloc(sizeof(*one));
	if (one == NULL)
		return NULL;
	*one = *key;
	if (tsearch(one, &limits->addresses, compare) == NULL) {
		free(one);
		return NULL;
	}
	return one;
}

static enum limits_answer admit_address(struct limits *limits, const struct limits_address *key,
	int64_t most, struct limits_address **counted)
{
	enum limits_answer answer = LIMITS_OK;
	struct limits_address *one;

	pthread_mutex_lock(&limits->lock);
	one = find(limits, key);
	if (one == NULL) {
		answer = LIMITS_MEMORY;
	} else if (one->streams >= most) {
		answer = LIMITS_ADDRESS;
	} else {
		one->streams++;
		*counted = one;
	}
	pthread_mutex_unlock(&limits->lock);
	return answer;
}

enum limits_answer limits_admit(
	struct limits *limits, const struct sockaddr *address, struct limits_address **counted)
{
	enum limits_answer answer = LIMITS_OK;
	struct limits_address key = {0};
	int64_t most = limits->max_streams, per_address = limits->max_per_address;

	*counted = NULL;
	if (atomic_fetch_add(&limits->streams, 1) >= most && most > 0)
		answer = LIMITS_STREAMS;
	else if (per_address > 0 && address_key(address, key.bytes))
		answer = admit_address(limits, &key, per_address, counted);
	if (answer != LIMITS_OK)
		atomic_fetch_sub(&limits->streams, 1);
	return answer;
}

void limits_release(struct limits *limits, struct limits_address *counted)
{
	atomic_fetch_sub(&limits->streams, 1);
	if (counted == NULL)
		return;
	pthread_mutex_lock(&limits->lock);
	if (--counted->streams == 0) {
		tdelete(counted, &limits->addresses, compare);
		free(counted);
	}
	pthread_mutex_unlock(&limits->lock);
}

void limits_free(struct limits *limits)
{
	if (limits == NULL)
		return;
	while (limits->addresses != NULL) {
		struct limits_address *one = *(struct limits_address **)limits->addresses;

		tdelete(one, &limits->addresses, compare);
		free(one);
	}
	pthread_mutex_destroy(&limits->lock);
	free(limits);
}
