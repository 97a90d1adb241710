/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD: a thread hangs.  Once there is a file "hang" here, the first thread that waits in
 * epoll_wait() never comes back from there.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
	static int (*real)(int, struct epoll_event *, int, int);
	static atomic_flag hung = ATOMIC_FLAG_INIT;

	if (real == NULL)
		real = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
	if (access("hang", F_OK) == 0 && !atomic_flag_test_and_set(&hung)) {
		for (;;)
			poll(NULL, 0, 1000);
	}
	return real(epoll, events, max, timeout);
}
