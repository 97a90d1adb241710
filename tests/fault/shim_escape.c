/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD: somebody has got control of the server.  When it accepts the first connection, it does
 * what SHIM_ESCAPE names, and says on stderr whether it could: "escape: done", or "escape: denied"
 * with the reason.
 *
 *	open      reads /etc/passwd
 *	write     makes the file that SHIM_ESCAPE_FILE names
 *	socket    makes a socket
 *	connect   connects to the server's own port, which listens
 *	fork      makes a process
 *	code      has memory that can be executed
 *	exec      becomes the program true, which ends with 0
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int try_open(int listener)
{
	(void)listener;
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int try_write(int listener)
{
	const char *path = getenv("SHIM_ESCAPE_FILE");

	(void)listener;
	return path != NULL ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
}

static int try_socket(int listener)
{
	(void)listener;
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* By a socket that was there before, too, if a new one is not to be had. */
static int try_connect(int listener)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	int fd;

	if (getsockname(listener, (struct sockaddr *)&address, &len) != 0)
		return -1;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return connect(fd >= 0 ? fd : listener, (struct sockaddr *)&address, len);
}

static int try_fork(int listener)
{
	pid_t child = fork();

	(void)listener;
	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid(child, NULL, 0);
	return child > 0 ? 0 : -1;
}

static int try_code(int listener)
{
	void *code = mmap(
		NULL, 1, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)listener;
	return code != MAP_FAILED ? 0 : -1;
}

static int try_exec(int listener)
{
	char *const none[] = {NULL};

	(void)listener;
	execve("/bin/true", none, none);
	return -1;
}

static const struct attempt {
	const char *name;
	int (*run)(int listener);
} attempts[] = {
	{"open", try_open},
	{"write", try_write},
	{"socket", try_socket},
	{"connect", try_connect},
	{"fork", try_fork},
	{"code", try_code},
	{"exec", try_exec},
};

static void escape(int listener)
{
	const char *wanted = getenv("SHIM_ESCAPE");

	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		if (wanted == NULL || strcmp(attempts[i].name, wanted) != 0)
			continue;
		if (attempts[i].run(listener) >= 0)
			dprintf(STDERR_FILENO, "escape: done\n");
		else
			dprintf(STDERR_FILENO, "escape: denied: %s\n", strerror(errno));
	}
}

int accept4(int listener, struct sockaddr *address, socklen_t *len, int flags)
{
	int (*real)(int, struct sockaddr *, socklen_t *, int) =
		(int (*)(int, struct sockaddr *, socklen_t *, int))dlsym(RTLD_NEXT, "accept4");
	static atomic_flag tried = ATOMIC_FLAG_INIT;
	int fd = real(listener, address, len, flags);

	if (fd >= 0 && !atomic_flag_test_and_set(&tried))
		escape(listener);
	return fd;
}
