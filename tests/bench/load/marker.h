/* SPDX-License-Identifier: MIT */
/*
 * What events carry, so that they can be found in any server's stream, and checked:
 *
 *     <#PPPPNNNNNNNNNNNNTTTTTTTTTTTTTTTT#>xxxx...!
 *
 * the number of the publisher, the number of the event among the publisher's, and when it was
 * sent, in nanoseconds of the monotonic clock, all in hex; then filling up to the size that was
 * asked for, of which the last byte shows that the event is whole.
 */
#ifndef MARKER_H
#define MARKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARKER_SIZE 36	 /* up to the filling */
#define MARKER_FIRST '<' /* no head, frame or filling has it */
#define MARKER_SECOND '#'
#define MARKER_LAST '!'
#define MARKER_LEAST (MARKER_SIZE + 1) /* the smallest event */

struct marker {
	unsigned publisher;
	uint32_t number;
	uint64_t sent;
};

/* marker_fill(event, size): an event of the size, to be numbered by marker_write(). */
void marker_fill(char *event, size_t size);

/* marker_write(event, marker): number it. */
void marker_write(char *event, const struct marker *marker);

/* marker_read(event, marker): false if these MARKER_SIZE bytes are none. */
bool marker_read(const char *event, struct marker *marker);

/* now_ns(): the monotonic clock. */
uint64_t now_ns(void);

#endif
