/* SPDX-License-Identifier: MIT */
/*
 * Topics: their grammar, and the registry of those that hold or held events.  A topic is
 * registered by its first event and stays for the life of the process, so a pointer to one may
 * be kept.  A stream may wait for a topic that is not registered yet: it knows it by name.
 */
#ifndef TOPIC_H
#define TOPIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* The longest name of a topic, in bytes. */
#define TOPIC_NAME_MAX 200

/* No entry of the window: see window.h. */
#define TOPIC_NO_ENTRY UINT64_MAX

struct topic {
	uint32_t number; /* dense, from 0, in the order of registration */
	const char *name;
	/*
	 * The position of the newest event of this topic that is gone from the log; 0 if none is.
	 * Written by the log thread.
	 */
	_Atomic uint64_t removed;
	/* The newest entry of this topic in the window.  Written by the log thread. */
	_Atomic uint64_t newest_entry;
};

struct topics;

/*
 * topic_name_check(name, len, error):
 * Is this a topic's name: segments of A-Z a-z 0-9 . _ ~ - joined by single slashes, none of them
 * ".", "..", "event" or "presence"?  Return 0, or -1 with the reason (EX_USAGE).
 */
int topic_name_check(const char *name, size_t len, struct error *error);

/* topics_new(): an empty registry, or NULL without memory. */
struct topics *topics_new(void);

/* topics_find(topics, name): the topic, or NULL if it is not registered.  Any thread. */
struct topic *topics_find(struct topics *topics, const char *name);

/*
 * topics_add(topics, name):
 * Register a topic (the name is copied) or find it.  NULL without memory.  Log thread only.
 */
struct topic *topics_add(struct topics *topics, const char *name);

/* topics_get(topics, number): the topic of that number, or NULL if there is none.  Any thread. */
struct topic *topics_get(struct topics *topics, uint32_t number);

/* topics_free(topics): takes NULL. */
void topics_free(struct topics *topics);

#endif
