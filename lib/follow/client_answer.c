/* SPDX-License-Identifier: MIT */
/* Answers and failures, in words; see client_answer.h. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <time.h>

#include "client.h"
#include "client_answer.h"
#include "client_url.h"
#include "json.h"
#include "json_pointer.h"
#include "number.h"

/* The most of a server's own words that goes into a sentence. */
#define WORDS_MAX 300

/* The longest heartbeat that a server can promise (ms). */
#define HEARTBEAT_MAX (24 * 3600 * INT64_C(1000))

void client_answer_init(struct client_answer *answer)
{
	*answer = (struct client_answer){.retry_after = -1};
	buf_init(&answer->body, CLIENT_BODY_MAX);
}

void client_answer_free(struct client_answer *answer)
{
	buf_free(&answer->body);
}

/* --- the head ----------------------------------------------------------------------------- */

static void copy(char *field, size_t size, const char *text, size_t len)
{
	snprintf(field, size, "%.*s", (int)(len < size ? len : size - 1), text);
}

/* "HTTP/1.1 200 OK" or "HTTP/2 200" */
static void take_status(struct client_answer *answer, const char *line, size_t len)
{
	const char *p = memchr(line, ' ', len), *end = line + len;

	buf_free(&answer->body);
	client_answer_init(answer);
	for (; p != NULL && p < end && *p == ' '; p++)
		;
	for (; p != NULL && p < end && *p >= '0' && *p <= '9' && answer->status < 1000; p++)
		answer->status = answer->status * 10 + (*p - '0');
	for (; p != NULL && p < end && *p == ' '; p++)
		;
	if (p != NULL)
		copy(answer->reason, sizeof(answer->reason), p, (size_t)(end - p));
}

/* Retry-After is a number of seconds or a date (RFC 9110, section 10.2.3). */
static int64_t read_retry_after(const char *text)
{
	int64_t seconds = 0;
	time_t date;

	if (*text >= '0' && *text <= '9') {
		for (; *text >= '0' && *text <= '9'; text++)
			seconds = seconds > INT32_MAX ? seconds : seconds * 10 + (*text - '0');
		return *text == '\0' ? seconds * 1000 : -1;
	}
	date = curl_getdate(text, NULL);
	if (date == -1)
		return -1;
	return date > time(NULL) ? (int64_t)(date - time(NULL)) * 1000 : 0;
}

void client_answer_header(struct client_answer *answer, const char *line, size_t len)
{
	char text[64], heartbeat[NUMBER_TEXT];
	const struct {
		const char *name;
		char *field;
		size_t size;
	} fields[] = {
		{"Content-Type", answer->type, sizeof(answer->type)},
		{"Location", answer->location, sizeof(answer->location)},
		{"Last-Event-ID", answer->id, sizeof(answer->id)},
		{"Stream-Until", answer->until, sizeof(answer->until)},
		{"Stream-Latest", answer->latest, sizeof(answer->latest)},
		{"Stream-Heartbeat", heartbeat, sizeof(heartbeat)},
		{"Retry-After", text, sizeof(text)},
	};
	const char *colon;
	size_t name;

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r' || line[len - 1] == ' '))
		len--;
	if (len == 0)
		answer->head_ended = true;
	/* Within a head it is a header, if a strange one. */
	if ((answer->status == 0 || answer->head_ended) && len > 5 &&
		strncasecmp(line, "HTTP/", 5) == 0)
		take_status(answer, line, len);
	colon = len > 0 ? memchr(line, ':', len) : NULL;
	if (colon == NULL)
		return;
	name = (size_t)(colon++ - line);
	while (colon < line + len && (*colon == ' ' || *colon == '\t'))
		colon++;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strlen(fields[i].name) != name || strncasecmp(line, fields[i].name, name) != 0)
			continue;
		copy(fields[i].field, fields[i].size, colon, (size_t)(line + len - colon));
		if (fields[i].field == text)
			answer->retry_after = read_retry_after(text);
		if (fields[i].field == heartbeat)
			number_duration(heartbeat, 1, HEARTBEAT_MAX, &answer->heartbeat, NULL);
	}
}

bool client_answer_body(struct client_answer *answer, const char *data, size_t len)
{
	size_t room = answer->body.cap - answer->body.len;

	return buf_add(&answer->body, data, len < room ? len : room) && len <= room;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	client_answer_header(context, line, size * count);
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	return client_answer_body(context, data, size * count) ? size * count : 0;
}

void client_answer_collect(struct client_answer *answer, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, answer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
}

/* The type that counts if one field has several: the last (Fetch, section 2.2.2). */
static const char *last_type(const char *types)
{
	const char *type = types;
	bool quoted = false;

	for (const char *p = types; *p != '\0'; p++) {
		quoted = quoted != (*p == '"');
		if (*p == ',' && !quoted)
			type = p + 1 + strspn(p + 1, " \t");
	}
	return type;
}

bool client_answer_is(const struct client_answer *answer, const char *type)
{
	const char *given = last_type(answer->type), *rest = given + strlen(type);

	if (strncasecmp(given, type, strlen(type)) != 0)
		return false;
	rest += strspn(rest, " \t");
	return *rest == '\0' || *rest == ';';
}

bool client_answer_is_redirect(const struct client_answer *answer)
{
	long status = answer->status;

	return answer->location[0] != '\0' &&
	       (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

bool client_answer_again(const struct client_answer *answer)
{
	return answer->status == 408 || answer->status == 429 || answer->status / 100 == 5;
}

/* --- the server's own words ------------------------------------------------------------------ */

/* The value that says what was wrong: problem+json's, then those of common services. */
static void find_words(struct json_text object, struct buf *words)
{
	static const char *const places[] = {
		"/detail", "/error/message", "/title", "/message", "/error"};
	struct json_text value;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && words->len == 0; i++) {
		if (json_pointer(object, places[i], &value) && json_kind(value) == JSON_STRING)
			json_string_decode(value, words);
	}
}

/* What the body says in words, as one short line; empty if it says nothing to a person. */
static void read_words(const struct client_answer *answer, char *text, size_t size)
{
	const struct buf *body = &answer->body;
	struct json_text value;
	struct json_error not_json;
	struct buf words;
	size_t len = 0;

	*text = '\0';
	buf_init(&words, CLIENT_BODY_MAX);
	if (body->len > 0 && json_check(body->data, body->len, &value, &not_json)) {
		if (json_kind(value) == JSON_OBJECT)
			find_words(value, &words);
	} else if (body->len > 0 && client_answer_is(answer, "text/plain")) {
		buf_add(&words, body->data, body->len);
	}
	while (len < words.len && words.data[len] != '\n' && words.data[len] != '\r' &&
		words.data[len] != '\0')
		len++;
	/* Cut where a character begins. */
	if (len > WORDS_MAX) {
		len = WORDS_MAX;
		while (len > 0 && ((unsigned char)words.data[len] & 0xc0) == 0x80)
			len--;
	}
	if (len > 0)
		snprintf(text, size, ": %.*s", (int)len, words.data);
	buf_free(&words);
}

/* The meaning of a status; a row covers a range, the first match counts. */
static const struct meaning {
	long first, last;
	int exit;
	const char *words;
} meanings[] = {
	{301, 303, EX_PROTOCOL, "redirects"},
	{307, 308, EX_PROTOCOL, "redirects"},
	{400, 400, EX_DATAERR, "refused the request"},
	{401, 401, EX_NOPERM, ""}, /* see words_of_login[] */
	{403, 403, EX_NOPERM, "does not permit this"},
	{404, 404, EX_UNAVAILABLE, "was not found"},
	{405, 405, EX_UNAVAILABLE, "does not accept this method"},
	{407, 407, EX_NOPERM, "cannot be reached: the proxy requires a login"},
	{408, 408, EX_TEMPFAIL, "took too long to get the request"},
	{410, 410, EX_UNAVAILABLE, "no longer exists"},
	{413, 413, EX_DATAERR, "refused the data, it is too large"},
	{415, 415, EX_DATAERR, "does not accept data of this type"},
	{429, 429, EX_TEMPFAIL, "receives too many requests"},
	{400, 499, EX_DATAERR, "refused the request"},
	{503, 503, EX_TEMPFAIL, "cannot answer now"},
	{500, 599, EX_TEMPFAIL, "failed"},
	{0, 999, EX_PROTOCOL, "gave an unexpected answer"},
};

/* What 401 means, and what would help. */
static const char *const words_of_login[] = {
	[CLIENT_LOGIN_NONE] =
		"requires a login: give a token with --token-file FILE or SSE_TOKEN, or "
		"a password with -u",
	[CLIENT_LOGIN_PLAIN] = "requires a login",
	[CLIENT_LOGIN_TOKEN] = "does not accept the token",
	[CLIENT_LOGIN_FILE] = "does not accept the token of --token-file",
	[CLIENT_LOGIN_OTHER] = "does not accept the login",
	[CLIENT_LOGIN_HEADER] = "requires a login, which --post-header can give",
	[CLIENT_LOGIN_WITHHELD] =
		"requires a login, which is not sent after a redirect from another "
		"origin",
};

static const char *words_of(
	const struct meaning *meaning, enum client_login login, const struct client_answer *answer)
{
	bool token = login == CLIENT_LOGIN_TOKEN || login == CLIENT_LOGIN_FILE;

	if (answer->status == 401)
		return words_of_login[login];
	return answer->status == 403 && token ? "does not permit this with this token"
					      : meaning->words;
}

int client_answer_error(const struct client_answer *answer, enum client_login login,
	const char *shown, struct error *error)
{
	const struct meaning *meaning = meanings;
	char words[WORDS_MAX + 8], target[CLIENT_URL_TEXT];

	/* The last row fits all. */
	while (answer->status < meaning->first || answer->status > meaning->last)
		meaning++;
	if (meaning->last >= 303 && meaning->last <= 308) {
		if (answer->location[0] == '\0')
			return error_set(error, meaning->exit,
				"%.120s answered %ld, a redirect without a target (no "
				"Location)",
				shown, answer->status);
		return error_set(error, meaning->exit, "%.120s answered %ld, a redirect to %.200s",
			shown, answer->status, client_url_text(answer->location, target));
	}
	read_words(answer, words, sizeof(words));
	return error_set(error, meaning->exit, "%.120s %s (%ld%s%s)%s", shown,
		words_of(meaning, login, answer), answer->status, answer->reason[0] ? " " : "",
		answer->reason, words);
}

/* --- compressed bodies ----------------------------------------------------------------------- */

/* The content codings, and what of libcurl decodes each; 0: there is nothing to decode. */
static const struct coding {
	const char *name;
	int feature;
} codings[] = {
	{"identity", 0},
	{"none", 0},
	{"gzip", CURL_VERSION_LIBZ},
	{"x-gzip", CURL_VERSION_LIBZ},
	{"deflate", CURL_VERSION_LIBZ},
	{"br", CURL_VERSION_BROTLI},
	{"zstd", CURL_VERSION_ZSTD},
};

static bool can_decode(const char *name, size_t len)
{
	int features = curl_version_info(CURLVERSION_NOW)->features;

	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		if (strlen(codings[i].name) == len && strncasecmp(codings[i].name, name, len) == 0)
			return (codings[i].feature & ~features) == 0;
	}
	return false;
}

int client_check_coding(const struct client *client, const char *shown, struct error *error)
{
	/* Of an empty value libcurl may leave the line's end. */
	static const char between[] = ", \t\r\n";
	struct curl_header *header;
	size_t len;

	for (size_t i = 0; curl_easy_header(client->easy, "Content-Encoding", i, CURLH_HEADER, -1,
				   &header) == CURLHE_OK;
		i++) {
		for (const char *name = header->value; *name != '\0'; name += len) {
			name += strspn(name, between);
			len = strcspn(name, between);
			if (len > 0 && !can_decode(name, len))
				return error_set(error, EX_PROTOCOL,
					"%.200s compresses the stream with '%.*s', which this "
					"libcurl cannot decompress",
					shown, len < 60 ? (int)len : 60, name);
		}
	}
	return 0;
}

/* --- transfers that failed ------------------------------------------------------------------- */

/* Failures that need more than libcurl's words, and all those that another attempt cannot mend. */
static const struct failure {
	CURLcode code;
	int exit;
	const char *words;
	bool details; /* libcurl's words add something */
} failures[] = {
	{CURLE_UNSUPPORTED_PROTOCOL, EX_PROTOCOL, "%s does not speak HTTP", true},
	{CURLE_WEIRD_SERVER_REPLY, EX_PROTOCOL, "%s does not speak HTTP", true},
	{CURLE_URL_MALFORMAT, EX_PROTOCOL, "%s redirects to a URL that is not valid", true},
	{CURLE_TOO_MANY_REDIRECTS, EX_PROTOCOL, "%s redirects too often", true},
	{CURLE_BAD_CONTENT_ENCODING, EX_PROTOCOL, "%s compresses in a way that cannot be read",
		true},
	{CURLE_PEER_FAILED_VERIFICATION, EX_PROTOCOL, "%s has a certificate that is not trusted",
		true},
	{CURLE_SSL_CACERT_BADFILE, EX_NOINPUT, "cannot use the file of authorities to trust for %s",
		true},
	{CURLE_SSL_CERTPROBLEM, EX_NOINPUT, "cannot use the client's certificate and key for %s",
		true},
	{CURLE_COULDNT_RESOLVE_PROXY, EX_UNAVAILABLE, "cannot find the proxy to %s", true},
	{CURLE_COULDNT_RESOLVE_HOST, EX_UNAVAILABLE, "cannot find the host of %s", false},
	{CURLE_SSL_CONNECT_ERROR, EX_UNAVAILABLE, "no TLS connection to %s", true},
	{CURLE_GOT_NOTHING, EX_UNAVAILABLE, "%s closed the connection without an answer", false},
	{CURLE_PARTIAL_FILE, EX_UNAVAILABLE, "%s closed the connection too early", false},
	{CURLE_SEND_FAIL_REWIND, EX_UNAVAILABLE, "%s closed the connection without an answer",
		false},
	{CURLE_OUT_OF_MEMORY, EX_PROTOCOL, "%s sent a header that is too long, or memory ran out",
		false},
};

/* What would help at a command line. */
static const char *hint(CURLcode code, const char *details)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return " (--cacert names an authority to trust)";
	case CURLE_SSL_CACERT_BADFILE:
		return " (--cacert)";
	case CURLE_SSL_CERTPROBLEM:
		return " (--cert, --key)";
	case CURLE_SSL_CONNECT_ERROR:
		return strstr(details, "wrong version number") != NULL
			       ? ", which may speak http instead of https"
			       : "";
	default:
		return "";
	}
}

/*
 * The host that did not answer, if it is not the one that ${shown} names: a proxy, or the target of
 * a redirect.  libcurl's words are "Failed to connect to HOST port PORT ...".
 */
static const char *who(const char *details, const char *shown, char text[300])
{
	char host[200], address[220];
	unsigned port;

	if (sscanf(details, "Failed to connect to %199s port %u", host, &port) != 2)
		return "";
	snprintf(address, sizeof(address), "%s:%u", host, port);
	if (strstr(shown, address) != NULL || ((port == 80 || port == 443) && strstr(shown, host)))
		return "";
	snprintf(text, 300, "%s, on the way to ", address);
	return text;
}

static int connect_error(
	const struct client *client, CURLcode code, const char *shown, struct error *error)
{
	const char *details = client->details;
	CURL *easy = client->easy;
	curl_off_t connected = 0;
	long number = 0;
	char text[300];

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
	curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
	if (code == CURLE_OPERATION_TIMEDOUT && connected == 0)
		return error_set(error, EX_UNAVAILABLE, "cannot connect to %s%.200s in time",
			who(details, shown, text), shown);
	if (code == CURLE_COULDNT_CONNECT && client->options->unix_socket != NULL)
		return error_set(error, EX_UNAVAILABLE, "cannot connect to the socket %.200s: %s",
			client->options->unix_socket,
			number != 0 ? strerror((int)number) : "no answer");
	if (code == CURLE_COULDNT_CONNECT)
		return error_set(error, EX_UNAVAILABLE, "cannot connect to %s%.200s: %s",
			who(details, shown, text), shown,
			number != 0 ? strerror((int)number) : "no answer");
	return error_set(error, EX_UNAVAILABLE, "the connection to %.200s broke%s%s", shown,
		number != 0 ? ": " : "", number != 0 ? strerror((int)number) : "");
}

/* A proxy was asked for a tunnel, and refused it. */
static int tunnel_error(long status, const char *shown, struct error *error)
{
	bool login = status == 401 || status == 403 || status == 407;

	return error_set(error, login ? EX_NOPERM : EX_UNAVAILABLE,
		"the proxy on the way to %.200s %s (%ld)", shown,
		login ? "does not permit this, or requires a login" : "cannot get through", status);
}

int client_failure_error(
	const struct client *client, CURLcode code, const char *shown, struct error *error)
{
	const char *details = client->details;
	long tunnel = 0;

	curl_easy_getinfo(client->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
	if (tunnel >= 300 && (code == CURLE_RECV_ERROR || code == CURLE_COULDNT_CONNECT))
		return tunnel_error(tunnel, shown, error);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		const struct failure *row = &failures[i];
		const char *gap = strstr(row->words, "%s");
		bool more = row->details && details[0] != '\0';

		if (row->code != code)
			continue;
		return error_set(error, row->exit, "%.*s%.200s%s%s%s%.200s",
			(int)(gap - row->words), row->words, shown, gap + 2,
			client->options->embedded ? "" : hint(code, details), more ? ": " : "",
			more ? details : "");
	}
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT ||
		code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR)
		return connect_error(client, code, shown, error);
	return error_set(error, EX_UNAVAILABLE, "no answer from %.200s: %.200s", shown,
		details[0] != '\0' ? details : curl_easy_strerror(code));
}
