/* SPDX-License-Identifier: MIT */
/* What sse-serve does with its database instead of serving: --verify, --export, --import, --backup. */
#ifndef MAINTAIN_H
#define MAINTAIN_H

#include <stdio.h>

#include "error.h"

/*
 * maintain_verify(path, error):
 * Check the database at ${path}, which no server may have open, and do not change it.  Print on
 * stdout that it is sound, or on stderr what is wrong.  Return 0, or -1: EX_DATAERR, without text
 * if stderr has it all; EX_TEMPFAIL, EX_NOINPUT or as database_check().
 */
int maintain_verify(const char *path, struct error *error);

/*
 * maintain_export(path, out, error):
 * Write the log as NDJSON, as of one moment; a server may use the log meanwhile (its WAL grows
 * until the export has ended).  The lines, in this order:
 *   {"sse-log":1,"head":N}                           the format's version; the newest position
 *   {"incarnation":TAG,"opened":N}                   each, the oldest first
 *   {"topic":NAME,"removed":N}                       each, in the order of their numbers; with
 *                                                    "deleted":N, "superseded":N and "closed":N
 *                                                    where there is such an event, and "erased":N,
 *                                                    the position that a deletion took
 *   {"topic","id","time","event","data"}             each event; with "subject":TEXT after its type
 *                                                    if it has one; with "text":true if the data is
 *                                                    text and not JSON; with "raw":TEXT instead of
 *                                                    its data (null) if the JSON has line ends, or
 *                                                    is nested too deep for this line
 *   {"key","topic","id","time","fingerprint"}        each key; the fingerprint in hexadecimal
 *   {"end":true,"events":N,"keys":N}                 the export is complete
 * Return 0, or -1 with EX_NOINPUT, EX_IOERR (no text if the reader closed the pipe) or as
 * database_check().
 */
int maintain_export(const char *path, FILE *out, struct error *error);

/*
 * maintain_import(path, in, error):
 * Create the database at ${path}, which does not exist or is empty, from the output of
 * maintain_export(): all of it, or nothing.  Return 0, or -1 with EX_DATAERR, EX_CANTCREAT,
 * EX_TEMPFAIL or EX_IOERR.
 */
int maintain_import(const char *path, FILE *in, struct error *error);

/*
 * maintain_backup(path, file, error):
 * Copy the database at ${path}, as of one moment, to ${file}, which must not exist: all of it, synced
 * and with mode 0600, or nothing.  A server may use the database meanwhile (its WAL grows until the
 * copy is complete).  No page of the copy has remains of what was deleted before it began.  Return 0,
 * or -1 with EX_CANTCREAT, EX_NOINPUT, EX_TEMPFAIL (a signal came), EX_IOERR or as database_check().
 */
int maintain_backup(const char *path, const char *file, struct error *error);

#endif
