/* SPDX-License-Identifier: MIT */
/*
 * limit_server: the least that a server of event streams can do, as the limit that sse-serve is
 * measured against.  One thread, bare epoll, no HTTP library, no storage, no checks: what is
 * posted is made a frame once and sent to every open stream, whatever its path.  All POSTs that
 * one turn of epoll reports go out together, in one send() a stream; then they are answered 201.
 *
 *   limit_server [--answer-first | --sync FILE | --drop N | --repeat N | --swap N | --tear N]
 *
 * It prints "Listening on http://127.0.0.1:PORT".  A stream whose socket is full is closed: the
 * limit does not queue.
 *
 * It is held to account itself: what is posted to a path that begins with /pure goes to the same
 * sockets in a loop that does nothing but send(), with the thread's CPU time taken around it, and
 * GET /pure says "SENDS NANOSECONDS" of all such loops since the last GET /pure.
 *
 * With --answer-first the 201 goes out before the events do, as sse-serve's does: more of what is
 * posted meanwhile goes out together then.
 *
 * With --sync what goes out together is first appended to the file, and fdatasync() has returned:
 * the least that a server can do which loses nothing at a power failure.
 *
 * The other options break every Nth event for the stream that was opened last, so that whoever
 * checks streams can be checked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TURN 1024	    /* events of one epoll_wait */
#define REQUEST_SIZE 131072 /* the most bytes of a request, head and body */
#define FRAME_SPACE 64	    /* what a frame has beside its data */
#define LISTEN_BACKLOG 4096

enum role { LISTENER, WAITING, STREAM };

struct connection {
	int fd;
	enum role role;
	bool pure;    /* what it posts goes out by the loop that is timed */
	size_t place; /* of a stream: its place in server.fds */
	size_t len, size;
	char *request; /* what came of the next one; NULL for a stream */
};

/* Frames of one turn. */
struct batch {
	char *data;
	size_t len, size;
};

enum fault { NONE, DROP, REPEAT, SWAP, TEAR };

static const char *const fault_names[] = {
	[DROP] = "--drop", [REPEAT] = "--repeat", [SWAP] = "--swap", [TEAR] = "--tear"};

static struct server {
	int epoll;
	int *fds;		     /* of the streams */
	struct connection **streams; /* [place], the same */
	size_t count, room;
	struct batch batch, broken;
	struct batch held; /* SWAP: the frame that the next one overtakes */
	struct connection *posters[TURN];
	size_t posted;
	uint64_t number;
	bool answer_first;
	int log; /* of --sync; -1: none */
	enum fault fault;
	uint64_t every;
	uint64_t pure_sends, pure_ns;
} server;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *grow(void *memory, size_t size)
{
	void *grown = realloc(memory, size);

	if (grown == NULL)
		die("limit_server: memory");
	return grown;
}

static uint64_t thread_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- connections --- */

static void drop_stream(struct connection *connection)
{
	struct connection *last = server.streams[--server.count];

	server.streams[connection->place] = last;
	server.fds[connection->place] = last->fd;
	last->place = connection->place;
}

static void forget_poster(const struct connection *connection)
{
	for (size_t i = 0; i < server.posted; i++) {
		if (server.posters[i] == connection)
			server.posters[i] = NULL;
	}
}

static void drop(struct connection *connection)
{
	if (connection->role == STREAM)
		drop_stream(connection);
	forget_poster(connection);
	close(connection->fd);
	free(connection->request);
	free(connection);
}

static void watch(struct connection *connection, uint32_t events, int operation)
{
	struct epoll_event event = {.events = events, .data.ptr = connection};

	if (epoll_ctl(server.epoll, operation, connection->fd, &event) != 0)
		die("limit_server: epoll_ctl");
}

static void answer(const struct connection *connection, const char *text, size_t len)
{
	if (send(connection->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len)
		shutdown(connection->fd, SHUT_RDWR);
}

static void accept_all(const struct connection *listener)
{
	int fd, on = 1;

	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection *connection = grow(NULL, sizeof(*connection));

		*connection = (struct connection){.fd = fd, .role = WAITING};
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		watch(connection, EPOLLIN, EPOLL_CTL_ADD);
	}
	if (errno == EMFILE)
		die("limit_server: accept");
}

/* --- frames --- */

static void add(struct batch *batch, const char *data, size_t len)
{
	if (batch->len + len > batch->size) {
		batch->size = (batch->len + len) * 2;
		batch->data = grow(batch->data, batch->size);
	}
	memcpy(batch->data + batch->len, data, len);
	batch->len += len;
}

/* The same frame for the stream that the fault is for. */
static void add_broken(const char *frame, size_t len)
{
	bool now = server.number % server.every == 0;

	if (server.fault == SWAP && now) {
		add(&server.held, frame, len);
		return;
	}
	if (!now || server.fault == REPEAT)
		add(&server.broken, frame, len);
	if (now && server.fault == REPEAT)
		add(&server.broken, frame, len);
	if (now && server.fault == TEAR)
		add(&server.broken, frame, len / 2);
	add(&server.broken, server.held.data ? server.held.data : "", server.held.len);
	server.held.len = 0;
}

/* As sse-serve writes it, and as long. */
static void add_frame(const char *data, size_t len)
{
	struct batch *batch = &server.batch;
	char id[FRAME_SPACE];
	size_t start = batch->len;
	int size = snprintf(id, sizeof(id), "\nid: limit-is:%" PRIu64 "\n\n", ++server.number);

	add(batch, "event: update\ndata: ", 20);
	add(batch, data, len);
	add(batch, id, (size_t)size);
	if (server.fault != NONE)
		add_broken(batch->data + start, batch->len - start);
}

static void send_all(const char *data, size_t len, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (send(server.fds[i], data, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len)
			shutdown(server.fds[i], SHUT_RDWR);
	}
}

static void send_batch(void)
{
	const struct batch *batch = &server.batch, *broken = &server.broken;

	if (server.fault == NONE) {
		send_all(batch->data, batch->len, 0, server.count);
		return;
	}
	send_all(batch->data, batch->len, 0, server.count - 1);
	if (broken->len > 0)
		send_all(broken->data, broken->len, server.count - 1, server.count);
}

/* The loop that the limit is compared with: it only sends. */
static void send_pure(void)
{
	const int *fds = server.fds, *end = fds + server.count;
	const char *data = server.batch.data;
	size_t len = server.batch.len;
	uint64_t start = thread_ns();

	while (fds < end)
		send(*fds++, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	server.pure_ns += thread_ns() - start;
	server.pure_sends += server.count;
}

static void answer_posters(void)
{
	static const char created[] = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

	for (size_t i = 0; i < server.posted; i++) {
		if (server.posters[i] != NULL)
			answer(server.posters[i], created, sizeof(created) - 1);
	}
	server.posted = 0;
}

static void store_batch(void)
{
	const struct batch *batch = &server.batch;

	if (write(server.log, batch->data, batch->len) != (ssize_t)batch->len ||
		fdatasync(server.log) != 0)
		die("limit_server: --sync");
}

/* The end of a turn: send what was posted, and say so. */
static void publish(void)
{
	bool pure = false;

	for (size_t i = 0; i < server.posted; i++)
		pure = pure || (server.posters[i] != NULL && server.posters[i]->pure);
	if (server.log >= 0)
		store_batch();
	if (server.answer_first)
		answer_posters();
	if (pure)
		send_pure();
	else if (server.count > 0)
		send_batch();
	answer_posters();
	server.batch.len = server.broken.len = 0;
}

/* --- requests --- */

static void open_stream(struct connection *connection)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				   "Cache-Control: no-cache\r\n\r\nretry: 2000\n\n";

	free(connection->request);
	connection->request = NULL;
	connection->role = STREAM;
	if (server.count == server.room) {
		server.room = server.room ? server.room * 2 : 1024;
		server.fds = grow(server.fds, server.room * sizeof(int));
		server.streams = grow(server.streams, server.room * sizeof(void *));
	}
	connection->place = server.count;
	server.fds[server.count] = connection->fd;
	server.streams[server.count++] = connection;
	watch(connection, EPOLLIN | EPOLLRDHUP | EPOLLET, EPOLL_CTL_MOD);
	answer(connection, head, sizeof(head) - 1);
}

static void tell_pure(const struct connection *connection)
{
	char text[200], body[100];
	int len = snprintf(
		body, sizeof(body), "%" PRIu64 " %" PRIu64 "\n", server.pure_sends, server.pure_ns);

	len = snprintf(
		text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len, body);
	server.pure_sends = server.pure_ns = 0;
	answer(connection, text, (size_t)len);
}

/* Answer the request that is there whole: true if it was, and then its bytes are used up. */
static bool take_request(struct connection *connection)
{
	char *request = connection->request, *length;
	char *body = memmem(request, connection->len, "\r\n\r\n", 4);
	size_t size = 0;

	if (body == NULL)
		return false;
	body += 4;
	body[-2] = '\0';
	length = strcasestr(request, "\r\nContent-Length:");
	if (length != NULL)
		size = strtoul(length + 17, NULL, 10);
	body[-2] = '\r';
	if (connection->len < (size_t)(body - request) + size)
		return false;
	connection->len = 0; /* one request at a time: nothing follows it */
	if (strncmp(request, "POST ", 5) == 0) {
		connection->pure = strncmp(request + 5, "/pure", 5) == 0;
		add_frame(body, size);
		server.posters[server.posted++] = connection;
	} else if (strncmp(request, "GET /pure", 9) == 0) {
		tell_pure(connection);
	} else {
		open_stream(connection);
	}
	return true;
}

/* Read what is there; false if the connection is to be closed. */
static bool read_request(struct connection *connection)
{
	ssize_t got;

	if (connection->request == NULL) {
		connection->request = grow(NULL, 4096);
		connection->size = 4096;
	}
	if (connection->len + 1 == connection->size) {
		if (connection->size >= REQUEST_SIZE)
			return false;
		connection->size *= 2;
		connection->request = grow(connection->request, connection->size);
	}
	got = recv(connection->fd, connection->request + connection->len,
		connection->size - connection->len - 1, MSG_DONTWAIT);
	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	connection->len += (size_t)got;
	take_request(connection);
	return true;
}

static void handle(const struct epoll_event *event)
{
	struct connection *connection = event->data.ptr;

	if (connection->role == LISTENER)
		accept_all(connection);
	else if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		drop(connection);
	else if (connection->role == WAITING && !read_request(connection))
		drop(connection);
}

/* --- starting --- */

static void listen_on_loopback(struct connection *listener)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->fd < 0 || bind(listener->fd, (struct sockaddr *)&address, size) != 0 ||
		listen(listener->fd, LISTEN_BACKLOG) != 0 ||
		getsockname(listener->fd, (struct sockaddr *)&address, &size) != 0)
		die("limit_server: listen");
	watch(listener, EPOLLIN, EPOLL_CTL_ADD);
	printf("Listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
	fflush(stdout);
}

static bool parse(int argc, char **argv)
{
	server.log = -1;
	if (argc == 2 && strcmp(argv[1], "--answer-first") == 0)
		server.answer_first = true;
	if (argc == 3 && strcmp(argv[1], "--sync") == 0) {
		server.log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (server.log < 0)
			die(argv[2]);
	}
	for (enum fault fault = DROP; fault <= TEAR && argc == 3; fault++) {
		if (strcmp(argv[1], fault_names[fault]) == 0) {
			server.fault = fault;
			server.every = strtoul(argv[2], NULL, 10);
		}
	}
	return argc == 1 || server.answer_first || server.log >= 0 || server.every > 0;
}

int main(int argc, char **argv)
{
	struct connection listener = {.role = LISTENER};
	struct epoll_event events[TURN];
	struct rlimit files;

	if (!parse(argc, argv)) {
		fprintf(stderr,
			"usage: limit_server [--answer-first | --sync FILE | --drop N | --repeat N | "
			"--swap N | --tear N]\n");
		return 64;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	listen_on_loopback(&listener);
	for (;;) {
		int count = epoll_wait(server.epoll, events, TURN, -1);

		for (int i = 0; i < count; i++)
			handle(&events[i]);
		if (server.posted > 0)
			publish();
	}
}
