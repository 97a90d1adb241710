/* SPDX-License-Identifier: MIT */
/*
 * The hash of tables, names and fingerprints: FNV-1a, 64 bits.  Its values are stored (names in a
 * spool, fingerprints in a database) and never change.  It keeps no secret and resists nobody: one
 * who wants two texts with the same hash finds them.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash of no bytes. */
#define HASH_START UINT64_C(0xcbf29ce484222325)

/* hash_fnv1a(hash, bytes, len): ${hash}, HASH_START to begin, continued with these bytes. */
uint64_t hash_fnv1a(uint64_t hash, const void *bytes, size_t len);

#endif
