/* SPDX-License-Identifier: MIT */
/* Sessions and tickets; see session.h. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "access/access.h"
#include "api.h"
#include "clock.h"
#include "http/proof.h"
#include "json.h"
#include "session.h"
#include "stream_query.h"
#include "timestamp.h"

/* Every answer is for one person. */
static void forbid_caching(struct request *request)
{
	request_add_header(request, "Cache-Control", "no-store");
}

/* Is there no access control?  If so, reply. */
static bool is_open(struct request *request)
{
	if (request_access(request) != NULL)
		return false;
	request_problem(request, 404,
		"there is no access control: the server runs without --access and --jwt-keys");
	return true;
}

/* --- who one is --- */

static bool add_text(struct buf *out, const char *name, const char *text)
{
	return buf_addf(out, "\"%s\":", name) &&
	       (text != NULL ? json_quote(text, strlen(text), out) : buf_add_text(out, "null"));
}

static bool add_patterns(struct buf *out, const struct grants *grants, enum verb verb)
{
	bool added = buf_addf(out, ",\"%s\":[", verb_name(verb));

	for (size_t i = 0; i < grants->counts[verb]; i++) {
		const char *pattern = grants->patterns[verb][i];

		added = added && (i == 0 || buf_add_byte(out, ',')) &&
			json_quote(pattern, strlen(pattern), out);
	}
	return added && buf_add_byte(out, ']');
}

static bool add_expiry(struct buf *out, const struct principal *principal)
{
	int64_t expires = principal_expires(principal);
	char text[TIMESTAMP_TEXT];

	return add_text(out, "expires",
		expires != PRINCIPAL_FOREVER ? timestamp_format(expires, text) : NULL);
}

static bool write_principal(struct buf *out, const struct principal *principal)
{
	return buf_add_text(out, "{\"access\":true,") && add_text(out, "name", principal->name) &&
	       buf_add_byte(out, ',') && add_text(out, "as", principal->as) &&
	       buf_addf(out, ",\"any_name\":%s", principal->any_name ? "true" : "false") &&
	       add_patterns(out, &principal->grants, VERB_PUBLISH) &&
	       add_patterns(out, &principal->grants, VERB_READ) &&
	       add_patterns(out, &principal->grants, VERB_DELETE) &&
	       buf_addf(out, ",\"status\":%s,", principal->grants.status ? "true" : "false") &&
	       add_expiry(out, principal) && buf_add_text(out, "}\n");
}

static void reply_principal(
	struct request *request, unsigned status, const struct principal *principal)
{
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	if (write_principal(&out, principal))
		request_reply(request, status, "application/json", out.data, out.len);
	else
		request_problem(request, 503, "out of memory; try again later");
	buf_free(&out);
	forbid_caching(request);
}

void session_show(struct request *request)
{
	static const char open[] = "{\"access\":false}\n";

	if (request_access(request) != NULL) {
		if (request_identify(request))
			reply_principal(request, 200, request_principal(request));
		return;
	}
	request_reply_static(request, 200, "application/json", open, strlen(open));
	forbid_caching(request);
}

/* --- sessions --- */

void session_check(struct request *request)
{
	if (!is_open(request))
		request_check_page(request, "begin or end a session here");
}

/* Did the page come over TLS, from here or as its Origin says?  Then the cookie is only for TLS. */
static bool is_secure(const struct request *request)
{
	const char *origin = request_header(request, "Origin");

	return request_is_secure(request) ||
	       (origin != NULL && strncmp(origin, "https://", 8) == 0);
}

static void add_cookie(struct request *request, const char *secret, int64_t seconds)
{
	char cookie[200];

	snprintf(cookie, sizeof(cookie), PROOF_COOKIE "=%s" PROOF_ATTRIBUTES "; Max-Age=%lld%s",
		secret, (long long)seconds, is_secure(request) ? "; Secure" : "");
	request_add_header(request, "Set-Cookie", cookie);
	OPENSSL_cleanse(cookie, sizeof(cookie));
}

void session_start(struct request *request)
{
	char secret[TOKEN_TEXT];
	int64_t now = clock_wall_ms();
	struct principal *session;

	if (!request_identify(request))
		return;
	if (!request_has_token(request)) {
		request_problem(request, 401,
			"a session needs a token: send `Authorization: Bearer TOKEN`");
		request_add_header(request, "WWW-Authenticate", PROOF_CHALLENGE);
		return;
	}
	session = access_start_session(
		request_access(request), request_principal(request), now, secret);
	if (session == NULL) {
		request_problem(request, 503, "out of memory; try again later");
		return;
	}
	reply_principal(request, 201, session);
	add_cookie(request, secret, (principal_expires(session) - now) / 1000);
	principal_drop(session);
	OPENSSL_cleanse(secret, sizeof(secret));
}

/* It does not matter whether there was one. */
void session_end(struct request *request)
{
	const char *cookies = request_header(request, "Cookie");
	struct sse_text secret;

	if (cookies != NULL && proof_cookie(cookies, &secret))
		access_end_session(request_access(request), secret.data, secret.len);
	request_reply_static(request, 204, NULL, "", 0);
	request_add_header(request, "Set-Cookie", PROOF_COOKIE_GONE);
	forbid_caching(request);
}

/* --- tickets --- */

void ticket_check(struct request *request)
{
	struct error error;

	if (is_open(request) || !request_check_origin(request, "get a ticket here"))
		return;
	if (stream_check_topics(request, &error) != 0)
		request_problem(request, 400, "%s", error.text);
}

void ticket_make(struct request *request)
{
	struct access *access = request_access(request);
	char secret[TOKEN_TEXT], answer[TOKEN_TEXT + 60];
	struct buf binding;
	int made = -1;

	buf_init(&binding, SIZE_MAX / 2);
	if (request_write_binding(request, &binding))
		made = access_new_ticket(
			access, request_principal(request), binding.data, clock_wall_ms(), secret);
	buf_free(&binding);
	if (made != 0) {
		request_problem(request, 503, "out of memory; try again later");
		return;
	}
	snprintf(answer, sizeof(answer), "{\"ticket\":\"%s\",\"seconds\":%d}\n", secret,
		ACCESS_TICKET_MS / 1000);
	request_reply(request, 201, "application/json", answer, strlen(answer));
	forbid_caching(request);
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(answer, sizeof(answer));
}
