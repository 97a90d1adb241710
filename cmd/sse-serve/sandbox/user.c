/* SPDX-License-Identifier: MIT */
/* The user that the server becomes; see user.h. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "user.h"

int user_find(const char *name, struct user *user, struct error *error)
{
	const struct passwd *entry;

	*user = (struct user){.name = name};
	if (name == NULL)
		return 0;
	if (geteuid() != 0)
		return error_set(error, EX_USAGE,
			"--user %.60s: only root can become another user; start sse-serve as that "
			"user instead",
			name);
	errno = 0;
	entry = getpwnam(name);
	if (entry == NULL)
		return error_set(error, EX_USAGE, "--user %.60s: %s", name,
			errno == 0 || errno == ENOENT ? "there is no such user" : strerror(errno));
	if (entry->pw_uid == 0)
		return error_set(error, EX_USAGE,
			"--user %.60s: this user has root's rights; name one that does not", name);
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	return 0;
}

int user_become(const struct user *user, struct error *error)
{
	if (user->name == NULL)
		return 0;
	if (initgroups(user->name, user->gid) != 0 ||
		setresgid(user->gid, user->gid, user->gid) != 0 ||
		setresuid(user->uid, user->uid, user->uid) != 0)
		return error_set(error, EX_OSERR, "cannot become the user %.60s: %s", user->name,
			strerror(errno));
	/* There must be no way back to root. */
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0)
		return error_set(error, EX_OSERR,
			"cannot become the user %.60s: root's rights remain", user->name);
	return 0;
}
