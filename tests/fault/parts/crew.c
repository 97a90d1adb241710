/* SPDX-License-Identifier: MIT */
/* Threads that work and rest; see crew.h. */
#include <time.h>

#include "crew.h"
#include "net.h"

void crew_init(struct crew *crew)
{
	*crew = (struct crew){.order = CREW_REST};
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->changed, NULL);
}

void crew_free(struct crew *crew)
{
	pthread_mutex_destroy(&crew->lock);
	pthread_cond_destroy(&crew->changed);
}

void crew_order(struct crew *crew, enum crew_order order)
{
	pthread_mutex_lock(&crew->lock);
	crew->order = order;
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
}

bool crew_go_on(struct crew *crew)
{
	bool work;

	pthread_mutex_lock(&crew->lock);
	if (crew->order == CREW_REST) {
		crew->resting++;
		pthread_cond_broadcast(&crew->changed);
		while (crew->order == CREW_REST)
			pthread_cond_wait(&crew->changed, &crew->lock);
		crew->resting--;
	}
	work = crew->order == CREW_WORK;
	pthread_mutex_unlock(&crew->lock);
	return work;
}

bool crew_is_ending(struct crew *crew)
{
	bool end;

	pthread_mutex_lock(&crew->lock);
	end = crew->order == CREW_END;
	pthread_mutex_unlock(&crew->lock);
	return end;
}

unsigned crew_wait(struct crew *crew, unsigned count)
{
	struct timespec end;
	unsigned missing;
	int code = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 3 * NET_PATIENCE_MS / 1000;
	pthread_mutex_lock(&crew->lock);
	while (crew->resting < count && code == 0)
		code = pthread_cond_timedwait(&crew->changed, &crew->lock, &end);
	missing = crew->resting < count ? count - crew->resting : 0;
	pthread_mutex_unlock(&crew->lock);
	return missing;
}
