/* SPDX-License-Identifier: MIT */
/*
 * The system calls that the server may make once it serves, limited by seccomp.  It can open, read
 * and write files, accept and serve connections, and make threads.  It cannot make a socket, so it
 * cannot connect to anything, unless it keeps its log in other servers; nor a process; nor executable memory.
 *
 * Any other call fails with ENOSYS, as if the kernel did not have it, and the server goes on: after
 * ENOSYS the C library does without the call, as on an older kernel; after EPERM it would not.
 * Some calls serve only to take over more of the machine, and a server and its libraries never make
 * them.  They end the process at once (SIGSYS), because an intruder is in control of it by then:
 * the intruder gets no second try, and the kernel logs the call.
 */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>

/*
 * calls_restrict(connects):
 * Restrict the calling thread, and the threads that it will make, to these calls, and those that
 * connect to other servers and look up their names, if ${connects}.  Return 0; or an
 * errno, and nothing is in force.
 */
int calls_restrict(bool connects);

#endif
