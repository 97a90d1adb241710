/* SPDX-License-Identifier: MIT */
/*
 * What a client accepts: Accept and Accept-Encoding (RFC 9110, sections 12.5.1 and 12.5.3).  Pure
 * functions.  ${header} is the header's value, or NULL if the request does not have it.  The only
 * parameter of a media range that counts is the weight, q=; a weight that is not valid counts as 0.
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
 * Should the server send ${type} rather than ${usual}, which a client without a preference gets?
 * Yes, if the weight of the range that matches ${type} most closely is larger; or if the weights
 * are equal and its range is more specific, as text/html is more specific than a wildcard.
 */
bool accept_prefers(const char *header, const char *type, const char *usual);

#endif
