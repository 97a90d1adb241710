/* SPDX-License-Identifier: MIT */
/* Tests of lib/client/judge.c: each row is the end of an attempt, and what it means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "judge.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* What client_failure_error() would say: of what may pass, and of what will not. */
static const struct error passing = {EX_UNAVAILABLE, "cannot connect"};
static const struct error lasting = {EX_PROTOCOL, "no certificate"};

static void assert_judged(size_t row, enum judge_next got, enum judge_next want,
	const struct error *error, int status, const char *words)
{
	if (got != want)
		fail_msg("row %zu: %d instead of %d", row, (int)got, (int)want);
	/* Of an end that is none of ours the error says nothing. */
	if (words != NULL && (error->status != status || strstr(error->text, words) == NULL))
		fail_msg("row %zu: %d, '%s'", row, error->status, error->text);
}

static void streams(void **state)
{
	static const struct {
		CURLcode code;
		bool brought, reconnect;
		enum judge_next want;
		int status;
		const char *words;
	} rows[] = {
		{CURLE_OK, true, true, JUDGE_AGAIN, EX_UNAVAILABLE, "http://h/x ended the stream"},
		{CURLE_OK, true, false, JUDGE_ENDED, EX_UNAVAILABLE, "ended the stream"},
		{CURLE_OK, false, true, JUDGE_AGAIN, EX_UNAVAILABLE, "ended the stream"},
		{CURLE_RECV_ERROR, true, true, JUDGE_AGAIN, EX_UNAVAILABLE, "cannot connect"},
		{CURLE_PARTIAL_FILE, true, false, JUDGE_AGAIN, EX_UNAVAILABLE, "cannot connect"},
		/* From the start, it would be the same the next time. */
		{CURLE_BAD_CONTENT_ENCODING, false, true, JUDGE_FAILED, EX_PROTOCOL,
			"not compressed as its Content-Encoding says"},
		{CURLE_BAD_CONTENT_ENCODING, true, true, JUDGE_AGAIN, EX_UNAVAILABLE, "damaged"},
		{CURLE_WRITE_ERROR, true, true, JUDGE_AGAIN, EX_UNAVAILABLE,
			"after the end of the compressed stream"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct client_answer answer = {.status = 200, .head_ended = true};
		const struct judge_attempt attempt = {.shown = "http://h/x",
			.answer = &answer,
			.code = rows[i].code,
			.failure = &passing,
			.brought = rows[i].brought,
			.reconnect = rows[i].reconnect};
		struct error error = {0};
		enum judge_next got = judge_stream(&attempt, &error);

		assert_judged(i, got, rows[i].want, &error, rows[i].status, rows[i].words);
	}
}

static const struct answer_row {
	CURLcode code;
	long status; /* 0: no head came */
	const char *location, *type;
	const struct error *failure;
	bool for_good;
	enum judge_next want;
	int exit;
	const char *words;
} answer_rows[] = {
	/* No answer. */
	{CURLE_COULDNT_CONNECT, 0, "", "", &passing, false, JUDGE_AGAIN, EX_UNAVAILABLE,
		"cannot connect"},
	{CURLE_PEER_FAILED_VERIFICATION, 0, "", "", &lasting, false, JUDGE_FAILED, EX_PROTOCOL,
		"no certificate"},
	{CURLE_OK, 0, "", "", &passing, false, JUDGE_AGAIN, EX_UNAVAILABLE, "cannot connect"},
	{CURLE_OK, 100, "", "", &passing, false, JUDGE_AGAIN, EX_UNAVAILABLE, "cannot connect"},
	/* An answer that is none of a stream. */
	{CURLE_OK, 101, "", "", &passing, false, JUDGE_FAILED, EX_PROTOCOL, "answered 101"},
	{CURLE_OK, 204, "", "", &passing, false, JUDGE_ENDED, 0, NULL},
	{CURLE_OK, 200, "", "text/html", &passing, false, JUDGE_FAILED, EX_PROTOCOL,
		"its Content-Type is 'text/html'"},
	{CURLE_WRITE_ERROR, 200, "", "", &passing, false, JUDGE_FAILED, EX_PROTOCOL,
		"its Content-Type is missing"},
	{CURLE_WRITE_ERROR, 200, "", "application/json; charset=utf-8", &passing, false, JUDGE_FAILED,
		EX_PROTOCOL, "charset=utf-8'; if each line is an event, say so with --lines"},
	/* Its head came and its body broke: below 400 that is no answer. */
	{CURLE_RECV_ERROR, 200, "", "", &passing, false, JUDGE_AGAIN, EX_UNAVAILABLE,
		"cannot connect"},
	{CURLE_RECV_ERROR, 204, "", "", &passing, false, JUDGE_AGAIN, EX_UNAVAILABLE,
		"cannot connect"},
	{CURLE_RECV_ERROR, 404, "", "", &passing, false, JUDGE_FAILED, EX_UNAVAILABLE, "404"},
	/* Redirects that were not followed. */
	{CURLE_UNSUPPORTED_PROTOCOL, 302, "ftp://h/", "", &lasting, false, JUDGE_FAILED,
		EX_PROTOCOL, "302"},
	{CURLE_OK, 302, "", "", &passing, false, JUDGE_FAILED, EX_PROTOCOL, "302"},
	{CURLE_TOO_MANY_REDIRECTS, 302, "/", "", &lasting, false, JUDGE_FAILED, EX_PROTOCOL,
		"no certificate"},
	/* Refusals: 408, 429 and 5xx pass, unless the user says that they do not. */
	{CURLE_OK, 400, "", "", &passing, false, JUDGE_FAILED, EX_DATAERR, "400"},
	{CURLE_OK, 401, "", "", &passing, false, JUDGE_FAILED, EX_NOPERM, "401"},
	{CURLE_OK, 404, "", "", &passing, false, JUDGE_FAILED, EX_UNAVAILABLE, "404"},
	{CURLE_OK, 408, "", "", &passing, false, JUDGE_AGAIN, EX_TEMPFAIL, "408"},
	{CURLE_OK, 429, "", "", &passing, false, JUDGE_AGAIN, EX_TEMPFAIL, "429"},
	{CURLE_OK, 503, "", "", &passing, false, JUDGE_AGAIN, EX_TEMPFAIL, "503"},
	{CURLE_OK, 503, "", "", &passing, true, JUDGE_FAILED, EX_TEMPFAIL, "503"},
	{CURLE_OK, 429, "", "", &passing, true, JUDGE_FAILED, EX_TEMPFAIL, "429"},
};

static void make_answer(const struct answer_row *row, struct client_answer *answer)
{
	client_answer_init(answer);
	answer->status = row->status;
	answer->head_ended = row->status != 0;
	snprintf(answer->location, sizeof(answer->location), "%s", row->location);
	snprintf(answer->type, sizeof(answer->type), "%s", row->type);
}

static void answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(answer_rows); i++) {
		const struct answer_row *row = &answer_rows[i];
		struct client_answer answer;
		const struct judge_attempt attempt = {.shown = "http://h/x",
			.answer = &answer,
			.code = row->code,
			.failure = row->failure,
			.reconnect = true,
			.refused_for_good = row->for_good};
		struct error error = {0};
		enum judge_next got;

		make_answer(row, &answer);
		got = judge_answer(&attempt, &error);
		assert_judged(i, got, row->want, &error, row->exit, row->words);
		client_answer_free(&answer);
	}
}

static void silences(void **state)
{
	static const struct {
		bool stream;
		long status;
		enum judge_next want;
		int exit;
		const char *words;
	} rows[] = {
		{true, 200, JUDGE_AGAIN, EX_UNAVAILABLE, "nothing came from http://h/x for 5s"},
		{false, 0, JUDGE_AGAIN, EX_UNAVAILABLE, "nothing came from http://h/x for 5s"},
		/* It led elsewhere, and there is nothing. */
		{false, 307, JUDGE_AGAIN, EX_UNAVAILABLE, "nothing came"},
		/* A refusal whose body does not end. */
		{false, 404, JUDGE_FAILED, EX_UNAVAILABLE, "404"},
		{false, 503, JUDGE_AGAIN, EX_TEMPFAIL, "503"},
		{false, 204, JUDGE_ENDED, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct client_answer answer = {
			.status = rows[i].status, .head_ended = rows[i].status != 0};
		const struct judge_attempt attempt = {
			.shown = "http://h/x", .answer = &answer, .failure = &passing};
		struct error error = {0};
		enum judge_next got = judge_silence(&attempt, rows[i].stream, 5000, &error);

		assert_judged(i, got, rows[i].want, &error, rows[i].exit, rows[i].words);
	}
}

/* What would help depends on how the request logged in. */
static void logins(void **state)
{
	static const struct {
		enum client_login login;
		long status;
		const char *words;
	} rows[] = {
		{CLIENT_LOGIN_NONE, 401,
			"requires a login: give a token with --token-file FILE or "
			"SSE_TOKEN, or a password with -u (401)"},
		{CLIENT_LOGIN_TOKEN, 401, "http://h/x does not accept the token (401)"},
		{CLIENT_LOGIN_FILE, 401, "does not accept the token of --token-file (401)"},
		{CLIENT_LOGIN_OTHER, 401, "does not accept the login (401)"},
		{CLIENT_LOGIN_WITHHELD, 401,
			"a login, which is not sent after a redirect from another origin (401)"},
		{CLIENT_LOGIN_NONE, 403, "does not permit this (403)"},
		{CLIENT_LOGIN_OTHER, 403, "does not permit this (403)"},
		{CLIENT_LOGIN_TOKEN, 403, "does not permit this with this token (403)"},
		{CLIENT_LOGIN_FILE, 403, "does not permit this with this token (403)"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct client_answer answer = {.status = rows[i].status, .head_ended = true};
		const struct judge_attempt attempt = {.shown = "http://h/x",
			.answer = &answer,
			.login = rows[i].login,
			.failure = &passing,
			.reconnect = true};
		struct error error = {0};
		enum judge_next got = judge_answer(&attempt, &error);

		assert_judged(i, got, JUDGE_FAILED, &error, EX_NOPERM, rows[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams),
		cmocka_unit_test(answers),
		cmocka_unit_test(silences),
		cmocka_unit_test(logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
