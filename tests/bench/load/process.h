/* SPDX-License-Identifier: MIT */
/* What processes cost, as the kernel tells it: the server's, by their ids, and our own. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>

#include "option.h"

struct memory {
	int64_t pss;  /* bytes; what is mapped twice, or by two processes, counts once */
	int64_t anon; /* the part of it that no file is behind */
	int64_t shmem;
};

/*
 * process_cpu(pids): nanoseconds on the CPU of all threads of the processes so far.  A thread that
 * has ended is no longer counted.  0 if there is none.
 */
uint64_t process_cpu(const struct option_list *pids);

/* process_memory(pids): of the processes together. */
struct memory process_memory(const struct option_list *pids);

/* process_own_cpu(): nanoseconds of this one. */
uint64_t process_own_cpu(void);

/* process_pin(cpu): run on that core alone; a negative number leaves it to the system. */
void process_pin(int cpu);

/* process_raise_files(): the limit of open files to the hard one, which is returned. */
uint64_t process_raise_files(void);

#endif
