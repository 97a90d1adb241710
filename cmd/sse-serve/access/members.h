/* SPDX-License-Identifier: MIT */
/*
 * The members of a JSON object that decides about access.  Programs do not agree on what a name
 * that appears twice means, so it is a mistake.  Pure.
 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "json.h"

/* The most members of such an object: comparing all their names takes time. */
#define MEMBERS_MAX 128

enum members {
	MEMBERS_OK,
	MEMBERS_NO_OBJECT, /* another kind of value */
	MEMBERS_TWICE,	   /* a name appears twice, perhaps written with escapes */
	MEMBERS_TOO_MANY,  /* more than MEMBERS_MAX */
	MEMBERS_NO_MEMORY,
};

/*
 * members_check(value):
 * Is it an object in which each name appears once?  ${value} is text that json_check() accepted;
 * objects inside it are not checked.
 */
enum members members_check(struct json_text value);

/*
 * members_find(object, name, value):
 * Store the member's value.  Return false, with ${value} unchanged, if there is no such member.
 */
bool members_find(struct json_text object, const char *name, struct json_text *value);

/* members_has(object, name): is there such a member? */
bool members_has(struct json_text object, const char *name);

#endif
