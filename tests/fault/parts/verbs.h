/* SPDX-License-Identifier: MIT */
/*
 * What else a server does for its clients while it is killed: threads that close topics, delete
 * events, set present values and follow them, and poll; each goes on with a thing until it is
 * acknowledged.  Whatever is wrong ends the test.
 */
#ifndef VERBS_H
#define VERBS_H

#include <stdint.h>

struct verbs;

struct verbs_figures {
	uint64_t closed, deleted, set, followed, polled;
};

/* verbs_start(port, seed): nothing is begun before verbs_work(). */
struct verbs *verbs_start(int port, uint64_t seed);

/* verbs_work(verbs), verbs_rest(verbs): begin new things; or only end what is begun. */
void verbs_work(struct verbs *verbs);
void verbs_rest(struct verbs *verbs);

/* verbs_wait(verbs): until everything that was begun is acknowledged. */
void verbs_wait(struct verbs *verbs);

/*
 * verbs_check(verbs):
 * All rest, and the server answers.  What was closed is closed, with all its events; what was
 * deleted is gone; the present values are the newest, also for who followed them; who polls has
 * each event once, in order.
 */
void verbs_check(struct verbs *verbs);

/* verbs_check_files(verbs, folder): the server is down: no file of the folder has what was deleted. */
void verbs_check_files(struct verbs *verbs, const char *folder);

/*
 * verbs_end(verbs): after verbs_wait(), when the server has ended: wait for the threads, free all, and
 * return how much was done.
 */
struct verbs_figures verbs_end(struct verbs *verbs);

#endif
