/* SPDX-License-Identifier: MIT */
/* How far the server is on its way to its end.  main's thread writes it, all threads read it. */
#ifndef LEAVING_H
#define LEAVING_H

#include <stdbool.h>
#include <stdint.h>

struct leaving {
	_Atomic bool begun;    /* /readyz says so, and nothing else has changed */
	_Atomic bool draining; /* nothing is accepted any more, and what was is answered */

	/* Set before ${draining}. */
	uint32_t span;	 /* ms over which the streams end; 0: they stay open until the end */
	uint32_t spread; /* ms over which their clients come back after that */
};

#endif
