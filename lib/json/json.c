/* SPDX-License-Identifier: MIT */
/* Strict JSON over text that stays unchanged; see json.h. */
#include <stdint.h>
#include <string.h>

#include "json.h"
#include "number.h"
#include "sse.h"

/* A word of eight bytes that are all ${byte}. */
#define EIGHT_OF(byte) (UINT64_MAX / 0xff * (byte))

#define NO_END_OF_STRING "the text ends inside a string"
#define NOTHING_AFTER_COMMA "a comma with nothing after it"
#define SINGLE_QUOTE "a single quote; JSON uses double quotes"

/* What may come next in the text. */
enum expect { VALUE, FIRST_VALUE, KEY, FIRST_KEY, COLON, MORE, DONE };

struct scanner {
	const char *at, *end;
	const char *what; /* what is wrong at ${at}; NULL: no error */
	unsigned depth, depth_max;
	/* Bit n tells whether the container at depth n + 1 is an object. */
	uint64_t objects[(JSON_DEPTH + 1 + 63) / 64];
};

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_closing(char c)
{
	return c == '}' || c == ']';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	return p;
}

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/*
 * Not 0 if one of the eight bytes of ${word} is less than ${n}, which is at most 0x80: taking n
 * from such a byte borrows into its high bit.  The borrow may spoil the bytes above, but no other
 * byte starts one; so the answer is exact, in either byte order.
 */
static uint64_t any_below(uint64_t word, unsigned n)
{
	return (word - EIGHT_OF(n)) & ~word & EIGHT_OF(0x80);
}

/* Are the eight bytes at ${p} free of quotes, backslashes and control characters? */
static bool eight_are_plain(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return (any_below(word, 0x20) | any_below(word ^ EIGHT_OF('"'), 1) |
		       any_below(word ^ EIGHT_OF('\\'), 1)) == 0;
}

/* The first quote, backslash or control character from ${p} on, or ${end}. */
static const char *skip_plain(const char *p, const char *end)
{
	while (end - p >= 8 && eight_are_plain(p))
		p += 8;
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		p++;
	return p;
}

/* The scanner: each step returns false after fail(). */

static bool fail(struct scanner *scanner, const char *at, const char *what)
{
	scanner->at = at;
	scanner->what = what;
	return false;
}

static bool push(struct scanner *scanner, bool object)
{
	uint64_t *bits = &scanner->objects[scanner->depth / 64];
	uint64_t bit = (uint64_t)1 << scanner->depth % 64;

	if (scanner->depth == scanner->depth_max)
		return fail(scanner, scanner->at, JSON_TOO_DEEP);
	*bits = object ? *bits | bit : *bits & ~bit;
	scanner->depth++;
	scanner->at++;
	return true;
}

static bool in_object(const struct scanner *scanner)
{
	unsigned top = scanner->depth - 1;

	return scanner->objects[top / 64] >> top % 64 & 1;
}

static const char *control_phrase(char c)
{
	switch (c) {
	case '\n':
		return "a line feed in a string; write it as \\n";
	case '\r':
		return "a carriage return in a string; write it as \\r";
	case '\t':
		return "a tab in a string; write it as \\t";
	case '\0':
		return "a NUL byte in a string; write it as \\u0000";
	default:
		return "a control character in a string; write it as \\u and four digits";
	}
}

/* The scanner stands on a backslash. */
static bool scan_escape(struct scanner *scanner)
{
	const char *p = scanner->at + 1, *digits;

	if (p == scanner->end)
		return fail(scanner, p, NO_END_OF_STRING);
	if (*p != 'u') {
		if (*p == '\0' || strchr("\"\\/bfnrt", *p) == NULL)
			return fail(scanner, scanner->at,
				"an unknown escape; JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u");
		scanner->at = p + 1;
		return true;
	}
	digits = ++p;
	for (; p < scanner->end && p < digits + 4; p++) {
		if (number_hex_digit(*p) < 0)
			return fail(scanner, p, "expected four hexadecimal digits after \\u");
	}
	if (p < digits + 4)
		return fail(scanner, p, NO_END_OF_STRING);
	scanner->at = p;
	return true;
}

/* The scanner stands on a quote. */
static bool scan_string(struct scanner *scanner)
{
	scanner->at++;
	for (;;) {
		const char *p = scanner->at = skip_plain(scanner->at, scanner->end);

		if (p == scanner->end)
			return fail(scanner, p, NO_END_OF_STRING);
		if (*p == '"') {
			scanner->at++;
			return true;
		}
		if (*p != '\\')
			return fail(scanner, p, control_phrase(*p));
		if (!scan_escape(scanner))
			return false;
	}
}

/* The scanner stands on a digit or a minus sign. */
static bool scan_number(struct scanner *scanner)
{
	const char *end = scanner->end, *p = scanner->at, *digits;

	if (*p == '-')
		p++;
	digits = p;
	p = skip_digits(p, end);
	if (p == digits)
		return fail(scanner, p, "expected a digit after '-'");
	if (*digits == '0' && p > digits + 1)
		return fail(scanner, digits, "a leading zero");
	if (p < end && *p == '.') {
		digits = ++p;
		p = skip_digits(p, end);
		if (p == digits)
			return fail(scanner, p, "expected a digit after '.'");
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		digits = p;
		p = skip_digits(p, end);
		if (p == digits)
			return fail(scanner, p, "expected a digit in the exponent");
	}
	scanner->at = p;
	return true;
}

static bool scan_word(struct scanner *scanner, const char *word)
{
	const char *p = scanner->at;

	for (; *word != '\0'; p++, word++) {
		if (p == scanner->end)
			return fail(scanner, p, "the text ends inside true, false or null");
		if (*p != *word)
			return fail(scanner, p, "a word other than true, false and null");
	}
	scanner->at = p;
	return true;
}

/* The scanner stands on a byte that does not start a value. */
static bool fail_value(struct scanner *scanner, enum expect expect)
{
	const char *p = scanner->at;

	switch (*p) {
	case ']':
	case '}':
		return fail(scanner, p,
			expect == VALUE && scanner->depth > 0 && !in_object(scanner)
				? NOTHING_AFTER_COMMA
				: "expected a value, not a closing bracket");
	case ',':
		return fail(scanner, p, "a comma with no value before it");
	case '\'':
		return fail(scanner, p, SINGLE_QUOTE);
	case '/':
	case '#':
		return fail(scanner, p, "a comment; JSON has none");
	case '+':
		return fail(scanner, p, "a '+' before a number");
	case '.':
		return fail(scanner, p, "expected a digit before '.'");
	case '\0':
		return fail(scanner, p, "a NUL byte outside a string");
	default:
		return fail(scanner, p,
			is_letter(*p) ? "a word other than true, false and null"
				      : "expected a value");
	}
}

/* Scan a scalar or open a container; ${expect} becomes what follows. */
static bool scan_value(struct scanner *scanner, enum expect *expect)
{
	enum expect before = *expect;
	char c = *scanner->at;

	*expect = MORE;
	switch (c) {
	case '"':
		return scan_string(scanner);
	case '{':
		*expect = FIRST_KEY;
		return push(scanner, true);
	case '[':
		*expect = FIRST_VALUE;
		return push(scanner, false);
	case 't':
		return scan_word(scanner, "true");
	case 'f':
		return scan_word(scanner, "false");
	case 'n':
		return scan_word(scanner, "null");
	default:
		if (c == '-' || is_digit(c))
			return scan_number(scanner);
		return fail_value(scanner, before);
	}
}

static bool scan_key(struct scanner *scanner, enum expect *expect)
{
	const char *p = scanner->at;

	if (*p == '"') {
		*expect = COLON;
		return scan_string(scanner);
	}
	if (*p == '}')
		return fail(scanner, p, NOTHING_AFTER_COMMA);
	if (*p == '\'')
		return fail(scanner, p, SINGLE_QUOTE);
	return fail(scanner, p,
		is_letter(*p) ? "a key without double quotes" : "expected a key in double quotes");
}

/* Inside a container and after a value: a comma or the container's end. */
static bool scan_more(struct scanner *scanner, enum expect *expect)
{
	bool object = in_object(scanner);

	if (*scanner->at == ',')
		*expect = object ? KEY : VALUE;
	else if (*scanner->at == (object ? '}' : ']'))
		scanner->depth--;
	else
		return fail(scanner, scanner->at,
			object ? "expected ',' or '}' after a member"
			       : "expected ',' or ']' after an element");
	scanner->at++;
	return true;
}

/* The text ended, and nothing was wrong so far. */
static bool scan_end(struct scanner *scanner, enum expect *expect)
{
	static const char *const missing[] = {
		[VALUE] = "the text ends where a value is expected",
		[FIRST_VALUE] = "the text ends inside an array",
		[KEY] = "the text ends where a key is expected",
		[FIRST_KEY] = "the text ends inside an object",
		[COLON] = "the text ends where ':' is expected",
	};

	if (*expect != MORE)
		return fail(scanner, scanner->at, missing[*expect]);
	if (scanner->depth > 0)
		return fail(scanner, scanner->at,
			missing[in_object(scanner) ? FIRST_KEY : FIRST_VALUE]);
	*expect = DONE;
	return true;
}

/* The scanner stands on a byte that is not white space. */
static bool scan_token(struct scanner *scanner, enum expect *expect)
{
	switch (*expect) {
	case FIRST_VALUE:
		if (*scanner->at != ']')
			return scan_value(scanner, expect);
		*expect = MORE;
		return scan_more(scanner, expect);
	case FIRST_KEY:
		if (*scanner->at != '}')
			return scan_key(scanner, expect);
		*expect = MORE;
		return scan_more(scanner, expect);
	case KEY:
		return scan_key(scanner, expect);
	case COLON:
		if (*scanner->at != ':')
			return fail(scanner, scanner->at, "expected ':' after a key");
		scanner->at++;
		*expect = VALUE;
		return true;
	case MORE:
		if (scanner->depth == 0)
			return fail(scanner, scanner->at, "text after the value");
		return scan_more(scanner, expect);
	case VALUE:
	case DONE:
		break;
	}
	return scan_value(scanner, expect);
}

static bool scan_document(struct scanner *scanner)
{
	enum expect expect = VALUE;

	while (expect != DONE) {
		scanner->at = skip_space(scanner->at, scanner->end);
		if (scanner->at == scanner->end) {
			if (!scan_end(scanner, &expect))
				return false;
		} else if (!scan_token(scanner, &expect)) {
			return false;
		}
	}
	return true;
}

static struct json_text trim(const char *text, const char *end)
{
	text = skip_space(text, end);
	while (end > text && is_space(end[-1]))
		end--;
	return (struct json_text){text, (size_t)(end - text)};
}

static bool check(const char *text, size_t len, unsigned depth, struct json_text *value,
	struct json_error *error)
{
	struct scanner scanner = {.at = len > 0 ? text : "", .depth_max = depth};
	const char *start = scanner.at;
	size_t valid = sse_utf8_valid(start, len);
	bool ok;

	/* The scanner sees the valid UTF-8 only; so the first fault in the text is the one told. */
	scanner.end = start + valid;
	if (valid >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0)
		ok = fail(&scanner, start, "a byte order mark; JSON is sent without one");
	else
		ok = scan_document(&scanner);
	if (valid < len && scanner.at == scanner.end)
		ok = fail(&scanner, scanner.end, "invalid UTF-8");
	if (!ok) {
		if (error != NULL)
			*error = (struct json_error){(size_t)(scanner.at - start), scanner.what};
		return false;
	}
	if (value != NULL)
		*value = trim(start, scanner.end);
	return true;
}

bool json_check(const char *text, size_t len, struct json_text *value, struct json_error *error)
{
	return check(text, len, JSON_DEPTH, value, error);
}

bool json_check_wrapper(
	const char *text, size_t len, struct json_text *value, struct json_error *error)
{
	return check(text, len, JSON_DEPTH + 1, value, error);
}

/* From here on the text is one that was accepted. */

enum json_kind json_kind(struct json_text value)
{
	switch (value.len > 0 ? value.text[0] : 'n') {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

/* The end of the string that starts at ${p}. */
static const char *string_end(const char *p, const char *end)
{
	p = skip_plain(p + 1, end);
	while (p < end && *p != '"')
		p = skip_plain(end - p > 2 ? p + 2 : end, end);
	return p < end ? p + 1 : end;
}

/* The end of the token (a bracket, comma, colon, string, number or word) that starts at ${p}. */
static const char *token_end(const char *p, const char *end)
{
	if (*p == '"')
		return string_end(p, end);
	if (strchr("{}[],:", *p) != NULL)
		return p + 1;
	do
		p++;
	while (p < end && !is_space(*p) && *p != ',' && !is_closing(*p));
	return p;
}

/* The end of the value that starts at ${p}. */
static const char *value_end(const char *p, const char *end)
{
	unsigned depth = 0;

	while (p < end) {
		char c = *p;

		if (c == '{' || c == '[')
			depth++;
		else if (is_closing(c))
			depth--;
		p = token_end(p, end);
		if (depth == 0)
			break;
		p = skip_space(p, end);
	}
	return p;
}

/*
 * Find the next item of a container: ${cursor} stands on the opening bracket, or after an item.
 * Return where the item starts, or NULL if no item follows.
 */
static const char *next_item(struct json_text container, size_t cursor)
{
	const char *end = container.text + container.len;
	const char *p = skip_space(container.text + cursor, end);

	if (p == end || is_closing(*p))
		return NULL;
	p = skip_space(p + 1, end); /* after the bracket or the comma */
	if (p == end || is_closing(*p))
		return NULL;
	return p;
}

bool json_member(
	struct json_text object, size_t *cursor, struct json_text *key, struct json_text *value)
{
	const char *end = object.text + object.len;
	const char *p = next_item(object, *cursor);

	if (p == NULL)
		return false;
	*key = (struct json_text){p, (size_t)(string_end(p, end) - p)};
	p = skip_space(p + key->len, end);
	p = skip_space(p + 1, end); /* after the colon */
	*value = (struct json_text){p, (size_t)(value_end(p, end) - p)};
	*cursor = (size_t)(p - object.text) + value->len;
	return true;
}

bool json_element(struct json_text array, size_t *cursor, struct json_text *value)
{
	const char *p = next_item(array, *cursor);

	if (p == NULL)
		return false;
	*value = (struct json_text){p, (size_t)(value_end(p, array.text + array.len) - p)};
	*cursor = (size_t)(p - array.text) + value->len;
	return true;
}

/* The code unit of the four digits at ${p}. */
static uint32_t hex_unit(const char *p)
{
	uint32_t unit = 0;
	int i;

	for (i = 0; i < 4; i++)
		unit = unit << 4 | (uint32_t)number_hex_digit(p[i]);
	return unit;
}

/* Write ${code} as UTF-8 and return how many bytes it took. */
static size_t write_utf8(uint32_t code, char out[4])
{
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t i;

	for (i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(lead[len] | code);
	return len;
}

/*
 * Take a \u escape, with its second half if it is a pair, from *${p}: the code point, U+FFFD for
 * half a pair.
 */
static uint32_t take_code(const char **p, const char *end)
{
	uint32_t code = hex_unit(*p + 2), low;

	*p += 6;
	if (code < 0xd800 || code > 0xdfff)
		return code;
	if (code > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
		return 0xfffd;
	low = hex_unit(*p + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*p += 6;
	return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

/* Take the escape at *${p}, decode it into ${out} and return how many bytes that took. */
static size_t take_escape(const char **p, const char *end, char out[4])
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	char c = (*p)[1];
	const char *found;

	if (c == 'u')
		return write_utf8(take_code(p, end), out);
	found = strchr(from, c);
	out[0] = found != NULL ? to[found - from] : c;
	*p += 2;
	return 1;
}

/*
 * Take the next run of decoded bytes off the front of ${body}, a string without its quotes.  The
 * run points into the text or, for an escape, to ${scratch}.  False at the end.
 */
static bool take_run(struct json_text *body, struct json_text *run, char scratch[4])
{
	const char *p = body->text, *end = p + body->len;

	if (p == end)
		return false;
	if (*p == '\\') {
		*run = (struct json_text){scratch, take_escape(&p, end, scratch)};
	} else {
		p = memchr(p, '\\', body->len);
		if (p == NULL)
			p = end;
		*run = (struct json_text){body->text, (size_t)(p - body->text)};
	}
	*body = (struct json_text){p, (size_t)(end - p)};
	return true;
}

static struct json_text without_quotes(struct json_text string)
{
	return (struct json_text){string.text + 1, string.len - 2};
}

bool json_string_is(struct json_text string, const char *plain, size_t len)
{
	struct json_text body = without_quotes(string), run;
	char scratch[4];

	while (take_run(&body, &run, scratch)) {
		if (run.len > len || memcmp(run.text, plain, run.len) != 0)
			return false;
		plain += run.len;
		len -= run.len;
	}
	return len == 0;
}

bool json_string_is_unicode(struct json_text string)
{
	struct json_text body = without_quotes(string);
	const char *p = body.text, *end = p + body.len;

	while (p < end && (p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
		if (p[1] != 'u')
			p += 2;
		else if (hex_unit(p + 2) == 0xfffd)
			p += 6;
		else if (take_code(&p, end) == 0xfffd)
			return false;
	}
	return true;
}

bool json_string_decode(struct json_text string, struct buf *out)
{
	struct json_text body = without_quotes(string), run;
	size_t before = out->len;
	char scratch[4];

	while (take_run(&body, &run, scratch)) {
		if (!buf_add(out, run.text, run.len)) {
			out->len = before;
			return false;
		}
	}
	return true;
}

bool json_compact(struct json_text value, struct buf *out)
{
	const char *p = value.text, *end = p + value.len;
	size_t before = out->len;

	while (p < end) {
		const char *run = p;

		while (p < end && !is_space(*p))
			p = token_end(p, end);
		if (!buf_add(out, run, (size_t)(p - run))) {
			out->len = before;
			return false;
		}
		p = skip_space(p, end);
	}
	return true;
}

struct printer {
	const struct json_style *style;
	struct buf *out;
	size_t column;	/* where a line starts */
	size_t at;	/* where this line has come to */
	size_t compact; /* how deep it is in what fits this line; 0: it is not */
};

static bool start_line(struct printer *printer)
{
	char *space = buf_reserve(printer->out, printer->column + 1);

	if (space == NULL)
		return false;
	space[0] = '\n';
	memset(space + 1, ' ', printer->column);
	printer->out->len += printer->column + 1;
	printer->at = printer->column;
	return true;
}

static bool put(struct printer *printer, const char *colour, const char *token, size_t len)
{
	const struct json_style *style = printer->style;
	struct buf *out = printer->out;
	bool through = style->print != NULL && *token == '"';

	printer->at += len;
	return buf_add_text(out, colour) &&
	       (through ? style->print(token, len, out) : buf_add(out, token, len)) &&
	       (*colour == '\0' || buf_add_text(out, style->colours->reset));
}

/* Is the string at ${p} a key? */
static bool is_key(const char *p, const char *end)
{
	const char *next = *p == '"' ? skip_space(token_end(p, end), end) : end;

	return next < end && *next == ':';
}

/* On a line there is a space after the token ${p} of an object that comes before ${next}. */
static bool is_spaced(const char *p, const char *next, const char *end)
{
	return *p == ':' || (*p == ',' && is_key(next, end));
}

/* Has the value at ${p} at most ${max} bytes on a line? */
static bool fits(const char *p, const char *end, size_t max)
{
	size_t depth = 0;

	do {
		const char *after = token_end(p, end), *next = skip_space(after, end);
		size_t len = (size_t)(after - p) + (next < end && is_spaced(p, next, end));

		if (len > max)
			return false;
		max -= len;
		if (*p == '{' || *p == '[')
			depth++;
		else if (is_closing(*p))
			depth--;
		p = next;
	} while (depth > 0);
	return true;
}

bool json_fits(struct json_text value, size_t max)
{
	return fits(value.text, value.text + value.len, max);
}

/* Does the array or object at ${p} fit the line, with a comma after it? */
static bool fits_line(const struct printer *printer, const char *p, const char *end)
{
	size_t width = printer->style->width;

	return printer->at + 1 < width && fits(p, end, width - printer->at - 1);
}

/* ${next} is the token after it: a colon tells a key from a string. */
static const char *colour_of(
	const struct json_colours *colours, const char *token, const char *next, const char *end)
{
	if (*token == '"')
		return next < end && *next == ':' ? colours->key : colours->string;
	if (*token == '-' || is_digit(*token))
		return colours->number;
	return is_letter(*token) ? colours->word : colours->punctuation;
}

/* Print a token of what fits the line; return its end or NULL. */
static const char *print_compact(struct printer *printer, const char *p, const char *end)
{
	const char *after = token_end(p, end), *next = skip_space(after, end);

	if (*p == '{' || *p == '[')
		printer->compact++;
	else if (is_closing(*p))
		printer->compact--;
	if (!put(printer, colour_of(printer->style->colours, p, next, end), p,
		    (size_t)(after - p)) ||
		(next < end && is_spaced(p, next, end) && !put(printer, "", " ", 1)))
		return NULL;
	return after;
}

/* Print the token at ${p} with the white space that belongs around it; return its end or NULL. */
static const char *print_token(struct printer *printer, const char *p, const char *end)
{
	const struct json_colours *colours = printer->style->colours;
	const char *after = token_end(p, end), *next = skip_space(after, end);
	bool opens = *p == '{' || *p == '[';
	size_t len = (size_t)(after - p);

	if (opens && next < end && is_closing(*next)) {
		const char *empty = *p == '{' ? "{}" : "[]";

		return put(printer, colours->punctuation, empty, 2) ? next + 1 : NULL;
	}
	if (printer->compact > 0 || (opens && fits_line(printer, p, end)))
		return print_compact(printer, p, end);
	if (opens)
		printer->column += 2;
	if (is_closing(*p)) {
		printer->column -= 2;
		if (!start_line(printer))
			return NULL;
	}
	if (!put(printer, colour_of(colours, p, next, end), p, len))
		return NULL;
	if (*p == ':')
		return put(printer, "", " ", 1) ? after : NULL;
	if (opens || *p == ',')
		return start_line(printer) ? after : NULL;
	return after;
}

bool json_pretty(struct json_text value, const struct json_style *style, struct buf *out)
{
	struct printer printer = {
		.style = style, .out = out, .column = style->indent, .at = style->indent};
	const char *p = value.text, *end = p + value.len;
	size_t before = out->len;

	while (p < end) {
		p = print_token(&printer, p, end);
		if (p == NULL) {
			out->len = before;
			return false;
		}
		p = skip_space(p, end);
	}
	return true;
}
