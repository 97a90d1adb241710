/* SPDX-License-Identifier: MIT */
/* What an answer, or none, means for the events of a slot; see slot.h. */
#include <sysexits.h>

#include "body.h"
#include "slot.h"

static struct verdict_request describe(const struct slot *slot)
{
	const struct request *request = &slot->request;

	return (struct verdict_request){.events = request->count,
		.batch = request->count > 1,
		.once = request_is_once(request),
		.sent = request_was_sent(request)};
}

void slot_learn(struct slot *slot)
{
	struct destination *to = slot->to;

	if (slot->request.count > 1)
		return;
	/* One event that names its topic is a batch of one. */
	if (to->batching == BATCHING_AUTO)
		to->batching = to->batches_seen || verdict_is_sse_serve(&slot->request.answer)
				       ? BATCHING_ALWAYS
				       : BATCHING_NEVER;
	else if (slot->singly > slot->at && slot->limit == 0)
		to->batching = BATCHING_NEVER;
}

void slot_split_batch(struct slot *slot)
{
	const struct client_answer *answer = &slot->request.answer;
	struct verdict_request request = describe(slot);
	struct verdict_split split =
		verdict_split(&request, answer->status, body_wrong_line(&answer->body));

	if (split.smaller)
		slot->to->batch_bytes = slot->request.len / 2;
	if (split.limit > 0)
		slot->limit = split.limit;
	if (split.singly)
		slot->singly = slot->at + slot->request.count;
}

static enum verdict judge_answer(struct slot *slot, CURLcode code)
{
	const struct client_answer *answer = &slot->request.answer;
	struct verdict_request request = describe(slot);
	size_t results = request_results(&slot->request, code);
	enum verdict verdict =
		verdict_of_answer(&request, answer->status, results, &slot->ambiguous);

	if (results > 0 && results == request.events)
		slot->to->batches_seen = true;
	if (verdict == VERDICT_DOUBTFUL)
		error_set(&slot->error, EX_PROTOCOL,
			"%.200s accepted %zu events in one request and reported on %zu: it may "
			"have taken them for one (--batch never sends one event per request)",
			slot->to->url.shown, request.events, results);
	else if (verdict != VERDICT_ACCEPTED)
		request_refusal_error(&slot->request, &slot->error);
	return verdict;
}

enum verdict slot_judge_failure(struct slot *slot, enum verdict_failure failure)
{
	struct verdict_request request = describe(slot);

	return verdict_of_failure(&request, failure, &slot->ambiguous);
}

enum verdict slot_judge(struct slot *slot, CURLcode code, bool spools)
{
	const struct request *request = &slot->request;
	const struct client_answer *answer = &request->answer;
	bool whole = code == CURLE_OK || code == CURLE_WRITE_ERROR;

	/* What the head says counts, also where the body after it broke. */
	if (request_is_answered(request) || (whole && answer->head_ended && answer->status >= 300))
		return judge_answer(slot, code);
	client_failure_error(&request->client, whole ? CURLE_GOT_NOTHING : code,
		slot->to->url.shown, &slot->error);
	if (slot->error.status == EX_NOPERM)
		return slot_judge_failure(slot, VERDICT_BARRED);
	if (slot->error.status != EX_UNAVAILABLE)
		return slot_judge_failure(slot, VERDICT_USELESS);
	return slot_judge_failure(slot,
		spools && request_found_nobody(request, code) ? VERDICT_NOBODY : VERDICT_BROKEN);
}
