/* SPDX-License-Identifier: MIT */
/* --delete: one event is taken back; see run.h. */
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "backoff.h"
#include "client_answer.h"
#include "client_run.h"
#include "client_target.h"
#include "client_url.h"
#include "client_voice.h"
#include "clock.h"
#include "request.h"
#include "run.h"

/* Between two attempts (ms). */
#define DELAY_MIN 500
#define DELAY_MAX 10000

struct deletion {
	const struct options *options;
	struct client client;
	struct client_answer answer;
	struct client_url url;
	struct backoff backoff;
	/* Moments: of --timeout, of the end of all retries, and of that of this attempt. */
	int64_t end, give_up_at, until;
	bool doubtful; /* an attempt without an answer may have deleted it */
};

static bool is_answered(const struct deletion *deletion)
{
	return deletion->answer.head_ended && deletion->answer.status >= 200;
}

/* TOPIC/ID, before a query that the URL has. */
static int make_url(struct deletion *deletion, struct error *error)
{
	struct client_url topic;
	struct buf text;
	int result;

	if (client_target_make(deletion->options->target, CLIENT_TOPIC, NULL, &topic, error) != 0)
		return -1;
	client_target_hide(&topic, deletion->options->target);
	buf_init(&text, SIZE_MAX / 2);
	if (buf_add(&text, topic.url, strcspn(topic.url, "?#")) &&
		buf_addf(&text, "/%s%s", deletion->options->delete,
			topic.url + strcspn(topic.url, "?#")) &&
		buf_add_byte(&text, '\0'))
		result = client_url_set(&deletion->url, text.data, NULL, error);
	else
		result = error_set(error, EX_OSERR, "out of memory");
	buf_free(&text);
	client_url_free(&topic);
	return result;
}

static int open_deletion(struct deletion *deletion, const char *program, struct error *error)
{
	struct client *client = &deletion->client;

	client_answer_init(&deletion->answer);
	backoff_init(&deletion->backoff, DELAY_MIN, DELAY_MAX);
	deletion->end = client_after(deletion->options->timeout);
	if (make_url(deletion, error) != 0 ||
		client_open(client, program, &deletion->options->client, error) != 0)
		return -1;
	curl_easy_setopt(client->easy, CURLOPT_URL, deletion->url.url);
	curl_easy_setopt(client->easy, CURLOPT_CUSTOMREQUEST, "DELETE");
	client_answer_collect(&deletion->answer, client->easy);
	return 0;
}

/* Has the server done it?  Otherwise ${error} says why not, and *${again} whether it may yet. */
static bool judge(struct deletion *deletion, CURLcode code, bool *again, struct error *error)
{
	const struct client_answer *answer = &deletion->answer;
	const char *shown = deletion->url.shown;
	long sent = 0;

	if (!is_answered(deletion)) {
		curl_easy_getinfo(deletion->client.easy, CURLINFO_REQUEST_SIZE, &sent);
		deletion->doubtful = deletion->doubtful || sent > 0;
		client_failure_error(&deletion->client, code == CURLE_OK ? CURLE_GOT_NOTHING : code,
			shown, error);
		*again = error->status == EX_UNAVAILABLE;
		return false;
	}
	/* Gone already: by the attempt whose answer was lost. */
	if (answer->status / 100 == 2 || (answer->status == 410 && deletion->doubtful)) {
		client_say(&deletion->client, CLIENT_EXPLAIN, "%ld, the event is deleted",
			answer->status);
		return true;
	}
	client_answer_error(answer, client_login(&deletion->client), shown, error);
	*again = client_answer_again(answer) || client_renews(&deletion->client, error);
	return false;
}

/* One attempt.  As judge(). */
static bool attempt(struct deletion *deletion, bool *again, struct error *error)
{
	struct client *client = &deletion->client;
	CURLcode code = CURLE_OK;
	int64_t limit = request_answer_by(deletion->give_up_at);

	*again = false;
	client_answer_free(&deletion->answer);
	client_answer_init(&deletion->answer);
	client->details[0] = '\0';
	deletion->until = limit < deletion->end ? limit : deletion->end;
	if (client_begin(client, error) != 0 || client_set_headers(client, NULL, 0, error) != 0)
		return false;
	client_say(client, CLIENT_EXPLAIN, "DELETE %s", deletion->url.shown);
	switch (client_run(client->multi, client->easy, &deletion->until, &code)) {
	case CLIENT_SIGNAL:
	case CLIENT_HANGUP:
		client_stopped(error);
		return false;
	case CLIENT_TIME:
		code = CURLE_OPERATION_TIMEDOUT;
		break;
	case CLIENT_DONE:
		break;
	}
	return judge(deletion, code, again, error);
}

/* Wait until the next attempt.  False if there is none: ${error} says why. */
static bool wait_for_next(struct deletion *deletion, struct error *error)
{
	int64_t now = clock_now_ms();
	int64_t left = deletion->options->retry_max_time > 0 ? deletion->give_up_at - now : 0;
	int64_t delay = backoff_within(&deletion->backoff, deletion->answer.retry_after, left);

	if (delay < 0 || now + delay >= deletion->end) {
		if (deletion->options->retry_max_time > 0 && error->status == EX_UNAVAILABLE)
			error->status = EX_TEMPFAIL;
		return false;
	}
	client_say(&deletion->client, CLIENT_EXPLAIN,
		"%s; trying again in %" PRId64 ".%03" PRId64 " s", error->text, delay / 1000,
		delay % 1000);
	if (client_wait(now + delay) == CLIENT_TIME)
		return true;
	client_stopped(error);
	return false;
}

int run_delete(const char *program, const struct options *options, struct error *error)
{
	struct deletion deletion = {
		.options = options, .give_up_at = client_after(options->retry_max_time)};
	bool again = false, done = false;
	int result = open_deletion(&deletion, program, error);

	while (result == 0 && !done) {
		done = attempt(&deletion, &again, error);
		if (!done && (!again || !wait_for_next(&deletion, error)))
			result = -1;
	}
	client_close(&deletion.client);
	client_answer_free(&deletion.answer);
	client_url_free(&deletion.url);
	return result;
}
