/* SPDX-License-Identifier: MIT */
/* POST /hook/{name}; see hook.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "api.h"
#include "base/logger.h"
#include "clock.h"
#include "content.h"
#include "hash.h"
#include "hook.h"
#include "hook/hooks.h"
#include "json_pointer.h"
#include "media_type.h"
#include "post.h"

/*
 * Room for the event without the body: the headers that the library accepts have at most half of
 * this.
 */
#define MORE_MAX ((size_t)16 << 10)

/* Room for the id and the type of a delivery, decoded; a longer one is too long to be used. */
#define MEMBERS_MAX 1024

/* --- the signature --- */

static const struct hook_rule *hook_of(const struct request *request)
{
	return hooks_find(api_of(request)->hooks, request_route(request)->hook);
}

/* NULL: the kind of the hook has no such header, or the request has none. */
static const char *header_of(const struct request *request, const char *name)
{
	return name != NULL ? request_header(request, name) : NULL;
}

/* NULL, or the end of a sentence that says why no such delivery is accepted. */
static const char *read_signature(
	const struct request *request, const struct hook_kind *kind, struct signature *signature)
{
	const char *const names[] = {kind->signature, kind->id, kind->time, kind->type};
	const struct signature_headers headers = {header_of(request, kind->signature),
		header_of(request, kind->id), header_of(request, kind->time)};

	/* A proxy in front of the server may have checked the other one. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i] != NULL && request_header_count(request, names[i]) > 1)
			return "has a header twice that must appear only once";
	}
	return signature_read(kind->scheme, &headers, clock_wall_ms() / 1000, signature);
}

/* The log says what is wrong; the sender learns what would be right. */
static void refuse(struct request *request, const struct hook_rule *hook, const char *fault)
{
	char address[ADDRESS_TEXT], challenge[80];

	if (!request_may_be_wrong(request, "signatures"))
		return;
	request_write_address(request, address);
	logger_write(
		LOGGER_WARNING, "hook %s: the delivery from %s %s", hook->name, address, fault);
	request_problem(request, 401,
		"the delivery has no valid signature in %s: the sender must have a secret of this "
		"hook%s",
		hook->kind->signature,
		hook->kind->scheme == SIGNATURE_GITHUB ? "" : ", and the right time");
	/* There must be one (RFC 9110, section 15.5.2), and no scheme is registered for this. */
	snprintf(challenge, sizeof(challenge), "%s realm=\"sse-serve\"", hook->kind->signature);
	request_add_header(request, "WWW-Authenticate", challenge);
}

void hook_check(struct request *request)
{
	const struct hook_rule *hook = hook_of(request);
	const char *type = request_header(request, "Content-Type"), *fault;
	struct signature signature;

	if (hook == NULL) {
		request_problem(request, 404, "there is no hook of this name; --hook makes one");
		return;
	}
	if (!post_check_coding(request))
		return;
	if (type != NULL && media_type_is(type, "application/x-www-form-urlencoded")) {
		request_problem(request, 415,
			"the delivery is a form: set the content type of the webhook to "
			"application/json");
		return;
	}
	fault = read_signature(request, hook->kind, &signature);
	if (fault != NULL)
		refuse(request, hook, fault);
}

/* --- the event --- */

/* A delivery whose signature is right. */
struct delivery {
	struct post *post;
	const struct hook_rule *hook;
	struct json_text json; /* the body; text NULL: it is not JSON */
};

/* A string of the body, decoded; len 0: there is none, or it is too long. */
static struct sse_text find_member(const struct delivery *delivery, const char *pointer)
{
	struct buf *out = &delivery->post->attributes;
	size_t start = out->len;
	struct json_text found;

	if (delivery->json.text == NULL || !json_pointer(delivery->json, pointer, &found) ||
		json_kind(found) != JSON_STRING || !json_string_is_unicode(found) ||
		!json_string_decode(found, out))
		return (struct sse_text){"", 0};
	return (struct sse_text){out->data + start, out->len - start};
}

/* The id or type that the sender gives the delivery, in a header or in a member of the body. */
static struct sse_text find_word(
	const struct delivery *delivery, const char *header, const char *member)
{
	const char *value = header_of(delivery->post->request, header);

	if (member != NULL)
		return find_member(delivery, member);
	return value != NULL ? (struct sse_text){value, strlen(value)} : (struct sse_text){"", 0};
}

static unsigned read_words(struct delivery *delivery, struct error *error)
{
	const struct hook_kind *kind = delivery->hook->kind;
	struct post *post = delivery->post;
	const char *fault;

	buf_init(&post->attributes, MEMBERS_MAX);
	if (buf_reserve(&post->attributes, MEMBERS_MAX) == NULL) {
		error_set(error, EX_OSERR, "out of memory; try again later");
		return 503;
	}
	post->key_is = POST_KEY_DELIVERY;
	post->key = find_word(delivery, kind->id, kind->id_member);
	fault = post->key.len > 0 ? content_key_fault(post->key)
				  : "is missing, or is not a text that can be one";
	if (fault != NULL) {
		error_set(error, EX_DATAERR, "the id of the delivery (%s) %s",
			kind->id != NULL ? kind->id : kind->id_member + 1, fault);
		return 400;
	}
	/*
	 * A type that is not valid for an event is not lost: the headers or the body have it too.
	 */
	post->type = find_word(delivery, kind->type, kind->type_member);
	if (content_type_fault(post->type) != NULL)
		post->type = (struct sse_text){"update", strlen("update")};
	return 0;
}

/* Append the headers that are stored.  False if they do not fit. */
static bool add_headers(const struct delivery *delivery, struct buf *out)
{
	const char *const *stored = delivery->hook->kind->stored;
	const char *separator = "";
	bool fits = true;

	for (size_t i = 0; i < HOOK_HEADERS && stored[i] != NULL; i++) {
		const char *value = request_header(delivery->post->request, stored[i]);

		if (value == NULL)
			continue;
		fits = fits && buf_addf(out, "%s\"%s\":", separator, stored[i]) &&
		       json_quote(value, strlen(value), out);
		separator = ",";
	}
	return fits;
}

static bool add_body(const struct delivery *delivery, struct buf *out)
{
	const struct buf *body = request_body(delivery->post->request);

	if (delivery->json.text != NULL)
		return buf_add(out, delivery->json.text, delivery->json.len);
	return json_quote(body->data, body->len, out);
}

/* The data, in memory that counts as the request's. */
static unsigned write_data(const struct delivery *delivery, struct error *error)
{
	struct request *request = delivery->post->request;
	const struct buf *body = request_body(request);
	struct buf *data = &delivery->post->data;
	struct json_error reason;

	if (!request_hold(request, body->len + MORE_MAX)) {
		error_set(error, EX_TEMPFAIL, REQUEST_BODIES_FULL,
			(long long)api_of(request)->max_bodies);
		return 503;
	}
	buf_init(data, body->len + MORE_MAX);
	if (buf_reserve(data, data->cap) == NULL) {
		error_set(error, EX_OSERR, "out of memory; try again later");
		return 503;
	}
	if (!buf_add_text(data, "{\"headers\":{") || !add_headers(delivery, data) ||
		!buf_add_text(data, "},\"body\":") || !add_body(delivery, data) ||
		!buf_add_byte(data, '}')) {
		error_set(error, EX_DATAERR,
			"the body is not JSON, and has too many characters that a JSON string escapes");
		return 413;
	}
	if (!json_check(data->data, data->len, NULL, &reason)) {
		error_set(error, EX_DATAERR, "the body is " JSON_TOO_DEEP);
		return 400;
	}
	/* JSON has line ends only between tokens. */
	data->len = content_normalize(data->data, data->len);
	return 0;
}

/* Check everything that becomes part of the data. */
static unsigned check_utf8(const struct delivery *delivery, struct error *error)
{
	const char *const *stored = delivery->hook->kind->stored;
	const struct buf *body = request_body(delivery->post->request);
	size_t valid = sse_utf8_valid(body->data, body->len);

	if (valid < body->len) {
		error_set(error, EX_DATAERR, "the body is not UTF-8: byte %zu is wrong", valid + 1);
		return 400;
	}
	for (size_t i = 0; i < HOOK_HEADERS && stored[i] != NULL; i++) {
		const char *value = request_header(delivery->post->request, stored[i]);

		if (value == NULL || sse_utf8_valid(value, strlen(value)) == strlen(value))
			continue;
		error_set(error, EX_DATAERR, "the header %s is not UTF-8", stored[i]);
		return 400;
	}
	return 0;
}

/* Fill the group.  0, or the status to answer with the sentence. */
static unsigned read_delivery(struct delivery *delivery, struct error *error)
{
	struct post *post = delivery->post;
	const struct buf *body = request_body(post->request);
	unsigned status = check_utf8(delivery, error);
	struct json_error reason;

	if (status != 0)
		return status;
	if (!json_check(body->data, body->len, &delivery->json, &reason))
		delivery->json.text = NULL;
	status = read_words(delivery, error);
	if (status == 0)
		status = write_data(delivery, error);
	if (status != 0)
		return status;
	post->append[0].event.json = true;
	post_one(post, delivery->hook->topic, (struct sse_text){post->data.data, post->data.len});
	/* Only the id identifies the delivery, because Stripe counts its attempts in the body. */
	post->append[0].fingerprint = HASH_START;
	return 0;
}

void hook_run(struct request *request)
{
	const struct hook_rule *hook = hook_of(request);
	const struct buf *body = request_body(request);
	struct delivery delivery = {.hook = hook};
	struct error error = {0};
	struct signature signature;
	const char *fault = read_signature(request, hook->kind, &signature);

	if (fault == NULL && !hooks_verify(api_of(request)->hooks, hook, &signature,
				     (struct sse_text){body->data, body->len}))
		fault = "is signed with another secret, or was changed on its way";
	if (fault != NULL) {
		refuse(request, hook, fault);
		return;
	}
	delivery.post = post_new(request);
	if (delivery.post != NULL)
		post_end(delivery.post, read_delivery(&delivery, &error), &error);
}
