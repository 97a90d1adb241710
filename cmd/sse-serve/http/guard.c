/* SPDX-License-Identifier: MIT */
/* May the sender of a request do what it asks for?  See guard.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/access.h"
#include "base/address.h"
#include "base/rates.h"
#include "clock.h"
#include "connection.h"
#include "guard.h"
#include "log/topic_name.h"
#include "origin.h"
#include "proof.h"
#include "request.h"
#include "request_internal.h"
#include "tls/certificates.h"

/* --- who --- */

/* Only wrong proofs are counted and refused, so nobody can lock out others at the same address. */
bool request_may_be_wrong(struct request *request, const char *proofs)
{
	const struct sockaddr *address = request_address(request);
	unsigned char key[ADDRESS_KEY] = {0};
	int64_t wait = 0;

	/* Clients on this machine count too, by their addresses of loopback. */
	if (!address_key(address, key) && address != NULL && address->sa_family == AF_INET)
		memcpy(key, &((const struct sockaddr_in *)address)->sin_addr,
			sizeof(struct in_addr));
	if (rates_take(request->shared->config->wrong_proofs, key, sizeof(key), 1, clock_now_ms(),
		    &wait))
		return true;
	request_problem(request, 429,
		"too many wrong %s from this address; try again in %lld second%s", proofs,
		(long long)wait, wait == 1 ? "" : "s");
	request_add_retry_after(request, wait);
	return false;
}

/* RFC 6750, section 3. */
static void refuse_proof(struct request *request, const char *fault)
{
	if (!request_may_be_wrong(request, "tokens"))
		return;
	request_problem(
		request, 401, "%s; send a valid one as `Authorization: Bearer TOKEN`", fault);
	request_add_header(
		request, "WWW-Authenticate", PROOF_CHALLENGE ", error=\"invalid_token\"");
}

static void ask_for_proof(struct request *request)
{
	request_problem(request, 401,
		"this requires a proof of who you are: send `Authorization: Bearer TOKEN`, or log "
		"in on a page of this server");
	request_add_header(request, "WWW-Authenticate", PROOF_CHALLENGE);
}

static bool identify_by_token(struct request *request, const char *header)
{
	struct access *access = request->shared->config->access;
	const char *fault = "the Authorization header does not use the scheme Bearer";
	enum access_answer answer = ACCESS_REFUSED;
	struct sse_text token;

	request->proof = PROOF_IS_TOKEN;
	if (request->proofs > 1) {
		request_problem(request, 400, "there are two Authorization headers; send one");
		return false;
	}
	if (proof_bearer(header, &token))
		answer = access_of_token(access, token.data, token.len, clock_wall_ms(),
			&request->principal, &fault);
	if (answer == ACCESS_REFUSED)
		refuse_proof(request, fault);
	else if (answer == ACCESS_NO_MEMORY)
		request_problem(request, 503, "out of memory; try again later");
	return answer == ACCESS_OK;
}

/* All addresses of loopback are one place; an IPv6 /64 is one client. */
static bool add_address(const struct request *request, struct buf *text)
{
	unsigned char key[ADDRESS_KEY];

	if (!address_key(request_address(request), key))
		return buf_add_text(text, "local\n");
	for (size_t i = 0; i < sizeof(key); i++)
		buf_addf(text, "%02x", key[i]);
	return buf_add_byte(text, '\n');
}

static int compare_topics(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool add_topics(const struct request *request, struct buf *text)
{
	const struct route *route = &request->route;
	size_t count = route->query.topics.count;
	const char **topics = calloc(count + 1, sizeof(*topics));
	bool added = topics != NULL;

	if (topics == NULL)
		return false;
	if (route->topic != NULL)
		topics[count++] = route->topic;
	else
		memcpy(topics, route->query.topics.texts, count * sizeof(*topics));
	qsort(topics, count, sizeof(*topics), compare_topics);
	for (size_t i = 0; i < count; i++)
		added = added && buf_addf(text, "%s\n", topics[i]);
	free(topics);
	return added;
}

bool request_write_binding(const struct request *request, struct buf *text)
{
	const char *origin = request_header(request, "Origin");

	/* A page of the server itself sends no Origin with a GET. */
	if (origin != NULL && origin_is_own(origin, NULL, request_own_host(request)))
		origin = NULL;
	return buf_addf(text, "%s\n", origin != NULL ? origin : "") && add_address(request, text) &&
	       add_topics(request, text) && buf_add_byte(text, '\0');
}

static bool identify_by_ticket(struct request *request, const char *ticket)
{
	struct buf binding;

	request->proof = PROOF_IS_TICKET;
	buf_init(&binding, SIZE_MAX / 2);
	if (request_write_binding(request, &binding))
		request->principal = access_of_ticket(request->shared->config->access, ticket,
			strlen(ticket), binding.data, clock_wall_ms());
	buf_free(&binding);
	if (request->principal == NULL)
		refuse_proof(request,
			"the ticket was already used, is older than 30 s, or was made for other "
			"topics, another page or another address");
	return request->principal != NULL;
}

static bool identify_by_cookie(struct request *request, struct sse_text secret)
{
	request->proof = PROOF_IS_COOKIE;
	request->principal = access_of_session(
		request->shared->config->access, secret.data, secret.len, clock_wall_ms());
	if (request->principal == NULL) {
		refuse_proof(request, "the session has ended");
		request_add_header(request, "Set-Cookie", PROOF_COOKIE_GONE);
	}
	return request->principal != NULL;
}

/*
 * Find the principal of the client's certificate; none without a certificate, or if the access file
 * does not name it.  False after replying that the certificate is no longer valid, which happens
 * when it ends while the connection is open.
 */
static bool identify_by_certificate(struct request *request)
{
	const struct http_config *config = request->shared->config;
	const struct tls_client *client = &request->socket->client;
	struct principal *authority;
	const char *fault = CERTIFICATES_CA_GONE;

	if (client->subject == NULL)
		return true;
	authority = certificates_authority(config->certificates, client->ca);
	if (authority != NULL) {
		request->principal = access_of_certificate(
			config->access, client->subject, authority, client->expires);
		fault = principal_over(request->principal, clock_wall_ms());
		principal_drop(authority);
	}
	request->proof = request->principal != NULL ? PROOF_IS_CERTIFICATE : PROOF_IS_NONE;
	if (fault == NULL)
		return true;
	refuse_proof(request, fault);
	request_add_header(request, "Connection", "close");
	return false;
}

bool request_identify(struct request *request)
{
	struct sse_text secret;
	const char *cookies;

	if (request->shared->config->access == NULL || request->principal != NULL)
		return true;
	if (request->authorization != NULL)
		return identify_by_token(request, request->authorization);
	if (request->route.query.ticket != NULL)
		return identify_by_ticket(request, request->route.query.ticket);
	cookies = request_header(request, "Cookie");
	if (cookies != NULL && proof_cookie(cookies, &secret))
		return identify_by_cookie(request, secret);
	if (!identify_by_certificate(request))
		return false;
	if (request->principal == NULL)
		request->principal = access_everyone(request->shared->config->access);
	return true;
}

/* --- what --- */

/*
 * Refuse what the proof does not grant, or what needs a proof.  ${where} begins the sentence;
 * without a topic, the verb is granted for none.
 */
static void refuse_verb(
	struct request *request, enum verb verb, const char *topic, const char *where)
{
	const struct principal *principal = request->principal;
	const char *name = principal->name != NULL ? principal->name : "the holder of this token";

	if (request->proof == PROOF_IS_NONE) {
		ask_for_proof(request);
		return;
	}
	if (verb == VERB_STATUS)
		request_problem(request, 403, "%s may not see the server's figures (status)", name);
	else if (topic == NULL)
		request_problem(request, 403, "%s may not %s any topic", name, verb_name(verb));
	else if (topic_is_pattern(topic))
		request_problem(request, 403, "%s may not %s all of %s: no single grant covers it",
			name, verb_name(verb), topic);
	else
		request_problem(request, 403, "%s%s may not %s %s %s", where, name, verb_name(verb),
			verb == VERB_DELETE    ? "events of the topic"
			: verb == VERB_PUBLISH ? "to the topic"
					       : "the topic",
			topic);
	request_add_header(
		request, "WWW-Authenticate", PROOF_CHALLENGE ", error=\"insufficient_scope\"");
}

static bool may(struct request *request, enum verb verb, const char *topic)
{
	if (grants_cover(&request->principal->grants, verb, topic))
		return true;
	refuse_verb(request, verb, topic, "");
	return false;
}

bool request_check_topic(struct request *request, const char *topic, uint32_t line)
{
	enum verb verb = request->handler->verb;
	char where[32];

	if (request->shared->config->access == NULL ||
		grants_cover(&request->principal->grants, verb, topic))
		return true;
	snprintf(where, sizeof(where), "line %" PRIu32 ": ", line);
	refuse_verb(request, verb, topic, where);
	return false;
}

/*
 * May the sender delete one event if it is under their own name, which the handler finds out?
 */
static bool may_delete_own(const struct request *request)
{
	const struct principal *principal = request->principal;
	const struct route *route = &request->route;

	return request->handler->verb == VERB_DELETE && route->kind == ROUTE_EVENT &&
	       principal->as != NULL &&
	       grants_cover(&principal->grants, VERB_PUBLISH, route->topic);
}

static bool is_pattern(const char *topic)
{
	struct error ignored;

	return topic_pattern_check(topic, strlen(topic), &ignored) == 0;
}

/* Is the verb granted for all that the query names?  The handler refuses what is not a topic. */
static void check_query(struct request *request, enum verb verb)
{
	const struct route_query *query = &request->route.query;

	for (size_t i = 0; i < query->topics.count; i++) {
		if (is_pattern(query->topics.texts[i]) &&
			!may(request, verb, query->topics.texts[i]))
			return;
	}
}

void guard_check(struct request *request)
{
	enum verb verb = request->handler->verb;
	const struct route *route = &request->route;

	if (request->shared->config->access == NULL || verb == VERB_FREE ||
		!request_identify(request))
		return;
	if (route->kind == ROUTE_STREAMS || route->kind == ROUTE_TICKET)
		check_query(request, verb);
	else if (!may_delete_own(request))
		may(request, verb, verb == VERB_STATUS ? NULL : route->topic);
}

void guard_check_again(struct request *request)
{
	const char *fault = request->principal != NULL
				    ? principal_over(request->principal, clock_wall_ms())
				    : NULL;

	if (fault != NULL)
		refuse_proof(request, fault);
}
