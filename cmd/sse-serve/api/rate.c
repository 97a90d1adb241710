/* SPDX-License-Identifier: MIT */
/* The limits of --rate; see rate.h. */
#include <string.h>

#include "access/principal.h"
#include "api.h"
#include "base/address.h"
#include "clock.h"
#include "rate.h"

/* The longest identity that has its own bucket; longer ones with the same first bytes share one. */
#define IDENTITY_BYTES 255

struct key {
	char bytes[1 + IDENTITY_BYTES]; /* the first says what the others are */
	size_t len;
};

/*
 * The key of the bucket: the proven identity, or, without one (NULL), the address.
 * False if the client is not limited.
 */
static bool key_of(const struct request *request, const char *identity, struct key *key)
{
	unsigned char address[ADDRESS_KEY];

	if (identity != NULL) {
		key->bytes[0] = 'i';
		key->len = strnlen(identity, IDENTITY_BYTES);
		memcpy(key->bytes + 1, identity, key->len++);
		return true;
	}
	if (!address_key(request_address(request), address))
		return false;
	key->bytes[0] = 'a';
	memcpy(key->bytes + 1, address, sizeof(address));
	key->len = 1 + sizeof(address);
	return true;
}

static void refuse(struct request *request, enum rate_kind kind, int64_t wait)
{
	static const char *const things[RATE_KINDS] = {"events published", "streams opened"};
	const struct rate_rules *rules = api_of(request)->rate_rules;

	request_problem(request, 429,
		"too many %s: the limit for each client is %.*s (--rate); try again in %lld second%s",
		things[kind], rules->lens[kind], rules->texts[kind], (long long)wait,
		wait == 1 ? "" : "s");
	request_add_retry_after(request, wait);
}

bool rate_admit(struct request *request, enum rate_kind kind, uint32_t amount)
{
	const struct principal *principal = request_principal(request);
	const char *identity = principal != NULL ? principal->name : NULL;
	struct rates *rates = api_of(request)->rates[kind];
	int64_t wait = 0;
	struct key key;

	if (rates == NULL || !key_of(request, identity, &key) ||
		rates_take(rates, key.bytes, key.len, amount, clock_now_ms(), &wait))
		return true;
	refuse(request, kind, wait);
	return false;
}
