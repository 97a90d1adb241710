/* SPDX-License-Identifier: MIT */
/* FNV-1a; see hash.h. */
#include "hash.h"

uint64_t hash_fnv1a(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}
