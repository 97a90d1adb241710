/* SPDX-License-Identifier: MIT */
/* Threads that work and rest as they are told: each ends what it has begun before it rests. */
#ifndef CREW_H
#define CREW_H

#include <pthread.h>
#include <stdbool.h>

enum crew_order { CREW_REST, CREW_WORK, CREW_END };

/* The lock and the condition may serve for more of the user's. */
struct crew {
	pthread_mutex_t lock; /* guards the rest; held for no call but the waits */
	pthread_cond_t changed;
	enum crew_order order;
	unsigned resting;
};

/* crew_init(crew): all rest.  crew_free(crew): when no thread uses it. */
void crew_init(struct crew *crew);
void crew_free(struct crew *crew);

/* crew_order(crew, order) */
void crew_order(struct crew *crew, enum crew_order order);

/* crew_go_on(crew): may a thread begin something?  Waits while it is to rest; false at the end. */
bool crew_go_on(struct crew *crew);

/* crew_is_ending(crew): is the order to end? */
bool crew_is_ending(struct crew *crew);

/* crew_wait(crew, count): until so many rest; some time.  How many of them do not then: 0, all do. */
unsigned crew_wait(struct crew *crew, unsigned count);

#endif
