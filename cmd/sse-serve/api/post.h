/* SPDX-License-Identifier: MIT */
/*
 * Events on their way into the log: a request has them, the log thread stores them, and then the
 * request is answered.
 */
#ifndef POST_H
#define POST_H

#include <stdbool.h>

#include "batch.h"
#include "buf.h"
#include "http/request.h"
#include "log/identity.h"
#include "log/log_thread.h"

/* The longest line of an answer to a batch: {"id":"","duplicate":false} and its end. */
#define POST_ANSWER_LINE (IDENTITY_TEXT + 32)

/* What the key of one event is. */
enum post_key {
	POST_KEY_HEADER,     /* an Idempotency-Key */
	POST_KEY_CLOUDEVENT, /* the source and id of a CloudEvent */
	POST_KEY_DELIVERY,   /* the id of a webhook's delivery */
};

/* What is published, with all that it points to. */
struct post {
	struct publish publish; /* first */
	struct request *request;
	/* A body that is one event; what closes the topic after it, or as the first. */
	struct store_append append[2];
	struct batch batch;	   /* a body of many; count 0: it is not one */
	struct buf data;	   /* of the one event, if it is not the body itself */
	struct buf attributes;	   /* strings decoded out of the body */
	struct buf answer;	   /* the lines of the answer */
	struct sse_text type, key; /* key.len 0: it has none */
	struct sse_text subject;   /* len 0: it has none */
	enum post_key key_is;	   /* of one event */
	bool subject_in_data;	   /* the data says the same */
	bool ephemeral;		   /* to be passed on, and not stored */
	bool lines;		   /* an answer line for each event is wanted */
};

/*
 * post_check_coding(request): is the body sent as it is?  False after replying 415: nothing is
 * decoded (RFC 9110, section 15.5.16).
 */
bool post_check_coding(struct request *request);

/*
 * post_new(request): begin with nothing to publish.  The post lives as long as the request.  Return
 * NULL after replying 503.
 */
struct post *post_new(struct request *request);

/*
 * post_one(post, topic, data):
 * Publish one event with this data, and with the post's type, subject and key.  The texts must live
 * as long as the post.
 */
void post_one(struct post *post, const char *topic, struct sse_text data);

/*
 * post_close(post, topic): close the topic after what post_one() published, if it did.  Otherwise the
 * post's key is that of the closing.
 */
void post_close(struct post *post, const char *topic);

/*
 * post_end(post, status, error):
 * If ${status} is 0, hand the events to the log thread: the request is answered after they are
 * stored, at once if --rate or the log refuses them, or was answered already.  Otherwise, answer
 * ${status} with the sentence in ${error}.
 */
void post_end(struct post *post, unsigned status, const struct error *error);

/*
 * post_answer(post):
 * Answer the request, after the log thread is done with the post.  The answer may point into
 * post->answer, which lives as long as the request.  Only post.c calls it; it is in post_answer.c.
 */
void post_answer(struct post *post);

#endif
