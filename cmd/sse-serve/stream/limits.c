/* SPDX-License-Identifier: MIT */
/* Limits on streams; see limits.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "limits.h"

struct limits_address {
	unsigned char bytes[16]; /* IPv6, or IPv4 mapped into it */
	int64_t streams;
};

struct limits {
	int64_t max_streams, max_per_address;
	_Atomic int64_t streams;

	pthread_mutex_t lock; /* guards the tree; a leaf */
	void *addresses;      /* tsearch tree of struct limits_address */
};

static int compare(const void *a, const void *b)
{
	return memcmp(((const struct limits_address *)a)->bytes,
		((const struct limits_address *)b)->bytes, 16);
}

/* What an address is counted by.  False if it is not counted. */
static bool key_of(const struct sockaddr *address, struct limits_address *key)
{
	struct in6_addr v6 = IN6ADDR_ANY_INIT;

	if (address == NULL || address_is_loopback(address))
		return false;
	if (address->sa_family == AF_INET) {
		in_addr_t v4 = ((const struct sockaddr_in *)address)->sin_addr.s_addr;

		v6.s6_addr[10] = v6.s6_addr[11] = 0xff;
		memcpy(v6.s6_addr + 12, &v4, 4);
	} else if (address->sa_family == AF_INET6) {
		v6 = ((const struct sockaddr_in6 *)address)->sin6_addr;
	} else {
		return false;
	}
	memset(key, 0, sizeof(*key));
	memcpy(key->bytes, v6.s6_addr, IN6_IS_ADDR_V4MAPPED(&v6) ? 16 : 8);
	return true;
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

static enum limits_answer admit_address(
	struct limits *limits, const struct limits_address *key, struct limits_address **counted)
{
	enum limits_answer answer = LIMITS_OK;
	struct limits_address *one;

	pthread_mutex_lock(&limits->lock);
	one = find(limits, key);
	if (one == NULL) {
		answer = LIMITS_MEMORY;
	} else if (one->streams >= limits->max_per_address) {
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
	struct limits_address key;

	*counted = NULL;
	if (atomic_fetch_add(&limits->streams, 1) >= limits->max_streams && limits->max_streams > 0)
		answer = LIMITS_STREAMS;
	else if (limits->max_per_address > 0 && key_of(address, &key))
		answer = admit_address(limits, &key, counted);
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
