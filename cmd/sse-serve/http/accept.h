/* SPDX-License-Identifier: MIT */
/*
 * What a client says that it takes: Accept and Accept-Encoding (RFC 9110, sections 12.5.1 and
 * 12.5.3).  Pure functions.  A header is its value, NULL if it is not there.  Of the parameters of
 * a media range only the weight, q=, counts; a weight that cannot be read is 0.
 */
#ifndef ACCEPT_H
#define ACCEPT_H

#include <stdbool.h>

/*
 * accept_names(header, name):
 * Is this media type or coding in the list by its own name, with a weight above 0?
 */
bool accept_names(const char *header, const char *name);

/*
 * accept_prefers(header, type, usual):
 * Is ${type} rather to be sent than ${usual}, which a client without a wish gets?  So it is if its
 * weight is larger, by the range that matches it most closely, or if the weights are the same and
 * its range is the closer one, as text/html is among text/html and any other.
 */
bool accept_prefers(const char *header, const char *type, const char *usual);

#endif
