/* SPDX-License-Identifier: MIT */
/* The names of the folders and files of a spool; see spool.h for their purpose.  Pure. */
#ifndef SPOOL_NAME_H
#define SPOOL_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the longest name of a file, and of a queue's folder, with its NUL. */
#define SPOOL_NAME_SIZE 96

#define SPOOL_NAME_LOCK "lock"
#define SPOOL_NAME_FLUSH "flush"
#define SPOOL_NAME_URL "url"
#define SPOOL_NAME_FAILED "failed"
#define SPOOL_NAME_SENDING "sending"
#define SPOOL_NAME_REASON ".reason"

/* The largest number that a file can have: it has 16 digits. */
#define SPOOL_NAME_NUMBER_MAX UINT64_C(9999999999999999)

/*
 * spool_name_queue(url, name):
 * The folder of the queue for a URL: "http://localhost:8000/api/users" becomes
 * "localhost_8000_api_users-" and 16 digits that differ from URL to URL.
 */
void spool_name_queue(const char *url, char name[SPOOL_NAME_SIZE]);

/* spool_name_file(number, events, name): "0000000000000012.3.events" is number 12, of 3 events. */
void spool_name_file(uint64_t number, uint64_t events, char name[SPOOL_NAME_SIZE]);

/*
 * spool_name_again(name, suffix, events, out):
 * The name of another file made from the file ${name}: the part before its first dot (at most 40
 * bytes of it), ${suffix}, and how many events it has.
 */
void spool_name_again(
	const char *name, const char *suffix, uint64_t events, char out[SPOOL_NAME_SIZE]);

/*
 * spool_name_rest(name, events, out): the name of the file ${name} when ${events} are left in it.
 */
void spool_name_rest(const char *name, uint64_t events, char out[SPOOL_NAME_SIZE]);

/*
 * spool_name_read(name, number, events):
 * Store the number of a file and how many events are in it, also of one in failed/
 * ("0000000000000012-2.1.events"); false if it is not the name of such a file.
 */
bool spool_name_read(const char *name, uint64_t *number, uint64_t *events);

#endif
