/* SPDX-License-Identifier: MIT */
/* Text as a JSON string; see json.h. */
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json.h"

/* May this byte begin what is escaped?  Of E2, with which U+2028 begins, what follows decides. */
static bool may_need_escape(unsigned char c)
{
	static const bool may[256] = {
		[0 ... 0x1f] = true, ['"'] = true, ['\\'] = true, [0x7f] = true, [0xe2] = true};

	return may[c];
}

/* Whether none of the UNIT bytes at ${p} may need an escape. */
#ifdef __SSE2__
#define UNIT 16

static inline bool is_plain_unit(const char *p)
{
	__m128i unit = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(unit, _mm_set1_epi8(0x1f)), unit);
	__m128i quote = _mm_cmpeq_epi8(unit, _mm_set1_epi8('"'));
	__m128i backslash = _mm_cmpeq_epi8(unit, _mm_set1_epi8('\\'));
	__m128i del = _mm_cmpeq_epi8(unit, _mm_set1_epi8(0x7f));
	__m128i e2 = _mm_cmpeq_epi8(unit, _mm_set1_epi8((char)0xe2));
	__m128i any = _mm_or_si128(_mm_or_si128(low, quote), _mm_or_si128(backslash, del));

	return _mm_movemask_epi8(_mm_or_si128(any, e2)) == 0;
}
#else
#define UNIT 8

/* A word of eight bytes that are all ${byte}. */
#define EIGHT_OF(byte) (UINT64_MAX / 0xff * (byte))

/* Not 0 if a byte of ${word} is below ${n}, at most 0x80. */
static inline uint64_t any_below(uint64_t word, unsigned n)
{
	return (word - EIGHT_OF(n)) & ~word & EIGHT_OF(0x80);
}

static inline bool is_plain_unit(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return (any_below(word, 0x20) | any_below(word ^ EIGHT_OF('"'), 1) |
		       any_below(word ^ EIGHT_OF('\\'), 1) | any_below(word ^ EIGHT_OF(0x7f), 1) |
		       any_below(word ^ EIGHT_OF(0xe2), 1)) == 0;
}
#endif

/*
 * Write the escape of the character at ${p}, which may need one, to ${out} (or else its first
 * byte), store the character's length in ${used} and return the escape's.
 */
static size_t write_escape(const char *p, const char *end, size_t *used, char out[6])
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[0x60] = {['"'] = '"',
		['\\'] = '\\',
		['\b'] = 'b',
		['\f'] = 'f',
		['\n'] = 'n',
		['\r'] = 'r',
		['\t'] = 't'};
	unsigned char c = (unsigned char)*p;

	*used = 1;
	if (c == 0xe2) {
		out[0] = *p;
		if (end - p < 3 || p[1] != '\x80' || ((unsigned char)p[2] & 0xfe) != 0xa8)
			return 1;
		*used = 3;
		memcpy(out, "\\u2028", 6);
		out[5] = p[2] & 1 ? '9' : '8';
		return 6;
	}
	if (c < sizeof(letters) && letters[c] != '\0') {
		out[0] = '\\';
		out[1] = letters[c];
		return 2;
	}
	memcpy(out, "\\u00", 4);
	out[4] = hex[c >> 4];
	out[5] = hex[c & 15];
	return 6;
}

/* Text is quoted in pieces, so that room is made once for the most that a piece may need. */
#define PIECE ((size_t)64 * UNIT)

/*
 * Quote from ${p} to ${stop} or a little further, into ${out}; return where it ends there.  A unit
 * without an escape, as most are, is copied at once; the others by bytes.
 */
static char *quote_piece(const char **p, const char *stop, const char *end, char *out)
{
	const char *from = *p, *unit_end;
	size_t used;

	while (from < stop) {
		if (stop - from >= UNIT && is_plain_unit(from)) {
			memcpy(out, from, UNIT);
			from += UNIT;
			out += UNIT;
			continue;
		}
		unit_end = stop - from > UNIT ? from + UNIT : stop;
		while (from < unit_end) {
			if (!may_need_escape((unsigned char)*from)) {
				*out++ = *from++;
				continue;
			}
			out += write_escape(from, end, &used, out);
			from += used;
		}
	}
	*p = from;
	return out;
}

/* Where there is no room for the most that a piece may need: its escapes first, then the room. */
static bool quote_exactly(const char *p, const char *end, struct buf *out)
{
	char quoted[6 * UNIT];

	while (p < end) {
		const char *stop = end - p > UNIT ? p + UNIT : end;

		if (!buf_add(out, quoted, (size_t)(quote_piece(&p, stop, end, quoted) - quoted)))
			return false;
	}
	return true;
}

static bool quote_body(const char *p, const char *end, struct buf *out)
{
	while (p < end) {
		const char *stop = (size_t)(end - p) > PIECE ? p + PIECE : end;
		char *space = buf_reserve(out, 6 * (size_t)(stop - p));

		if (space == NULL)
			return quote_exactly(p, end, out);
		out->len += (size_t)(quote_piece(&p, stop, end, space) - space);
	}
	return true;
}

bool json_quote(const char *text, size_t len, struct buf *out)
{
	size_t before = out->len;

	if (len == 0)
		text = "";
	if (buf_add_byte(out, '"') && quote_body(text, text + len, out) && buf_add_byte(out, '"'))
		return true;
	out->len = before;
	return false;
}
