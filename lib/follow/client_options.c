/* SPDX-License-Identifier: MIT */
/* Headers and cookies among the options; see client_options.h. */
#include <string.h>
#include <strings.h>

#include "client_options.h"

size_t client_options_header_name(const char *line)
{
	size_t len = strcspn(line, ":;");

	return line[len] == ':' || (line[len] == ';' && line[len + 1] == '\0') ? len : 0;
}

bool client_options_has_controls(const char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return true;
	}
	return false;
}

const char *client_options_header_fault(const char *line)
{
	size_t len = client_options_header_name(line);

	if (client_options_has_controls(line))
		return "a header cannot contain a newline or another control character";
	/* Not shown: it may be a secret that lacks its colon. */
	return len == 0 || strcspn(line, " \t") < len
		       ? "this is not a header; one is like 'Name: value'"
		       : NULL;
}

bool client_options_has_cookie_file(const struct client_options *options)
{
	return options->cookies != NULL && strchr(options->cookies, '=') == NULL;
}

bool client_options_has_header(const struct client_options *options, const char *name)
{
	for (size_t i = 0; i < options->headers.count; i++) {
		const char *line = options->headers.values[i];

		if (client_options_header_name(line) == strlen(name) &&
			strncasecmp(line, name, strlen(name)) == 0)
			return true;
	}
	return false;
}
