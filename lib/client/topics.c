/* SPDX-License-Identifier: MIT */
/* The list of topics, asked for and printed; see topics.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "client_answer.h"
#include "client_run.h"
#include "client_target.h"
#include "client_voice.h"
#include "clock.h"
#include "json_pointer.h"
#include "percent.h"
#include "split.h"
#include "terminal.h"
#include "topics.h"

/* As many rows as sse-serve puts on a page, and the bytes that such a page may have. */
#define ROWS_MAX 10000
#define LIST_MAX ((size_t)8 << 20)

/* The longest name of a topic. */
#define NAME_MAX_BYTES 255

struct list {
	const char *word; /* what the topics begin with */
	struct client client;
	struct client_url url;
	struct client_answer answer;
	struct split body; /* in rows */
	struct buf names;  /* as they are printed */
	size_t rows;
	bool more; /* the last row of the list begins with the word */
};

/* --- the request --- */

/*
 * Append a name that sorts before all those that begin with the word, and after nearly all others:
 * the word with the letter before its last one, and then ~, the greatest in ASCII.
 */
static bool add_after(struct buf *query, const char *word)
{
	static const char sorted[] =
		"-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
	size_t len = strlen(word);
	const char *last;

	if (len == 0 || word[len - 1] == '/' || word[len - 1] == sorted[0])
		return true;
	last = strchr(sorted, word[len - 1]);
	if (!buf_add_text(query, "&after="))
		return false;
	/* All others are letters of several bytes, which sort after ASCII. */
	if (last == NULL) {
		while (len > 1 && ((unsigned char)word[len - 1] & 0xc0) == 0x80)
			len--;
		last = sorted + sizeof(sorted) - 1;
	}
	return percent_encode(word, len - 1, query) && buf_add_byte(query, last[-1]) &&
	       buf_add_byte(query, '~');
}

static int make_url(struct list *list, struct error *error)
{
	const char *slash = strrchr(list->word, '/');
	size_t parent = slash != NULL ? (size_t)(slash - list->word) + 1 : 0;
	struct buf query;
	int result;

	buf_init(&query, 8192);
	if (buf_addf(&query, "limit=%d&topic=", ROWS_MAX) &&
		percent_encode(list->word, parent, &query) && buf_add_text(&query, "**") &&
		add_after(&query, list->word) && buf_add_byte(&query, '\0'))
		result = client_target_make("/", CLIENT_TOPIC, query.data, &list->url, error);
	else
		result = error_set(error, EX_OSERR, "out of memory");
	buf_free(&query);
	return result;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct list *list = context;

	return buf_add(&list->body.bytes, data, size * count) ? size * count : 0;
}

static int open_list(struct list *list, const char *program, struct error *error)
{
	static const struct client_header accept = {"Accept", "application/x-ndjson"};
	CURL *easy;

	if (make_url(list, error) != 0 ||
		client_open(&list->client, program, list->client.options, error) != 0 ||
		client_begin(&list->client, error) != 0 ||
		client_set_headers(&list->client, &accept, 1, error) != 0)
		return -1;
	easy = list->client.easy;
	curl_easy_setopt(easy, CURLOPT_URL, list->url.url);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	/* Who presses a key is not asked for the password of --key. */
	curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
	curl_easy_setopt(easy, CURLOPT_COOKIEJAR, NULL);
	client_answer_collect(&list->answer, easy);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, list);
	return 0;
}

static int fetch(struct list *list, int64_t until, struct error *error)
{
	struct client *client = &list->client;
	CURLcode code = CURLE_OK;

	switch (client_run(client->multi, client->easy, &until, &code)) {
	case CLIENT_SIGNAL:
	case CLIENT_HANGUP:
		return client_stopped(error);
	case CLIENT_TIME:
		return error_set(error, EX_TEMPFAIL, "no list of topics from %.200s within %d ms",
			list->url.origin, TOPICS_TIME);
	case CLIENT_DONE:
		break;
	}
	if (code != CURLE_OK)
		return client_failure_error(client, code, list->url.shown, error);
	if (list->answer.status != 200)
		return client_answer_error(
			&list->answer, client_login(client), list->url.shown, error);
	return 0;
}

/* --- the answer --- */

/* The list is not trusted: it may come from anyone, and goes to a shell. */
static bool is_offered(const char *name, size_t len, const char *word)
{
	struct buf shown;
	bool plain;

	/* A name that begins with - would be taken for an option. */
	if (strlen(name) != len || len > NAME_MAX_BYTES || name[0] == '-' ||
		!client_target_is_topic(name) || strncmp(name, word, strlen(word)) != 0)
		return false;
	buf_init(&shown, SIZE_MAX / 2);
	plain = terminal_text(name, len, &shown) && buf_is(&shown, name, len);
	buf_free(&shown);
	return plain;
}

/* Add the topic of one row, if the row has one that is to be offered. */
static bool take_row(struct list *list, struct sse_text line)
{
	struct json_text row, name;
	struct json_error fault;
	struct buf text;
	bool added = true;

	list->rows++;
	list->more = false;
	if (!json_check(line.data, line.len, &row, &fault) || json_kind(row) != JSON_OBJECT ||
		!json_pointer(row, "/topic", &name) || json_kind(name) != JSON_STRING)
		return true;
	buf_init(&text, LIST_MAX);
	if (!json_string_decode(name, &text) || !buf_add_byte(&text, '\0')) {
		added = false;
	} else if (is_offered(text.data, text.len - 1, list->word)) {
		list->more = true;
		text.data[text.len - 1] = '\n';
		added = buf_add(&list->names, text.data, text.len);
	}
	buf_free(&text);
	return added;
}

static int read_rows(struct list *list, struct error *error)
{
	struct sse_text line;

	while (split_next(&list->body, true, &line)) {
		if (!take_row(list, line))
			return error_set(error, EX_OSERR, "out of memory");
	}
	if (list->rows >= ROWS_MAX && list->more)
		return error_set(
			error, EX_DATAERR, "too many topics begin with '%.200s'", list->word);
	return 0;
}

static int print_names(const struct list *list, struct error *error)
{
	if (list->names.len > 0)
		fwrite(list->names.data, 1, list->names.len, stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		return error_set(error, EX_IOERR, "cannot write to the standard output");
	return 0;
}

/* Can the name of a topic begin with this?  What cannot, such as data, is nobody's business. */
static bool is_beginning(const char *word)
{
	char name[NAME_MAX_BYTES + 2];

	return word[0] != '-' && (size_t)snprintf(name, sizeof(name), "%s~", word) < sizeof(name) &&
	       client_target_is_topic(name);
}

int topics_print(const char *program, const struct client_options *options, struct error *error)
{
	struct list list = {.word = options->topics, .client.options = options};
	int64_t until = clock_now_ms() + TOPICS_TIME;
	int result;

	if (!is_beginning(list.word))
		return 0;
	client_answer_init(&list.answer);
	split_init(&list.body, '\n', LIST_MAX);
	buf_init(&list.names, LIST_MAX);
	result = open_list(&list, program, error);
	if (result == 0)
		result = fetch(&list, until, error);
	if (result == 0)
		result = read_rows(&list, error);
	if (result == 0)
		result = print_names(&list, error);
	client_close(&list.client);
	client_url_free(&list.url);
	client_answer_free(&list.answer);
	split_free(&list.body);
	buf_free(&list.names);
	return result;
}
