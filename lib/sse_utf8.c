/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 as the Encoding standard's decoder sees it: where it is valid, and what replaces the rest.
 *
 * What is valid is passed many bytes at a time: by words of 8 bytes on every machine, and by vectors
 * of 16 where an instruction looks 16 bytes up in a table at once.  Both judge each byte by the three
 * before it, which they load again from addresses that are 1, 2 and 3 lower:
 *
 * - it must be a continuation byte (0x80 to 0xBF) if the byte before is a lead, or the second before
 *   leads three bytes or more, or the third before leads four; else it must not;
 * - with the byte before it must not begin an overlong form, a surrogate, or more than U+10FFFF.
 *
 * So no byte waits for what came of the one before, and there is no branch by what it is.  Where
 * exactly a fault begins, and how many bytes one U+FFFD stands for, is then found by characters.
 */
#include "sse_internal.h"

/* U+FFFD in UTF-8. */
static const char REPLACEMENT[] = "\xef\xbf\xbd";
#define REPLACEMENT_LEN (sizeof(REPLACEMENT) - 1)

/*
 * The length of the character at ${text}, or 0 if it is ill-formed; then *${part} is the length of
 * its longest beginning that could have become a character, at least 1: what one U+FFFD stands for.
 * (Encoding standard, UTF-8 decoder; Unicode, table 3-7.)
 */
static size_t character(const unsigned char *text, size_t len, size_t *part)
{
	unsigned char lead = text[0], low = 0x80, high = 0xbf;
	size_t need, i;

	*part = 1;
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	need = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	/* The second byte's range keeps out overlong forms, surrogates and all above U+10FFFF. */
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	for (i = 1; i < need; i++) {
		*part = i;
		if (i == len || text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return need;
}

/*
 * Pass characters until ${end} is reached; return where.  *${part} is 0, or the length of the
 * ill-formed part that comes there.
 */
static size_t pass_characters(const char *text, size_t at, size_t end, size_t len, size_t *part)
{
	size_t size;

	for (; at < end; at += size) {
		size = character((const unsigned char *)text + at, len - at, part);
		if (size == 0)
			return at;
	}
	*part = 0;
	return at;
}

/* How many bytes before a word or a vector are looked at, too. */
#define BEFORE 3

/*
 * Where the last character begins that may go on at ${at}, or ${at}.  From ${from} on, which is
 * where one begins, up to ${at} there is no fault but that one may be cut off.
 */
static size_t back_to_lead(const char *text, size_t from, size_t at)
{
	size_t back;

	for (back = 1; back <= BEFORE && at - from >= back; back++) {
		if ((unsigned char)text[at - back] >= 0xc0)
			return at - back;
	}
	return at;
}

/*
 * Pass units of ${size} bytes that are without a fault, from ${from} on, where a character begins,
 * at least BEFORE.  Return where one begins that was not passed.
 */
SSE_INLINE size_t pass(
	const char *text, size_t from, size_t len, size_t size, bool (*has_fault)(const char *unit))
{
	size_t at = from;

	while (len - at >= size && !has_fault(text + at))
		at += size;
	return back_to_lead(text, from, at);
}

/* --- words ------------------------------------------------------------------------------------ */

/* A word with ${byte} in each of its lanes.  What is asked of a lane is answered in its bit 7. */
#define LANES(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether lanes of seven bits are at least ${least}: the sum stays in its lane. */
#define AT_LEAST(lanes, least) ((lanes) + LANES(0x80 - (least)))

static inline uint64_t load_word(const char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Which lanes are at least ${least}, from 0x80 on. */
static inline uint64_t leads(uint64_t word, unsigned least)
{
	return word & AT_LEAST(word & LANES(0x7f), least - 0x80);
}

/* The lanes in which ${lead} is one of three or four bytes, and ${next} must not come after it. */
static inline uint64_t bad_pairs(uint64_t lead, uint64_t next)
{
	/* The highest six bits of a code point of four bytes. */
	uint64_t top = (lead & LANES(0x0f)) << 2 | (next >> 4 & LANES(0x03));
	uint64_t four = leads(lead, 0xf0), three = leads(lead, 0xe0) & ~four;
	uint64_t overlong3 = ~AT_LEAST(top, 0x02);
	uint64_t surrogate = ~AT_LEAST((top | LANES(1)) ^ LANES(0x37), 1);
	uint64_t overlong4 = ~AT_LEAST(top, 0x01), beyond = AT_LEAST(top, 0x11);

	return (three & (overlong3 | surrogate)) | (four & (overlong4 | beyond));
}

static inline bool word_has_fault(const char *at)
{
	uint64_t word = load_word(at), first = load_word(at - 1);
	uint64_t second = load_word(at - 2), third = load_word(at - 3);
	uint64_t lead = first & first << 1, fault;

	if (((word | third) & LANES(0x80)) == 0)
		return false;
	fault = (word & ~(word << 1)) ^ (lead | leads(second, 0xe0) | leads(third, 0xf0));
	fault |= lead & ~AT_LEAST(first & LANES(0x3e), 0x02); /* 0xC0 and 0xC1 are overlong */
	if ((leads(first, 0xe0) & LANES(0x80)) != 0)	      /* many scripts have none */
		fault |= bad_pairs(first, word);
	return (fault & LANES(0x80)) != 0;
}

/* --- vectors ---------------------------------------------------------------------------------- */

#ifdef SSE_USE_SSE2
#include <tmmintrin.h>
#define VECTOR_CODE __attribute__((target("ssse3")))
#define HAS_VECTORS __builtin_cpu_supports("ssse3")
/* a - b, or 0 if that is below. */
#define LESS(a, b) (vector) _mm_subs_epu8((__m128i)(a), (__m128i)(b))
#define LOOK_UP(table, index) (vector) _mm_shuffle_epi8((__m128i)(table), (__m128i)(index))
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__) &&                    \
	!defined(SSE_PORTABLE)
#include <arm_neon.h>
#define VECTOR_CODE
#define HAS_VECTORS true
#define LESS(a, b) (vector) vqsubq_u8((uint8x16_t)(a), (uint8x16_t)(b))
#define LOOK_UP(table, index) (vector) vqtbl1q_u8((uint8x16_t)(table), (uint8x16_t)(index))
#endif

#ifdef HAS_VECTORS

typedef uint8_t vector __attribute__((vector_size(16)));

/* Texts from here on are looked through by blocks first. */
#define LONG 1024
#define BLOCK (4 * sizeof(vector))

/* What can be wrong with two bytes in a row: a lead and the next, or another pair. */
enum {
	NO_NEXT = 0x01,	   /* a lead, but no continuation */
	NO_LEAD = 0x02,	   /* a continuation after ASCII */
	OVERLONG_2 = 0x04, /* C0, C1 */
	OVERLONG_3 = 0x08, /* E0 80 to E0 9F */
	SURROGATE = 0x10,  /* ED A0 to ED BF */
	BEYOND = 0x20,	   /* F4 to FF, before 90 to BF */
	NOT_80 = 0x40,	   /* F0, which is overlong, and F5 to FF, before 80 to 8F */
	SECOND = 0x80,	   /* a second continuation, which some leads want */
	EACH = NO_NEXT | NO_LEAD | SECOND,     /* what no low half of a lead excludes */
	FROM_F5 = EACH | BEYOND | NOT_80,      /* the low half of F5 or more */
	AFTER = NO_LEAD | SECOND | OVERLONG_2, /* what each continuation may be */
};

VECTOR_CODE static inline vector load_vector(const char *bytes)
{
	vector loaded;

	memcpy(&loaded, bytes, sizeof(loaded));
	return loaded;
}

static inline bool is_any(vector lanes)
{
	uint64_t halves[2];

	memcpy(halves, &lanes, sizeof(halves));
	return (halves[0] | halves[1]) != 0;
}

/*
 * Three tables say of the high half of a byte, of its low half, and of the high half of the next,
 * which faults they allow; a fault that all three allow is one.  (After Keiser and Lemire,
 * "Validating UTF-8 in less than one instruction per byte", 2021.)
 */
VECTOR_CODE static inline vector vector_faults(const char *at)
{
	const vector high = {NO_LEAD, NO_LEAD, NO_LEAD, NO_LEAD, NO_LEAD, NO_LEAD, NO_LEAD, NO_LEAD,
		SECOND, SECOND, SECOND, SECOND, NO_NEXT | OVERLONG_2, NO_NEXT,
		NO_NEXT | OVERLONG_3 | SURROGATE, NO_NEXT | BEYOND | NOT_80};
	const vector low = {EACH | OVERLONG_2 | OVERLONG_3 | NOT_80, EACH | OVERLONG_2, EACH, EACH,
		EACH | BEYOND, FROM_F5, FROM_F5, FROM_F5, FROM_F5, FROM_F5, FROM_F5, FROM_F5,
		FROM_F5, FROM_F5 | SURROGATE, FROM_F5, FROM_F5};
	const vector next_high = {NO_NEXT, NO_NEXT, NO_NEXT, NO_NEXT, NO_NEXT, NO_NEXT, NO_NEXT,
		NO_NEXT, AFTER | OVERLONG_3 | NOT_80, AFTER | OVERLONG_3 | BEYOND,
		AFTER | SURROGATE | BEYOND, AFTER | SURROGATE | BEYOND, NO_NEXT, NO_NEXT, NO_NEXT,
		NO_NEXT};
	const vector three = (vector){0} + (0xe0 - SECOND), four = (vector){0} + (0xf0 - SECOND);
	vector next = load_vector(at), lead = load_vector(at - 1);
	vector second = load_vector(at - 2), third = load_vector(at - 3);
	vector found = LOOK_UP(high, lead >> 4) & LOOK_UP(low, lead & 0x0f) &
		       LOOK_UP(next_high, next >> 4);

	/* A second continuation is a fault unless one is due; then its absence is. */
	return found ^ ((LESS(second, three) | LESS(third, four)) & SECOND);
}

VECTOR_CODE static inline bool vector_has_fault(const char *at)
{
	return is_any(vector_faults(at));
}

/* The same for four vectors, of which some texts have many that are ASCII. */
VECTOR_CODE static inline bool block_has_fault(const char *at)
{
	vector all = load_vector(at - BEFORE);
	size_t i;

	for (i = 0; i < BLOCK; i += sizeof(vector))
		all |= load_vector(at + i);
	if (!is_any(all & 0x80))
		return false;
	for (i = 0; i < BLOCK; i += sizeof(vector)) {
		if (vector_has_fault(at + i))
			return true;
	}
	return false;
}

VECTOR_CODE static size_t pass_vectors(const char *text, size_t from, size_t len)
{
	size_t at = from;

	if (len - at >= LONG)
		at = pass(text, at, len, BLOCK, block_has_fault);
	return pass(text, at, len, sizeof(vector), vector_has_fault);
}

#endif

/* How many leading bytes are valid; *${part} is the length of the ill-formed part after them. */
static size_t valid_prefix(const char *text, size_t len, size_t *part)
{
	size_t at = sse_ascii_prefix(text, len);

	at = pass_characters(text, at, len < BEFORE ? len : BEFORE, len, part);
	if (*part > 0)
		return at;
#ifdef HAS_VECTORS
	if (len - at >= 16 && HAS_VECTORS)
		at = pass_vectors(text, at, len);
#endif
	if (len - at >= sizeof(uint64_t))
		at = pass(text, at, len, sizeof(uint64_t), word_has_fault);
	return pass_characters(text, at, len, len, part);
}

size_t sse_utf8_valid(const char *text, size_t len)
{
	size_t part;

	return valid_prefix(text, len, &part);
}

size_t sse_utf8_repaired_size(const char *text, size_t len)
{
	size_t size = 0, valid, part, i;

	for (i = 0; i < len; i += valid + part) {
		valid = valid_prefix(text + i, len - i, &part);
		size += valid + (part > 0 ? REPLACEMENT_LEN : 0);
	}
	return size;
}

size_t sse_utf8_repair(const char *text, size_t len, char *out)
{
	char *start = out;
	size_t valid, part, i;

	for (i = 0; i < len; i += valid + part) {
		valid = valid_prefix(text + i, len - i, &part);
		memcpy(out, text + i, valid);
		out += valid;
		if (part > 0) {
			memcpy(out, REPLACEMENT, REPLACEMENT_LEN);
			out += REPLACEMENT_LEN;
		}
	}
	return (size_t)(out - start);
}
