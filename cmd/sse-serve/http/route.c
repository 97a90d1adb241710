/* SPDX-License-Identifier: MIT */
/* Request targets; see route.h. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "host.h"
#include "log/topic_name.h"
#include "nearest.h"
#include "number.h"
#include "route.h"

/* Decode percent escapes (and + in a query) in place.  False for a bad escape or a NUL. */
static bool decode(char *text, bool plus)
{
	char *out = text;

	for (; *text != '\0'; text++) {
		if (*text == '%') {
			int high = number_hex_digit(text[1]),
			    low = high < 0 ? -1 : number_hex_digit(text[2]);

			if (low < 0 || high + low == 0)
				return false;
			*out++ = (char)(high * 16 + low);
			text += 2;
		} else {
			*out++ = plus && *text == '+' ? ' ' : *text;
		}
	}
	*out = '\0';
	return true;
}

/* --- the path --- */

/* The server's own topic: it has a stream and samples, and nothing else that topics have. */
static bool parse_system(struct route *route)
{
	size_t len = strlen(TOPIC_SYSTEM);
	char *rest = route->topic + len;

	if (strncmp(route->topic, TOPIC_SYSTEM, len) != 0 || (*rest != '\0' && *rest != '/'))
		return false;
	route->kind = *rest == '\0'		    ? ROUTE_SAMPLES
		      : strcmp(rest, "/event") == 0 ? ROUTE_STATUS
						    : ROUTE_SYSTEM;
	*rest = '\0';
	return true;
}

/* What gives a page a proof of its own; no topic has these names (topic_name_check()). */
static bool parse_proof(struct route *route)
{
	if (strcmp(route->topic, "session") == 0)
		route->kind = ROUTE_SESSION;
	else if (strcmp(route->topic, "ticket") == 0)
		route->kind = ROUTE_TICKET;
	else
		return false;
	route->topic = NULL;
	return true;
}

/* What is not a topic was perhaps meant to be something that there is. */
static int not_a_topic(const char *topic, const struct error *reason, struct error *error)
{
	size_t len = strlen(topic);

	if (strchr(topic, '*') != NULL && topic_pattern_check(topic, len, NULL) == 0)
		return error_set(error, EX_DATAERR,
			"this is not a valid topic but a pattern, and patterns are only for reading: "
			"/api/event?topic=%.200s streams the topics that match it, "
			"/api?topic=%.200s lists them",
			topic, topic);
	if (len > 1 && topic[len - 1] == '/' && topic_name_check(topic, len - 1, NULL) == 0)
		return error_set(error, EX_DATAERR,
			"this is not a valid topic, because of the slash at its end: the topic is at "
			"/api/%.*s",
			(int)len - 1, topic);
	return error_set(error, EX_DATAERR,
		"this is not a valid topic: %s; topics are at /api/TOPIC, and their streams at "
		"/api/TOPIC/event",
		reason->text);
}

/* /api/...: cut the path into topic and what follows it. */
static int parse_api(struct route *route, struct error *error)
{
	struct error reason = {0};
	char *last;

	route->topic = route->path + strlen("/api/");
	if (parse_system(route))
		return 0;
	if (parse_proof(route))
		return 0;
	route->kind = ROUTE_TOPIC;
	last = strrchr(route->topic, '/');
	if (last != NULL && strcmp(last, "/event") == 0) {
		route->kind = ROUTE_STREAM;
		*last = '\0';
	} else if (strcmp(route->topic, "event") == 0) {
		route->kind = ROUTE_STREAMS;
		route->topic = NULL;
		return 0;
	} else if (last != NULL && strcmp(last, "/presence") == 0) {
		route->kind = ROUTE_PRESENCE;
		*last = '\0';
	} else if (last != NULL && strchr(last, ':') != NULL) {
		route->kind = ROUTE_EVENT;
		route->id = last + 1;
		*last = '\0';
	}
	if (topic_name_check(route->topic, strlen(route->topic), &reason) != 0)
		return not_a_topic(route->topic, &reason, error);
	return 0;
}

int route_parse(const char *target, struct route *route, struct error *error)
{
	static const struct {
		const char *path;
		enum route_kind kind;
	} files[] = {{"/api", ROUTE_TOPICS}, {"/api/", ROUTE_TOPICS}, {"/healthz", ROUTE_HEALTH},
		{"/readyz", ROUTE_READY}, {"/metrics", ROUTE_METRICS}, {"*", ROUTE_SERVER}};
	size_t len;
	const char *authority = host_in_target(target, &len);

	*route = (struct route){.kind = ROUTE_PAGE};
	/* The absolute form, which only proxies send. */
	if (authority != NULL)
		target = authority[len] == '/' ? authority + len : "/";
	len = strcspn(target, "?#");
	route->query_text = strdup(target[len] == '?' ? target + len + 1 : "");
	route->path = strndup(target, len);
	if (route->query_text == NULL || route->path == NULL)
		return error_set(error, EX_OSERR, "out of memory; try again later");
	if (!decode(route->path, false) || (route->path[0] != '/' && strcmp(target, "*") != 0))
		return error_set(error, EX_DATAERR,
			"the path has a bad percent escape, an encoded NUL, or does not begin with /");
	if (strncmp(route->path, "/hook/", 6) == 0) {
		route->kind = ROUTE_HOOK;
		route->hook = route->path + 6;
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(route->path, files[i].path) == 0)
			route->kind = files[i].kind;
	}
	if (route->kind == ROUTE_PAGE && strncmp(route->path, "/api/", 5) == 0)
		return parse_api(route, error);
	return 0;
}

/* --- the query --- */

/* What takes parameters: bits, in the order of uses[]. */
enum {
	STREAM = 1 << 0,
	STREAMS = 1 << 1,
	STATUS = 1 << 2,
	LIST = 1 << 3,
	EVENT = 1 << 4,
	PRESENCE = 1 << 5,
	POST = 1 << 6,
	TICKET = 1 << 7,
	POST_MANY = 1 << 8,
	TOPICS = 1 << 9,
	DELETE = 1 << 10,
	DELETE_EVENT = 1 << 11,
	SAMPLES = 1 << 12, /* none */
	ANY_STREAM = STREAM | STREAMS | STATUS,
};

static const struct use {
	enum route_kind kind;
	const char *method, *name;
} uses[] = {
	{ROUTE_STREAM, "GET", "a topic's stream"},
	{ROUTE_STREAMS, "GET", "/api/event"},
	{ROUTE_STATUS, "GET", "/api/$sys/event"},
	{ROUTE_TOPIC, "GET", "a list"},
	{ROUTE_EVENT, "GET", "one event"},
	{ROUTE_PRESENCE, "GET", "presence"},
	{ROUTE_TOPIC, "POST", "a POST"},
	{ROUTE_TICKET, "POST", "/api/ticket"},
	{ROUTE_TOPICS, "POST", "a POST to /api"},
	{ROUTE_TOPICS, "GET", "/api"},
	{ROUTE_TOPIC, "DELETE", "a DELETE"},
	{ROUTE_EVENT, "DELETE", "a DELETE of one event"},
	{ROUTE_SAMPLES, "GET", "/api/$sys"},
};
#define USES (sizeof(uses) / sizeof(uses[0]))

static const struct use *find_use(enum route_kind kind, const char *method)
{
	for (size_t i = 0; i < USES; i++) {
		if (uses[i].kind == kind && strcmp(uses[i].method, method) == 0)
			return &uses[i];
	}
	return NULL;
}

enum parameter_type {
	TEXT,	/* const char *, once */
	TEXTS,	/* struct route_texts, any number */
	FLAG,	/* bool: 1 or 0, once */
	ID,	/* const char *, once by each of its names; empty: not given */
	ALIAS,	/* an ID by the name that others give it */
	IGNORE, /* sent by others, of no meaning here */
};

struct parameter {
	const char *name;
	enum parameter_type type;
	unsigned uses;
	size_t offset; /* of the field in struct route_query */
};

#define FIELD(name) offsetof(struct route_query, name)

/*
 * The parameters.  Scripts that stand in for EventSource cannot all set a header, and so name the
 * last event in the URL when they reconnect:
 *   lastEventId        event-source-polyfill (Yaffle), which older versions send with r, a random
 *                      number
 *   evs_last_event_id  amvtek's EventSource, which asks also for the connection to be ended after
 *                      evs_buffer_size_limit bytes, and for evs_preamble bytes of padding, as
 *                      Internet Explorer 8 and 9 need them: it ends the connection itself, and
 *                      those browsers are not served
 *   lastEventID        clients of Mercure; of its first versions Last-Event-ID
 */
static const struct parameter parameters[] = {
	{"topic", TEXTS, STREAMS | TICKET | TOPICS, FIELD(topics)},
	{"limit", TEXT, LIST | TOPICS, FIELD(limit)},
	{"before", TEXT, LIST | DELETE, FIELD(before)},
	{"after", TEXT, LIST | TOPICS, FIELD(after)},
	{"last_event_id", ID, ANY_STREAM, FIELD(last_event_id)},
	{"since", TEXT, ANY_STREAM | LIST, FIELD(since)},
	{"last", TEXT, STREAM | STREAMS, FIELD(last)},
	{"latest", FLAG, STREAM | STREAMS | LIST, FIELD(latest)},
	{"mark", FLAG, ANY_STREAM, FIELD(mark)},
	{"until", TEXT, STREAM | STREAMS, FIELD(until)},
	{"wait", TEXT, STREAM | STREAMS | LIST, FIELD(wait)},
	{"envelope", FLAG, ANY_STREAM | LIST | EVENT | POST, FIELD(envelope)},
	{"as", TEXT, STREAM | STREAMS, FIELD(as)},
	{"was", TEXT, STREAM | STREAMS, FIELD(was)},
	{"event", TEXT, POST | POST_MANY, FIELD(event)},
	{"event", TEXTS, STREAM | STREAMS, FIELD(events)},
	{"subject", TEXT, POST | POST_MANY, FIELD(subject)},
	{"ticket", TEXT, ANY_STREAM, FIELD(ticket)},
	{"ephemeral", FLAG, POST, FIELD(ephemeral)},
	{"close", FLAG, POST, FIELD(close)},
	{"lastEventId", ALIAS, ANY_STREAM, FIELD(last_event_id)},
	{"lastEventID", ALIAS, ANY_STREAM, FIELD(last_event_id)},
	{"Last-Event-ID", ALIAS, ANY_STREAM, FIELD(last_event_id)},
	{"evs_last_event_id", ALIAS, ANY_STREAM, FIELD(last_event_id)},
	{"evs_buffer_size_limit", IGNORE, ANY_STREAM, 0},
	{"evs_preamble", IGNORE, ANY_STREAM, 0},
	{"r", IGNORE, ANY_STREAM, 0},
};
#define PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

/* How much of a name a sentence repeats. */
#define NAME_SHOWN 60

static bool is_taken(const struct parameter *parameter, const struct use *use)
{
	return (parameter->uses & 1U << (use - uses)) != 0;
}

/* Does the parameter have a name of ours, which messages may suggest? */
static bool is_offered(const struct parameter *parameter, const struct use *use)
{
	return parameter->type < ALIAS && is_taken(parameter, use);
}

/* "which takes limit, before, since and envelope" */
static void write_taken(const struct use *use, char *text, size_t size)
{
	size_t count = 0, done = 0, len = 0;

	for (size_t i = 0; i < PARAMETERS; i++)
		count += is_offered(&parameters[i], use);
	snprintf(text, size, "which takes none");
	for (size_t i = 0; i < PARAMETERS && len < size; i++) {
		const char *before = done == 0 ? "which takes " : done + 1 < count ? ", " : " and ";

		if (!is_offered(&parameters[i], use))
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s", before, parameters[i].name);
		done++;
	}
}

static const char *find_nearest(const char *name, const struct use *use)
{
	struct nearest nearest;

	nearest_start(&nearest, name, strlen(name));
	for (size_t i = 0; i < PARAMETERS; i++) {
		if (is_offered(&parameters[i], use))
			nearest_offer(&nearest, parameters[i].name);
	}
	return nearest.name;
}

/* The parameter is not taken here; if it is known, it is by others. */
static int refuse(
	const char *name, const struct parameter *known, const struct use *use, struct error *error)
{
	const char *near = known == NULL ? find_nearest(name, use) : NULL;
	const struct use *home = uses;
	char taken[160];

	if (near != NULL)
		return error_set(error, EX_DATAERR,
			"'%s' is not a parameter of %s; did you mean '%s'?", name, use->name, near);
	write_taken(use, taken, sizeof(taken));
	if (known == NULL)
		return error_set(error, EX_DATAERR, "'%.*s' is not a parameter of %s, %s",
			NAME_SHOWN, name, use->name, taken);
	while (!is_taken(known, home))
		home++;
	return error_set(error, EX_DATAERR, "'%s' is a parameter of %s, not of %s, %s", name,
		home->name, use->name, taken);
}

static int take_flag(const char *name, const char *value, bool *flag, struct error *error)
{
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return error_set(error, EX_DATAERR, "%s is 1 or 0", name);
	*flag = value[0] == '1';
	return 0;
}

static int take_id(const char *name, const char *value, const char **id, struct error *error)
{
	if (value[0] == '\0')
		return 0;
	if (*id != NULL && strcmp(*id, value) != 0)
		return error_set(error, EX_DATAERR,
			"the query gives two ids to resume after; the id in '%s' is not that of "
			"the parameter before it: give one",
			name);
	*id = value;
	return 0;
}

/* There is room for as many as there are parameters. */
static int take_text(
	struct route_texts *list, const char *value, size_t capacity, struct error *error)
{
	if (list->texts == NULL)
		list->texts = calloc(capacity, sizeof(*list->texts));
	if (list->texts == NULL)
		return error_set(error, EX_OSERR, "out of memory; try again later");
	list->texts[list->count++] = value;
	return 0;
}

/* Store a value; ${capacity} is how many parameters the query has at most. */
static int take(const struct parameter *parameter, const char *value, size_t capacity,
	struct route_query *query, struct error *error)
{
	void *field = (char *)query + parameter->offset;

	switch (parameter->type) {
	case TEXT:
		*(const char **)field = value;
		return 0;
	case TEXTS:
		return take_text(field, value, capacity, error);
	case FLAG:
		return take_flag(parameter->name, value, field, error);
	case ID:
	case ALIAS:
		return take_id(parameter->name, value, field, error);
	case IGNORE:
		return 0;
	}
	return -1;
}

/*
 * Refuse a parameter that is given twice, because the server cannot know which value was meant, and
 * one without a value, because it would have no effect.
 */
static int check_given_once(
	const struct parameter *parameter, const char *value, unsigned *seen, struct error *error)
{
	unsigned bit = 1U << (parameter - parameters);
	bool again = (*seen & bit) != 0;

	*seen |= bit;
	if (parameter->type == IGNORE)
		return 0;
	if (value == NULL)
		return error_set(error, EX_DATAERR,
			"the query has '%s' without a value: write %s=...", parameter->name,
			parameter->name);
	if (again && parameter->type != TEXTS)
		return error_set(error, EX_DATAERR,
			"the query has '%s' more than once; give it once", parameter->name);
	return 0;
}

/* The parameter of that name that is accepted here, or else one accepted elsewhere; or NULL. */
static const struct parameter *find_parameter(const char *name, const struct use *use)
{
	const struct parameter *known = NULL;

	for (size_t i = 0; i < PARAMETERS; i++) {
		if (strcmp(parameters[i].name, name) != 0)
			continue;
		known = &parameters[i];
		if (is_taken(known, use))
			return known;
	}
	return known;
}

static size_t count_parameters(const char *query)
{
	size_t count = 1;

	for (; (query = strchr(query, '&')) != NULL; query++)
		count++;
	return count;
}

/* Cut the next parameter off *${rest}, and decode it.  False for what cannot be decoded. */
static bool next_parameter(char **rest, char **name, char **value)
{
	*name = strsep(rest, "&");
	*value = strchr(*name, '=');
	if (*value != NULL)
		*(*value)++ = '\0';
	return decode(*name, true) && (*value == NULL || decode(*value, true));
}

int route_parse_query(struct route *route, const char *method, struct error *error)
{
	const struct use *use = find_use(route->kind, method);
	size_t capacity = count_parameters(route->query_text);
	char *rest = use != NULL ? route->query_text : NULL, *name, *value;
	unsigned seen = 0;

	while (rest != NULL) {
		const struct parameter *known;

		if (!next_parameter(&rest, &name, &value))
			return error_set(error, EX_DATAERR,
				"the query has a bad percent escape or an encoded NUL");
		if (name[0] == '_' || (name[0] == '\0' && value == NULL))
			continue;
		known = find_parameter(name, use);
		if (known == NULL || !is_taken(known, use))
			return refuse(name, known, use, error);
		if (check_given_once(known, value, &seen, error) != 0)
			return -1;
		if (take(known, value, capacity, &route->query, error) != 0)
			return -1;
	}
	return 0;
}

void route_free(struct route *route)
{
	free(route->query.topics.texts);
	free(route->query.events.texts);
	free(route->path);
	free(route->query_text);
	*route = (struct route){0};
}
