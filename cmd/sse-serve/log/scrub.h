/* SPDX-License-Identifier: MIT */
/*
 * Zeroes the unused middle of each b-tree page that SQLite writes into the database file.
 *
 * With secure_delete SQLite overwrites what it deletes.  But when it balances pages, it moves cells
 * to other pages or within one, and sometimes leaves their bytes behind, in the space between the
 * page's cell pointers and its cells, which the file format calls unallocated (sqlite.org,
 * fileformat2.html, section 1.6).  About one in a thousand deleted events could be read there.
 *
 * A page reaches the file in a checkpoint, by one write of the file's methods.  That is where this
 * comes in, on the connection that writes; the WAL, which has the page before, is cut after a
 * deletion.  In files of 64 GiB or more it does nothing: there the first byte of a page does not
 * tell whether the page is of a b-tree.
 */
#ifndef SCRUB_H
#define SCRUB_H

#include <sqlite3.h>
#include <stddef.h>

/* The largest page of SQLite. */
#define SCRUB_PAGE_MAX 65536

struct scrub {
	sqlite3_io_methods methods; /* first: the file's methods, with another xWrite */
	const sqlite3_io_methods *original;
	unsigned char page[SCRUB_PAGE_MAX];
};

/*
 * scrub_start(scrub, db):
 * Scrub what the connection writes into its database file, from now on; ${scrub} outlives the
 * connection.  Return 0, or -1 if SQLite fails.
 */
int scrub_start(struct scrub *scrub, sqlite3 *db);

/*
 * scrub_range(page, size, number, from, to):
 * The unallocated bytes of a page, as it is written at the place ${number} (from 1) of a database
 * with auto_vacuum and pages without reserved bytes: [*from, *to).  Both are 0 if the page is of no
 * b-tree.
 */
void scrub_range(
	const unsigned char *page, size_t size, sqlite3_int64 number, size_t *from, size_t *to);

#endif
