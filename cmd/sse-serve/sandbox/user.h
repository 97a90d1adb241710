/* SPDX-License-Identifier: MIT */
/* The user that the server becomes once it has what only root can get. */
#ifndef USER_H
#define USER_H

#include <sys/types.h>

#include "error.h"

struct user {
	const char *name; /* NULL: do not change the user */
	uid_t uid;
	gid_t gid;
};

/*
 * user_find(name, user, error):
 * Look the user up; ${name} may be NULL, otherwise ${user} keeps it.  Return 0, or -1 if we are not
 * root, or if the user does not exist or is root (EX_USAGE).
 */
int user_find(const char *name, struct user *user, struct error *error);

/*
 * user_become(user, error):
 * Take the user's ids and groups, with no way back.  Call it before there is a second thread.
 * Return 0, or -1 with the reason (EX_OSERR).
 */
int user_become(const struct user *user, struct error *error);

#endif
