/* SPDX-License-Identifier: MIT */
/*
 * The struct that a loop's epoll returns for a descriptor: it holds the function to call when
 * ready.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdint.h>

struct source {
	void (*ready)(struct source *source, uint32_t events); /* EPOLLIN and so on */
};

#endif
