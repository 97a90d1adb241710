/* SPDX-License-Identifier: MIT */
/* The parts of a URL, and what of it may be shown; see client_url.h. */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "buf.h"
#include "client_url.h"

/* The longest URL that is made here; servers stop at far less. */
#define URL_MAX 65536

bool client_url_is(const char *operand)
{
	return strncasecmp(operand, "http://", 7) == 0 || strncasecmp(operand, "https://", 8) == 0;
}

bool client_url_is_stream(const char *url)
{
	static const char end[] = "/event";
	size_t len = strcspn(url, "?#"), tail = sizeof(end) - 1;
	const char *api = strstr(url, "/api/");

	return api != NULL && api < url + len && len > tail &&
	       memcmp(url + len - tail, end, tail) == 0;
}

bool client_url_has_parameter(const char *url, const char *name)
{
	const char *at = strchr(url, '?');
	size_t len = strlen(name);

	for (; at != NULL; at = strchr(at, '&')) {
		at++;
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return true;
	}
	return false;
}

bool client_url_is_secret(const char *name, size_t len)
{
	static const char *const words[] = {"auth", "cookie", "token", "secret", "key", "pass",
		"sig", "jwt", "pw", "code", "cred", "sess", "ticket"};

	for (size_t i = 0; i < len; i++) {
		for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
			if (len - i >= strlen(words[w]) &&
				strncasecmp(name + i, words[w], strlen(words[w])) == 0)
				return true;
		}
	}
	return false;
}

/* Append a query parameter, its value as dots if it is a secret. */
static bool add_parameter(struct buf *out, const char *parameter, size_t len)
{
	size_t name = strcspn(parameter, "=&");

	if (name < len && client_url_is_secret(parameter, name))
		return buf_add(out, parameter, name) && buf_add_text(out, "=...");
	return buf_add(out, parameter, len);
}

/* Append a query, with secrets as dots. */
static bool add_query(struct buf *out, const char *query)
{
	bool added = true;
	size_t len;

	for (const char *p = query; added; p += len + 1) {
		len = strcspn(p, "&");
		added = add_parameter(out, p, len) && buf_add(out, p + len, p[len] != '\0');
		if (p[len] == '\0')
			break;
	}
	return added;
}

const char *client_url_text(const char *text, char shown[CLIENT_URL_TEXT])
{
	const char *host = strstr(text, "://"), *end;
	size_t before, path;
	struct buf out;

	host = host != NULL ? host + 3 : strncmp(text, "//", 2) == 0 ? text + 2 : text;
	before = (size_t)(host - text);
	end = host + (before > 0 ? strcspn(host, "/?#") : 0);
	for (const char *p = host; p < end; p++)
		host = *p == '@' ? p + 1 : host;
	path = strcspn(host, "?");
	buf_init(&out, SIZE_MAX);
	if (!buf_add(&out, text, before) || !buf_add(&out, host, path + (host[path] == '?')) ||
		(host[path] == '?' && !add_query(&out, host + path + 1)) ||
		!buf_add_byte(&out, '\0'))
		out.len = 0;
	snprintf(shown, CLIENT_URL_TEXT, "%s", out.len > 0 ? out.data : "...");
	buf_free(&out);
	return shown;
}

static int refuse_url(const char *text, CURLUcode code, struct error *error)
{
	char shown[CLIENT_URL_TEXT];

	return error_set(error, EX_USAGE, "'%.200s' is not a usable URL: %s",
		client_url_text(text, shown),
		code == CURLUE_OUT_OF_MEMORY ? "out of memory" : curl_url_strerror(code));
}

static CURLUcode hide_secrets(CURLU *parts)
{
	char *query = NULL;
	CURLUcode code;
	struct buf hidden;

	if (curl_url_get(parts, CURLUPART_QUERY, &query, 0) != CURLUE_OK)
		return CURLUE_OK;
	buf_init(&hidden, SIZE_MAX);
	code = add_query(&hidden, query) && buf_add_byte(&hidden, '\0')
		       ? curl_url_set(parts, CURLUPART_QUERY, hidden.data, 0)
		       : CURLUE_OUT_OF_MEMORY;
	buf_free(&hidden);
	curl_free(query);
	return code;
}

/* Store what shown and origin are made of; the parts were found in a URL that parsed. */
static CURLUcode take_parts(CURLU *parts, struct client_url *url)
{
	char *scheme = NULL, *host = NULL, *port = NULL;
	CURLUcode code = curl_url_get(parts, CURLUPART_URL, &url->url, 0);
	struct buf origin;

	buf_init(&origin, URL_MAX);
	if (code == CURLUE_OK)
		code = curl_url_set(parts, CURLUPART_USER, NULL, 0);
	if (code == CURLUE_OK)
		code = curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0);
	if (code == CURLUE_OK)
		code = hide_secrets(parts);
	if (code == CURLUE_OK)
		code = curl_url_get(parts, CURLUPART_URL, &url->shown, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(parts, CURLUPART_HOST, &host, 0);
	if (code == CURLUE_OK) {
		/* The scheme's own port is left out, also where the URL spells it. */
		curl_url_get(parts, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
		if (buf_addf(&origin, "%s://%s%s%s", scheme, host, port ? ":" : "",
			    port ? port : "") &&
			buf_add_byte(&origin, '\0'))
			url->origin = origin.data;
		else
			code = CURLUE_OUT_OF_MEMORY;
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	if (code != CURLUE_OK)
		buf_free(&origin);
	return code;
}

int client_url_set(struct client_url *url, const char *text, const char *query, struct error *error)
{
	CURLU *parts = curl_url();
	CURLUcode code =
		parts == NULL ? CURLUE_OUT_OF_MEMORY : curl_url_set(parts, CURLUPART_URL, text, 0);

	*url = (struct client_url){0};
	if (code == CURLUE_OK && query != NULL)
		code = curl_url_set(parts, CURLUPART_QUERY, query, CURLU_APPENDQUERY);
	if (code == CURLUE_OK)
		code = take_parts(parts, url);
	curl_url_cleanup(parts);
	if (code == CURLUE_OK)
		return 0;
	client_url_free(url);
	return refuse_url(text, code, error);
}

/* As libcurl follows it: the result is parsed again. */
int client_url_follow(
	const char *from, const char *location, struct client_url *url, struct error *error)
{
	CURLUcode code = CURLUE_OUT_OF_MEMORY;
	CURLU *parts = curl_url();
	char *text = NULL;
	int result;

	*url = (struct client_url){0};
	if (parts != NULL)
		code = from == NULL ? CURLUE_MALFORMED_INPUT
				    : curl_url_set(parts, CURLUPART_URL, from, 0);
	if (code == CURLUE_OK)
		code = curl_url_set(parts, CURLUPART_URL, location, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(parts, CURLUPART_URL, &text, 0);
	if (code == CURLUE_OK)
		result = client_url_set(url, text, NULL, error);
	else
		result = refuse_url(location, code, error);
	curl_free(text);
	curl_url_cleanup(parts);
	return result;
}

void client_url_free(struct client_url *url)
{
	curl_free(url->url);
	curl_free(url->shown);
	free(url->origin);
	*url = (struct client_url){0};
}
