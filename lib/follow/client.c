/* SPDX-License-Identifier: MIT */
/* Handle, headers and messages of a client; see client.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "buf.h"
#include "client.h"
#include "client_token.h"
#include "client_url.h"
#include "clock.h"

/* --- messages -------------------------------------------------------------------------------- */

void client_say(const struct client *client, enum client_level level, const char *format, ...)
{
	char text[2048];
	va_list args;

	if (client->say == NULL || (level == CLIENT_WARN ? client->options->quiet
							 : client->options->verbose < (int)level))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	client->say(client, text);
}

static void show_location(const struct client *client, const char *value, size_t len)
{
	char text[1024], shown[CLIENT_URL_TEXT];

	snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1),
		value);
	client_say(client, CLIENT_HEADERS, "< Location: %s",
		client_url_text(text + strspn(text, " \t"), shown));
}

/* Show the lines of a head, ">" for those that are sent; the first, with the URL, is known. */
static int trace(CURL *easy, curl_infotype type, char *data, size_t size, void *context)
{
	const struct client *client = context;
	const char *line = data, *end = data + size;

	(void)easy;
	if (type != CURLINFO_HEADER_OUT && type != CURLINFO_HEADER_IN)
		return 0;
	while (line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((next ? next : end) - line);
		const char *colon = memchr(line, ':', len);
		size_t name = colon != NULL ? (size_t)(colon - line) : 0;

		while (len > 0 && line[len - 1] == '\r')
			len--;
		if (type == CURLINFO_HEADER_OUT && line == data)
			len = 0;
		if (len > 0 && client_url_is_secret(line, name))
			client_say(client, CLIENT_HEADERS, "%c %.*s: [not shown]",
				type == CURLINFO_HEADER_OUT ? '>' : '<', (int)name, line);
		else if (name == strlen("Location") && strncasecmp(line, "Location", name) == 0)
			show_location(client, line + name + 1, len - name - 1);
		else if (len > 0)
			client_say(client, CLIENT_HEADERS, "%c %.*s",
				type == CURLINFO_HEADER_OUT ? '>' : '<', (int)len, line);
		line = next ? next + 1 : end;
	}
	return 0;
}

/* --- the handle ------------------------------------------------------------------------------ */

static void set_login(CURL *easy, const struct client_options *options)
{
	if (options->user != NULL)
		curl_easy_setopt(easy, CURLOPT_USERPWD, options->user);
	if (options->netrc)
		curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	/* Cookies that were given as text are a header: libcurl drops that on another origin. */
	if (client_options_has_cookie_file(options))
		curl_easy_setopt(easy, CURLOPT_COOKIEFILE, options->cookies);
	if (options->cookie_jar != NULL)
		curl_easy_setopt(easy, CURLOPT_COOKIEJAR, options->cookie_jar);
}

/* The proxy, the socket, and the certificates to trust. */
static int set_way(CURL *easy, const struct client_options *options, struct error *error)
{
	const struct {
		const char *name, *value;
		CURLoption option;
	} rows[] = {
		{"proxy", options->proxy, CURLOPT_PROXY},
		{"unix-socket", options->unix_socket, CURLOPT_UNIX_SOCKET_PATH},
		{"cacert", options->cacert, CURLOPT_CAINFO},
		{"cert", options->cert, CURLOPT_SSLCERT},
		{"key", options->key, CURLOPT_SSLKEY},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].value != NULL &&
			curl_easy_setopt(easy, rows[i].option, rows[i].value) != CURLE_OK)
			return error_set(error, EX_USAGE, "%s%s: this libcurl cannot do that",
				options->embedded ? "" : "--", rows[i].name);
	}
	if (options->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout);
	return 0;
}

int64_t client_after(int64_t ms)
{
	return ms == 0 ? CLIENT_NEVER : clock_now_ms() + ms;
}

int client_init(struct client *client, const char *program, const struct client_options *options,
	client_say_fn *say, struct error *error)
{
	*client = (struct client){.easy = curl_easy_init(),
		.multi = curl_multi_init(),
		.program = program,
		.options = options,
		.say = say};
	return client->easy != NULL && client->multi != NULL
		       ? 0
		       : error_set(error, EX_OSERR, "out of memory");
}

int client_configure(struct client *client, const char *agent, struct error *error)
{
	const struct client_options *options = client->options;
	CURL *easy = client->easy;

	curl_easy_setopt(easy, CURLOPT_USERAGENT, agent);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A name server that does not answer is not to hold up the end. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	/* What a proxy answers to CONNECT is not the server's answer. */
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->details);
	/* A quarter of the default's system calls, and the data still fits the caches. */
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 65536L);
	/* A peer that vanished is noticed after about a minute, however quiet the stream is. */
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
	set_login(easy, options);
	if (set_way(easy, options, error) != 0)
		return -1;
	if (options->token != NULL && client_token_is_exposed(options->token))
		client_say(client, CLIENT_WARN,
			"every user of this machine can read the token in %.200s: chmod 600 protects it",
			options->token_file);
	if (options->verbose >= (int)CLIENT_HEADERS) {
		curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
		curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, trace);
		curl_easy_setopt(easy, CURLOPT_DEBUGDATA, client);
	}
	return 0;
}

void client_free(struct client *client)
{
	curl_easy_cleanup(client->easy);
	curl_multi_cleanup(client->multi);
	curl_slist_free_all(client->headers);
	*client = (struct client){0};
}

int client_begin(struct client *client, struct error *error)
{
	struct client_token *token = client->options->token;
	const char *text = client->options->bearer;
	struct error wrong;

	client->cross_origin = false;
	if (token != NULL) {
		if (client_token_read(token, &wrong) != 0)
			client_say(client, CLIENT_EXPLAIN,
				"--token-file: %s; sending the last token", wrong.text);
		client->token_version = client_token_version(token);
		text = client_token_text(token);
	}
	if (text == NULL)
		return 0;
	curl_easy_setopt(client->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
	/* libcurl keeps a copy, and sends it to the first host only. */
	if (curl_easy_setopt(client->easy, CURLOPT_XOAUTH2_BEARER, text) != CURLE_OK)
		return error_set(error, EX_OSERR, "out of memory");
	return 0;
}

bool client_renews(const struct client *client, const struct error *reason)
{
	struct client_token *token = client->options->token;

	if (token == NULL || reason->status != EX_NOPERM)
		return false;
	client_token_read(token, NULL);
	if (client_token_version(token) == client->token_version)
		return false;
	client_say(client, CLIENT_EXPLAIN, "%s", reason->text);
	client_say(client, CLIENT_EXPLAIN,
		"the file of --token-file has another token now: trying again");
	return true;
}

enum client_login client_login(const struct client *client)
{
	const struct client_options *options = client->options;
	bool token = options->bearer != NULL || options->token != NULL;
	bool other = options->user != NULL || options->cookies != NULL ||
		     client_options_has_header(options, "Authorization");

	if (client->cross_origin && (token || other))
		return CLIENT_LOGIN_WITHHELD;
	if (options->embedded)
		return token || other ? CLIENT_LOGIN_OTHER : CLIENT_LOGIN_PLAIN;
	if (token)
		return options->token != NULL ? CLIENT_LOGIN_FILE : CLIENT_LOGIN_TOKEN;
	return other ? CLIENT_LOGIN_OTHER : CLIENT_LOGIN_NONE;
}

static int add_line(struct curl_slist **list, const char *line, struct error *error)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	*list = longer;
	return 0;
}

static int add_header(struct curl_slist **list, struct client_header header, struct error *error)
{
	struct buf line;
	int result;

	buf_init(&line, SIZE_MAX);
	/* To libcurl "Name:" leaves a header out, and "Name;" sends it empty. */
	if (!buf_addf(&line, "%s%s%s", header.name, header.value ? ": " : ":",
		    header.value ? header.value : "") ||
		!buf_add_byte(&line, '\0'))
		result = error_set(error, EX_OSERR, "out of memory");
	else
		result = add_line(list, line.data, error);
	buf_free(&line);
	return result;
}

int client_set_headers(struct client *client, const struct client_header *headers, size_t count,
	struct error *error)
{
	const struct client_options *options = client->options;
	struct curl_slist *list = NULL;
	int result = 0;

	for (size_t i = 0; i < options->headers.count && result == 0; i++) {
		const char *line = options->headers.values[i];

		if (!client->cross_origin ||
			!client_url_is_secret(line, client_options_header_name(line)))
			result = add_line(&list, line, error);
	}
	for (size_t i = 0; i < count && result == 0; i++) {
		if (!client_options_has_header(options, headers[i].name))
			result = add_header(&list, headers[i], error);
	}
	if (result == 0 && options->cookies != NULL && !client_options_has_cookie_file(options) &&
		!client->cross_origin && !client_options_has_header(options, "Cookie"))
		result = add_header(
			&list, (struct client_header){"Cookie", options->cookies}, error);
	if (result != 0) {
		curl_slist_free_all(list);
		return -1;
	}
	curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, list);
	curl_slist_free_all(client->headers);
	client->headers = list;
	return 0;
}
