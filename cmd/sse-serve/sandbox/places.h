/* SPDX-License-Identifier: MIT */
/*
 * The places in the file system that the server may reach once it serves, limited by Landlock.
 * Landlock gives no rights, it only takes some away: nothing can be executed, and no TCP connection
 * can be made, unless the server has to.
 *
 * A place is a folder with all that is below it.  If another folder takes its name later, the new
 * folder is out of reach.  Files that are already open stay open.
 */
#ifndef PLACES_H
#define PLACES_H

#include <stdbool.h>

enum places_use {
	PLACES_READ,   /* read and list files */
	PLACES_WRITE,  /* read, make, write, rename and remove files */
	PLACES_REMOVE, /* remove files */
};

struct places {
	int ruleset; /* a descriptor, or -1 */
	int abi;     /* the version of Landlock; 0: the kernel has none */
	int why;     /* the errno of the first failure; 0: none */
};

/*
 * places_begin(places, connects): begin with nothing allowed but, if ${connects}, TCP connections;
 * nothing is in force.
 */
void places_begin(struct places *places, bool connects);

/*
 * places_allow(places, use, path):
 * Allow a folder and all below it, or one file.  NULL is ignored, and so is a path that does not
 * exist: the code that opens it later reports that.
 */
void places_allow(struct places *places, enum places_use use, const char *path);

/*
 * places_allow_file(places, use, file):
 * Allow the folder of a file.  The file need not exist, and may be replaced by another of its name.
 * If it is a link, allow the folder of the file that it leads to, and allow reading the folder of
 * the link.  NULL is ignored.
 */
void places_allow_file(struct places *places, enum places_use use, const char *file);

/*
 * places_restrict(places):
 * Restrict the calling thread, and the threads that it will make, to what was allowed.  This needs
 * no_new_privs.  Return 0; or an errno, and nothing is in force.  In both cases ${places} holds no
 * descriptor any more.
 */
int places_restrict(struct places *places);

#endif
