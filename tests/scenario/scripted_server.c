/* SPDX-License-Identifier: MIT */
/*
 * A server for tests that does, byte for byte, what a script says, one connection after another.
 *
 *	usage: scripted_server SCRIPT LOG
 *
 * It listens on a free port of 127.0.0.1 and prints the port.  The script has a command a line:
 *
 *	accept        wait for the next connection
 *	request       read a request, head and body, into LOG
 *	send TEXT     send it; \r \n \t \\ \0 and \xHH mean what they mean in C, also below
 *	bytes TEXT    send it one byte at a time, each by itself
 *	repeat N TEXT send it N times
 *	file PATH     send what is in that file
 *	pause MS
 *	wait FILE     until that file exists
 *	hold          until the client closes
 *	stall         do not read until the client closes or the test ends
 *	close         close the connection
 *	reset         close it with a TCP reset
 *	away          stop listening: who connects is refused
 *	back          listen again, on the same port
 *	log TEXT      write a line into LOG
 *
 * When the script ends so does the server, after at most a minute.  LOG gets "== connection N"
 * for each accept and "== closed" where the client closed before a whole request came.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX ((size_t)16 << 20)
#define LINE_SIZE 65536
#define SCRIPT_SIZE ((size_t)256 << 10)

struct server {
	struct sockaddr_in address;
	int listener;
	int connection; /* -1 if there is none */
	int connections;
	FILE *log;
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "scripted_server: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void nap(long ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

static void start_listening(struct server *server)
{
	socklen_t size = sizeof(server->address);
	int on = 1;

	server->listener = socket(AF_INET, SOCK_STREAM, 0);
	if (server->listener < 0)
		fail("socket");
	setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(server->listener, (struct sockaddr *)&server->address, size) != 0 ||
		listen(server->listener, 16) != 0 ||
		getsockname(server->listener, (struct sockaddr *)&server->address, &size) != 0)
		fail("listen");
}

static void close_connection(struct server *server)
{
	if (server->connection >= 0)
		close(server->connection);
	server->connection = -1;
}

static void reset_connection(struct server *server)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt(server->connection, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close_connection(server);
}

static void accept_connection(struct server *server)
{
	int on = 1;

	close_connection(server);
	server->connection = accept(server->listener, NULL, NULL);
	if (server->connection < 0)
		fail("accept");
	setsockopt(server->connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fprintf(server->log, "== connection %d\n", ++server->connections);
}

/* The length of the body that this head announces. */
static size_t body_length(const char *head)
{
	for (const char *line = head; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncasecmp(line, "Content-Length:", 15) == 0)
			return (size_t)strtoul(line + 15, NULL, 10);
		if (*line == '\r' || *line == '\0')
			break;
	}
	return 0;
}

static void read_request(struct server *server)
{
	char *request = calloc(1, REQUEST_MAX + 1);
	size_t len = 0, want = REQUEST_MAX;

	if (request == NULL)
		fail("calloc");
	while (len < want) {
		const char *end = strstr(request, "\r\n\r\n");
		ssize_t count;

		if (end != NULL) {
			want = (size_t)(end + 4 - request) + body_length(request);
			if (len >= want)
				break;
		}
		/* One byte of a head at a time: what follows is for the next command. */
		count = read(server->connection, request + len, end != NULL ? want - len : 1);
		if (count <= 0) {
			fprintf(server->log, "== closed\n");
			break;
		}
		len += (size_t)count;
	}
	fwrite(request, 1, len, server->log);
	fprintf(server->log, "\n");
	free(request);
}

static void send_all(const struct server *server, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t count = write(server->connection, data, len);

		if (count <= 0)
			return;
		data += count;
		len -= (size_t)count;
	}
}

static void send_file(const struct server *server, const char *path)
{
	FILE *file = fopen(path, "r");
	char piece[16384];
	size_t len;

	if (file == NULL)
		fail(path);
	while ((len = fread(piece, 1, sizeof(piece), file)) > 0)
		send_all(server, piece, len);
	fclose(file);
}

static void hold(const struct server *server)
{
	char rest[4096];

	while (read(server->connection, rest, sizeof(rest)) > 0)
		;
}

/* Replace the escapes in place; return the length of what they mean. */
static size_t unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		switch (*++from) {
		case 'r':
			*to++ = '\r';
			break;
		case 'n':
			*to++ = '\n';
			break;
		case 't':
			*to++ = '\t';
			break;
		case '0':
			*to++ = '\0';
			break;
		case 'x': {
			char hex[3] = {from[1], from[1] ? from[2] : '\0', '\0'};

			*to++ = (char)strtol(hex, NULL, 16);
			from += 2;
			break;
		}
		default:
			*to++ = *from;
		}
	}
	return (size_t)(to - text);
}

/* The commands that send something; false if it is none of them. */
static bool run_sending(struct server *server, const char *command, char *text)
{
	if (strcmp(command, "send") == 0) {
		send_all(server, text, unescape(text));
	} else if (strcmp(command, "bytes") == 0) {
		size_t len = unescape(text);

		for (size_t i = 0; i < len; i++) {
			send_all(server, text + i, 1);
			nap(1);
		}
	} else if (strcmp(command, "repeat") == 0) {
		long times = strtol(text, &text, 10);
		size_t len = unescape(++text);

		while (times-- > 0)
			send_all(server, text, len);
	} else if (strcmp(command, "file") == 0) {
		send_file(server, text);
	} else {
		return false;
	}
	return true;
}

static void run(struct server *server, const char *command, char *text)
{
	if (run_sending(server, command, text))
		return;
	if (strcmp(command, "accept") == 0) {
		accept_connection(server);
	} else if (strcmp(command, "request") == 0) {
		read_request(server);
	} else if (strcmp(command, "pause") == 0) {
		nap(strtol(text, NULL, 10));
	} else if (strcmp(command, "wait") == 0) {
		while (access(text, F_OK) != 0)
			nap(2);
	} else if (strcmp(command, "hold") == 0) {
		hold(server);
	} else if (strcmp(command, "stall") == 0) {
		for (;;)
			nap(1000);
	} else if (strcmp(command, "close") == 0) {
		close_connection(server);
	} else if (strcmp(command, "reset") == 0) {
		reset_connection(server);
	} else if (strcmp(command, "away") == 0) {
		close(server->listener);
	} else if (strcmp(command, "back") == 0) {
		start_listening(server);
	} else if (strcmp(command, "log") == 0) {
		fprintf(server->log, "%s\n", text);
	} else {
		fprintf(stderr, "scripted_server: unknown command '%s'\n", command);
		exit(2);
	}
}

/* All of the script: once the port is known the test may write another one to the same file. */
static FILE *read_ahead(FILE *file)
{
	static char script[SCRIPT_SIZE];
	size_t len = fread(script, 1, sizeof(script) - 1, file);

	fclose(file);
	script[len++] = '\n';
	file = fmemopen(script, len, "r");
	if (file == NULL)
		fail("fmemopen");
	return file;
}

int main(int argc, char **argv)
{
	struct server server = {.connection = -1,
		.address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
	static char line[LINE_SIZE];
	FILE *script;

	if (argc != 3) {
		fprintf(stderr, "usage: scripted_server SCRIPT LOG\n");
		return 2;
	}
	script = fopen(argv[1], "r");
	/* Emptied, then only added to: a server before us may still have a last word to say. */
	server.log = fopen(argv[2], "w");
	if (script == NULL || server.log == NULL || freopen(argv[2], "a", server.log) == NULL)
		fail("open");
	script = read_ahead(script);
	setvbuf(server.log, NULL, _IONBF, 0);
	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	start_listening(&server);
	printf("%d\n", ntohs(server.address.sin_port));
	fflush(stdout);
	while (fgets(line, sizeof(line), script) != NULL) {
		char *text;

		line[strcspn(line, "\n")] = '\0';
		text = line + strcspn(line, " ");
		if (*text == ' ')
			*text++ = '\0';
		if (*line != '\0' && *line != '#')
			run(&server, line, text);
	}
	close_connection(&server);
	fclose(script);
	fclose(server.log);
	return 0;
}
