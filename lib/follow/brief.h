/* SPDX-License-Identifier: MIT */
/*
 * Why an attempt failed, in the fewest words that say it: for a line that also names the host, in a
 * narrow terminal.  The sentences are those of client_answer.h and judge.h.
 */
#ifndef BRIEF_H
#define BRIEF_H

#include <curl/curl.h>
#include <stdbool.h>

#include "client_answer.h"

/* How it ended. */
struct brief {
	bool stream;	/* after a stream had begun */
	bool silent;	/* nothing was received for too long */
	CURLcode code;	/* of the transfer */
	long os_number; /* errno of its connection; 0: none */
	const struct client_answer *answer;
};

/* Room for the words, with "connection refused" and a status that has a long reason. */
#define BRIEF_TEXT 96

/* brief_write(brief, text): write the words, without an end; return ${text}.  Pure. */
const char *brief_write(const struct brief *brief, char text[BRIEF_TEXT]);

#endif
