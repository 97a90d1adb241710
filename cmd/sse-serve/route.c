/* SPDX-License-Identifier: MIT */
/* Request targets; see route.h. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "route.h"
#include "topic.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode percent escapes (and + in a query).  NULL for a bad escape, a NUL, or no memory. */
static char *decode(const char *text, size_t len, bool plus)
{
	char *out = malloc(len + 1);
	size_t used = 0;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%') {
			int high = i + 2 < len ? hex(text[i + 1]) : -1;
			int low = i + 2 < len ? hex(text[i + 2]) : -1;

			if (high < 0 || low < 0 || high + low == 0) {
				free(out);
				return NULL;
			}
			out[used++] = (char)(high * 16 + low);
			i += 2;
		} else {
			out[used++] = plus && text[i] == '+' ? ' ' : text[i];
		}
	}
	out[used] = '\0';
	return out;
}

static bool decodes(const char *query)
{
	char *decoded = decode(query, strlen(query), true);

	free(decoded);
	return decoded != NULL;
}

/* How many times a query has this parameter. */
static size_t count_parameter(const char *query, const char *name)
{
	size_t name_len = strlen(name), count = 0;

	while (*query != '\0') {
		size_t len = strcspn(query, "&");

		if (strncmp(query, name, name_len) == 0 && strchr("=&", query[name_len]) != NULL)
			count++;
		query += len + (query[len] == '&');
	}
	return count;
}

/* Is the parameter there, but with no = behind it? */
static bool lacks_value(const char *query, const char *name)
{
	size_t name_len = strlen(name);

	while (*query != '\0') {
		size_t len = strcspn(query, "&");

		if (len == name_len && strncmp(query, name, name_len) == 0)
			return true;
		query += len + (query[len] == '&');
	}
	return false;
}

/*
 * Of two values one would be ignored; nobody can tell which one was meant.  Without any it would
 * be as if it were not there.
 */
static int check_given_once(const char *query, struct error *error)
{
	static const char *const once[] = {"event", "limit", "before", "since", "last_event_id",
		"envelope", "ephemeral", "as"};

	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		if (lacks_value(query, once[i]))
			return error_set(error, EX_DATAERR,
				"the query has '%s' without a value: write %s=...", once[i],
				once[i]);
		if (count_parameter(query, once[i]) > 1)
			return error_set(error, EX_DATAERR,
				"the query has '%s' more than once; give it once", once[i]);
	}
	return 0;
}

/* The server's own topic: it has a stream, and nothing else that topics have. */
static bool parse_system(struct route *route)
{
	size_t len = strlen(TOPIC_SYSTEM);
	char *rest = route->topic + len;

	if (strncmp(route->topic, TOPIC_SYSTEM, len) != 0 || (*rest != '\0' && *rest != '/'))
		return false;
	route->kind = strcmp(rest, "/event") == 0 ? ROUTE_STATUS : ROUTE_SYSTEM;
	*rest = '\0';
	return true;
}

/* /api/...: cut the path into topic and what follows it. */
static int parse_api(struct route *route, struct error *error)
{
	struct error reason = {0};
	char *last;

	route->topic = route->path + strlen("/api/");
	if (parse_system(route))
		return 0;
	route->kind = ROUTE_TOPIC;
	last = strrchr(route->topic, '/');
	if (last != NULL && strcmp(last, "/event") == 0) {
		route->kind = ROUTE_STREAM;
		*last = '\0';
	} else if (strcmp(route->topic, "event") == 0) {
		route->kind = ROUTE_STREAM;
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
		return error_set(error, EX_DATAERR, "this cannot be a topic: %s", reason.text);
	return 0;
}

int route_parse(const char *target, struct route *route, struct error *error)
{
	static const struct {
		const char *path;
		enum route_kind kind;
	} files[] = {
		{"/healthz", ROUTE_HEALTH}, {"/readyz", ROUTE_READY}, {"/metrics", ROUTE_METRICS}};
	size_t len;

	*route = (struct route){.kind = ROUTE_PAGE};
	/* The absolute form, which only proxies send: leave out the authority. */
	if (strncmp(target, "http://", 7) == 0) {
		target += 7 + strcspn(target + 7, "/?");
		if (*target != '/')
			target = "/";
	}
	len = strcspn(target, "?#");
	route->query = strdup(target[len] == '?' ? target + len + 1 : "");
	route->path = decode(target, len, false);
	if (route->query == NULL || route->path == NULL || route->path[0] != '/')
		return error_set(error, EX_DATAERR,
			"the path has a bad percent escape, an encoded NUL, or does not begin with /");
	if (!decodes(route->query))
		return error_set(
			error, EX_DATAERR, "the query has a bad percent escape or an encoded NUL");
	if (strncmp(route->path, "/api/", 5) == 0)
		return check_given_once(route->query, error) != 0 ? -1 : parse_api(route, error);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(route->path, files[i].path) == 0)
			route->kind = files[i].kind;
	}
	return 0;
}

char *route_query_next(const struct route *route, const char *name, size_t *cursor)
{
	size_t name_len = strlen(name);

	while (route->query[*cursor] != '\0') {
		const char *p = route->query + *cursor;
		size_t len = strcspn(p, "&");

		*cursor += len + (p[len] == '&');
		if (len > name_len && p[name_len] == '=' && strncmp(p, name, name_len) == 0)
			return decode(p + name_len + 1, len - name_len - 1, true);
	}
	return NULL;
}

char *route_query(const struct route *route, const char *name)
{
	size_t cursor = 0;

	return route_query_next(route, name, &cursor);
}

int route_flag(const struct route *route, const char *name, bool *flag, struct error *error)
{
	char *given = route_query(route, name);
	bool known = given == NULL || strcmp(given, "0") == 0 || strcmp(given, "1") == 0;

	*flag = given != NULL && strcmp(given, "1") == 0;
	free(given);
	return known ? 0 : error_set(error, EX_DATAERR, "%s is 1 or 0", name);
}

void route_free(struct route *route)
{
	free(route->path);
	free(route->query);
	*route = (struct route){0};
}
