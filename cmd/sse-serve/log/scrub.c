/* SPDX-License-Identifier: MIT */
/* Zeroing what SQLite leaves in its pages; see scrub.h. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "scrub.h"

/* Of a b-tree page (fileformat2.html, section 1.6). */
#define INTERIOR_INDEX 2
#define INTERIOR_TABLE 5
#define LEAF_INDEX 10
#define LEAF_TABLE 13
#define CELLS_AT 3   /* in its header: how many cells it has, */
#define CONTENT_AT 5 /* and where the first of them begins */
#define HEADER_LEAF 8
#define HEADER_INTERIOR 12
#define FILE_HEADER 100 /* before the header of page 1 */
#define PAGE_MIN 512

/*
 * The pages of a b-tree begin with their kind; all others, but for those of the pointer map, with
 * the number of a page, whose first byte is 0 or 1 in files of fewer than 2^25 pages.  The file may
 * grow in the checkpoint that is under way.
 */
#define PAGES_MAX ((sqlite3_int64)1 << 24)

static size_t number_at(const unsigned char *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* Is it a page of the pointer map, which auto_vacuum needs (section 1.8)? */
static bool is_map(size_t size, sqlite3_int64 number)
{
	return number >= 2 && (number - 2) % ((sqlite3_int64)size / 5 + 1) == 0;
}

static bool is_leaf(unsigned kind)
{
	return kind == LEAF_INDEX || kind == LEAF_TABLE;
}

void scrub_range(
	const unsigned char *page, size_t size, sqlite3_int64 number, size_t *from, size_t *to)
{
	size_t header = number == 1 ? FILE_HEADER : 0, begin, end;
	unsigned kind = page[header];

	*from = *to = 0;
	if (is_map(size, number) ||
		(!is_leaf(kind) && kind != INTERIOR_INDEX && kind != INTERIOR_TABLE))
		return;
	begin = header + (is_leaf(kind) ? HEADER_LEAF : HEADER_INTERIOR) +
		2 * number_at(page + header + CELLS_AT);
	end = number_at(page + header + CONTENT_AT);
	if (end == 0)
		end = SCRUB_PAGE_MAX;
	if (begin > end || end > size)
		return;
	*from = begin;
	*to = end;
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

static bool is_page(int size, sqlite3_int64 offset)
{
	return size >= PAGE_MIN && size <= SCRUB_PAGE_MAX && offset % size == 0;
}

static bool is_small(const struct scrub *scrub, sqlite3_file *file, int size, sqlite3_int64 offset)
{
	sqlite3_int64 length = 0;

	return scrub->original->xFileSize(file, &length) == SQLITE_OK &&
	       length / size < PAGES_MAX && offset / size < PAGES_MAX;
}

static int scrubbed_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
	/* The methods are its first member. */
	struct scrub *scrub = (struct scrub *)(uintptr_t)file->pMethods;
	const unsigned char *page = data;
	size_t from = 0, to = 0;

	if (is_page(size, offset))
		scrub_range(page, (size_t)size, offset / size + 1, &from, &to);
	if (!is_zero(page + from, to - from) && is_small(scrub, file, size, offset)) {
		memcpy(scrub->page, page, (size_t)size);
		memset(scrub->page + from, 0, to - from);
		data = scrub->page;
	}
	return scrub->original->xWrite(file, data, size, offset);
}

int scrub_start(struct scrub *scrub, sqlite3 *db)
{
	sqlite3_file *file = NULL;
	int reserved = -1;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
		sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) !=
			SQLITE_OK ||
		file == NULL || file->pMethods == NULL)
		return -1;
	/* Not a database that we made. */
	if (reserved > 0)
		return 0;
	scrub->original = file->pMethods;
	scrub->methods = *scrub->original;
	scrub->methods.xWrite = scrubbed_write;
	file->pMethods = &scrub->methods;
	return 0;
}
