/* SPDX-License-Identifier: MIT */
/* A NATS server for unit tests; see nats.h. */
#include <arpa/inet.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "nats.h"

/* How long to wait for what must happen, in ms. */
#define PATIENCE 30000

static char folder[] = "/tmp/test_serve_nats.XXXXXX";
static bool has_folder;
static pid_t server;
static int port = -1; /* -1: any */
static char url[64], name[32];
static struct servers servers = {
	.urls = url, .name = name, .replicas = 1, .compact = (int64_t)256 << 20};

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* --- the server --- */

static bool is_installed(void)
{
	return system("command -v nats-server >/dev/null 2>&1") == 0;
}

static _Noreturn void run(const char *number)
{
	char log[100];

	snprintf(log, sizeof(log), "%s/log", folder);
	/* It ends with the test, however that ends. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", number, "--ports_file_dir",
		folder, "-l", log, "-js", "-sd", folder, (char *)NULL);
	_exit(127);
}

/* The port that it wrote down; 0: it has not yet. */
static int read_port(void)
{
	char path[100], text[1000];
	const char *at;
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "%s/nats-server_%d.ports", folder, (int)server);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	at = strstr(text, "nats://127.0.0.1:");
	/* What follows shows that the number is complete. */
	return at != NULL && strchr(at, '"') != NULL ? atoi(at + strlen("nats://127.0.0.1:")) : 0;
}

void nats_start(void)
{
	char number[12];
	int found = 0;

	snprintf(number, sizeof(number), "%d", port);
	server = fork();
	assert_true(server >= 0);
	if (server == 0)
		run(number);
	for (int ms = 0; ms < PATIENCE && found == 0; ms += 10) {
		if (waitpid(server, NULL, WNOHANG) == server) {
			server = 0;
			fail_msg("nats-server ended; %s/log says why", folder);
		}
		nap();
		found = read_port();
	}
	assert_int_not_equal(found, 0);
	port = found;
	snprintf(url, sizeof(url), "nats://127.0.0.1:%d", port);
}

void nats_needed(void)
{
#ifndef HAVE_NATS
	print_message("skipped: this is built without the C client of NATS (libnats)\n");
	skip();
#endif
	if (!is_installed()) {
		print_message("skipped: nats-server is not installed\n");
		skip();
	}
	if (!has_folder)
		assert_non_null(mkdtemp(folder));
	has_folder = true;
	if (server == 0)
		nats_start();
}

void nats_kill(void)
{
	if (server == 0)
		return;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	server = 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

int nats_tear_down(void **state)
{
	(void)state;
	nats_kill();
	return has_folder ? nftw(folder, remove_one, 20, FTW_DEPTH | FTW_PHYS) : 0;
}

/* --- logs --- */

void nats_new_log(void)
{
	static int number;

	snprintf(name, sizeof(name), "log-%d", ++number);
}

const struct servers *nats_servers(void)
{
	return &servers;
}

/* --- a client --- */

static int dial(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = PATIENCE / 1000};
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(sock >= 0);
	assert_int_equal(setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	return sock;
}

/* The text with the name of the log in place of each @. */
static void fill_in(const char *text, char *out, size_t size)
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		int more = *text == '@' ? snprintf(out + len, size - len, "%s", name)
					: snprintf(out + len, size - len, "%c", *text);

		len += (size_t)more;
		assert_true(len < size);
	}
}

/* One line, without its end. */
static void read_line(FILE *in, char *line, size_t size)
{
	assert_non_null(fgets(line, (int)size, in));
	line[strcspn(line, "\r\n")] = '\0';
}

void nats_ask(const char *subject, const char *body, char *answer, size_t size)
{
	char to[200], what[1000], line[8192];
	unsigned long bytes = 0;
	FILE *in, *out;
	int sock = dial();

	fill_in(subject, to, sizeof(to));
	fill_in(body, what, sizeof(what));
	in = fdopen(sock, "r");
	out = fdopen(dup(sock), "w");
	assert_true(in != NULL && out != NULL);
	/* An INFO comes first. */
	read_line(in, line, sizeof(line));
	fprintf(out, "CONNECT {\"verbose\":false}\r\nSUB answer 1\r\nPUB %s answer %zu\r\n%s\r\n",
		to, strlen(what), what);
	fflush(out);
	do
		read_line(in, line, sizeof(line));
	while (strncmp(line, "MSG ", 4) != 0);
	bytes = strtoul(strrchr(line, ' '), NULL, 10);
	assert_true(bytes < size);
	assert_int_equal(fread(answer, 1, bytes, in), bytes);
	answer[bytes] = '\0';
	fclose(in);
	fclose(out);
}
