/* SPDX-License-Identifier: MIT */
/*
 * What the end of an attempt to follow a stream means: whether to try again, and a sentence for a
 * person.  Pure: no transfer, no clock, no state.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "client_answer.h"
#include "error.h"

enum judge_next {
	JUDGE_AGAIN,  /* connect again, after a pause */
	JUDGE_ENDED,  /* the server has nothing more: ignore the error */
	JUDGE_FAILED, /* the next attempt would fail in the same way */
};

/* An attempt that ended. */
struct judge_attempt {
	const char *shown; /* the URL, to name it */
	const struct client_answer *answer;
	enum client_login login;     /* of the request */
	CURLcode code;		     /* how the transfer ended */
	const struct error *failure; /* what client_failure_error() says of it; of a transfer that
					ended well, of CURLE_GOT_NOTHING */
	bool brought;		     /* the stream delivered a byte */
	bool reconnect;		     /* connect again after a stream ends */
	bool embedded;		     /* the sentence names no option of a command line */
	bool refused_for_good;	     /* no retry after 408, 429 and 5xx */
};

/* judge_stream(attempt, error): a stream began, and the transfer ended. */
enum judge_next judge_stream(const struct judge_attempt *attempt, struct error *error);

/* judge_answer(attempt, error): the transfer ended without a stream. */
enum judge_next judge_answer(const struct judge_attempt *attempt, struct error *error);

/*
 * judge_silence(attempt, stream, ms, error):
 * Nothing came for ${ms}, and the client ended the transfer; a stream had begun if ${stream}.  An
 * answer without a stream counts, even if its body is incomplete.
 */
enum judge_next judge_silence(
	const struct judge_attempt *attempt, bool stream, int64_t ms, struct error *error);

#endif
