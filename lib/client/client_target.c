/* SPDX-License-Identifier: MIT */
/* From operand to URL; see client_target.h. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "buf.h"
#include "client_target.h"
#include "percent.h"
#include "sse.h"

/* The longest URL that is made here; servers stop at far less. */
#define URL_MAX 65536

/*
 * How many bytes at the start of ${text} may be in a segment.  Which letters of other scripts there
 * are is for the server to say, which knows Unicode.
 */
static size_t letters(const char *text)
{
	static const char ascii[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-";
	size_t len = 0;

	while (text[len] != '\0' &&
		((unsigned char)text[len] >= 0x80 || strchr(ascii, text[len]) != NULL))
		len++;
	return len;
}

bool client_target_is_all(const char *operand)
{
	static const char path[] = "/api";
	size_t len = strcspn(operand, "?#"), end = strlen(path);

	if (!client_url_is(operand))
		return strcmp(operand, "/") == 0;
	len -= operand[len - 1] == '/';
	/* A host may have that name too. */
	return len > end && memcmp(operand + len - end, path, end) == 0 &&
	       operand[len - end - 1] != '/';
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

bool client_target_is_pattern(const char *operand)
{
	return !client_url_is(operand) && strchr(operand, '*') != NULL;
}

/* What looks like a URL is not a topic that has a wrong letter. */
static int check_text(const char *topic, struct error *error)
{
	bool secure = strncmp(topic, "https:", 6) == 0, plain = strncmp(topic, "http:", 5) == 0;
	const char *host = topic + (secure ? 6 : plain ? 5 : 0);
	char shown[CLIENT_URL_TEXT];

	host += strspn(host, "/");
	if (strstr(topic, "://") != NULL)
		return error_set(error, EX_USAGE,
			"'%.200s' is not a usable URL: it must begin with http:// or https://",
			client_url_text(topic, shown));
	if (strchr(topic, ':') != NULL)
		return error_set(error, EX_USAGE,
			"'%.200s' is neither a topic (like users or chat/lobby) nor a URL; did you mean "
			"%s%.200s?",
			topic, secure ? "https://" : "http://", host);
	if (sse_utf8_valid(topic, strlen(topic)) != strlen(topic))
		return error_set(error, EX_USAGE,
			"'%.200s' is not a valid topic: it is not in UTF-8", topic);
	return 0;
}

/* A topic is segments of letters with slashes between them. */
static int check_topic(const char *topic, struct error *error)
{
	static const char *const reserved[] = {".", "..", "event", "presence"};
	const char *segment = topic;

	if (check_text(topic, error) != 0)
		return -1;
	for (;;) {
		size_t len = letters(segment);

		if (len == 0 || (segment[len] != '/' && segment[len] != '\0'))
			return error_set(error, EX_USAGE,
				"'%.200s' is not a valid topic: a topic is like users or chat/lobby, of letters, "
				"digits and . _ ~ -, with single slashes between, not at its ends",
				topic);
		for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
			if (is_word(segment, len, reserved[i]))
				return error_set(error, EX_USAGE,
					"'%.200s' is not a valid topic: '%s' cannot be a part of one",
					topic, reserved[i]);
		}
		if (segment[len] == '\0')
			return 0;
		segment += len + 1;
	}
}

bool client_target_is_topic(const char *text)
{
	return check_topic(text, NULL) == 0;
}

/* A pattern is a topic with * for segments, and perhaps ** for the last. */
static int check_pattern(const char *pattern, struct error *error)
{
	const char *segment = pattern;

	if (check_text(pattern, error) != 0)
		return -1;
	for (;;) {
		size_t len = strcspn(segment, "/");
		bool last = segment[len] == '\0';

		if (!is_word(segment, len, "*") && !(last && is_word(segment, len, "**")) &&
			(len == 0 || letters(segment) != len))
			return error_set(error, EX_USAGE,
				"'%.200s' is not a valid pattern: in one like chat/* or logs/**, * stands for "
				"one whole segment, and ** at the end for one or more",
				pattern);
		if (last)
			return 0;
		segment += len + 1;
	}
}

static int check_operand(const char *operand, struct error *error)
{
	char shown[CLIENT_URL_TEXT];

	if (client_url_is(operand))
		return error_set(error, EX_USAGE,
			"'%.200s' is a URL, which is a stream of its own: give one URL, or topics and "
			"patterns of one server",
			client_url_text(operand, shown));
	if (strcmp(operand, "/") == 0)
		return error_set(error, EX_USAGE,
			"'/' is not a valid topic; the pattern '**' matches all topics");
	return client_target_is_pattern(operand) ? check_pattern(operand, error)
						 : check_topic(operand, error);
}

/* The server's URL without slashes at its end. */
static int find_server(const char **server, size_t *len, struct error *error)
{
	const char *url = getenv("SSE_URL");
	char shown[CLIENT_URL_TEXT];

	if (url == NULL || *url == '\0')
		url = CLIENT_SERVER;
	if (!client_url_is(url) || strpbrk(url, "?#") != NULL)
		return error_set(error, EX_USAGE,
			"SSE_URL is '%.200s', but a server's URL is like %s, without ? and #",
			client_url_text(url, shown), CLIENT_SERVER);
	*server = url;
	*len = strlen(url);
	while (*len > 0 && url[*len - 1] == '/')
		--*len;
	return 0;
}

/* In a path and in a query, all that a topic or pattern has of ASCII stands for itself. */
static bool add_topic(struct buf *url, const char *topic)
{
	return percent_encode(topic, strlen(topic), url);
}

/* The text, if all of it could be added, is the URL; it is freed. */
static int use_text(struct buf *text, bool added, const char *query, struct client_url *url,
	struct error *error)
{
	int result;

	if (added && buf_add_byte(text, '\0'))
		result = client_url_set(url, text->data, query, error);
	else
		result = error_set(
			error, EX_USAGE, "the URL would be longer than %d bytes", URL_MAX);
	buf_free(text);
	return result;
}

int client_target_make(const char *operand, enum client_place place, const char *query,
	struct client_url *url, struct error *error)
{
	const char *server = NULL;
	struct buf text;
	size_t len = 0;
	bool all, added;

	if (operand != NULL && client_url_is(operand))
		return client_url_set(url, operand, query, error);
	if (operand == NULL)
		operand = CLIENT_TOPIC_DEFAULT;
	all = place == CLIENT_TOPIC && client_target_is_all(operand);
	if ((!all && check_topic(operand, error) != 0) || find_server(&server, &len, error) != 0)
		return -1;
	buf_init(&text, URL_MAX);
	added = buf_add(&text, server, len) && buf_add_text(&text, "/api") &&
		(all || (buf_add_byte(&text, '/') && add_topic(&text, operand))) &&
		(place == CLIENT_TOPIC || buf_add_text(&text, "/event"));
	return use_text(&text, added, query, url, error);
}

int client_target_join(
	char *const *operands, const char *query, struct client_url *url, struct error *error)
{
	const char *server = NULL;
	struct buf text;
	size_t len = 0;
	bool added;

	for (size_t i = 0; operands[i] != NULL; i++) {
		if (check_operand(operands[i], error) != 0)
			return -1;
	}
	if (find_server(&server, &len, error) != 0)
		return -1;
	buf_init(&text, URL_MAX);
	added = buf_add(&text, server, len) && buf_add_text(&text, "/api/event");
	for (size_t i = 0; operands[i] != NULL && added; i++)
		added = buf_addf(&text, "%ctopic=", i == 0 ? '?' : '&') &&
			add_topic(&text, operands[i]);
	return use_text(&text, added, query, url, error);
}

void client_target_hide(const struct client_url *url, char *operand)
{
	size_t size = operand != NULL ? strlen(operand) : 0;

	if (operand == NULL || !client_url_is(operand) || strcmp(url->url, url->shown) == 0)
		return;
	memset(operand, '\0', size);
	memcpy(operand, url->shown, strlen(url->shown) < size ? strlen(url->shown) : size);
}
