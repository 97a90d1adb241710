/* SPDX-License-Identifier: MIT */
/* The end of a fault test that found something: one sentence, and nothing is cleaned up. */
#ifndef FAIL_H
#define FAIL_H

#include <stdint.h>
#include <sys/types.h>

/*
 * fail_setup(program, folder, seed): whose sentences these are, where the evidence lies, and by
 * which random choices it came about.
 */
void fail_setup(const char *program, const char *folder, uint64_t seed);

/* fail_server(pid): the process to end with us, 0 for none. */
void fail_server(pid_t pid);

/* fail_with(number): from now on this is the status of a failure. */
void fail_with(int number);

/* fail(format, ...): print the sentence, end the server, exit with 1, or fail_with()'s.  Any thread may call it. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
