/* SPDX-License-Identifier: MIT */
/* NATS servers of a test; see nats.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "nats.h"
#include "net.h"
#include "network.h"
#include "skew.h"

/* The most bytes of a server's answer about its streams. */
#define ANSWER 65536

static void path_of(
	const struct nats_cluster *cluster, unsigned which, const char *suffix, char out[300])
{
	snprintf(out, 300, "%s/n%u%s", cluster->folder, cluster->servers[which].number, suffix);
}

static void write_config(const struct nats_cluster *cluster, unsigned which)
{
	const struct nats *nats = &cluster->servers[which];
	char path[300], store[300];
	FILE *file;

	path_of(cluster, which, ".conf", path);
	path_of(cluster, which, "", store);
	file = fopen(path, "we");
	if (file == NULL)
		fail("cannot write %s: %s", path, strerror(errno));
	fprintf(file,
		"server_name: n%u\nlisten: \"%s:%d\"\nhttp: \"%s:%d\"\n"
		"jetstream { store_dir: \"%s\", max_file_store: 4GB, max_memory_store: 16MB }\n"
		"cluster { name: fault, listen: \"%s:%d\", routes: [\n",
		nats->number, nats->address, nats->client, nats->address, nats->monitor, store,
		nats->address, nats->route);
	for (unsigned i = 0; i < NATS_SERVERS; i++)
		fprintf(file, " \"nats://%s:%d\"\n", cluster->servers[i].address,
			cluster->servers[i].route);
	fprintf(file, "] }\n");
	if (fclose(file) != 0)
		fail("cannot write %s: %s", path, strerror(errno));
}

void nats_setup(struct nats_cluster *cluster)
{
	for (unsigned i = 0; i < NATS_SERVERS; i++) {
		struct nats *nats = &cluster->servers[i];

		*nats = (struct nats){.number = i + 1,
			.skew = nats->skew,
			.client = net_free_port(),
			.route = net_free_port(),
			.monitor = net_free_port()};
		if (cluster->private)
			network_address(nats->number, nats->address, sizeof(nats->address));
		else
			snprintf(nats->address, sizeof(nats->address), "127.0.0.1");
	}
	for (unsigned i = 0; i < NATS_SERVERS; i++)
		write_config(cluster, i);
}

void nats_urls(const struct nats_cluster *cluster, char *out, size_t size)
{
	size_t len = 0;

	for (unsigned i = 0; i < NATS_SERVERS && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%snats://%s:%d", i > 0 ? "," : "",
			cluster->servers[i].address, cluster->servers[i].client);
}

/* In the child. */
static _Noreturn void run(const struct nats_cluster *cluster, unsigned which, pid_t parent)
{
	char config[300], path[300];
	int log;

	path_of(cluster, which, ".conf", config);
	path_of(cluster, which, ".log", path);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close(log);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (cluster->private && !network_enter(cluster->servers[which].number))
		_exit(1);
	if (cluster->servers[which].skew != 0)
		skew_prepare();
	execlp(cluster->program, cluster->program, "-c", config, (char *)NULL);
	fprintf(stderr, "cannot run %s: %s\n", cluster->program, strerror(errno));
	_exit(127);
}

void nats_launch(struct nats_cluster *cluster, unsigned which)
{
	struct nats *nats = &cluster->servers[which];
	pid_t parent = getpid();

	nats->pid = fork();
	if (nats->pid < 0)
		fail("no process: %s", strerror(errno));
	if (nats->pid == 0)
		run(cluster, which, parent);
	if (nats->skew != 0 && !skew_begin(nats->pid, nats->skew)) {
		fprintf(stderr, "cluster: a NATS server cannot have a wrong clock on this machine\n");
		exit(77);
	}
}

void nats_kill(struct nats_cluster *cluster, unsigned which)
{
	struct nats *nats = &cluster->servers[which];
	int status;

	if (kill(nats->pid, SIGKILL) != 0 || waitpid(nats->pid, &status, 0) != nats->pid)
		fail("cannot kill the NATS server n%u: %s", nats->number, strerror(errno));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail("the NATS server n%u ended by itself (wait status %d)", nats->number, status);
	nats->pid = 0;
}

/* What the server says of its streams; false if it does not answer. */
static bool ask(const struct nats *nats, char answer[ANSWER])
{
	static const char request[] =
		"GET /jsz?accounts=true&streams=true HTTP/1.0\r\nHost: localhost\r\n\r\n";
	int fd = net_dial_at(nats->address, nats->monitor);
	size_t len = 0;
	ssize_t got = 0;

	if (fd < 0)
		return false;
	if (net_send(fd, request, sizeof(request) - 1)) {
		while (len < ANSWER - 1 && (got = read(fd, answer + len, ANSWER - 1 - len)) > 0)
			len += (size_t)got;
	}
	close(fd);
	answer[len] = '\0';
	return len > 0 && got == 0;
}

int nats_leader(const struct nats_cluster *cluster, const char *stream)
{
	char answer[ANSWER], name[100];

	snprintf(name, sizeof(name), "\"name\": \"%s\"", stream);
	for (unsigned i = 0; i < NATS_SERVERS; i++) {
		const struct nats *nats = &cluster->servers[i];
		const char *found;
		unsigned number;

		if (nats->pid == 0 || !ask(nats, answer))
			continue;
		found = strstr(answer, name);
		found = found != NULL ? strstr(found, "\"leader\": \"n") : NULL;
		if (found != NULL && sscanf(found, "\"leader\": \"n%u", &number) == 1 &&
			number >= 1 && number <= NATS_SERVERS)
			return (int)number - 1;
	}
	return -1;
}

/* What a server says that it has of the stream; false if it does not say so. */
static bool ask_state(const struct nats *nats, const char *name, uint64_t *last, uint64_t *bytes)
{
	char answer[ANSWER];
	const char *stream, *found_last, *found_bytes;

	if (!ask(nats, answer) || (stream = strstr(answer, name)) == NULL ||
		(stream = strstr(stream, "\"state\": {")) == NULL)
		return false;
	found_last = strstr(stream, "\"last_seq\": ");
	found_bytes = strstr(stream, "\"bytes\": ");
	return found_last != NULL && found_bytes != NULL &&
	       sscanf(found_last, "\"last_seq\": %" SCNu64, last) == 1 &&
	       sscanf(found_bytes, "\"bytes\": %" SCNu64, bytes) == 1;
}

bool nats_agree(const struct nats_cluster *cluster, const char *stream, char *out, size_t size)
{
	int64_t end = clock_now_ms() + NET_PATIENCE_MS;
	char name[100];
	bool same;

	snprintf(name, sizeof(name), "\"name\": \"%s\"", stream);
	do {
		uint64_t first_last = 0, first_bytes = 0, last = 0, bytes = 0;
		size_t len = 0;

		same = true;
		for (unsigned i = 0; i < NATS_SERVERS && len < size; i++) {
			same &= ask_state(&cluster->servers[i], name, &last, &bytes);
			if (i == 0) {
				first_last = last;
				first_bytes = bytes;
			}
			same &= last == first_last && bytes == first_bytes;
			len += (size_t)snprintf(out + len, size - len,
				"%sn%u ends at %" PRIu64 " with %" PRIu64 " bytes",
				i > 0 ? ", " : "", cluster->servers[i].number, last, bytes);
		}
		if (!same)
			net_pause(50);
	} while (!same && clock_now_ms() < end);
	return same;
}

static void limit_files(struct nats *nats, rlim_t bytes)
{
	const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};

	if (prlimit(nats->pid, RLIMIT_FSIZE, &limit, NULL) != 0)
		fail("cannot limit the files of n%u: %s", nats->number, strerror(errno));
}

void nats_fill_disk(struct nats_cluster *cluster, unsigned which)
{
	limit_files(&cluster->servers[which], 1);
}

void nats_clear_disk(struct nats_cluster *cluster, unsigned which)
{
	limit_files(&cluster->servers[which], RLIM_INFINITY);
}
