/* SPDX-License-Identifier: MIT */
/*
 * The format that the user writes: text in which %e, %d and the like stand for parts of the event.
 */
#include <string.h>
#include <sysexits.h>

#include "json.h"
#include "output.h"

/* What a template is filled with. */
struct filling {
	struct output *output;
	const struct sse_event *event;
	const char *origin;
};

/* --- the words ------------------------------------------------------------------------------- */

static bool add_type(const struct filling *filling)
{
	return output_text(filling->output, filling->event->type);
}

static bool add_id(const struct filling *filling)
{
	return output_text(filling->output, filling->event->id);
}

static bool add_data(const struct filling *filling)
{
	return output_text(filling->output, filling->event->data);
}

/* The data as JSON on one line: as it is if it is JSON, else as a string. */
static bool add_json(const struct filling *filling)
{
	struct sse_text data = filling->event->data;
	struct output *output = filling->output;
	struct buf *line = output->terminal ? &output->scratch : &output->bytes;
	struct json_error not_json;
	struct json_text value;

	output->scratch.len = 0;
	if (json_check(data.data, data.len, &value, &not_json)
			? !json_compact(value, line)
			: !json_quote(data.data, data.len, line))
		return false;
	return !output->terminal || output_text(output, (struct sse_text){line->data, line->len});
}

static bool add_origin(const struct filling *filling)
{
	return output_text(
		filling->output, (struct sse_text){filling->origin, strlen(filling->origin)});
}

static bool add_topic(const struct filling *filling)
{
	return output_text(filling->output, filling->output->envelope->topic);
}

static bool add_time(const struct filling *filling)
{
	return output_time(filling->output, (enum output_stamp)filling->output->options->stamp,
		&filling->output->bytes);
}

static bool add_number(const struct filling *filling)
{
	return buf_addf(
		&filling->output->bytes, "%llu", (unsigned long long)filling->output->count);
}

static bool add_percent(const struct filling *filling)
{
	return buf_add_byte(&filling->output->bytes, '%');
}

static const struct word {
	char letter;
	bool (*add)(const struct filling *filling);
} words[] = {
	{'e', add_type},
	{'i', add_id},
	{'d', add_data},
	{'D', add_json},
	{'o', add_origin},
	{'t', add_time},
	{'T', add_topic},
	{'n', add_number},
	{'%', add_percent},
};

static const struct word *find_word(char letter)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].letter == letter)
			return &words[i];
	}
	return NULL;
}

/* --- and the escapes ------------------------------------------------------------------------- */

static const char escapes[] = "ntr0e\\", meant[] = "\n\t\r\0\033\\";

int output_template_check(const char *template, struct error *error)
{
	for (const char *p = template; *p != '\0'; p++) {
		if (*p == '%' && (*++p == '\0' || find_word(*p) == NULL))
			return error_set(error, EX_USAGE,
				"--template: %%%.1s is not known; use %%e (type), %%i (id), "
				"%%d (data), %%D (data as JSON), %%o (origin), %%t (time), %%T (topic), "
				"%%n (number) and %%%%",
				p);
		if (*p == '\\' && (*++p == '\0' || strchr(escapes, *p) == NULL))
			return error_set(error, EX_USAGE,
				"--template: \\%.1s is not known; use \\n, \\t, \\r, \\0, \\e and "
				"\\\\",
				p);
	}
	return 0;
}

bool output_template_has(const char *template, char letter)
{
	for (const char *p = template; *p != '\0'; p++) {
		/* It is valid: something comes after each of these. */
		if (*p == '%' && p[1] == letter)
			return true;
		p += *p == '%' || *p == '\\';
	}
	return false;
}

bool output_template(struct output *output, const struct sse_event *event, const char *origin)
{
	const struct filling filling = {output, event, origin};
	const char *p = output->options->template;

	while (*p != '\0') {
		size_t plain = strcspn(p, "%\\");

		if (!buf_add(&output->bytes, p, plain))
			return false;
		p += plain;
		if (*p == '%' && !find_word(p[1])->add(&filling))
			return false;
		if (*p == '\\' &&
			!buf_add_byte(&output->bytes, meant[strchr(escapes, p[1]) - escapes]))
			return false;
		p += *p != '\0' ? 2 : 0;
	}
	return output_terminator(output);
}
