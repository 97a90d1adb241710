/* SPDX-License-Identifier: MIT */
/* What a loop's epoll hands back: something that knows what to do when it is ready. */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdint.h>

struct source {
	void (*ready)(struct source *source, uint32_t events); /* EPOLLIN and so on */
};

#endif
