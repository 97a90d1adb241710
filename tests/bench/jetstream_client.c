/* SPDX-License-Identifier: MIT */
/*
 * jetstream_client: what JetStream does through its own client, as the measure for a log of several nodes.
 *
 *	jetstream_client publish URLS STREAM REPLICAS OUTSTANDING EVENTS
 *	jetstream_client read URLS STREAM EVENTS
 *
 * The first makes the stream where it is missing, publishes events of 100 bytes, so many of them
 * waiting for their acknowledgement at a time, and prints "posts_per_s".  The second reads so many from the
 * first on, by one consumer that pushes them and wants no acknowledgement, and prints "events_per_s".
 */
#include <inttypes.h>
#include <nats/nats.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE 100
#define WAIT_S 300
#define START_S 30

struct count {
	pthread_mutex_t lock;
	pthread_cond_t all;
	int64_t done, refused, wanted;
};

static _Noreturn void fail(const char *what, natsStatus status)
{
	fprintf(stderr, "jetstream_client: %s: %s\n", what, natsStatus_GetText(status));
	exit(1);
}

static void check(const char *what, natsStatus status)
{
	if (status != NATS_OK)
		fail(what, status);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void count_one(struct count *count, bool refused)
{
	pthread_mutex_lock(&count->lock);
	count->refused += refused;
	if (++count->done == count->wanted)
		pthread_cond_signal(&count->all);
	pthread_mutex_unlock(&count->lock);
}

/* Until all are done, but not forever. */
static void await_all(struct count *count)
{
	struct timespec until;
	int waited = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&count->lock);
	while (count->done < count->wanted && waited == 0)
		waited = pthread_cond_timedwait(&count->all, &count->lock, &until);
	pthread_mutex_unlock(&count->lock);
	if (waited != 0)
		fail("events are missing", NATS_TIMEOUT);
}

static natsConnection *connect_to(char *urls)
{
	const char *servers[16];
	natsConnection *connection = NULL;
	natsOptions *options = NULL;
	char *save = NULL;
	int n = 0;

	for (char *url = strtok_r(urls, ",", &save); url != NULL && n < 16;
		url = strtok_r(NULL, ",", &save))
		servers[n++] = url;
	check("options", natsOptions_Create(&options));
	check("servers", natsOptions_SetServers(options, servers, n));
	natsOptions_SetSendAsap(options, true);
	check("connect", natsConnection_Connect(&connection, options));
	natsOptions_Destroy(options);
	return connection;
}

static void on_acknowledged(
	jsCtx *js, natsMsg *message, jsPubAck *ack, jsPubAckErr *fault, void *context)
{
	(void)js;
	(void)ack;
	count_one(context, fault != NULL);
	natsMsg_Destroy(message);
}

/* Servers that have just started choose a leader first. */
static void add_stream(jsCtx *js, const char *name, int replicas)
{
	double until = seconds() + START_S;
	jsStreamConfig config;
	natsStatus status;

	jsStreamConfig_Init(&config);
	config.Name = name;
	config.Subjects = &name;
	config.SubjectsLen = 1;
	config.Replicas = replicas;
	while ((status = js_AddStream(NULL, js, &config, NULL, NULL)) != NATS_OK &&
		seconds() < until)
		nats_Sleep(100);
	check("stream", status);
}

static void publish(char **argv, natsConnection *connection)
{
	struct count count = {.wanted = atoll(argv[6])};
	char data[SIZE];
	jsOptions options;
	jsCtx *js = NULL;
	double began;

	pthread_mutex_init(&count.lock, NULL);
	pthread_cond_init(&count.all, NULL);
	memset(data, 'x', sizeof(data));
	jsOptions_Init(&options);
	options.PublishAsync.MaxPending = atoll(argv[5]);
	options.PublishAsync.AckHandler = on_acknowledged;
	options.PublishAsync.AckHandlerClosure = &count;
	options.PublishAsync.StallWait = INT64_C(1000) * WAIT_S;
	check("context", natsConnection_JetStream(&js, connection, &options));
	add_stream(js, argv[3], atoi(argv[4]));
	began = seconds();
	for (int64_t i = 0; i < count.wanted; i++)
		check("publish", js_PublishAsync(js, argv[3], data, sizeof(data), NULL));
	await_all(&count);
	if (count.refused > 0)
		fail("events were refused", NATS_ERR);
	printf("posts_per_s %.1f\n", (double)count.wanted / (seconds() - began));
	jsCtx_Destroy(js);
}

static void on_event(
	natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *context)
{
	(void)connection;
	(void)subscription;
	count_one(context, false);
	natsMsg_Destroy(message);
}

static void read_all(char **argv, natsConnection *connection)
{
	struct count count = {.wanted = atoll(argv[4])};
	natsSubscription *subscription = NULL;
	jsSubOptions options;
	jsCtx *js = NULL;
	double began;

	pthread_mutex_init(&count.lock, NULL);
	pthread_cond_init(&count.all, NULL);
	check("context", natsConnection_JetStream(&js, connection, NULL));
	jsSubOptions_Init(&options);
	options.Stream = argv[3];
	options.Config.DeliverPolicy = js_DeliverAll;
	options.Config.AckPolicy = js_AckNone;
	began = seconds();
	check("subscribe",
		js_Subscribe(&subscription, js, argv[3], on_event, &count, NULL, &options, NULL));
	natsSubscription_SetPendingLimits(subscription, -1, -1);
	await_all(&count);
	printf("events_per_s %.1f\n", (double)count.wanted / (seconds() - began));
	natsSubscription_Unsubscribe(subscription);
	natsSubscription_Destroy(subscription);
	jsCtx_Destroy(js);
}

int main(int argc, char **argv)
{
	natsConnection *connection;

	if (argc == 7 && strcmp(argv[1], "publish") == 0) {
		connection = connect_to(argv[2]);
		publish(argv, connection);
	} else if (argc == 5 && strcmp(argv[1], "read") == 0) {
		connection = connect_to(argv[2]);
		read_all(argv, connection);
	} else {
		fprintf(stderr, "usage: jetstream_client publish URLS STREAM REPLICAS OUTSTANDING EVENTS\n"
				"       jetstream_client read URLS STREAM EVENTS\n");
		return 64;
	}
	natsConnection_Destroy(connection);
	nats_Close();
	return 0;
}
