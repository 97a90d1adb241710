/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing the query of cmd/sse-serve/http/route.c: libFuzzer's entry and, with -DFUZZ_STANDALONE, a
 * driver of its own,
 *
 *     fuzz_serve_query SECONDS [SEED]
 *
 * that mutates queries, the same ones in the same order for the same seed.  The first byte chooses
 * the target and the method.  For each query:
 * 1. it is taken if each of its parameters, cut out and decoded by other means, is taken alone,
 * none but topic is there twice, and all ids are the same; and then it says what they say alone;
 * 2. what it says, written as another query with each byte encoded, is read as the same;
 * 3. one that is refused gets a sentence, and what it said until then is freed with it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "buf.h"
#include "http/route.h"
#include "parts/must.h"
#include "parts/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CAP ((size_t)1 << 20)

static const struct place {
	const char *path, *method;
} places[] = {
	{"/api/t/event", "GET"},
	{"/api/event", "GET"},
	{"/api/$sys/event", "GET"},
	{"/api/t", "GET"},
	{"/api/t/x:1", "GET"},
	{"/api/t/presence", "GET"},
	{"/api/t", "POST"},
	{"/api", "POST"},
	{"/index.html", "GET"},
	{"/api", "GET"},
	{"/api/t", "DELETE"},
	{"/api/t/x:1", "DELETE"},
};

/* Read the query at the place; true if it is taken. */
static bool read_query(
	const struct place *place, const char *query, size_t len, struct route *route)
{
	struct error error = {0};
	struct buf target;
	bool taken;

	buf_init(&target, CAP);
	MUST(buf_addf(&target, "%s?", place->path) && buf_add(&target, query, len) &&
		buf_add_byte(&target, '\0'));
	MUST(route_parse(target.data, route, &error) == 0);
	taken = route_parse_query(route, place->method, &error) == 0;
	MUST(taken ? error.status == 0 : error.status == EX_DATAERR && error.text[0] != '\0');
	buf_free(&target);
	return taken;
}

/* --- the model -------------------------------------------------------------------------------- */

/* The texts of a query, in an order of our own; NULL: not there. */
#define TEXTS 12
static const char *const text_names[TEXTS] = {"limit", "before", "since", "last", "until",
	"last_event_id", "as", "event", "after", "subject", "wait", "was"};

static const char *text_of(const struct route_query *query, size_t i)
{
	const char *const texts[TEXTS] = {query->limit, query->before, query->since, query->last,
		query->until, query->last_event_id, query->as, query->event, query->after,
		query->subject, query->wait, query->was};

	return texts[i];
}

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static int digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)((at - digits) % 16) : -1;
}

/* The name of a parameter, decoded; the whole query could be, or it would not have been taken. */
static void name_of(const char *part, size_t len, struct buf *name)
{
	for (size_t i = 0; i < len && part[i] != '='; i++) {
		char c = part[i] == '+' ? ' ' : part[i];

		if (part[i] == '%' && i + 2 < len && digit(part[i + 1]) >= 0) {
			c = (char)(digit(part[i + 1]) * 16 + digit(part[i + 2]));
			i += 2;
		}
		MUST(buf_add_byte(name, c));
	}
	MUST(buf_add_byte(name, '\0'));
}

static bool may_repeat(const struct place *place, const char *name)
{
	return (strcmp(name, "event") == 0 && strcmp(place->method, "GET") == 0) ||
	       name[0] == '_' || name[0] == '\0' || strcmp(name, "topic") == 0 ||
	       strcmp(name, "r") == 0 || strncmp(name, "evs_preamble", 12) == 0 ||
	       strncmp(name, "evs_buffer_size_limit", 21) == 0;
}

/* Take over what one parameter said.  False if an id is there that is not the same. */
static bool merge(struct route_query *sum, const struct route_query *one)
{
	bool same_id = sum->last_event_id == NULL || one->last_event_id == NULL ||
		       same(sum->last_event_id, one->last_event_id);

	sum->limit = one->limit != NULL ? one->limit : sum->limit;
	sum->before = one->before != NULL ? one->before : sum->before;
	sum->since = one->since != NULL ? one->since : sum->since;
	sum->last = one->last != NULL ? one->last : sum->last;
	sum->until = one->until != NULL ? one->until : sum->until;
	sum->as = one->as != NULL ? one->as : sum->as;
	sum->was = one->was != NULL ? one->was : sum->was;
	sum->event = one->event != NULL ? one->event : sum->event;
	sum->subject = one->subject != NULL ? one->subject : sum->subject;
	sum->after = one->after != NULL ? one->after : sum->after;
	sum->wait = one->wait != NULL ? one->wait : sum->wait;
	if (sum->last_event_id == NULL)
		sum->last_event_id = one->last_event_id;
	sum->envelope |= one->envelope;
	sum->ephemeral |= one->ephemeral;
	sum->close |= one->close;
	sum->latest |= one->latest;
	sum->mark |= one->mark;
	sum->topics.count += one->topics.count;
	sum->events.count += one->events.count;
	return same_id;
}

/* What the parameters, each alone, say together. */
struct model {
	struct route_query sum;
	struct route *routes; /* one for each, which own the texts */
	struct buf names;     /* those that were there, each with its NUL */
	size_t count;
	bool taken;
};

static bool is_new(const struct model *model, const char *name)
{
	for (size_t at = 0; at < model->names.len; at += strlen(model->names.data + at) + 1) {
		if (strcmp(model->names.data + at, name) == 0)
			return false;
	}
	return true;
}

static void add_part(struct model *model, const struct place *place, const char *part, size_t len)
{
	struct route *route = &model->routes[model->count++];
	struct buf name;

	if (!read_query(place, part, len, route)) {
		model->taken = false;
		return;
	}
	buf_init(&name, CAP);
	name_of(part, len, &name);
	if (route->kind != ROUTE_PAGE && !may_repeat(place, name.data) && !is_new(model, name.data))
		model->taken = false;
	MUST(buf_add(&model->names, name.data, name.len));
	if (!merge(&model->sum, &route->query))
		model->taken = false;
	buf_free(&name);
}

static void build_model(
	struct model *model, const struct place *place, const char *query, size_t len)
{
	const char *end = query + len;

	*model = (struct model){.taken = true, .routes = calloc(len + 1, sizeof(struct route))};
	MUST(model->routes != NULL);
	buf_init(&model->names, CAP);
	for (const char *part = query; part <= end; part++) {
		size_t part_len = strcspn(part, "&");

		add_part(model, place, part, part_len);
		part += part_len;
	}
}

static void free_model(struct model *model)
{
	for (size_t i = 0; i < model->count; i++)
		route_free(&model->routes[i]);
	free(model->routes);
	buf_free(&model->names);
}

/* --- the properties --------------------------------------------------------------------------- */

static void check_same(const struct route_query *a, const struct route_query *b)
{
	for (size_t i = 0; i < TEXTS; i++)
		MUST(same(text_of(a, i), text_of(b, i)));
	MUST(a->envelope == b->envelope && a->ephemeral == b->ephemeral && a->close == b->close &&
		a->mark == b->mark && a->latest == b->latest);
	MUST(a->topics.count == b->topics.count && a->events.count == b->events.count);
}

static void add_encoded(struct buf *out, const char *name, const char *value)
{
	MUST(buf_addf(out, "%s%s=", out->len > 0 ? "&" : "", name));
	for (; *value != '\0'; value++)
		MUST(buf_addf(out, "%%%02X", (unsigned char)*value));
}

static void check_again(const struct place *place, const struct route_query *query)
{
	struct route route;
	struct buf out;

	buf_init(&out, CAP);
	for (size_t i = 0; i < TEXTS; i++) {
		if (text_of(query, i) != NULL)
			add_encoded(&out, text_names[i], text_of(query, i));
	}
	for (size_t i = 0; i < query->topics.count; i++)
		add_encoded(&out, "topic", query->topics.texts[i]);
	for (size_t i = 0; i < query->events.count; i++)
		add_encoded(&out, "event", query->events.texts[i]);
	if (query->envelope)
		add_encoded(&out, "envelope", "1");
	if (query->close)
		add_encoded(&out, "close", "1");
	if (query->latest)
		add_encoded(&out, "latest", "1");
	if (query->ephemeral)
		add_encoded(&out, "ephemeral", "1");
	if (query->mark)
		add_encoded(&out, "mark", "1");
	MUST(read_query(place, out.data, out.len, &route));
	check_same(&route.query, query);
	for (size_t i = 0; i < query->topics.count; i++)
		MUST(same(route.query.topics.texts[i], query->topics.texts[i]));
	for (size_t i = 0; i < query->events.count; i++)
		MUST(same(route.query.events.texts[i], query->events.texts[i]));
	route_free(&route);
	buf_free(&out);
}

/* Return whether the query was taken where one is looked at. */
static bool check_input(const unsigned char *data, size_t len)
{
	const struct place *place = &places[len > 0 ? data[0] % COUNT(places) : 0];
	char *query = calloc(1, len + 1);
	struct model model;
	struct route route;
	bool taken, page;

	MUST(query != NULL);
	must_input(data, len);
	if (len > 1)
		memcpy(query, data + 1, len - 1);
	len = strlen(query);
	taken = read_query(place, query, len, &route);
	build_model(&model, place, query, len);
	MUST(taken == model.taken);
	if (taken) {
		check_same(&route.query, &model.sum);
		check_again(place, &route.query);
	}
	page = route.kind == ROUTE_PAGE;
	free_model(&model);
	route_free(&route);
	free(query);
	return taken && !page && len > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const struct sse_text seeds[] = {
	MUTATE_SEED("\0last_event_id=x:1&since=1m&envelope=1&as=Ada"),
	MUTATE_SEED("\0lastEventId=x%3A1&last_event_id=x:1&r=77"),
	MUTATE_SEED("\0evs_preamble=2056&evs_buffer_size_limit=9&evs_last_event_id=a"),
	MUTATE_SEED("\0event=a&event=b&event="),
	MUTATE_SEED("\0last=10&mark=1&until=now"),
	MUTATE_SEED("\1topic=a&topic=b/*&topic=c%2F**"),
	MUTATE_SEED("\1topic=a&latest=1"),
	MUTATE_SEED("\2envelope=0&_=1"),
	MUTATE_SEED("\3limit=7&before=x:2&since=all"),
	MUTATE_SEED("\3after=x:2&wait=30s&envelope=1"),
	MUTATE_SEED("\4envelope=1"),
	MUTATE_SEED("\5_=1&_"),
	MUTATE_SEED("\6event=a+b&subject=c&ephemeral=1"),
	MUTATE_SEED("\7limt&%"),
	MUTATE_SEED("\10topic=a/**&topic=b&limit=2&after=a%2Fb"),
};

/* What makes or breaks a query. */
static const char *const pieces[] = {"&", "=", "%", "+", "%00", "%4", "%41", "%zz", "%26", "%3D",
	"topic=", "&limit=", "&before=", "&since=", "&last_event_id=", "&envelope=1", "&envelope=0",
	"&as=", "&event=", "&subject=", "&ephemeral=1", "&close=1", "&last=", "&mark=1", "&mark=0",
	"&until=", "&after=", "&wait=", "&latest=1",
	"&lastEventId=", "&lastEventID=", "&Last-Event-ID=", "&evs_last_event_id=", "&evs_preamble",
	"&evs_buffer_size_limit=", "&r=", "&_", "&_=", "x:1", "#", "?", "/", "limit", "\x7f",
	"\xff", "%l", "&%6cimit=", "&&"};

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_CUT, MUTATE_REPEAT, MUTATE_OTHER,
	MUTATE_START, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_serve_query",
	.inputs = "queries",
	.taken = "taken",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 512,
	.rounds = 3,
	.kept = 100,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
