/* SPDX-License-Identifier: MIT */
/* How many events are kept, and how long: the values of --retain and --retain-topic.  Pure text. */
#ifndef RETENTION_RULES_H
#define RETENTION_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "event.h"
#include "option.h"

/* The most that is kept; 0 means no limit. */
struct retain {
	int64_t age;	/* ms */
	int64_t events; /* number */
	int64_t bytes;	/* see retention_rules_size() */
	bool latest;	/* only the newest event of each subject */
};

struct retention_rule {
	const char *pattern; /* of topics; points into the option's value */
	size_t pattern_len;
	struct retain retain;
};

/* The first rule that matches a topic applies to it.  All other topics together are under `all`. */
struct retention_rules {
	struct retain all;
	struct retention_rule *rules; /* owned */
	size_t count;
};

/*
 * retention_rules_parse(all, topics, retention_rules, error):
 * Read --retain (NULL: not given), "AGE,EVENTS,BYTES" in which each may be left out or empty ("7d",
 * ",1M", ",,10G"; "all" means no limit), and the values of --retain-topic,
 * "PATTERN=AGE,EVENTS,BYTES", "PATTERN=latest" or "PATTERN=latest,AGE,EVENTS,BYTES".  Return 0, or -1 with EX_USAGE.
 */
int retention_rules_parse(const char *all, const struct option_list *topics,
	struct retention_rules *retention_rules, struct error *error);

/*
 * retention_rules_of(retention_rules, topic): the topic's own rule, or NULL if it is under `all`.
 */
const struct retain *retention_rules_of(
	const struct retention_rules *retention_rules, const char *topic);

/*
 * retention_rules_size(event): the size that counts for an event: its bytes and its row's.
 */
static inline int64_t retention_rules_size(const struct event *event)
{
	return (int64_t)(event->type.len + event->data.len + event->subject.len) + 48;
}

/* retention_rules_free(retention_rules): release the rules. */
void retention_rules_free(struct retention_rules *retention_rules);

#endif
