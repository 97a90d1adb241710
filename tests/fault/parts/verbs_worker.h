/* SPDX-License-Identifier: MIT */
/* A thread of verbs.h, and what such threads have in common. */
#ifndef VERBS_WORKER_H
#define VERBS_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crew.h"
#include "net.h"
#include "random.h"

/* The subjects of the topic `now`. */
#define SUBJECTS 10

#define ID 100
#define BODY ((size_t)1 << 20)
#define JSON "Content-Type: application/json\r\n"

/* A thread that does one thing again and again. */
struct worker {
	struct verbs *verbs;
	void (*step)(struct worker *worker);
	pthread_t thread;
	struct random random;
	struct net_input input;
	_Atomic uint64_t next; /* the number of the thing to do; all below it were done */
	char id[ID];	       /* of the newest event that was acknowledged */
	char *body;	       /* of the last answer, NUL-terminated */
};

struct verbs {
	int port;
	struct worker closer, deleter, setter, publisher; /* these rest */
	struct worker follower, poller;			  /* these do not */
	struct crew crew;

	uint64_t values[SUBJECTS];	     /* as they were acknowledged; the setter's */
	_Atomic uint64_t followed[SUBJECTS]; /* as the follower saw them */
	_Atomic uint64_t deliveries;
	_Atomic uint64_t polled; /* all below it were */
	uint64_t closed_checked;
};

/*
 * worker_ask(worker, method, target, headers, data, id):
 * Ask once.  Return the status, with the body in worker->body and the Last-Event-ID in ${id}, empty
 * if there is none; -1: no answer.
 */
int worker_ask(struct worker *worker, const char *method, const char *target, const char *headers,
	const char *data, char id[ID]);

/* worker_insist(): the same, until there is an answer, and not 503. */
int worker_insist(struct worker *worker, const char *method, const char *target,
	const char *headers, const char *data, char id[ID]);

/* worker_publish(worker, target, key, data): until JSON is taken; its id is worker->id. */
void worker_publish(struct worker *worker, const char *target, const char *key, const char *data);

/* worker_expect(worker, status, target, headers): a GET must have this answer. */
void worker_expect(struct worker *worker, int status, const char *target, const char *headers);

/* Of the topic `now`: set a subject; follow the present values; are they seen and listed? */
void values_set_one(struct worker *worker);
void *values_follow(void *worker);
void values_check(struct verbs *verbs);

/* Of the topic `poll`: publish one; poll; was each polled? */
void poll_publish_one(struct worker *worker);
void *poll_run(void *worker);
void poll_check(struct verbs *verbs);

#endif
