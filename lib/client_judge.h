/* SPDX-License-Identifier: MIT */
/*
 * What the end of an attempt to follow a stream means: whether to try again, and a sentence for a
 * person.  Pure: no transfer, no clock, no state.
 */
#ifndef CLIENT_JUDGE_H
#define CLIENT_JUDGE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "client_answer.h"
#include "error.h"

enum judge_next {
	JUDGE_AGAIN,  /* connect again, after a pause */
	JUDGE_ENDED,  /* the server has nothing more: the error is of no account */
	JUDGE_FAILED, /* the next attempt would bring the same */
};

/* An attempt that came to its end. */
struct judge_attempt {
	const char *shown; /* the URL, to name it */
	const struct client_answer *answer;
	CURLcode code;		     /* how the transfer ended */
	const struct error *failure; /* what client_failure_error() says of it; of a transfer that
					ended well, of CURLE_GOT_NOTHING */
	bool brought;		     /* the stream brought a byte */
	bool reconnect;		     /* a stream that ends is connected again */
	bool refused_for_good;	     /* 408, 429 and 5xx are not tried again */
};

/* judge_stream(attempt, error): a stream began, and the transfer ended. */
enum judge_next judge_stream(const struct judge_attempt *attempt, struct error *error);

/* judge_answer(attempt, error): the transfer ended without a stream. */
enum judge_next judge_answer(const struct judge_attempt *attempt, struct error *error);

/*
 * judge_silence(attempt, stream, ms, error):
 * Nothing came for ${ms}, and the transfer was broken off; a stream had begun if ${stream}.  An answer
 * that has no stream counts, though its body is not whole.
 */
enum judge_next judge_silence(
	const struct judge_attempt *attempt, bool stream, int64_t ms, struct error *error);

#endif
