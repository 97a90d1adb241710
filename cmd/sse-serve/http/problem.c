/* SPDX-License-Identifier: MIT */
/* What an error is answered with; see problem.h. */
#include <cjson/cJSON.h>
#include <string.h>

#include "accept.h"
#include "problem.h"

/* PROBLEM_POLICY has the hash of the text between the tags; a test compares them. */
static const char style[] = ":root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}"
			    "body{max-width:40rem;margin:15vh auto 0;padding:0 1.5rem}"
			    "h1{font-size:1.5rem;font-weight:600}"
			    "p{overflow-wrap:anywhere}";

bool problem_json(const struct problem *problem, struct buf *out)
{
	cJSON *object = cJSON_CreateObject();
	char *text;
	bool added;

	cJSON_AddStringToObject(object, "title", problem->title);
	cJSON_AddNumberToObject(object, "status", problem->status);
	cJSON_AddStringToObject(object, "detail", problem->detail);
	text = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	added = text != NULL && buf_add_text(out, text);
	cJSON_free(text);
	return added;
}

/* Text as HTML: what could begin or end markup is a reference. */
static bool add_text(struct buf *out, const char *text)
{
	bool added = true;

	for (; added && *text != '\0'; text++) {
		if (strchr("&<>\"'", *text) != NULL)
			added = buf_addf(out, "&#%d;", *text);
		else
			added = buf_add_byte(out, *text);
	}
	return added;
}

bool problem_page(const struct problem *problem, struct buf *out)
{
	return buf_addf(out,
		       "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<title>%u ",
		       problem->status) &&
	       add_text(out, problem->title) &&
	       buf_addf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>%u ", style,
		       problem->status) &&
	       add_text(out, problem->title) && buf_add_text(out, "</h1>\n<p>") &&
	       add_text(out, problem->detail) &&
	       buf_add_text(out, "</p>\n<p><a href=\"/\">Home page</a></p>\n</body>\n</html>\n");
}

bool problem_prefers_page(const char *accept)
{
	return accept_prefers(accept, "text/html", "application/json") &&
	       accept_prefers(accept, "text/html", "application/problem+json");
}
