/* SPDX-License-Identifier: MIT */
/* Text that is fit for a terminal; see terminal.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "sse.h"
#include "terminal.h"

const char *const terminal_colour_words[] = {"auto", "always", "never", NULL};

const char *const terminal_wrap_words[] = {"wrap", "cut", "off", NULL};

bool terminal_obeys(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

bool terminal_colour(enum terminal_colour choice, int fd)
{
	const char *no_color = getenv("NO_COLOR");

	if (choice != TERMINAL_AUTO)
		return choice == TERMINAL_ALWAYS;
	return terminal_obeys(fd) && (no_color == NULL || *no_color == '\0');
}

unsigned terminal_width(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The length of the valid UTF-8 sequence at ${text}, and its character; 0 without one. */
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

/* See the two functions below; ${kept} are the controls that stay as they are. */
static bool make_safe(const char *text, size_t len, const char *kept, struct buf *out)
{
	size_t plain = 0, at = 0;

	while (at < len) {
		uint32_t character = 0;
		size_t size = decode(text + at, len - at, &character);

		if (size > 0 &&
			(!steers(character) || (character != 0 && character < 0x20 &&
						       strchr(kept, (int)character) != NULL))) {
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

bool terminal_text(const char *text, size_t len, struct buf *out)
{
	return make_safe(text, len, "", out);
}

bool terminal_lines(const char *text, size_t len, struct buf *out)
{
	return make_safe(text, len, "\n\t", out);
}

/* --- lines that fit -------------------------------------------------------------------------- */

/* Where a line stands that is being written. */
struct fit {
	struct buf *out;
	unsigned width, column, indent;
	unsigned hang;	    /* what the indent is from the second line on; 0: by the first */
	bool blank;	    /* only spaces so far */
	bool full;	    /* cut: the rest of the line is left out */
	bool space;	    /* there was a space: */
	size_t after_space; /* the length of out up to and with the last one */
	unsigned at_space;  /* and its column */
};

/* The length of one of our own colour sequences at ${text}; 0 without one. */
static size_t colour_length(const char *text, size_t len)
{
	const char *end = len > 2 && text[0] == '\033' ? memchr(text, 'm', len) : NULL;

	return end != NULL ? (size_t)(end + 1 - text) : 0;
}

static unsigned columns(uint32_t character)
{
	int count = character < 0x80 ? 1 : wcwidth((wchar_t)character);

	return count < 0 ? 1 : (unsigned)count;
}

/*
 * Go on in a new line: from the last space on, if that leaves the line more than half full, or if
 * it is a paragraph.
 */
static bool break_line(struct fit *fit)
{
	struct buf *out = fit->out;
	unsigned indent = fit->indent < fit->width / 2 ? fit->indent : 0;
	bool at_word = fit->space && (fit->hang > 0 || fit->at_space > fit->width / 2);
	size_t moved = at_word ? fit->after_space : 0;
	char *space = buf_reserve(out, indent + 1);

	if (space == NULL)
		return false;
	/* It may have been passed on by now. */
	if (moved > out->len)
		moved = 0;
	memmove(space - moved + indent + 1, space - moved, moved);
	space[-(ptrdiff_t)moved] = '\n';
	memset(space - moved + 1, ' ', indent);
	out->len += indent + 1;
	fit->column = indent + (moved > 0 ? fit->column - fit->at_space : 0);
	fit->space = false;
	return true;
}

static bool fit_character(struct fit *fit, const char *text, size_t size, uint32_t character)
{
	unsigned wide = columns(character);

	if (fit->blank && character == ' ')
		fit->indent++;
	else if (fit->blank) {
		fit->blank = false;
		fit->indent = fit->hang > 0 ? fit->hang : fit->indent + 2;
	}
	/* The space at which a paragraph is broken is not in the next line. */
	if (fit->column + wide > fit->width && fit->hang > 0 && character == ' ') {
		fit->space = false;
		return break_line(fit);
	}
	if (fit->column + wide > fit->width && !break_line(fit))
		return false;
	fit->column += wide;
	fit->after_space += size;
	if (character == ' ' && !fit->blank) {
		fit->space = true;
		fit->after_space = 0;
		fit->at_space = fit->column;
	}
	return buf_add(fit->out, text, size);
}

/* Does the rest of this line have a visible character? */
static bool shows_more(const char *text, size_t len)
{
	unsigned wide = 0;

	while (len > 0 && *text != '\n' && wide == 0) {
		uint32_t character = 0;
		size_t skipped = colour_length(text, len), size = skipped;

		if (skipped == 0) {
			size = decode(text, len, &character);
			size = size > 0 ? size : 1;
			wide = columns(character);
		}
		text += size;
		len -= size;
	}
	return wide > 0;
}

static bool cut_character(struct fit *fit, const char *text, size_t size, size_t left)
{
	uint32_t character = 0;
	unsigned wide = decode(text, size, &character) > 0 ? columns(character) : 1;

	if (fit->full)
		return true;
	/* The last column is the ellipsis's, unless the line ends there. */
	if (fit->column + wide > fit->width ||
		(fit->column + wide == fit->width && shows_more(text + size, left - size))) {
		fit->full = true;
		return buf_add_text(fit->out, "\xe2\x80\xa6");
	}
	fit->column += wide;
	return buf_add(fit->out, text, size);
}

static bool fit_lines(
	const char *text, size_t len, const struct fit *start, enum terminal_wrap wrap)
{
	struct buf *out = start->out;
	struct fit fit = *start;
	bool added = true;

	if (wrap == TERMINAL_LEAVE || fit.width < 2)
		return buf_add(out, text, len);
	while (len > 0 && added) {
		uint32_t character = 0;
		size_t size = colour_length(text, len);

		if (size > 0) {
			fit.after_space += size;
			added = buf_add(out, text, size);
		} else if (*text == '\n') {
			size = 1;
			added = buf_add_byte(out, '\n');
			fit = *start;
		} else {
			size = decode(text, len, &character);
			size = size > 0 ? size : 1;
			added = wrap == TERMINAL_CUT ? cut_character(&fit, text, size, len)
						     : fit_character(&fit, text, size, character);
		}
		text += size;
		len -= size;
	}
	return added;
}

bool terminal_fit(
	const char *text, size_t len, unsigned width, enum terminal_wrap wrap, struct buf *out)
{
	const struct fit start = {.out = out, .width = width, .blank = true};

	return fit_lines(text, len, &start, wrap);
}

bool terminal_hang(const char *text, size_t len, unsigned width, unsigned hang, struct buf *out)
{
	const struct fit start = {.out = out, .width = width, .hang = hang, .blank = true};

	return fit_lines(text, len, &start, TERMINAL_WRAP);
}

/* --- the standard error ---------------------------------------------------------------------- */

/* See terminal_wrote(); of the process, as its standard output is. */
static bool in_line;

void terminal_wrote(const char *data, size_t len)
{
	if (len > 0)
		in_line = data[len - 1] != '\n';
}

bool terminal_in_line(void)
{
	return in_line;
}

/* Begin a message in a line of its own. */
static bool begin(const char *program, struct buf *line)
{
	bool within = in_line && isatty(STDERR_FILENO);

	if (within)
		in_line = false;
	return (!within || buf_add_byte(line, '\n')) && buf_addf(line, "%s: ", program);
}

/* A line without an end leaves room for the ^C that a terminal may show after it. */
#define ROOM 3u

/* Write "program: text", cut so that so many columns stay free. */
static void write_cut(
	const char *program, const char *text, unsigned room, const char *before, const char *after)
{
	unsigned width = terminal_width(STDERR_FILENO);
	struct buf line, fitting;

	buf_init(&line, (size_t)64 << 10);
	buf_init(&fitting, (size_t)64 << 10);
	if (begin(program, &line) && terminal_text(text, strlen(text), &line) &&
		buf_add_text(&fitting, before) &&
		terminal_fit(line.data, line.len, width > room ? width - room : width, TERMINAL_CUT,
			&fitting) &&
		buf_add_text(&fitting, after))
		(void)!write(STDERR_FILENO, fitting.data, fitting.len);
	buf_free(&fitting);
	buf_free(&line);
}

bool terminal_status(const char *program, const char *text)
{
	if (!terminal_obeys(STDERR_FILENO))
		return false;
	write_cut(program, text, ROOM, "\r", "\033[K");
	return true;
}

void terminal_say_cut(const char *program, const char *text)
{
	write_cut(program, text, 0, "", "\n");
}

void terminal_say(const char *program, const char *text)
{
	struct buf line;

	buf_init(&line, (size_t)64 << 10);
	if (begin(program, &line) && terminal_text(text, strlen(text), &line) &&
		buf_add_byte(&line, '\n'))
		(void)!write(STDERR_FILENO, line.data, line.len);
	buf_free(&line);
}
