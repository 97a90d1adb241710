/* SPDX-License-Identifier: MIT */
/*
 * The sandbox: an intruder who gets control of the server through a fault in it can do no more than
 * the server needs to serve.  The sandbox needs neither root nor a setting of the system.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>

#include "places.h"

/* The result for each part: 0, or an errno that says why it is not in force. */
struct sandbox {
	bool left_out; /* by --no-sandbox */
	int calls;
	int places;
	int abi; /* of Landlock */
};

/*
 * sandbox_enter(sandbox, places, connects):
 * Restrict the calling thread, and the threads that it will make, to the places (places.h) and the
 * system calls (calls.h) that serving needs, and connecting to others, if ${connects}.  They get no new rights, and dump no core, since that
 * would contain secrets.  There is no way out.  If the kernel lacks a part, ${sandbox} says so, and
 * the server goes on without that part.  ${places} are used up.
 */
void sandbox_enter(struct sandbox *sandbox, struct places *places, bool connects);

/* sandbox_say(sandbox): log what is in force, and warn about what is not. */
void sandbox_say(const struct sandbox *sandbox);

#endif
