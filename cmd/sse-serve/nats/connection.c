/* SPDX-License-Identifier: MIT */
/* The connection to the servers of NATS; see jetstream.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "jetstream_internal.h"

/* A server that answers nothing for about three of these, in ms, is left for another. */
#define PING_MS 2000

/* How long a write may block, and how long one attempt to connect may take, in ms. */
#define WRITE_MS 2000
#define CONNECT_MS 3000

/* Until a subscription is made; after that it has no limit but that of the queue. */
#define PENDING_MAX (1 << 20)

/* Between two attempts, in ms. */
#define RECONNECT_MS 100

static void on_away(natsConnection *connection, void *context)
{
	struct jetstream *jetstream = context;

	(void)connection;
	pthread_mutex_lock(&jetstream->lock);
	if (jetstream->away == 0)
		jetstream->away = clock_now_ms();
	jetstream_news(jetstream);
	pthread_mutex_unlock(&jetstream->lock);
}

/* The last that the client calls, on a thread of its own: jetstream_close() waits for it. */
static void on_closed(natsConnection *connection, void *context)
{
	struct jetstream *jetstream = context;

	on_away(connection, context);
	pthread_mutex_lock(&jetstream->lock);
	jetstream->threads--;
	pthread_cond_broadcast(&jetstream->news);
	pthread_mutex_unlock(&jetstream->lock);
}

static void on_back(natsConnection *connection, void *context)
{
	struct jetstream *jetstream = context;

	(void)connection;
	pthread_mutex_lock(&jetstream->lock);
	jetstream->away = 0;
	pthread_cond_signal(&jetstream->look);
	jetstream_news(jetstream);
	pthread_mutex_unlock(&jetstream->lock);
}

/* A slow or failed subscription: the watcher finds out what is missing. */
static void on_error(natsConnection *connection, natsSubscription *subscription, natsStatus status,
	void *context)
{
	struct jetstream *jetstream = context;

	(void)connection;
	(void)subscription;
	(void)status;
	pthread_mutex_lock(&jetstream->lock);
	pthread_cond_signal(&jetstream->look);
	pthread_mutex_unlock(&jetstream->lock);
}

/* The list as an array; ${copy} is cut into its parts. */
static natsStatus set_servers(natsOptions *options, char *copy)
{
	const char *servers[SERVERS_MAX];
	char *save = NULL;
	int count = 0;

	for (char *one = strtok_r(copy, ",", &save); one != NULL && count < SERVERS_MAX;
		one = strtok_r(NULL, ",", &save))
		servers[count++] = one;
	return natsOptions_SetServers(options, servers, count);
}

static natsStatus set_tls(natsOptions *options, const struct jetstream_config *config)
{
	bool tls = strncmp(config->servers->urls, "tls:", 4) == 0 || config->servers->ca != NULL;
	natsStatus status = tls ? natsOptions_SetSecure(options, true) : NATS_OK;

	if (status == NATS_OK && config->servers->ca != NULL)
		status = natsOptions_LoadCATrustedCertificates(options, config->servers->ca);
	return status;
}

/*
 * What is written while there is no connection must not be sent later, when its publisher has been
 * told that it was not: so there is no buffer for that (0 would be 8 MB).
 */
static natsStatus set_options(natsOptions *options, const struct jetstream_config *config,
	struct jetstream *jetstream, char *copy)
{
	natsStatus status = set_servers(options, copy);

	if (status == NATS_OK)
		status = set_tls(options, config);
	if (status == NATS_OK && config->servers->credentials != NULL)
		status = natsOptions_SetUserCredentialsFromFiles(
			options, config->servers->credentials, NULL);
	if (status != NATS_OK)
		return status;
	natsOptions_SetName(options, "sse-serve");
	natsOptions_SetMaxReconnect(options, -1);
	natsOptions_SetReconnectWait(options, RECONNECT_MS);
	natsOptions_SetReconnectJitter(options, RECONNECT_MS, RECONNECT_MS);
	natsOptions_SetReconnectBufSize(options, 1);
	natsOptions_SetTimeout(options, CONNECT_MS);
	natsOptions_SetWriteDeadline(options, WRITE_MS);
	natsOptions_SetPingInterval(options, PING_MS);
	natsOptions_SetMaxPingsOut(options, 2);
	natsOptions_SetMaxPendingMsgs(options, PENDING_MAX);
	natsOptions_SetSendAsap(options, true);
	natsOptions_SetFailRequestsOnDisconnect(options, true);
	natsOptions_SetDisconnectedCB(options, on_away, jetstream);
	natsOptions_SetClosedCB(options, on_closed, jetstream);
	natsOptions_SetReconnectedCB(options, on_back, jetstream);
	return natsOptions_SetErrorHandler(options, on_error, jetstream);
}

/* Why it cannot connect: is it worth another attempt? */
static int fail(const struct jetstream_config *config, natsStatus status, struct error *error)
{
	if (status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED)
		return error_set(error, EX_NOPERM,
			"NATS refuses the connection: %s; --credentials names the file that proves who "
			"this is",
			natsStatus_GetText(status));
	if (status == NATS_SSL_ERROR || status == NATS_SECURE_CONNECTION_REQUIRED ||
		status == NATS_SECURE_CONNECTION_WANTED)
		return error_set(error, EX_NOPERM,
			"the TLS connection to NATS fails (%s): --store-ca names the CAs to trust, and "
			"tls: in place of nats: asks for TLS",
			natsStatus_GetText(status));
	if (status == NATS_INVALID_ARG || status == NATS_ILLEGAL_STATE)
		return error_set(error, EX_CONFIG,
			"the client of NATS cannot use --credentials %.100s or --store-ca %.100s: %s",
			config->servers->credentials != NULL ? config->servers->credentials
							     : "(none)",
			config->servers->ca != NULL ? config->servers->ca : "(none)",
			natsStatus_GetText(status));
	return error_set(error, EX_TEMPFAIL, "no NATS server of --store can be reached: %s",
		natsStatus_GetText(status));
}

int connection_open(
	struct jetstream *jetstream, const struct jetstream_config *config, struct error *error)
{
	char *copy = strdup(config->servers->urls);
	natsOptions *options = NULL;
	natsStatus status = copy != NULL ? natsOptions_Create(&options) : NATS_NO_MEMORY;

	if (status == NATS_OK)
		status = set_options(options, config, jetstream, copy);
	if (status == NATS_OK)
		status = natsConnection_Connect(&jetstream->connection, options);
	if (status == NATS_OK) {
		pthread_mutex_lock(&jetstream->lock);
		jetstream->threads++;
		pthread_mutex_unlock(&jetstream->lock);
	}
	natsOptions_Destroy(options);
	free(copy);
	return status == NATS_OK ? 0 : fail(config, status, error);
}
