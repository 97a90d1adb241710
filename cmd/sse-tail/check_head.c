/* SPDX-License-Identifier: MIT */
/* The head of a stream, in words; see check_head.h. */
#include <curl/curl.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "check_head.h"
#include "client_url.h"

/* The value of a header of the last response; NULL if it has none of the name. */
static const char *header(const struct check_target *target, const char *name)
{
	struct curl_header *found;
	CURLHcode code = curl_easy_header(target->client->easy, name, 0, CURLH_HEADER, -1, &found);

	return code == CURLHE_OK ? found->value : NULL;
}

/* Is this word in the value of that header, in any letter case? */
static bool header_has(const struct check_target *target, const char *name, const char *word)
{
	const char *value = header(target, name);

	for (; value != NULL && *value != '\0'; value++) {
		if (strncasecmp(value, word, strlen(word)) == 0)
			return true;
	}
	return false;
}

static void find_redirects(struct check_findings *findings, const struct check_target *target)
{
	struct client_url source = {0};
	char *effective = NULL;
	long count = 0;

	curl_easy_getinfo(target->client->easy, CURLINFO_REDIRECT_COUNT, &count);
	curl_easy_getinfo(target->client->easy, CURLINFO_EFFECTIVE_URL, &effective);
	if (count == 0 || effective == NULL || client_url_set(&source, effective, NULL, NULL) != 0)
		return;
	if (strncmp(target->url->origin, "https:", 6) == 0 &&
		strncmp(source.origin, "http:", 5) == 0)
		check_finding(findings, CHECK_BAD,
			"the redirect to %.300s leaves https, so anyone on the way can read the stream: "
			"redirect to https",
			source.shown);
	else
		check_finding(findings, CHECK_NOTE,
			"redirected, %ld of them, to %.300s: clients ask the first URL again each time "
			"they connect, so give them this one",
			count, source.shown);
	client_url_free(&source);
}

static void find_status(struct check_findings *findings, const struct check_target *target)
{
	long status = 0;

	curl_easy_getinfo(target->client->easy, CURLINFO_RESPONSE_CODE, &status);
	check_finding(findings, CHECK_OK, "the status is %ld, the Content-Type %.100s", status,
		header(target, "Content-Type"));
}

static void find_time_to_head(struct check_findings *findings, const struct check_look *look)
{
	int64_t took = look->opened - look->begun;
	char text[CHECK_FINDING_MS];

	if (took >= CHECK_LOOK_LATE_MS)
		check_finding(findings, CHECK_NOTE,
			"the head came after %s: send it (and a comment) as soon as the request "
			"arrives, and do not wait for an event",
			check_finding_ms(took, text));
	else
		check_finding(
			findings, CHECK_OK, "the head came after %s", check_finding_ms(took, text));
}

static void find_version(struct check_findings *findings, const struct check_target *target)
{
	long version = 0;

	curl_easy_getinfo(target->client->easy, CURLINFO_HTTP_VERSION, &version);
	if (version >= CURL_HTTP_VERSION_2_0)
		check_finding(findings, CHECK_OK, "HTTP/%d: one connection carries many streams",
			version >= CURL_HTTP_VERSION_3 ? 3 : 2);
	else
		check_finding(findings, CHECK_NOTE,
			"HTTP/1.%d: a browser opens at most six connections to a host, and each stream "
			"in each tab takes one: serve HTTP/2, or several topics on one stream",
			version == CURL_HTTP_VERSION_1_0 ? 0 : 1);
}

static void find_length(struct check_findings *findings, const struct check_target *target)
{
	const char *length = header(target, "Content-Length");

	if (length != NULL)
		check_finding(findings, CHECK_BAD,
			"there is a Content-Length, %.40s: the answer was complete before it was sent, "
			"so something collects the events; send each as it is made",
			length);
}

static void find_compression(struct check_findings *findings, const struct check_target *target)
{
	const char *coding = header(target, "Content-Encoding");

	if (coding == NULL || strcasecmp(coding, "identity") == 0)
		check_finding(findings, CHECK_OK, "the stream is not compressed");
	else if (client_options_has_header(target->client->options, "Accept-Encoding"))
		check_finding(findings, CHECK_NOTE,
			"the stream is compressed (%.40s), as asked: a compressor holds events back "
			"unless it is flushed after each",
			coding);
	else
		check_finding(findings, CHECK_BAD,
			"the stream is compressed (Content-Encoding: %.40s) without being asked: a "
			"compressor holds events back; turn it off for %.100s",
			coding, header(target, "Content-Type"));
}

static void find_caching(struct check_findings *findings, const struct check_target *target)
{
	const char *control = header(target, "Cache-Control"), *age = header(target, "Age");

	if (age != NULL && strspn(age, "0") < strlen(age))
		check_finding(findings, CHECK_BAD,
			"the answer comes out of a cache (Age: %.40s): send Cache-Control: no-store, and "
			"have the cache leave this URL alone",
			age);
	else if (header_has(target, "Cache-Control", "no-store") ||
		 header_has(target, "Cache-Control", "no-cache"))
		check_finding(findings, CHECK_OK,
			"caches are told not to keep it (Cache-Control: %.100s)", control);
	else if (control == NULL)
		check_finding(findings, CHECK_NOTE,
			"there is no Cache-Control, so a cache may keep the stream: send Cache-Control: "
			"no-cache");
	else
		check_finding(findings, CHECK_NOTE,
			"Cache-Control is '%.100s': send no-cache, because no cache may keep a stream",
			control);
}

/* nginx consumes X-Accel-Buffering and does not pass it on. */
static void find_proxy(struct check_findings *findings, const struct check_target *target)
{
	const char *via = header(target, "Via"), *server = header(target, "Server");
	bool nginx =
		header_has(target, "Server", "nginx") || header_has(target, "Server", "openresty");

	if (header_has(target, "X-Accel-Buffering", "no"))
		check_finding(findings, CHECK_OK,
			"an nginx on the way is told not to buffer (X-Accel-Buffering: no)");
	else if (nginx)
		check_finding(findings, CHECK_NOTE,
			"it comes through %.80s, which buffers unless its upstream sends "
			"X-Accel-Buffering: no (not visible here) or it has proxy_buffering off",
			server);
	else if (via != NULL)
		check_finding(findings, CHECK_NOTE,
			"there is a proxy on the way (Via: %.200s) and no X-Accel-Buffering: no: make "
			"sure that it does not buffer",
			via);
	else
		check_finding(findings, CHECK_NOTE,
			"there is no X-Accel-Buffering: no: an nginx that is put in front will buffer; "
			"send it");
}

static void find_sharing(struct check_findings *findings, const struct check_target *target)
{
	const char *origin = header(target, "Access-Control-Allow-Origin");

	if (origin == NULL)
		check_finding(findings, CHECK_NOTE,
			"there is no Access-Control-Allow-Origin: in browsers only pages of the same "
			"origin can read it (-H 'Origin: https://example.com' asks as a page does)");
	else
		check_finding(findings, CHECK_OK,
			"pages of '%.200s' can read it (Access-Control-Allow-Origin)", origin);
}

void check_head(struct check_findings *findings, const struct check_target *target,
	const struct check_look *look)
{
	find_redirects(findings, target);
	find_status(findings, target);
	find_time_to_head(findings, look);
	find_version(findings, target);
	find_length(findings, target);
	find_compression(findings, target);
	find_caching(findings, target);
	find_proxy(findings, target);
	find_sharing(findings, target);
}

void check_head_missing(struct check_findings *findings, const struct check_target *target,
	const struct check_look *look)
{
	char text[CHECK_FINDING_MS];
	struct error error;

	find_redirects(findings, target);
	if (look->end == FOLLOW_CLOSED)
		error_set(&error, EX_UNAVAILABLE,
			"the status is 204, which tells clients that nothing comes here and never to ask "
			"again: answer with a stream");
	else if (look->end == FOLLOW_TIME)
		error_set(&error, EX_TEMPFAIL,
			"no head came within %s: the server sends it only with the first event, or a "
			"proxy holds it back; send the head at once",
			check_finding_ms(look->ended - look->begun, text));
	else
		error = look->error;
	check_finding_error(findings, &error);
}
