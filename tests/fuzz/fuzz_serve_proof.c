/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing what clients say of themselves, cmd/sse-serve/http/proof.c and api/author.c: libFuzzer's
 * entry and, with -DFUZZ_STANDALONE, a driver of its own,
 *
 *     fuzz_serve_proof SECONDS [SEED]
 *
 * that mutates texts, the same ones in the same order for the same seed.  The first byte chooses what
 * the rest is:
 * 1. an Authorization header: the token is what a model by hand finds;
 * 2. a Cookie header: the secret likewise;
 * 3. the data of an event: it may be published by one of three people if a model says so that reads
 *    it with cJSON.
 */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "access/access.h"
#include "api/author.h"
#include "base/name.h"
#include "http/proof.h"
#include "json.h"
#include "parts/must.h"
#include "parts/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- headers ---------------------------------------------------------------------------------- */

static bool is_token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~+/=", c) != NULL);
}

/* Backwards: what is left without the spaces is the token. */
static bool model_bearer(const char *header, struct sse_text *token)
{
	size_t end = strlen(header), start = 7;

	if (end < start || strncasecmp(header, "bearer ", 7) != 0)
		return false;
	while (end > start && (header[end - 1] == ' ' || header[end - 1] == '\t'))
		end--;
	while (start < end && header[start] == ' ')
		start++;
	for (size_t i = start; i < end; i++) {
		if (!is_token_byte(header[i]))
			return false;
	}
	*token = (struct sse_text){header + start, end - start};
	return start < end;
}

/* Pair by pair. */
static bool model_cookie(const char *header, struct sse_text *secret)
{
	const char *end = header + strlen(header), *stop;

	for (const char *pair = header; pair < end; pair = stop + 1) {
		stop = strchrnul(pair, ';');
		while (pair < stop && (*pair == ' ' || *pair == '\t'))
			pair++;
		if (stop - pair < 12 || memcmp(pair, "sse-session=", 12) != 0)
			continue;
		*secret = (struct sse_text){pair + 12, 0};
		while (pair + 12 + secret->len < stop &&
			strchr(" \t", pair[12 + secret->len]) == NULL)
			secret->len++;
		return secret->len > 0;
	}
	return false;
}

static bool check_header(const char *text, bool (*read)(const char *, struct sse_text *),
	bool (*model)(const char *, struct sse_text *))
{
	struct sse_text one = {0}, other = {0};
	bool found = read(text, &one);

	MUST(found == model(text, &other));
	MUST(!found || (one.data == other.data && one.len == other.len));
	return found;
}

/* --- authors ---------------------------------------------------------------------------------- */

/* Whose name is proven; who may take any; who has none. */
static struct people {
	struct access_config config;
	struct access *access;
	struct principal *each[3];
} people;

static struct principal *new_principal(const char *as, bool any_name)
{
	struct grants none = {0};
	struct principal *principal = principal_new("x", as, &none, PRINCIPAL_FOREVER, NULL);

	MUST(principal != NULL);
	principal->any_name = any_name;
	return principal;
}

static void make_people(void)
{
	char path[] = "/tmp/fuzz_serve_proof.XXXXXX";
	int fd = mkstemp(path);

	MUST(fd >= 0 && dprintf(fd, "ann sha256:%064d as=Ann\n", 1) > 0);
	people.config.file = path;
	people.access = access_new(&people.config, NULL);
	MUST(people.access != NULL);
	people.config.file = NULL;
	close(fd);
	unlink(path);
	people.each[0] = new_principal("Ann", false);
	people.each[1] = new_principal(NULL, true);
	people.each[2] = new_principal(NULL, false);
}

/* May the name stand there, by the rules of author.h? */
static bool model_name(int who, const char *name)
{
	char *copy = strdup(name), *trimmed;
	bool may;

	MUST(copy != NULL);
	trimmed = who == 0 ? copy : name_trim(copy);
	may = trimmed[0] == '\0' || (who == 0 && strcmp(trimmed, "Ann") == 0) ||
	      (who == 1 && name_fault(trimmed, strlen(trimmed)) == NULL &&
		      strcmp(trimmed, "Ann") != 0);
	free(copy);
	return may;
}

static bool model_author(int who, const cJSON *data, bool typing)
{
	bool has_author = typing, may = true;

	for (const cJSON *one = data->child; one != NULL; one = one->next) {
		if (cJSON_IsString(one) && strcmp(one->string, "text") == 0)
			has_author = true;
		if (cJSON_IsString(one) && strcmp(one->string, "name") == 0)
			may = may && model_name(who, one->valuestring);
	}
	return !has_author || may;
}

/*
 * cJSON ends texts at a NUL, and refuses half of a surrogate pair: such data is only looked at.  What
 * is longer could hold a name that is refused for its length alone.
 */
static bool check_author(const char *text, bool typing)
{
	struct event event = {.json = true, .type = {"message", 7}}, plain = {.json = false};
	struct json_text data;
	struct json_error fault;
	bool understood = strstr(text, "\\u") == NULL;
	cJSON *model;

	if (!json_check(text, strlen(text), &data, &fault))
		return false;
	if (typing)
		event.type = (struct sse_text){"typing", 6};
	event.data = (struct sse_text){data.text, data.len};
	model = cJSON_ParseWithLength(data.text, data.len);
	for (int who = 0; who < 3; who++) {
		struct error error = {0};
		bool may = author_check(people.access, people.each[who], &event, &error) == 0;

		MUST(may ? error.status == 0 : error.status == EX_NOPERM);
		/* A stream shows text as it shows JSON; but other text of typing is a name. */
		plain.data = event.data;
		plain.type = event.type;
		if (json_kind(data) == JSON_OBJECT || !typing)
			MUST(author_check(people.access, people.each[who], &plain, &error) ==
				(may ? 0 : -1));
		if (json_kind(data) != JSON_OBJECT)
			MUST(may);
		else if (model != NULL && understood && data.len < 512)
			MUST(may == model_author(who, model, typing));
	}
	MUST(author_check(people.access, NULL, &event, NULL) == 0);
	cJSON_Delete(model);
	return true;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Return whether it is what it should be. */
static bool check_input(const unsigned char *data, size_t len)
{
	char *text = calloc(1, len + 1);
	bool taken = false;

	MUST(text != NULL);
	must_input(data, len);
	if (people.access == NULL)
		make_people();
	if (len > 1)
		memcpy(text, data + 1, len - 1);
	switch (len > 0 ? data[0] % 4 : 0) {
	case 0:
		taken = check_header(text, proof_bearer, model_bearer);
		break;
	case 1:
		taken = check_header(text, proof_cookie, model_cookie);
		break;
	case 2:
		taken = check_author(text, false);
		break;
	case 3:
		taken = check_author(text, true);
		break;
	}
	free(text);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const struct sse_text seeds[] = {
	MUTATE_SEED("\0Bearer sse_abc"),
	MUTATE_SEED("\0bearer  a.b-c== \t"),
	MUTATE_SEED("\1sse-session=abc"),
	MUTATE_SEED("\1a=b; sse-session=abc; c"),
	MUTATE_SEED("\2{\"name\":\"Ann\",\"text\":\"x\"}"),
	MUTATE_SEED("\2{\"text\":\"x\",\"name\":\"Bob \"}"),
	MUTATE_SEED("\3{\"name\":\"Ann\"}"),
	MUTATE_SEED("\3[{\"name\":1}]"),
};

/* What makes or breaks one. */
static const char *const pieces[] = {"Bearer ", " ", "\t", ";", "; ", "=",
	"sse-session=", "sse-session", ",", "\"", "{", "}", "[", "]", ":",
	"\"name\":", "\"text\":", "\"Ann\"", "\"Ann \"", "\"Bob\"", "\"\\u0041nn\"", "\"\"",
	"n\\u0061me", "\\u0000", "\\ud800", "\\n", "\xc2\xa0", "\xe2\x80\x83", "\xef\xbb\xbf",
	"\xff", "null", "1"};

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_CUT, MUTATE_REPEAT, MUTATE_OTHER,
	MUTATE_START, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_serve_proof",
	.inputs = "texts",
	.taken = "taken",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 1024,
	.rounds = 3,
	.kept = 100,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
