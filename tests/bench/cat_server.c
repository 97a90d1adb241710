/* SPDX-License-Identifier: MIT */
/*
 * cat_server: what cat costs that writes a file to a socket, as the limit that a replay is measured
 * against.
 *
 *	cat_server FOLDER
 *
 * It prints "Listening on http://127.0.0.1:PORT".  The answer to GET /NAME is the head of an event
 * stream and then the file FOLDER/NAME, by read() and write() of 128 KiB each, as cat copies.  Each
 * connection has a thread, which ends when the client closes the connection, not before: its CPU
 * time can be read until then.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COPY_SIZE ((size_t)128 << 10)
#define REQUEST_SIZE 4096
#define LISTEN_BACKLOG 4096
#define STACK_SIZE ((size_t)512 << 10)

static int folder;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* The file that the request asks for, or -1. */
static int open_asked(int fd)
{
	char request[REQUEST_SIZE], name[100];
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, request + len, sizeof(request) - 1 - len);
		if (got <= 0)
			return -1;
		len += (size_t)got;
		request[len] = '\0';
	} while (strstr(request, "\r\n\r\n") == NULL);
	if (sscanf(request, "GET /%99[0-9a-z] ", name) != 1)
		return -1;
	return openat(folder, name, O_RDONLY | O_CLOEXEC);
}

static void copy(int file, int fd)
{
	char *buffer = malloc(COPY_SIZE);
	ssize_t got;

	if (buffer == NULL)
		die("cat_server: memory");
	/* A socket that blocks takes all of it, or is broken. */
	while ((got = read(file, buffer, COPY_SIZE)) > 0 && write(fd, buffer, (size_t)got) == got)
		continue;
	free(buffer);
}

static void *serve(void *argument)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
	int fd = (int)(intptr_t)argument, file = open_asked(fd);
	char rest;

	if (file >= 0 && write(fd, head, sizeof(head) - 1) > 0) {
		copy(file, fd);
		while (read(fd, &rest, 1) > 0)
			continue;
	}
	if (file >= 0)
		close(file);
	close(fd);
	return NULL;
}

static int listen_on_loopback(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
		listen(fd, LISTEN_BACKLOG) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		die("cat_server: listen");
	printf("Listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	pthread_attr_t attributes;
	int listener, fd, on = 1;

	if (argc != 2) {
		fputs("usage: cat_server FOLDER\n", stderr);
		return 64;
	}
	folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		die(argv[1]);
	signal(SIGPIPE, SIG_IGN);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	listener = listen_on_loopback();
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		pthread_t thread;

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (pthread_create(&thread, &attributes, serve, (void *)(intptr_t)fd) != 0)
			die("cat_server: thread");
	}
	die("cat_server: accept");
}
