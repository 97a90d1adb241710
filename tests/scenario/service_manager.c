/* SPDX-License-Identifier: MIT */
/*
 * service_manager: plays systemd's part for one service.  It keeps the listening sockets, hands
 * them over, takes the service's messages, and ends a service whose watchdog was not heard.
 *
 *   service_manager [-a] [-f COUNT] [-w MS] [-l [NAME=]PLACE]... COMMAND [ARGUMENT]...
 *
 *   -a        the notify socket has an abstract name (default: the path "notify" here)
 *   -f COUNT  what LISTEN_FDS says, instead of how many there are
 *   -w MS     WATCHDOG_USEC
 *   -l PLACE  hand over a socket, as NAME or as web0, web1 and so on: a stream socket that listens at
 *             ADDRESS, on a port that the system chooses, or at unix:PATH; datagram: one that is no
 *             stream socket
 *
 * Commands, lines on the standard input: start, stop, restart, reload, and end, as the end of the
 * input, which stops the service and then the manager.  What happens is a line on the standard
 * output:
 *
 *   port N           of each socket of the network, in their order
 *   started PID
 *   told LINE        of a message of the service
 *   unheard PID      the watchdog's time is up, and the service gets SIGABRT
 *   ended STATUS     as a shell says it
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define SOCKETS_MAX 8
#define FIRST 3

/* The size of the name of a local socket. */
#define LOCAL_NAME sizeof(((struct sockaddr_un *)NULL)->sun_path)

struct manager {
	char **command;
	const char *claim; /* -f */
	int sockets[SOCKETS_MAX];
	char names[SOCKETS_MAX][16];
	int count;
	int notify, children; /* what is read from */
	char notify_name[LOCAL_NAME];
	int64_t watchdog, unheard_at; /* ms, by clock_now_ms(); 0: not now */
	pid_t service;		      /* 0: none */
	bool restart, over;
};

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void say(const char *what, long number)
{
	printf("%s %ld\n", what, number);
	fflush(stdout);
}

static socklen_t local_address(struct sockaddr_un *address, const char *name)
{
	size_t len = strnlen(name, LOCAL_NAME - 1);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, len);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* High, so that it is out of the way of those that are handed over. */
static int out_of_the_way(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	if (moved < 0)
		fail("fcntl");
	close(fd);
	return moved;
}

static int open_place(const char *place)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct sockaddr_un local;
	bool datagram = strcmp(place, "datagram") == 0;
	int fd;

	if (strncmp(place, "unix:", 5) == 0) {
		socklen_t len = local_address(&local, place + 5);

		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (fd < 0 || bind(fd, (struct sockaddr *)&local, len) != 0 ||
			listen(fd, 4096) != 0)
			fail(place);
		return out_of_the_way(fd);
	}
	inet_pton(AF_INET, datagram ? "127.0.0.1" : place, &address.sin_addr);
	fd = socket(AF_INET, datagram ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		(!datagram && listen(fd, 4096) != 0))
		fail(place);
	return out_of_the_way(fd);
}

static void add_socket(struct manager *manager, const char *place)
{
	const char *equals = strchr(place, '=');
	char *name = manager->names[manager->count];

	if (equals != NULL)
		snprintf(name, sizeof(manager->names[0]), "%.*s", (int)(equals - place), place);
	else
		snprintf(name, sizeof(manager->names[0]), "web%d", manager->count);
	manager->sockets[manager->count++] = open_place(equals != NULL ? equals + 1 : place);
}

static void open_notify(struct manager *manager, bool abstract)
{
	struct sockaddr_un address;
	char folder[100];
	socklen_t len;

	if (abstract)
		snprintf(manager->notify_name, sizeof(manager->notify_name),
			"@sse-tools-test-%ld-%lld", (long)getpid(), (long long)clock_now_us());
	else if (getcwd(folder, sizeof(folder) - 10) != NULL)
		snprintf(manager->notify_name, sizeof(manager->notify_name), "%s/notify", folder);
	else
		fail("the path of the notify socket");
	/* Of one before this one. */
	unlink(manager->notify_name);
	len = local_address(&address, manager->notify_name);
	manager->notify = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (manager->notify < 0 || bind(manager->notify, (struct sockaddr *)&address, len) != 0)
		fail(manager->notify_name);
	manager->notify = out_of_the_way(manager->notify);
}

static void parse(int argc, char **argv, struct manager *manager)
{
	bool abstract = false;
	int option;

	while ((option = getopt(argc, argv, "+af:w:l:")) != -1) {
		if (option == 'a')
			abstract = true;
		else if (option == 'f')
			manager->claim = optarg;
		else if (option == 'w')
			manager->watchdog = atoll(optarg);
		else if (option == 'l' && manager->count < SOCKETS_MAX)
			add_socket(manager, optarg);
		else
			exit(2);
	}
	if (optind == argc)
		exit(2);
	manager->command = argv + optind;
	open_notify(manager, abstract);
}

/* --- the service --- */

static void set_number(const char *name, long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", number);
	setenv(name, text, 1);
}

static _Noreturn void become_service(const struct manager *manager)
{
	sigset_t none;
	char names[SOCKETS_MAX * sizeof(manager->names[0]) + 1] = "";

	for (int i = 0; i < manager->count; i++) {
		dup2(manager->sockets[i], FIRST + i);
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			i > 0 ? ":" : "", manager->names[i]);
	}
	if (manager->count > 0 || manager->claim != NULL) {
		set_number("LISTEN_PID", getpid());
		set_number("LISTEN_FDS", manager->count);
		if (manager->claim != NULL)
			setenv("LISTEN_FDS", manager->claim, 1);
		setenv("LISTEN_FDNAMES", names, 1);
	}
	setenv("NOTIFY_SOCKET", manager->notify_name, 1);
	if (manager->watchdog > 0) {
		set_number("WATCHDOG_USEC", manager->watchdog * 1000);
		set_number("WATCHDOG_PID", getpid());
	}
	/* It does not outlive a test that went wrong. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(manager->command[0], manager->command);
	fail(manager->command[0]);
}

static void start(struct manager *manager)
{
	if (manager->service != 0)
		return;
	manager->service = fork();
	if (manager->service < 0)
		fail("fork");
	if (manager->service == 0)
		become_service(manager);
	manager->unheard_at = 0;
	say("started", manager->service);
}

static void tell(const struct manager *manager, int number)
{
	if (manager->service != 0)
		kill(manager->service, number);
}

static void obey(struct manager *manager, const char *command)
{
	if (strcmp(command, "start") == 0) {
		start(manager);
	} else if (strcmp(command, "restart") == 0) {
		manager->restart = true;
		tell(manager, SIGTERM);
	} else if (strcmp(command, "stop") == 0) {
		tell(manager, SIGTERM);
	} else if (strcmp(command, "reload") == 0) {
		tell(manager, SIGHUP);
	} else if (strcmp(command, "end") == 0) {
		manager->over = true;
		tell(manager, SIGTERM);
	} else {
		fprintf(stderr, "service_manager: '%s' is not a command\n", command);
		exit(2);
	}
}

/* --- what comes in --- */

static void take_commands(struct manager *manager)
{
	static char text[1000];
	static size_t len;
	ssize_t got = read(STDIN_FILENO, text + len, sizeof(text) - len - 1);
	char *line = text, *end;

	if (got <= 0) {
		manager->over = true;
		tell(manager, SIGTERM);
		return;
	}
	len += (size_t)got;
	text[len] = '\0';
	while ((end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		obey(manager, line);
		line = end + 1;
	}
	len = strlen(line);
	memmove(text, line, len + 1);
}

static void take_message(struct manager *manager)
{
	char message[1000], *line, *rest = message;
	ssize_t got = recv(manager->notify, message, sizeof(message) - 1, 0);

	if (got < 0)
		return;
	message[got] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] != '\0')
			printf("told %s\n", line);
		if (strcmp(line, "READY=1") == 0 || strcmp(line, "WATCHDOG=1") == 0)
			manager->unheard_at =
				manager->watchdog > 0 ? clock_now_ms() + manager->watchdog : 0;
	}
	fflush(stdout);
}

static void take_end(struct manager *manager)
{
	struct signalfd_siginfo info;
	int status;

	if (read(manager->children, &info, sizeof(info)) < 0 ||
		waitpid(manager->service, &status, WNOHANG) <= 0)
		return;
	manager->service = 0;
	manager->unheard_at = 0;
	say("ended", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	if (manager->restart && !manager->over)
		start(manager);
	manager->restart = false;
}

static void say_ports(const struct manager *manager)
{
	for (int i = 0; i < manager->count; i++) {
		struct sockaddr_in address = {0};
		socklen_t len = sizeof(address);

		if (getsockname(manager->sockets[i], (struct sockaddr *)&address, &len) == 0 &&
			address.sin_family == AF_INET)
			say("port", ntohs(address.sin_port));
	}
}

int main(int argc, char **argv)
{
	struct manager manager = {0};
	struct pollfd ready[3];
	sigset_t children;

	parse(argc, argv, &manager);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	manager.children = out_of_the_way(signalfd(-1, &children, SFD_CLOEXEC));
	say_ports(&manager);
	while (!manager.over || manager.service != 0) {
		int64_t now = clock_now_ms();

		if (manager.unheard_at > 0 && now >= manager.unheard_at) {
			say("unheard", manager.service);
			tell(&manager, SIGABRT);
			manager.unheard_at = 0;
		}
		ready[0] =
			(struct pollfd){.fd = manager.over ? -1 : STDIN_FILENO, .events = POLLIN};
		ready[1] = (struct pollfd){.fd = manager.notify, .events = POLLIN};
		ready[2] = (struct pollfd){.fd = manager.children, .events = POLLIN};
		poll(ready, 3, manager.unheard_at > 0 ? (int)(manager.unheard_at - now) : -1);
		if (ready[0].revents != 0)
			take_commands(&manager);
		if (ready[1].revents != 0)
			take_message(&manager);
		if (ready[2].revents != 0)
			take_end(&manager);
	}
	return 0;
}
