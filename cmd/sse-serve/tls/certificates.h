/* SPDX-License-Identifier: MIT */
/*
 * The server's certificate with its private key, and the CA that signs the certificates of clients.
 * They can be read again while sessions use the old ones.
 */
#ifndef CERTIFICATES_H
#define CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "tls.h"

struct certificate_set;
struct certificates;
struct principal;

/* What is said when a CA of --client-ca is gone. */
#define CERTIFICATES_CA_GONE "the CA of the certificate was withdrawn"

/* The files, in PEM.  It outlives the struct certificates. */
struct certificates_config {
	const char *cert;      /* the certificate, followed by those that lead to its root */
	const char *key;       /* the private key; only its owner may be able to write it */
	const char *client_ca; /* clients must have a certificate of one of these; or NULL */
};

/*
 * certificates_new(config, error):
 * Read the files.  Return NULL with the file and what is wrong with it (EX_NOINPUT, EX_DATAERR,
 * EX_OSERR).  If other users can read the key, a warning is logged.
 */
struct certificates *certificates_new(
	const struct certificates_config *config, struct error *error);

/*
 * certificates_read(certificates, error):
 * Read the files again, for certificates_use().  Return NULL with the reason.  One thread.
 */
struct certificate_set *certificates_read(struct certificates *certificates, struct error *error);

/*
 * certificates_use(certificates, set): new sessions use this from now on; it is taken.  Sessions
 * that exist stay as they are, but the principals of CAs that are gone end.  Any thread.
 */
void certificates_use(struct certificates *certificates, struct certificate_set *set);

/* certificates_drop(set): call it instead of certificates_use().  Takes NULL. */
void certificates_drop(struct certificate_set *set);

/*
 * certificates_changed(certificates):
 * Is there something new on the disk, which did not change since the last call?  True once for each
 * change, whether or not the files are then used.  The thread of certificates_read().
 */
bool certificates_changed(struct certificates *certificates);

/* certificates_session(certificates, fd): a new session (tls_new()).  Any thread. */
struct tls *certificates_session(struct certificates *certificates, int fd);

/*
 * certificates_authority(certificates, ca):
 * The principal, held, that stands for this CA of --client-ca; NULL if it is none, or not any more.
 * Any thread.
 */
struct principal *certificates_authority(
	struct certificates *certificates, const unsigned char ca[TLS_CA]);

/* certificates_expire(certificates): when the certificate expires, s since 1970.  Any thread. */
int64_t certificates_expire(struct certificates *certificates);

/* certificates_free(certificates): call it when no thread uses them.  Takes NULL. */
void certificates_free(struct certificates *certificates);

#endif
