/* SPDX-License-Identifier: MIT */
/* Asking for a stream; see subscribe.h. */
#include <string.h>
#include <sysexits.h>

#include "buf.h"
#include "subscribe.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool subscribe_id_fits(const char *id)
{
	size_t len = strlen(id);

	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)id[i] < 0x20 && id[i] != '\t') || id[i] == 0x7f)
			return false;
	}
	return len <= SUBSCRIBE_ID_MAX &&
	       (len == 0 || (!is_blank(id[0]) && !is_blank(id[len - 1]))) &&
	       sse_utf8_valid(id, len) == len;
}

/* The headers of the next request: the standard's, the body's, and the id of the last event. */
static int set_headers(struct subscribe *subscribe, struct sse_text last, struct error *error)
{
	struct client_header headers[6] = {
		{"Accept", subscribe->accept},
		{"Cache-Control", "no-cache"},
		/* Decoded if the server compresses, but not asked for: a compressor holds back. */
		{"Accept-Encoding", NULL},
	};
	size_t count = 3;
	struct buf id;
	int result;

	buf_init(&id, SIZE_MAX);
	if (!buf_add(&id, last.data, last.len) || !buf_add_byte(&id, '\0')) {
		buf_free(&id);
		return error_set(error, EX_OSERR, "out of memory");
	}
	if (subscribe->method != NULL) {
		headers[count++] = (struct client_header){
			"Content-Type", subscribe->body != NULL ? subscribe->body_type : NULL};
		/* A large body does not wait to be allowed, which few servers care to do. */
		headers[count++] = (struct client_header){"Expect", NULL};
	}
	if (last.len > 0 && subscribe_id_fits(id.data)) {
		headers[count++] = (struct client_header){"Last-Event-ID", id.data};
	} else if (last.len > 0 && !subscribe->id_told) {
		client_say(subscribe->client, CLIENT_WARN,
			"the id '%.60s' cannot be sent in a header: events may be missed when connecting "
			"again",
			id.data);
		subscribe->id_told = true;
	}
	result = client_set_headers(subscribe->client, headers, count, error);
	buf_free(&id);
	return result;
}

/* The method and the body.  A body that is sent as a GET would be none. */
int subscribe_begin(struct subscribe *subscribe, struct sse_text last, struct error *error)
{
	static const char *const with_body[] = {"POST", "PUT", "PATCH"};
	const char *method = subscribe->client->options->method, *body = subscribe->body;
	const char *named = NULL;
	CURL *easy = subscribe->client->easy;
	bool empty = false;

	if (method == NULL && body != NULL)
		method = "POST";
	for (size_t i = 0; i < 3 && method != NULL && body == NULL; i++)
		empty = empty || strcmp(method, with_body[i]) == 0;
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	if (body != NULL || empty) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)(empty ? 0 : subscribe->body_len));
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, empty ? "" : body);
	}
	if (method != NULL && strcmp(method, "GET") == 0 && body == NULL)
		method = NULL;
	/* To libcurl it is a POST by another name, of which 301 and 302 would make a GET. */
	if (method != NULL && strcmp(method, "POST") != 0)
		named = method;
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, named);
	curl_easy_setopt(easy, CURLOPT_POSTREDIR,
		named != NULL ? (long)(CURL_REDIR_POST_301 | CURL_REDIR_POST_302) : 0L);
	subscribe->method = method;
	client_say(subscribe->client, CLIENT_EXPLAIN, "%s %s%s%.*s", method ? method : "GET",
		subscribe->url->shown, last.len > 0 ? " after the id " : "", (int)last.len,
		last.data ? last.data : "");
	if (client_begin(subscribe->client, error) != 0)
		return -1;
	return set_headers(subscribe, last, error);
}

int subscribe_redirect(struct subscribe *subscribe, const struct client_answer *answer,
	struct sse_text last, struct error *error)
{
	long status = answer->status;
	bool post = subscribe->method != NULL && strcmp(subscribe->method, "POST") == 0;
	struct client_url target;
	char *source = NULL;
	bool away = true;

	curl_easy_getinfo(subscribe->client->easy, CURLINFO_EFFECTIVE_URL, &source);
	if (client_url_follow(source, answer->location, &target, NULL) == 0) {
		client_say(subscribe->client, CLIENT_EXPLAIN, "%ld, a redirect to %s", status,
			target.shown);
		away = strcmp(target.origin, subscribe->url->origin) != 0;
	}
	client_url_free(&target);
	if (subscribe->method != NULL && (status == 303 || (post && status <= 302))) {
		subscribe->method = NULL;
		curl_easy_setopt(subscribe->client->easy, CURLOPT_CUSTOMREQUEST, NULL);
		curl_easy_setopt(subscribe->client->easy, CURLOPT_HTTPGET, 1L);
	}
	subscribe->client->cross_origin = subscribe->client->cross_origin || away;
	return set_headers(subscribe, last, error);
}
