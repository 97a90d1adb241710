/* SPDX-License-Identifier: MIT */
/* Text that is fit for a terminal; see terminal.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sse.h"
#include "terminal.h"

const char *const terminal_colour_words[] = {"auto", "always", "never", NULL};

bool terminal_colour(enum terminal_colour choice, int fd)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (choice != TERMINAL_AUTO)
		return choice == TERMINAL_ALWAYS;
	return isatty(fd) && term != NULL && strcmp(term, "dumb") != 0 &&
	       (no_color == NULL || *no_color == '\0');
}

/* The length of the valid UTF-8 sequence at ${text}, and its character; 0 if there is none. */
static size_t decode(const char *text, size_t len, uint32_t *character)
{
	unsigned char first = (unsigned char)*text;
	size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (size > len || sse_utf8_valid(text, size) != size)
		return 0;
	*character = size == 1 ? first : first & (0x7fu >> size);
	for (size_t i = 1; i < size; i++)
		*character = *character << 6 | ((unsigned char)text[i] & 0x3f);
	return size;
}

/* Does this character steer a terminal, or the order in which its neighbours are shown? */
static bool steers(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x61c ||
	       character == 0x200e || character == 0x200f ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069) || character == 0xfeff;
}

static bool show(uint32_t character, struct buf *out)
{
	switch (character) {
	case '\n':
		return buf_add_text(out, "\\n");
	case '\r':
		return buf_add_text(out, "\\r");
	case '\t':
		return buf_add_text(out, "\\t");
	default:
		return buf_addf(out, "\\u%04x", (unsigned)character);
	}
}

bool terminal_text(const char *text, size_t len, struct buf *out)
{
	size_t plain = 0, at = 0;

	while (at < len) {
		uint32_t character = 0;
		size_t size = decode(text + at, len - at, &character);

		if (size > 0 && !steers(character)) {
			at += size;
			continue;
		}
		if (!buf_add(out, text + plain, at - plain))
			return false;
		if (size > 0 ? !show(character, out)
			     : !buf_addf(out, "\\x%02x", (unsigned)(unsigned char)text[at]))
			return false;
		at += size > 0 ? size : 1;
		plain = at;
	}
	return buf_add(out, text + plain, at - plain);
}

void terminal_say(const char *program, const char *text)
{
	struct buf line;

	buf_init(&line, (size_t)64 << 10);
	if (buf_addf(&line, "%s: ", program) && terminal_text(text, strlen(text), &line) &&
		buf_add_byte(&line, '\n'))
		(void)!write(STDERR_FILENO, line.data, line.len);
	buf_free(&line);
}
