/* SPDX-License-Identifier: MIT */
/* The lines of a configuration file; see option_file.h. */
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#include "option_file.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *skip_blanks(char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

void option_file_begin(struct option_file *file, char *text, size_t len)
{
	*file = (struct option_file){.next = text, .end = text + len};
	*file->end = '\0';
}

/* Cut off the next line, without its end.  Return what is wrong with it, or NULL. */
static const char *take_line(struct option_file *file, char **line)
{
	char *end = memchr(file->next, '\n', (size_t)(file->end - file->next));

	*line = file->next;
	file->line++;
	if (end == NULL)
		return "the last line does not end with a newline, so the file may have been "
		       "cut off: add the newline";
	file->next = end + 1;
	*end = '\0';
	if (end > *line && end[-1] == '\r')
		*--end = '\0';
	for (const char *c = *line; c < end; c++) {
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return "the line has a control character; only text is valid";
	}
	return NULL;
}

/* Cut off the value's comment and the blanks after it. */
static void trim(char *value)
{
	char *end = value;

	while (*end != '\0' && !(*end == '#' && (end == value || is_blank(end[-1]))))
		end++;
	while (end > value && is_blank(end[-1]))
		end--;
	*end = '\0';
}

/* Take the quotes away.  Return what is wrong, or NULL. */
static const char *unquote(char **value)
{
	char *start = *value, *end = strchr(start + 1, *start), *rest;

	if (end == NULL)
		return "the value begins with a quote that is never closed";
	rest = skip_blanks(end + 1);
	if (*rest != '\0' && (*rest != '#' || rest == end + 1))
		return "text follows the closing quote; quotes must enclose the whole value";
	*end = '\0';
	*value = start + 1;
	return NULL;
}

static const char *read_value(char *text, struct option_line *line)
{
	bool equals;

	text = skip_blanks(text);
	equals = *text == '=';
	if (equals)
		text = skip_blanks(text + 1);
	line->value = text;
	if (*text == '"' || *text == '\'')
		return unquote(&line->value);
	trim(text);
	if (*text == '\0' && equals)
		return "the value after the = is missing";
	if (*text == '\0')
		line->value = NULL;
	return NULL;
}

static const char *read_line(char *text, struct option_line *line)
{
	char *end, after;
	const char *fault;

	if (text[0] == '-')
		return "write the names of options without dashes here";
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		return "the file begins with a byte order mark; save it as plain UTF-8";
	line->name = text;
	end = text + strcspn(text, " \t=#");
	if (end == text)
		return "a line begins with the name of an option";
	/* The name is ended where the blank or = is, after that was looked at. */
	after = *end;
	if (after == '#')
		return "a comment begins with a # at the start of a line, or after a blank";
	fault = read_value(end, line);
	*end = '\0';
	return fault;
}

int option_file_next(struct option_file *file, struct option_line *line, struct error *error)
{
	const char *fault = NULL;

	while (fault == NULL && file->next != file->end) {
		char *text;

		*line = (struct option_line){0};
		fault = take_line(file, &text);
		line->number = file->line;
		if (fault != NULL)
			break;
		text = skip_blanks(text);
		if (*text == '\0' || *text == '#')
			continue;
		fault = read_line(text, line);
		if (fault == NULL)
			return 1;
	}
	return fault == NULL ? 0 : error_set(error, EX_DATAERR, "%s", fault);
}
