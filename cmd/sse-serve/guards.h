/* SPDX-License-Identifier: MIT */
/*
 * What the server knows of who is who: who may do what, the keys of hooks, its certificate.  All
 * comes from files, which can be read again while it runs.
 */
#ifndef GUARDS_H
#define GUARDS_H

#include "access/access.h"
#include "base/rates.h"
#include "error.h"
#include "hook/hooks.h"
#include "options.h"
#include "tls/certificates.h"

struct guards {
	struct access_config access_config;
	struct access *access; /* or NULL */
	struct hooks *hooks;   /* or NULL */
	struct certificates_config certificates_config;
	struct certificates *certificates; /* or NULL */
	struct rates *wrong_proofs;	   /* NULL if nobody can prove anything */
};

/*
 * guards_open(guards, options, error):
 * Read the files that the options name, which outlive ${guards}.  Return 0, or -1 with the reason.
 * After both, guards_close().
 */
int guards_open(struct guards *guards, const struct options *options, struct error *error);

/*
 * guards_reload(guards, error):
 * Read all files again.  Return 0, or -1 with the reason, and nothing has changed.  Not on a loop,
 * one thread at a time.
 */
int guards_reload(struct guards *guards, struct error *error);

/* guards_look_at_certificates(guards, error): see server_look_at_certificates(). */
int guards_look_at_certificates(struct guards *guards, struct error *error);

/* guards_close(guards): release what they hold. */
void guards_close(struct guards *guards);

#endif
