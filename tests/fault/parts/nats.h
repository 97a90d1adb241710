/* SPDX-License-Identifier: MIT */
/* Three NATS servers, a cluster with JetStream, each to be killed, stopped, cut off and started again. */
#ifndef NATS_H
#define NATS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define NATS_SERVERS 3

struct nats {
	unsigned number;  /* its name is n and this */
	char address[20]; /* where it listens: of the loopback, or of a network of its own */
	int client, route, monitor; /* the ports */
	int skew;		    /* its clock is wrong by so many seconds */
	pid_t pid;		    /* 0: it does not run */
};

struct nats_cluster {
	const char *program;
	const char
		*folder; /* has their configurations, logs, and n1, n2, n3 with what they store */
	bool private;	 /* each has a network of its own; see network.h */
	struct nats servers[NATS_SERVERS];
};

/* nats_setup(cluster): choose ports and write configurations; program, folder and private are set. */
void nats_setup(struct nats_cluster *cluster);

/* nats_urls(cluster, out, size): as --store takes them. */
void nats_urls(const struct nats_cluster *cluster, char *out, size_t size);

/* nats_launch(cluster, which): start it, without waiting for anything; 77 if it needs a wrong clock and cannot. */
void nats_launch(struct nats_cluster *cluster, unsigned which);

/* nats_kill(cluster, which): kill -9, and wait until it is gone; it must not have ended by itself. */
void nats_kill(struct nats_cluster *cluster, unsigned which);

/*
 * nats_leader(cluster, stream): the number of the server that leads this stream, from 0, as one of the
 * servers says; -1 if none does.
 */
int nats_leader(const struct nats_cluster *cluster, const char *stream);

/*
 * nats_agree(cluster, stream, out, size): do all servers, which run, say that the stream ends at the same
 * message, and has as many bytes?  They have some time to.  If not, write what they say.
 */
bool nats_agree(const struct nats_cluster *cluster, const char *stream, char *out, size_t size);

/*
 * nats_fill_disk(cluster, which): from now on, none of its files can grow.
 * nats_clear_disk(cluster, which): they can again.
 */
void nats_fill_disk(struct nats_cluster *cluster, unsigned which);
void nats_clear_disk(struct nats_cluster *cluster, unsigned which);

#endif
