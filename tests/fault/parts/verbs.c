/* SPDX-License-Identifier: MIT */
/* Closing, deleting, present values and polls under kill -9; see verbs.h. */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "net.h"
#include "random.h"
#include "verbs.h"
#include "verbs_worker.h"

/* The data of `gone`, by which a trace would be found. */
#define SECRET "secret-"

#define WORKERS 4 /* that rest */

/* --- closing --- */

static unsigned events_of(uint64_t number)
{
	return (unsigned)(random_mix(number) % 4);
}

static void close_one(struct worker *worker)
{
	char target[100], key[60], data[60], id[ID];
	int status;

	for (unsigned i = 0; i < events_of(worker->next); i++) {
		snprintf(target, sizeof(target), "/api/shut/%" PRIu64, worker->next);
		snprintf(key, sizeof(key), "shut-%u", i);
		snprintf(data, sizeof(data), "%u", i);
		worker_publish(worker, target, key, data);
	}
	snprintf(target, sizeof(target), "/api/shut/%" PRIu64 "?close=1", worker->next);
	status = worker_insist(worker, "POST", target, "", "", worker->id);
	if (status != 201)
		fail("POST %s was answered with %d: %s", target, status, worker->body);
	snprintf(target, sizeof(target), "/api/shut/%" PRIu64, worker->next);
	status = worker_insist(worker, "POST", target, JSON, "9", id);
	if (status != 409)
		fail("%s is closed, and a POST to it was answered with %d", target, status);
	worker->next++;
}

/* All its events, in order, and the closing. */
static void check_closed(struct worker *worker, uint64_t number)
{
	char target[100], header[ID + 20], id[ID], newest[ID] = "";
	const char *at;
	unsigned count = 0;

	snprintf(target, sizeof(target), "/api/shut/%" PRIu64 "?envelope=1", number);
	worker_expect(worker, 200, target, "");
	for (at = worker->body; (at = strstr(at, "{\"topic\":")) != NULL; at++) {
		char type[40];

		if (sscanf(strstr(at, "\"id\":\""), "\"id\":\"%99[^\"]", newest) != 1)
			fail("%s lists an event without an id: %s", target, worker->body);
		snprintf(type, sizeof(type), "\"event\":\"%s\"",
			count < events_of(number) ? "update" : "closed");
		if (strncmp(strstr(at, "\"event\":"), type, strlen(type)) != 0)
			fail("%s: event %u is not what it should be: %s", target, count,
				worker->body);
		count++;
	}
	if (count != events_of(number) + 1)
		fail("%s lists %u events, not %u and the closing: %s", target, count,
			events_of(number), worker->body);
	/* Whoever has all is not to come back. */
	snprintf(target, sizeof(target), "/api/shut/%" PRIu64 "/event", number);
	snprintf(header, sizeof(header), "Last-Event-ID: %s\r\n", newest);
	if (worker_insist(worker, "GET", target, header, "", id) != 204)
		fail("%s goes on after it was closed", target);
}

/* --- deleting --- */

static void delete_one(struct worker *worker)
{
	char data[60], key[60], target[ID + 40], id[ID];
	int status;

	snprintf(data, sizeof(data), "\"" SECRET "%" PRIu64 ".\"", worker->next);
	snprintf(key, sizeof(key), "gone-%" PRIu64, worker->next);
	worker_publish(worker, "/api/gone", key, data);
	snprintf(target, sizeof(target), "/api/gone/%s", worker->id);
	/* If no answer came, it may be gone already. */
	status = worker_insist(worker, "DELETE", target, "", "", id);
	if (status != 204 && status != 410 && status != 404)
		fail("DELETE %s was answered with %d: %s", target, status, worker->body);
	/* Its key is known all the same. */
	snprintf(target, sizeof(target), "%s", worker->id);
	worker_publish(worker, "/api/gone", key, data);
	if (strcmp(target, worker->id) != 0)
		fail("the key of the deleted event %s was forgotten", target);
	worker->next++;
}

static void check_deleted(struct worker *worker)
{
	worker_expect(worker, 200, "/api/gone", "");
	if (strstr(worker->body, SECRET) != NULL)
		fail("what was deleted is listed: %s", worker->body);
}

/* All numbers below ${end} were deleted; is there one of them in the file? */
static void search(const char *path, uint64_t end)
{
	static const char secret[] = SECRET;
	FILE *file = fopen(path, "re");
	size_t matched = 0;
	int byte;

	while (file != NULL && (byte = getc(file)) != EOF) {
		uint64_t number = 0;
		bool digits = false;

		matched = byte == secret[matched] ? matched + 1 : byte == secret[0];
		if (matched < sizeof(secret) - 1)
			continue;
		matched = 0;
		while ((byte = getc(file)) >= '0' && byte <= '9') {
			number = number * 10 + (uint64_t)(byte - '0');
			digits = true;
		}
		if (digits && byte == '.' && number < end)
			fail("event %" PRIu64 " was deleted, and %s has a trace of it", number,
				path);
	}
	if (file != NULL)
		fclose(file);
}

void verbs_check_files(struct verbs *verbs, const char *folder)
{
	static const char *const names[] = {"events.db", "events.db-wal"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[300];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		search(path, verbs->deleter.next);
	}
}

/* --- all of them --- */

static void *work(void *context)
{
	struct worker *worker = context;

	while (crew_go_on(&worker->verbs->crew)) {
		worker->step(worker);
		usleep((useconds_t)random_below(&worker->random, 5000));
	}
	return NULL;
}

static void start(struct verbs *verbs, struct worker *worker, void *(*run)(void *),
	void (*step)(struct worker *), uint64_t seed)
{
	static unsigned number = 200;

	worker->verbs = verbs;
	worker->step = step;
	worker->random = random_new(seed, number++);
	worker->input.who = "a verb";
	worker->body = malloc(BODY);
	if (worker->body == NULL || pthread_create(&worker->thread, NULL, run, worker) != 0)
		fail("no thread for a verb");
}

struct verbs *verbs_start(int port, uint64_t seed)
{
	struct verbs *verbs = calloc(1, sizeof(*verbs));

	if (verbs == NULL)
		fail("out of memory");
	verbs->port = port;
	crew_init(&verbs->crew);
	start(verbs, &verbs->closer, work, close_one, seed);
	start(verbs, &verbs->deleter, work, delete_one, seed);
	start(verbs, &verbs->setter, work, values_set_one, seed);
	start(verbs, &verbs->publisher, work, poll_publish_one, seed);
	start(verbs, &verbs->follower, values_follow, NULL, seed);
	start(verbs, &verbs->poller, poll_run, NULL, seed);
	return verbs;
}

void verbs_work(struct verbs *verbs)
{
	crew_order(&verbs->crew, CREW_WORK);
}

void verbs_rest(struct verbs *verbs)
{
	crew_order(&verbs->crew, CREW_REST);
}

void verbs_wait(struct verbs *verbs)
{
	unsigned missing = crew_wait(&verbs->crew, WORKERS);

	if (missing > 0)
		fail("%u of those that close, delete, set and publish are not acknowledged",
			missing);
}

void verbs_check(struct verbs *verbs)
{
	for (; verbs->closed_checked < verbs->closer.next; verbs->closed_checked++)
		check_closed(&verbs->closer, verbs->closed_checked);
	/* One of old times has not come open. */
	if (verbs->closer.next > 0)
		check_closed(
			&verbs->closer, random_below(&verbs->closer.random, verbs->closer.next));
	check_deleted(&verbs->deleter);
	values_check(verbs);
	poll_check(verbs);
}

struct verbs_figures verbs_end(struct verbs *verbs)
{
	struct verbs_figures figures = {.closed = verbs->closer.next,
		.deleted = verbs->deleter.next,
		.set = verbs->setter.next,
		.followed = verbs->deliveries,
		.polled = verbs->polled};
	struct worker *workers[] = {&verbs->closer, &verbs->deleter, &verbs->setter,
		&verbs->publisher, &verbs->follower, &verbs->poller};

	crew_order(&verbs->crew, CREW_END);
	for (size_t i = 0; i < sizeof(workers) / sizeof(*workers); i++) {
		pthread_join(workers[i]->thread, NULL);
		free(workers[i]->body);
	}
	crew_free(&verbs->crew);
	free(verbs);
	return figures;
}
