/* SPDX-License-Identifier: MIT */
/* The clients' connections and their deadlines; see connection.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "connection.h"
#include "relay.h"

struct connection *connection_new(struct connection **list, int fd, int64_t ms)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
		return NULL;
	connection->fd = fd;
	connection->began = clock_now_ms();
	connection_set_deadline(connection, ms);
	connection->back = list;
	connection->next = *list;
	if (connection->next != NULL)
		connection->next->back = &connection->next;
	*list = connection;
	return connection;
}

void connection_set_deadline(struct connection *connection, int64_t ms)
{
	connection->deadline = ms == CONNECTION_NEVER ? CONNECTION_NEVER : clock_now_ms() + ms;
}

void connection_tick(struct connection *list, int64_t now)
{
	for (struct connection *one = list; one != NULL; one = one->next) {
		if (now >= one->deadline) {
			shutdown(one->fd, SHUT_RDWR);
			one->deadline = CONNECTION_NEVER;
		}
	}
}

const struct sockaddr *connection_local(struct connection *connection)
{
	socklen_t len = sizeof(connection->local);

	if (connection->local.any.sa_family == AF_UNSPEC)
		getsockname(connection->fd, &connection->local.any, &len);
	return &connection->local.any;
}

void connection_set_relay(struct connection *connection)
{
	const struct tls_client *client = relay_client(connection->relay);
	socklen_t len = sizeof(connection->local);

	connection->secure = true;
	getsockname(relay_socket(connection->relay), &connection->local.any, &len);
	if (client != NULL) {
		connection->client = *client;
		connection->client.subject = strdup(client->subject);
	}
}

bool connection_pending(const struct connection *list, int64_t since)
{
	for (; list != NULL; list = list->next) {
		if (list->request != NULL || (!list->used && list->began >= since))
			return true;
	}
	return false;
}

void connection_free(struct connection *connection)
{
	if (connection == NULL)
		return;
	relay_release(connection->relay);
	free(connection->client.subject);
	*connection->back = connection->next;
	if (connection->next != NULL)
		connection->next->back = connection->back;
	free(connection);
}
