/* SPDX-License-Identifier: MIT */
/*
 * The private parts that the files of libsse share: the search for line ends, on which an
 * event stream parser spends its time, and the UTF-8 helpers that the public ones use.
 */
#ifndef SSE_INTERNAL_H
#define SSE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sse.h"

/* What runs once for each line costs as much by a call as by its work. */
#define SSE_INLINE static inline __attribute__((always_inline))

#define SSE_LIKELY(condition) __builtin_expect(condition, 1)

/* With SSE_PORTABLE defined, x86-64 too is compiled the way that all other machines are. */
#if defined(__SSE2__) && !defined(SSE_PORTABLE)
#define SSE_USE_SSE2 1
#include <emmintrin.h>
#endif

/*
 * sse_utf8_repaired_size(text, len):
 * The exact number of bytes that sse_utf8_repair() writes for the same text.
 */
size_t sse_utf8_repaired_size(const char *text, size_t len);

/* sse_ascii_prefix(text, len): a number of leading bytes that are ASCII: not always all of them. */
SSE_INLINE size_t sse_ascii_prefix(const char *text, size_t len);

/*
 * The search for line ends, one after the other, in one run of bytes:
 *
 *     sse_scan_start(&scan, data, data + len);
 *     while ((end = sse_scan_next(&scan)) != NULL)
 *             ...
 *
 * sse_scan_next() returns the address of each CR and each LF (of a CRLF both), then NULL.  It
 * looks only a little further than the line end that it returns, so a caller that gives up and
 * starts again after that line end, time after time, still costs linear time.
 *
 * sse_scan_suspect() says whether the bytes from ${line} to ${end} may hold anything but ASCII.  The
 * end is the line end that was returned last, or that of the run once NULL was.  "No" is certain,
 * "yes" is a reason to look.  It comes for free with the search, and spares nearly all streams a
 * second look at their bytes.
 */
struct sse_scan;
SSE_INLINE void sse_scan_start(struct sse_scan *scan, const char *data, const char *end);
SSE_INLINE const char *sse_scan_next(struct sse_scan *scan);
SSE_INLINE bool sse_scan_suspect(const struct sse_scan *scan, const char *line, const char *end);

#ifdef SSE_USE_SSE2

#define SSE_BLOCK 64

/*
 * SSE2: a bit mask of the line ends of 64 bytes at a time, from which one line end after the other
 * is taken.  A search for each line anew (memchr) costs more than the line when lines are short.
 */
struct sse_scan {
	const char *block;   /* the bytes that the mask is about */
	const char *next;    /* the first byte not looked at yet */
	const char *end;     /* of the input */
	const char *suspect; /* the end of the last block with more than ASCII in it */
	uint64_t high;	     /* bit i: byte i of that block is not ASCII */
	uint64_t ends;	     /* bit i: block[i] may be a line end, and was not yet returned */
};

SSE_INLINE __m128i sse_load(const char *bytes)
{
	return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* The highest bits of 64 bytes. */
SSE_INLINE uint64_t sse_high_bits(__m128i a, __m128i b, __m128i c, __m128i d)
{
	uint64_t low = (unsigned)_mm_movemask_epi8(a) | (unsigned)_mm_movemask_epi8(b) << 16;
	uint64_t high = (unsigned)_mm_movemask_epi8(c) | (unsigned)_mm_movemask_epi8(d) << 16;

	return low | high << 32;
}

/*
 * Fill the mask from the 64 bytes at ${bytes}; return whether one of them is not ASCII.  What may
 * be a line end are the bytes below 0x0E: one comparison less than for LF and CR, and hardly ever
 * is it another.  The comparison is a signed one, so bytes that are not ASCII must be taken out.
 */
SSE_INLINE bool sse_scan_mask(struct sse_scan *scan, const char *bytes)
{
	__m128i limit = _mm_set1_epi8(0x0e);
	__m128i a = sse_load(bytes), b = sse_load(bytes + 16);
	__m128i c = sse_load(bytes + 32), d = sse_load(bytes + 48);
	__m128i any = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
	bool suspect = _mm_movemask_epi8(any) != 0;

	scan->ends = sse_high_bits(_mm_cmplt_epi8(a, limit), _mm_cmplt_epi8(b, limit),
		_mm_cmplt_epi8(c, limit), _mm_cmplt_epi8(d, limit));
	if (suspect) {
		scan->high = sse_high_bits(a, b, c, d);
		scan->ends &= ~scan->high;
	}
	return suspect;
}

/*
 * Whether all of 64 bytes lie from 0x0E to 0x7F, so that there is neither a line end nor anything
 * but ASCII.  Less by 0x0E they then lie from 0 to 0x71: whatever was outside has become larger,
 * so one maximum and one comparison do for all (the addition brings 0x72 and more to 0x80).
 */
SSE_INLINE bool sse_quiet(const char *bytes)
{
	__m128i least = _mm_set1_epi8(0x0e);
	__m128i a = _mm_sub_epi8(sse_load(bytes), least);
	__m128i b = _mm_sub_epi8(sse_load(bytes + 16), least);
	__m128i c = _mm_sub_epi8(sse_load(bytes + 32), least);
	__m128i d = _mm_sub_epi8(sse_load(bytes + 48), least);
	__m128i most = _mm_max_epu8(_mm_max_epu8(a, b), _mm_max_epu8(c, d));

	return _mm_movemask_epi8(_mm_adds_epu8(most, least)) == 0;
}

/*
 * sse_scan_skip(next, end):
 * Return the first block from ${next} on that is not quiet, or the last bytes, fewer than a block; or
 * one a little before.  It is the fastest way for many blocks, and needs a call.
 */
const char *sse_scan_skip(const char *next, const char *end);

/* How many blocks are looked at before that call. */
#define SSE_SKIP_AFTER 8

SSE_INLINE void sse_scan_quiet(struct sse_scan *scan)
{
	int blocks;

	for (blocks = 0; blocks < SSE_SKIP_AFTER; blocks++) {
		if (scan->end - scan->next < SSE_BLOCK || !sse_quiet(scan->next))
			return;
		scan->next += SSE_BLOCK;
	}
	scan->next = sse_scan_skip(scan->next, scan->end);
}

SSE_INLINE void sse_scan_start(struct sse_scan *scan, const char *data, const char *end)
{
	*scan = (struct sse_scan){.block = data, .next = data, .end = end, .suspect = data};
}

/* Look at the last bytes of the input, fewer than a block, through a copy of full length. */
SSE_INLINE bool sse_scan_tail(struct sse_scan *scan)
{
	char copy[SSE_BLOCK];

	memset(copy, ' ', sizeof(copy));
	memcpy(copy, scan->block, (size_t)(scan->end - scan->block));
	scan->next = scan->end;
	return sse_scan_mask(scan, copy);
}

SSE_INLINE void sse_scan_block(struct sse_scan *scan)
{
	bool suspect;

	scan->block = scan->next;
	if (scan->end - scan->block >= SSE_BLOCK) {
		scan->next += SSE_BLOCK;
		suspect = sse_scan_mask(scan, scan->block);
	} else {
		suspect = sse_scan_tail(scan);
	}
	if (suspect)
		scan->suspect = scan->next;
}

/* Advance to a block that may have a line end; false at the end of the input. */
SSE_INLINE bool sse_scan_on(struct sse_scan *scan)
{
	if (scan->next == scan->end)
		return false;
	sse_scan_block(scan);
	if (scan->ends != 0 || scan->next == scan->end)
		return scan->ends != 0;
	sse_scan_block(scan);
	/* Two without: a long line, it seems.  Run through what needs no mask. */
	while (scan->ends == 0 && scan->next != scan->end) {
		sse_scan_quiet(scan);
		if (scan->next != scan->end)
			sse_scan_block(scan);
	}
	return scan->ends != 0;
}

SSE_INLINE const char *sse_scan_next(struct sse_scan *scan)
{
	const char *found;

	for (;;) {
		if (scan->ends == 0 && !sse_scan_on(scan))
			return NULL;
		found = scan->block + __builtin_ctzll(scan->ends);
		scan->ends &= scan->ends - 1;
		if (SSE_LIKELY(*found == '\n') || *found == '\r')
			return found;
	}
}

SSE_INLINE bool sse_scan_suspect(const struct sse_scan *scan, const char *line, const char *end)
{
	if (SSE_LIKELY(scan->suspect <= line))
		return false;
	if (line == end)
		return false;
	if (scan->suspect != scan->next || line < scan->block)
		return true;
	return scan->high >> (line - scan->block) << (SSE_BLOCK - (end - line)) != 0;
}

SSE_INLINE size_t sse_ascii_prefix(const char *text, size_t len)
{
	size_t i = 0;

	while (len - i >= 16 && _mm_movemask_epi8(sse_load(text + i)) == 0)
		i += 16;
	return i;
}

#else

#define SSE_WINDOW 2048

/*
 * Everywhere else: the C library's memchr, which is as fast as the machine allows, once for LF and
 * once for CR, both remembered until they are passed, and never further than a window ahead: a
 * stream that ends its lines by only one of the two would be searched to its end at each line for
 * the other.
 */
struct sse_scan {
	const char *next;    /* the first byte after the last returned line end */
	const char *lf;	     /* the first LF from there on in the window, or its limit */
	const char *cr;	     /* the same for CR */
	const char *limit;   /* the end of the window */
	const char *end;     /* of the input */
	const char *suspect; /* the end of the last window with more than ASCII in it */
};

SSE_INLINE uint64_t sse_load(const char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

SSE_INLINE size_t sse_ascii_prefix(const char *text, size_t len)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	size_t i = 0;

	for (; len - i >= 64; i += 64) {
		const char *at = text + i;
		uint64_t a = sse_load(at) | sse_load(at + 8) | sse_load(at + 16);
		uint64_t b = sse_load(at + 24) | sse_load(at + 32) | sse_load(at + 40);

		if (((a | b | sse_load(at + 48) | sse_load(at + 56)) & high) != 0)
			break;
	}
	while (len - i >= 8 && (sse_load(text + i) & high) == 0)
		i += 8;
	return i;
}

SSE_INLINE const char *sse_find(const char *from, const char *limit, char byte)
{
	const char *found;

	/* One line of two or three is blank, and not worth a call. */
	if (from < limit && *from == byte)
		return from;
	found = memchr(from, byte, (size_t)(limit - from));
	return found != NULL ? found : limit;
}

SSE_INLINE bool sse_all_ascii(const char *from, const char *limit)
{
	from += sse_ascii_prefix(from, (size_t)(limit - from));
	while (from < limit && (unsigned char)*from < 0x80)
		from++;
	return from == limit;
}

/* Move the window on: it begins at ${scan->next} and has neither LF nor CR before ${from}. */
SSE_INLINE void sse_scan_window(struct sse_scan *scan, const char *from)
{
	size_t left = (size_t)(scan->end - from);

	scan->limit = from + (left < SSE_WINDOW ? left : SSE_WINDOW);
	scan->lf = sse_find(from, scan->limit, '\n');
	scan->cr = sse_find(from, scan->limit, '\r');
	if (!sse_all_ascii(from, scan->limit))
		scan->suspect = scan->limit;
}

SSE_INLINE void sse_scan_start(struct sse_scan *scan, const char *data, const char *end)
{
	*scan = (struct sse_scan){.next = data, .end = end, .suspect = data};
	scan->lf = scan->cr = scan->limit = data;
}

SSE_INLINE const char *sse_scan_next(struct sse_scan *scan)
{
	const char *found;

	if (scan->lf < scan->next)
		scan->lf = sse_find(scan->next, scan->limit, '\n');
	if (scan->cr < scan->next)
		scan->cr = sse_find(scan->next, scan->limit, '\r');
	for (;;) {
		found = scan->lf < scan->cr ? scan->lf : scan->cr;
		if (found < scan->limit)
			break;
		if (scan->limit == scan->end)
			return NULL;
		sse_scan_window(scan, scan->limit);
	}
	scan->next = found + 1;
	return found;
}

SSE_INLINE bool sse_scan_suspect(const struct sse_scan *scan, const char *line, const char *end)
{
	(void)end;
	return scan->suspect > line;
}

#endif

#endif
