/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing what strangers send to hooks, and what --hook and its files have, cmd/sse-serve/hook:
 * libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver of its own,
 *
 *     fuzz_serve_hook SECONDS [SEED]
 *
 * that mutates texts, the same ones in the same order for the same seed.  The first byte chooses what
 * the rest is:
 * 1. the headers of a delivery of one of the three schemes, ID, TIME and SIGNATURE with newlines
 *    between them, in which @ stands for the right signature: a model by hand says which of them are
 *    accepted;
 * 2. a secret: what is taken of base64 is what OpenSSL makes of its bytes;
 * 3. a value of --hook: what is taken, put together again, is that value.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "hook/hook_rules.h"
#include "hook/signature.h"
#include "parts/must.h"
#include "parts/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW 1614265330
#define INPUT_MAX 1024

static const struct sse_text key = {"secret", 6}, body = {"{}", 2};

/* --- headers ---------------------------------------------------------------------------------- */

/* The text of the right signature, by OpenSSL's function for the whole text at once. */
static void sign(enum signature_scheme scheme, const char *id, const char *time, char text[80])
{
	char all[2 * INPUT_MAX];
	unsigned char mac[32];
	int len;

	if (scheme == SIGNATURE_GITHUB)
		len = snprintf(all, sizeof(all), "%s", body.data);
	else if (scheme == SIGNATURE_STRIPE)
		len = snprintf(all, sizeof(all), "%s.%s", time, body.data);
	else
		len = snprintf(all, sizeof(all), "%s.%s.%s", id, time, body.data);
	MUST(HMAC(EVP_sha256(), key.data, (int)key.len, (unsigned char *)all, (size_t)len, mac,
		     NULL) != NULL);
	if (scheme == SIGNATURE_STANDARD)
		EVP_EncodeBlock((unsigned char *)text, mac, sizeof(mac));
	else
		for (size_t i = 0; i < sizeof(mac); i++)
			snprintf(text + 2 * i, 3, "%02x", mac[i]);
}

/* Is one of the items the prefix and the right signature?  At most the limit of them count. */
static bool model_items(const char *header, const char *separators, const char *prefix,
	const char *right, size_t *count)
{
	char *copy = strdup(header), *rest = copy, *item;
	bool found = false;

	MUST(copy != NULL);
	while ((item = strsep(&rest, separators)) != NULL) {
		if (strncmp(item, prefix, strlen(prefix)) != 0)
			continue;
		(*count)++;
		found = found || strcmp(item + strlen(prefix), right) == 0;
	}
	free(copy);
	return found;
}

static bool model_time(const char *time)
{
	char *end;
	long then = strtol(time, &end, 10);

	return time[0] != '\0' && strspn(time, "0123456789") == strlen(time) && strlen(time) < 16 &&
	       labs(then - NOW) <= SIGNATURE_TOLERANCE;
}

static bool model_stripe(const char *header)
{
	char *copy = strdup(header), *rest = copy, *item, *time = NULL, right[80];
	size_t times = 0, count = 0;
	bool accepted;

	MUST(copy != NULL);
	while ((item = strsep(&rest, ",")) != NULL) {
		if (strncmp(item, "t=", 2) == 0) {
			time = item + 2;
			times++;
		}
	}
	accepted = times == 1 && model_time(time);
	if (accepted) {
		sign(SIGNATURE_STRIPE, "", time, right);
		accepted =
			model_items(header, ",", "v1=", right, &count) && count <= SIGNATURES_MAX;
	}
	free(copy);
	return accepted;
}

static bool model(
	enum signature_scheme scheme, const char *id, const char *time, const char *header)
{
	size_t count = 0;
	char right[80];

	if (scheme == SIGNATURE_STRIPE)
		return model_stripe(header);
	sign(scheme, id, time, right);
	if (scheme == SIGNATURE_GITHUB)
		return strncmp(header, "sha256=", 7) == 0 && strcmp(header + 7, right) == 0;
	return strchr(id, '.') == NULL && model_time(time) &&
	       model_items(header, " ", "v1,", right, &count) && count <= SIGNATURES_MAX;
}

/* Put the right signature, for the first time in the header, in the place of each @. */
static char *fill(
	enum signature_scheme scheme, const char *id, const char *time, const char *header)
{
	const char *first = scheme == SIGNATURE_STRIPE ? strstr(header, "t=") : NULL;
	char *out = malloc(INPUT_MAX * 80), *end = out, right[80], *own;

	own = strndup(
		first != NULL ? first + 2 : time, first != NULL ? strcspn(first + 2, ",") : 99);
	MUST(out != NULL && own != NULL);
	sign(scheme, id, own, right);
	for (; *header != '\0'; header++) {
		if (*header == '@')
			end = stpcpy(end, right);
		else
			*end++ = *header;
	}
	*end = '\0';
	free(own);
	return out;
}

static bool check_headers(enum signature_scheme scheme, char *text)
{
	char *id = strsep(&text, "\n"), *time = strsep(&text, "\n"), *header;
	struct signature signature;
	const char *fault;
	bool accepted;

	if (text == NULL)
		return false;
	header = fill(scheme, id, time, text);
	fault = signature_read(
		scheme, &(struct signature_headers){header, id, time}, NOW, &signature);
	MUST(signature.count <= SIGNATURES_MAX);
	accepted = fault == NULL && signature_is_by(&signature, key, body);
	MUST(accepted == model(scheme, id, time, header));
	MUST(!accepted || !signature_is_by(&signature, (struct sse_text){"Secret", 6}, body));
	MUST(!accepted || !signature_is_by(&signature, key, (struct sse_text){"{} ", 3}));
	free(header);
	return accepted;
}

/* --- secrets and options ---------------------------------------------------------------------- */

static bool check_secret(const char *text)
{
	unsigned char again[2 * INPUT_MAX];
	struct sse_text secret = {text, strlen(text)};
	struct buf out;
	bool taken;

	buf_init(&out, secret.len);
	taken = signature_add_key(SIGNATURE_STANDARD, secret, &out) == NULL;
	MUST(out.len > 0 || !taken);
	if (taken) {
		EVP_EncodeBlock(again, (unsigned char *)out.data, (int)out.len);
		MUST(strcmp((char *)again, text + strlen("whsec_")) == 0);
	}
	out.len = 0;
	if (signature_add_key(SIGNATURE_GITHUB, secret, &out) == NULL)
		MUST(buf_is(&out, text, secret.len));
	buf_free(&out);
	return taken;
}

static bool check_option(const char *text)
{
	struct option_list list = {.values = &text, .count = 1};
	struct hook_rules rules;
	struct error error = {0};
	char again[2 * INPUT_MAX];
	bool taken = hook_rules_parse(&list, &rules, &error) == 0;

	MUST(taken == (error.status == 0) && rules.count == taken);
	if (taken) {
		const struct hook_rule *rule = &rules.rules[0];

		snprintf(again, sizeof(again), "%s=%s:%s", rule->name, rule->topic, rule->file);
		MUST(strcmp(again, text) == 0);
		MUST(strncmp(rule->name, rule->kind->name, strlen(rule->kind->name)) == 0);
		MUST(hook_rules_find(&rules, rule->name) == rule);
	}
	hook_rules_free(&rules);
	return taken;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Return whether it is what it should be. */
static bool check_input(const unsigned char *data, size_t len)
{
	static const enum signature_scheme schemes[] = {
		SIGNATURE_GITHUB, SIGNATURE_STRIPE, SIGNATURE_STANDARD};
	unsigned kind = len > 0 ? data[0] % 5 : 0;
	char text[INPUT_MAX + 1] = "";

	must_input(data, len);
	if (len > 1)
		memcpy(text, data + 1, len - 1 < INPUT_MAX ? len - 1 : INPUT_MAX);
	if (kind < COUNT(schemes))
		return check_headers(schemes[kind], text);
	return kind == 3 ? check_secret(text) : check_option(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const struct sse_text seeds[] = {
	MUTATE_SEED("\0\n\nsha256=@"),
	MUTATE_SEED("\1\n\nt=1614265330,v1=@"),
	MUTATE_SEED("\1\n\nt=1614265330,v1=00,v1=@,v0=1"),
	MUTATE_SEED("\2msg_1\n1614265330\nv1,@"),
	MUTATE_SEED("\2msg_1\n1614265630\nv1a,AA v1,@ v1,AA"),
	MUTATE_SEED("\3whsec_aGVsbG8="),
	MUTATE_SEED("\3whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
	MUTATE_SEED("\4github=gh/acme:key"),
	MUTATE_SEED("\4standard/a_b-c=x:/y:z=1"),
};

/* What makes or breaks one. */
static const char *const pieces[] = {"@", "sha256=", "v1=", "v1,", "v0=", "v1a,", "t=", ",", " ",
	".", "\n", "=", ":", "/", "1614265330", "1614265029", "16142656300", "-", "+", "whsec_",
	"==", "github", "stripe", "standard", "v1=,v1=,v1=,v1=,v1=,v1=,v1=,v1=,", "event", "*"};

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_CUT, MUTATE_REPEAT, MUTATE_OTHER,
	MUTATE_START, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_serve_hook",
	.inputs = "texts",
	.taken = "taken",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = INPUT_MAX,
	.rounds = 3,
	.kept = 100,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
