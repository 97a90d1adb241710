/* SPDX-License-Identifier: MIT */
/* Networks of a test; see network.h. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "network.h"

#define NET "10.77.0."
/* Of the bridge, and what is added to a number. */
#define BRIDGE 1
#define FIRST 10

static bool done(const char *command)
{
	return system(command) == 0;
}

bool network_new(void)
{
	char command[300];

	if (!done("ip -V >/dev/null 2>&1") || unshare(CLONE_NEWNET) != 0)
		return false;
	snprintf(command, sizeof(command),
		"{ ip link set lo up && ip link add sse type bridge && ip addr add %s%d/24 dev sse &&"
		" ip link set sse up; } 2>/dev/null",
		NET, BRIDGE);
	return done(command);
}

void network_address(unsigned number, char *out, size_t size)
{
	snprintf(out, size, "%s%u", NET, FIRST + number);
}

bool network_enter(unsigned number)
{
	char command[400];
	int parent = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), own = -1;
	bool entered;

	if (parent < 0 || unshare(CLONE_NEWNET) != 0)
		return false;
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	/* Its name is new: that of an earlier one may not be gone yet. */
	snprintf(command, sizeof(command),
		"ip link set lo up && ip link add eth0 type veth peer name v%ld netns %ld &&"
		" ip addr add %s%u/24 dev eth0 && ip link set eth0 up",
		(long)getpid(), (long)getppid(), NET, FIRST + number);
	entered = own >= 0 && done(command) && setns(parent, CLONE_NEWNET) == 0;
	snprintf(command, sizeof(command), "ip link set v%ld master sse up", (long)getpid());
	entered = entered && done(command) && setns(own, CLONE_NEWNET) == 0;
	close(parent);
	if (own >= 0)
		close(own);
	return entered;
}

/* Run a command in the process's network. */
static void run_in(pid_t pid, const char *command)
{
	char path[60];
	int status, net;
	pid_t child = fork();

	if (child == 0) {
		snprintf(path, sizeof(path), "/proc/%ld/ns/net", (long)pid);
		net = open(path, O_RDONLY | O_CLOEXEC);
		if (net < 0 || setns(net, CLONE_NEWNET) != 0)
			_exit(1);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
		WEXITSTATUS(status) != 0)
		fail("this fails in the network of process %ld: %s", (long)pid, command);
}

static void route(pid_t pid, const char *verb, unsigned other)
{
	char command[100];

	snprintf(command, sizeof(command), "ip route %s blackhole %s%u/32", verb, NET,
		FIRST + other);
	run_in(pid, command);
}

void network_cut(pid_t pid, unsigned other)
{
	route(pid, "add", other);
}

void network_mend(pid_t pid, unsigned other)
{
	route(pid, "del", other);
}

void network_link(pid_t pid, bool up)
{
	run_in(pid, up ? "ip link set eth0 up" : "ip link set eth0 down");
}
