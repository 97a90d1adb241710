/* SPDX-License-Identifier: MIT */
/* Again, ended or failed; see judge.h. */
#include <string.h>
#include <sysexits.h>

#include "judge.h"
#include "number.h"

enum judge_next judge_stream(const struct judge_attempt *attempt, struct error *error)
{
	const char *shown = attempt->shown;

	switch (attempt->code) {
	case CURLE_OK:
		error_set(error, EX_UNAVAILABLE, "%.200s ended the stream", shown);
		return attempt->reconnect ? JUDGE_AGAIN : JUDGE_ENDED;
	case CURLE_BAD_CONTENT_ENCODING:
		if (attempt->brought) {
			error_set(error, EX_UNAVAILABLE,
				"%.200s sent compressed data that is damaged", shown);
			return JUDGE_AGAIN;
		}
		/* If that is so from the start, the next attempt would bring the same. */
		error_set(error, EX_PROTOCOL,
			"%.200s sends a stream that is not compressed as its Content-Encoding says",
			shown);
		return JUDGE_FAILED;
	case CURLE_WRITE_ERROR:
		/* The decoder's, as the caller dealt with what its own callbacks refuse. */
		error_set(error, EX_UNAVAILABLE,
			"%.200s sent bytes after the end of the compressed stream", shown);
		return JUDGE_AGAIN;
	default:
		*error = *attempt->failure;
		return JUDGE_AGAIN;
	}
}

/* What was perhaps meant: sse-serve's lists, and the server as such, are not its streams. */
static const char *hint(const struct judge_attempt *attempt)
{
	bool json = client_answer_is(attempt->answer, "application/json");
	const char *host = strstr(attempt->shown, "://");
	const char *path = host != NULL ? strchr(host + 3, '/') : NULL;

	if (path != NULL && (strcmp(path, "/") == 0 || (json && strncmp(path, "/api", 4) == 0)))
		return "; streams of sse-serve are at /api/TOPIC/event";
	return json && !attempt->embedded ? "; if each line is an event, say so with --lines" : "";
}

static enum judge_next not_a_stream(const struct judge_attempt *attempt, struct error *error)
{
	const char *type = attempt->answer->type, *quote = type[0] != '\0' ? "'" : "";

	error_set(error, EX_PROTOCOL,
		"%.200s is not an event stream: its Content-Type is %s%.100s%s%s", attempt->shown,
		quote, type[0] != '\0' ? type : "missing", quote, hint(attempt));
	return JUDGE_FAILED;
}

enum judge_next judge_answer(const struct judge_attempt *attempt, struct error *error)
{
	const struct client_answer *answer = attempt->answer;
	bool whole = attempt->code == CURLE_OK || attempt->code == CURLE_WRITE_ERROR;

	/* Where libcurl refused to go. */
	if (answer->head_ended && client_answer_is_redirect(answer) &&
		attempt->code == CURLE_UNSUPPORTED_PROTOCOL) {
		client_answer_error(answer, attempt->login, attempt->shown, error);
		return JUDGE_FAILED;
	}
	if (answer->head_ended && answer->status == 101) {
		error_set(error, EX_PROTOCOL,
			"%.200s answered 101: it speaks something other than HTTP", attempt->shown);
		return JUDGE_FAILED;
	}
	if (!answer->head_ended || answer->status < 200 || (!whole && answer->status < 400)) {
		*error = *attempt->failure;
		return error->status == EX_UNAVAILABLE ? JUDGE_AGAIN : JUDGE_FAILED;
	}
	if (answer->status == 204)
		return JUDGE_ENDED;
	if (answer->status == 200)
		return not_a_stream(attempt, error);
	client_answer_error(answer, attempt->login, attempt->shown, error);
	return client_answer_again(answer) && !attempt->refused_for_good ? JUDGE_AGAIN
									 : JUDGE_FAILED;
}

enum judge_next judge_silence(
	const struct judge_attempt *attempt, bool stream, int64_t ms, struct error *error)
{
	const struct client_answer *answer = attempt->answer;
	char text[NUMBER_TEXT];

	if (!stream && answer->head_ended && answer->status / 100 != 3)
		return judge_answer(attempt, error);
	error_set(error, EX_UNAVAILABLE, "nothing came from %.200s for %s", attempt->shown,
		number_duration_text(ms, text));
	return JUDGE_AGAIN;
}
