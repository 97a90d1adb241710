/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing cmd/sse-serve/api/batch.c: libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver of its
 * own,
 *
 *     fuzz_serve_batch SECONDS [SEED]
 *
 * that mutates bodies, the same ones in the same order for the same seed.  The first byte chooses
 * the rules.  For each body:
 * 1. it is taken if each of its lines, cut out by other means and sent alone, is taken, and gives
 *    the same events;
 * 2. what an event points to lies in the body or in the batch's text, is what an event may hold,
 *    and has no line end that a stream could not carry;
 * 3. the events, written as envelopes, are read as the same events with the same fingerprints;
 * 4. a body that is refused names a line that is there.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/batch.h"
#include "api/content.h"
#include "json.h"
#include "log/closing.h"
#include "log/subject.h"
#include "log/topic_name.h"
#include "parts/must.h"
#include "parts/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A body that was read, in a copy of exactly its size, so that a sanitizer sees a read too far. */
struct reading {
	struct batch batch;
	char *body;
	size_t len;
	struct error error;
	enum batch_result result;
};

static void read_body(
	struct reading *reading, const void *body, size_t len, const struct batch_rules *rules)
{
	*reading = (struct reading){.len = len, .body = malloc(len > 0 ? len : 1)};
	if (reading->body == NULL)
		abort();
	if (len > 0)
		memcpy(reading->body, body, len);
	reading->result = batch_read(&reading->batch, reading->body, len, rules, &reading->error);
	MUST(reading->result == BATCH_OK || reading->error.text[0] != '\0');
	MUST(reading->result != BATCH_NO_MEMORY);
}

static void end_reading(struct reading *reading)
{
	batch_free(&reading->batch);
	free(reading->body);
}

static bool same_text(struct sse_text a, struct sse_text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_event(const struct event *a, const struct event *b)
{
	return a->json == b->json && same_text(a->type, b->type) && same_text(a->data, b->data) &&
	       same_text(a->subject, b->subject);
}

static bool lies_in(struct sse_text text, const char *start, size_t len)
{
	return start != NULL && text.data >= start && text.data + text.len <= start + len;
}

static void check_topic(const char *topic, const struct buf *text, const struct batch_rules *rules)
{
	MUST(topic != NULL && topic_name_check(topic, strlen(topic), NULL) == 0);
	MUST(rules->topic != NULL ? topic == rules->topic
				  : lies_in((struct sse_text){topic, strlen(topic) + 1}, text->data,
					    text->len));
}

static void check_events(const struct reading *reading, const struct batch_rules *rules)
{
	const struct buf *text = &reading->batch.text;

	for (size_t i = 0; i < reading->batch.count; i++) {
		const struct store_append *append = &reading->batch.appends[i];
		struct sse_text data = append->event.data;

		MUST(append->closes == closing_is_type(append->event.type));
		MUST(append->closes ? same_text(data, (struct sse_text){CLOSING_DATA, 2})
				    : lies_in(data, reading->body, reading->len) ||
					      lies_in(data, text->data, text->len));
		MUST(content_text_fault(data) == NULL);
		MUST(data.len == 0 || memchr(data.data, '\r', data.len) == NULL);
		MUST(append->event.subject.len == 0 ||
			subject_fault(append->event.subject) == NULL);
		MUST(append->event.subject.len > 0 || append->closes || rules->subject.len == 0);
		MUST(append->closes || content_type_fault(append->event.type) == NULL);
		MUST(append->key.len == 0 || content_key_fault(append->key) == NULL);
		MUST(append->key.len > 0 || rules->key.len == 0);
		MUST(!append->event.json ||
			json_check(data.data, data.len, NULL, &(struct json_error){0}));
		MUST(i == 0 || reading->batch.lines[i] > reading->batch.lines[i - 1]);
		check_topic(append->topic, text, rules);
	}
}

/* 1: each line alone. */
static void check_lines(const struct reading *whole, const unsigned char *body, size_t len,
	const struct batch_rules *rules)
{
	struct batch_rules alone = *rules;
	size_t at = 0, count = 0;

	alone.key.len = 0;
	while (at < len) {
		size_t end = at;
		struct reading one;

		while (end < len && body[end] != '\n')
			end++;
		read_body(&one, body + at, end - at, &alone);
		at = end + 1;
		if (one.result == BATCH_WRONG && one.batch.count == 0 &&
			strstr(one.error.text, "no event") != NULL) {
			end_reading(&one);
			continue;
		}
		if (one.result != BATCH_OK) {
			MUST(whole->result == BATCH_WRONG && whole->batch.count == count);
			end_reading(&one);
			return;
		}
		MUST(one.batch.count == 1);
		MUST(count < whole->batch.count);
		MUST(same_event(&one.batch.appends[0].event, &whole->batch.appends[count].event));
		MUST(strcmp(one.batch.appends[0].topic, whole->batch.appends[count].topic) == 0);
		count++;
		end_reading(&one);
	}
	MUST(whole->batch.count == count);
	MUST(whole->result == (count > 0 ? BATCH_OK : BATCH_WRONG));
}

static void add_envelope(struct buf *out, const struct store_append *append)
{
	const struct event *event = &append->event;
	size_t start;

	buf_addf(out, "{\"topic\":\"%s\",\"event\":", append->topic);
	json_quote(event->type.data, event->type.len, out);
	if (event->subject.len > 0) {
		buf_add_text(out, ",\"subject\":");
		json_quote(event->subject.data, event->subject.len, out);
	}
	if (append->key.len > 0) {
		buf_add_text(out, ",\"key\":");
		json_quote(append->key.data, append->key.len, out);
	}
	buf_add_text(out, ",\"data\":");
	start = out->len;
	if (event->json)
		buf_add(out, event->data.data, event->data.len);
	else
		json_quote(event->data.data, event->data.len, out);
	/* On one line; CR is read as the LF that was there. */
	for (size_t i = start; i < out->len; i++)
		out->data[i] = out->data[i] == '\n' ? '\r' : out->data[i];
	buf_add_text(out, "}\n");
}

/* 3: what was read, written and read again. */
static void check_again(const struct reading *whole, const struct batch_rules *rules)
{
	struct batch_rules envelopes = *rules;
	struct reading again;
	struct buf out;

	envelopes.envelope = true;
	envelopes.key.len = 0;
	buf_init(&out, (size_t)64 << 20);
	for (size_t i = 0; i < whole->batch.count; i++)
		add_envelope(&out, &whole->batch.appends[i]);
	read_body(&again, out.data, out.len, &envelopes);
	/* An envelope is one level more; and a JSON string alone becomes text, the one thing that
	 * envelopes cannot tell. */
	if (again.result != BATCH_OK)
		MUST(strstr(again.error.text, "nested deeper") != NULL ||
			(!rules->envelope && strstr(again.error.text, "contains a NUL") != NULL));
	for (size_t i = 0; i < again.batch.count; i++) {
		const struct store_append *a = &whole->batch.appends[i];
		const struct store_append *b = &again.batch.appends[i];

		if (a->event.json != b->event.json) {
			MUST(a->event.json && a->event.data.data[0] == '"' && !rules->envelope);
			continue;
		}
		MUST(same_event(&a->event, &b->event));
		MUST(same_text(a->key, b->key));
		MUST(strcmp(a->topic, b->topic) == 0);
		MUST(rules->key.len > 0 || a->fingerprint == b->fingerprint);
	}
	end_reading(&again);
	buf_free(&out);
}

static bool check_input(const unsigned char *data, size_t len)
{
	struct batch_rules rules = {.topic = "any", .type = {"update", 6}};
	struct reading whole;
	bool ok;

	must_input(data, len);
	if (len == 0)
		return false;
	rules.envelope = data[0] & 1;
	if (data[0] & 2)
		rules.topic = "users";
	if (data[0] & 4)
		rules.key = (struct sse_text){"key", 3};
	if (data[0] & 64)
		rules.subject = (struct sse_text){"all", 3};
	/* Each line names its own. */
	if (data[0] & 8) {
		rules.envelope = true;
		rules.topic = NULL;
	}
	data++;
	len--;
	read_body(&whole, data, len, &rules);
	ok = whole.result == BATCH_OK;
	check_events(&whole, &rules);
	if (whole.result != BATCH_TOO_MANY)
		check_lines(&whole, data, len, &rules);
	if (ok)
		check_again(&whole, &rules);
	end_reading(&whole);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const struct sse_text seeds[] = {
	MUTATE_SEED("0{\"a\":1}\n\"x\"\r\n\n[1,2]\n"),
	MUTATE_SEED(
		"1{\"key\":\"k\",\"event\":\"news\",\"data\":{\"b\":1.0}}\n{\"data\":\"a\\r\\nb\\u00e9\"}"),
	MUTATE_SEED(
		"1{\"topic\":\"any\",\"id\":\"x:1\",\"time\":\"t\",\"event\":\"update\",\"data\":[1]}\n"),
	MUTATE_SEED(
		"1{\"subject\":\"w\\u00e9b 1\",\"data\":\"\"}\n{\"data\":1,\"subject\":\"\\n\"}\n"),
	MUTATE_SEED("p1\n\"\"\n\"\\u0000\"\n"),
	MUTATE_SEED("2{\"firstname\":\"a\",\"lastname\":\"b\",\"x\":1}\n"),
	MUTATE_SEED(
		"3{\"data\":{\"lastname\":\"\\u00e9\",\"firstname\":\"a\"}}\n{\"data\":\"x\"}\n"),
	MUTATE_SEED("41\n2\n\n3\n"),
	MUTATE_SEED("5{\"data\":1}\n{\"data\":\"2\",\"key\":\"own\"}\n"),
	MUTATE_SEED(
		"1{\"event\":\"closed\",\"data\":{}}\n{\"event\":\"clos\\u0065d\",\"data\":\"{}\"}\n"),
	MUTATE_SEED(
		"8{\"topic\":\"a/b\",\"data\":1}\n{\"data\":\"\\u0041\",\"topic\":\"a\\/b\"}\n"),
	MUTATE_SEED("<{\"topic\":\"any\",\"data\":[1]}\n{\"topic\":\"users\",\"data\":{"
		    "\"firstname\":\"a\",\"lastname\":\"b\"}}\n"),
};

/* What makes or breaks a body. */
static const char *const pieces[] = {"{", "}", "[", "]", ",", ":", "\"", "\\", "\n", "\r", "\r\n",
	" ", "\t", "\\u0000", "\\u000a", "\\u000d", "\\ud83d", "\\n", "\\r", "1", "\"a\"", "null",
	"{\"data\":1}\n", "{\"data\":\"",
	"\"data\":", "\"d\\u0061ta\":", "\"key\":", "\"key\":\"k\",", "\"subject\":\"s\",",
	"\"subject\":\"\",", "\"event\":", "\"event\":\"e\",", "\"gap\"", "\"topic\":\"any\",",
	"\"topic\":\"users\",", "\"topic\":\"a/b\",", "\"topic\":\"\",", "\"id\":1,", "\"time\":0,",
	"\"origin\":\"\",", "\"firstname\":\"a\",", "\"lastname\":\"b\"", "\xc3\xa9", "\xc2\x85",
	"\xff", "\xef\xbb\xbf", "\x7f", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "<", "="};

static void other_rules(struct random *random, unsigned char *body, size_t len)
{
	if (len > 0)
		body[0] = (unsigned char)(random_below(random, 16) | random_below(random, 2) << 6);
}

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_OWN, MUTATE_CUT, MUTATE_REPEAT,
	MUTATE_OTHER, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_serve_batch",
	.inputs = "bodies",
	.taken = "taken",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 2048,
	.rounds = 4,
	.kept = 300,
	.own = other_rules,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
