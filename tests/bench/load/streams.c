/* SPDX-License-Identifier: MIT */
/* Many streams, each checked; see streams.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "streams.h"

#define BUFFER_SIZE ((size_t)256 << 10)
#define HEADROOM MARKER_SIZE /* before what is read: the tail of the read before */
#define OPENING 64	     /* streams whose answer has not come yet */
#define ANSWER_MS 10000
#define TOLD 5 /* of what is wrong, so many are told */

int streams_init(struct streams *streams, const struct options *options, int epoll, size_t max,
	struct error *error)
{
	size_t publishers = (size_t)options->publishers;

	*streams = (struct streams){.options = options, .epoll = epoll};
	streams->all = calloc(max + 1, sizeof(struct stream));
	streams->seen = calloc(max * publishers + 1, sizeof(struct seen));
	streams->buffer = malloc(HEADROOM + BUFFER_SIZE);
	if (streams->all == NULL || streams->seen == NULL || streams->buffer == NULL) {
		streams_free(streams);
		return error_set(error, EX_OSERR, "out of memory for %zu streams", max);
	}
	for (size_t i = 0; i < max; i++) {
		streams->all[i].source = (struct source){.kind = SOURCE_STREAM, .fd = -1};
		streams->all[i].seen = streams->seen + i * publishers;
	}
	return 0;
}

void streams_free(struct streams *streams)
{
	for (size_t i = 0; i < streams->count; i++)
		net_close(&streams->all[i].source);
	free(streams->all);
	free(streams->seen);
	free(streams->buffer);
	*streams = (struct streams){0};
}

/* --- checking --- */

static void tell(const struct streams *streams, const struct stream *stream,
	const struct marker *marker, const char *what)
{
	if (streams_wrong(streams) < TOLD)
		fprintf(stderr, "load: stream %td, publisher %u: event %" PRIu32 " %s\n",
			stream - streams->all, marker->publisher, marker->number, what);
}

/* An event that is older than the one that is due. */
static void note_old(struct streams *streams, struct stream *stream, const struct marker *marker)
{
	struct seen *seen = &stream->seen[marker->publisher];
	uint32_t back = seen->next - 1 - marker->number;

	if (back < 32 && (seen->bits >> back & 1) == 0) {
		tell(streams, stream, marker, "came late");
		seen->bits |= UINT32_C(1) << back;
		streams->disordered++;
		streams->lost--;
		streams->received++;
		stream->received++;
	} else {
		tell(streams, stream, marker, "came again");
		streams->repeated++;
	}
}

static void note(struct streams *streams, struct stream *stream, const struct marker *marker)
{
	struct seen *seen = &stream->seen[marker->publisher];
	uint32_t ahead = marker->number - seen->next;

	if (marker->number < seen->next) {
		note_old(streams, stream, marker);
		return;
	}
	if (ahead > 0) {
		tell(streams, stream, marker, "came before others");
		streams->lost += ahead;
	}
	seen->bits = ahead < 31 ? seen->bits << (ahead + 1) | 1 : 1;
	seen->next = marker->number + 1;
	streams->received++;
	stream->received++;
}

static void take_event(
	struct streams *streams, struct stream *stream, const char *event, uint64_t now)
{
	struct marker marker;

	if (!marker_read(event, &marker) ||
		marker.publisher >= (unsigned)streams->options->publishers) {
		streams->torn++;
		return;
	}
	if (streams->first == 0) {
		streams->first = now;
		streams->sent = marker.sent;
	}
	streams->last = now;
	if (!streams->unchecked)
		note(streams, stream, &marker);
	histogram_add(&streams->latency, now > marker.sent ? now - marker.sent : 0);
	stream->skip = (unsigned)streams->options->size - MARKER_SIZE;
}

static const char *skip_filling(
	struct streams *streams, struct stream *stream, const char *data, size_t len)
{
	unsigned skipped = stream->skip < len ? stream->skip : (unsigned)len;

	stream->skip -= skipped;
	if (stream->skip == 0 && data[skipped - 1] != MARKER_LAST)
		streams->torn++;
	return data + skipped;
}

/* Find the events in what was read; before it stands the tail. */
static void take(
	struct streams *streams, struct stream *stream, const char *data, size_t len, uint64_t now)
{
	const char *end = data + len;

	stream->tail_len = 0;
	while (data < end) {
		if (stream->skip > 0) {
			data = skip_filling(streams, stream, data, (size_t)(end - data));
			continue;
		}
		data = memchr(data, MARKER_FIRST, (size_t)(end - data));
		if (data == NULL)
			break;
		if (end - data >= 2 && data[1] != MARKER_SECOND) {
			data++;
		} else if (end - data >= MARKER_SIZE) {
			take_event(streams, stream, data, now);
			data += MARKER_SIZE;
		} else {
			stream->tail_len = (unsigned)(end - data);
			memcpy(stream->tail, data, stream->tail_len);
			break;
		}
	}
}

/* --- reading --- */

static void close_stream(struct streams *streams, struct stream *stream)
{
	if (stream->state == STREAM_READING) {
		streams->reading--;
		streams->received -= stream->received;
	}
	net_close(&stream->source);
	stream->state = STREAM_CLOSED;
	streams->closed++;
}

/* Ask for the stream, when the connection is ready for it.  0, or -1. */
static int ask(const struct streams *streams, struct stream *stream)
{
	const struct options *options = streams->options;
	size_t number = (size_t)(stream - streams->all);
	struct header header = options_header(options, number);
	char path[OPTIONS_PATH];
	char request[2000 + HEADER_MAX];
	int ready = net_shake(&stream->source), len;

	if (ready <= 0)
		return ready;
	len = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
		"%s%s%s%s%s\r\n",
		options_stream(options, number, path), header.line, header.end,
		options->last_event_id ? "Last-Event-ID: " : "",
		options->last_event_id ? options->last_event_id : "",
		options->last_event_id ? "\r\n" : "");
	if (len >= (int)sizeof(request) || net_send(&stream->source, request, (size_t)len) != len)
		return -1;
	stream->state = STREAM_HEAD;
	return 0;
}

/* The head of the answer: how much of ${data} is after it, or -1 if the answer is no stream. */
static ssize_t take_head(struct stream *stream, const char *data, size_t len)
{
	static const char end[] = "\r\n\r\n";
	size_t i = 0;

	for (; i < len && stream->blank < 4; i++) {
		if (stream->tail_len < 12)
			stream->tail[stream->tail_len++] = data[i];
		if (data[i] == end[stream->blank])
			stream->blank++;
		else
			stream->blank = data[i] == end[0];
	}
	if (stream->blank < 4)
		return 0;
	if (memcmp(stream->tail, "HTTP/1.1 200", 12) != 0)
		return -1;
	stream->state = STREAM_READING;
	stream->tail_len = 0;
	return (ssize_t)(len - i);
}

void stream_read(struct streams *streams, struct stream *stream)
{
	char *data = streams->buffer + HEADROOM;
	ssize_t got, left;
	uint64_t when = 0;

	if (stream->state == STREAM_ASKING) {
		if (ask(streams, stream) != 0)
			close_stream(streams, stream);
		return;
	}
	got = left = streams->stamped
			     ? net_recv_stamped(&stream->source, data, BUFFER_SIZE, &when)
			     : net_recv(&stream->source, data, BUFFER_SIZE);
	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			close_stream(streams, stream);
		return;
	}
	streams->bytes += (uint64_t)got;
	if (stream->state == STREAM_HEAD) {
		left = take_head(stream, data, (size_t)got);
		if (left < 0) {
			fprintf(stderr, "load: no stream, but %.*s\n", (int)got, data);
			close_stream(streams, stream);
		} else if (stream->state == STREAM_READING) {
			streams->reading++;
		}
		if (left <= 0)
			return;
		data += got - left;
	}
	memcpy(data - stream->tail_len, stream->tail, stream->tail_len);
	take(streams, stream, data - stream->tail_len, (size_t)left + stream->tail_len,
		streams->stamped ? when : now_ns());
}

/* --- opening --- */

static int watch(struct streams *streams, struct stream *stream, int operation)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &stream->source};

	return epoll_ctl(streams->epoll, operation, stream->source.fd, &event);
}

static int open_one(struct streams *streams, struct error *error)
{
	const struct options *options = streams->options;
	struct stream *stream = &streams->all[streams->count];

	if (net_dial(&stream->source, (uint16_t)options->port, options->tls, streams->count,
		    error) != 0)
		return -1;
	streams->count++;
	if (ask(streams, stream) != 0 || watch(streams, stream, EPOLL_CTL_ADD) != 0)
		return error_set(error, EX_OSERR, "cannot ask for stream %zu: %s", streams->count,
			strerror(errno));
	return 0;
}

/* Read until at most ${most} streams wait for their answer. */
static int await_heads(struct streams *streams, size_t most, struct error *error)
{
	struct epoll_event events[OPENING];

	while (streams->count - streams->reading > most) {
		int count = epoll_wait(streams->epoll, events, OPENING, ANSWER_MS);

		if (count == 0)
			return error_set(error, EX_UNAVAILABLE,
				"%zu streams of %zu are open, the next has no answer",
				streams->reading, streams->count);
		for (int i = 0; i < count; i++)
			stream_read(streams, events[i].data.ptr);
		if (streams->closed > 0)
			return error_set(error, EX_UNAVAILABLE,
				"the server closed a stream when %zu were open", streams->reading);
	}
	return 0;
}

int streams_open(struct streams *streams, size_t count, struct error *error)
{
	while (streams->count < count) {
		if (open_one(streams, error) != 0 || await_heads(streams, OPENING, error) != 0)
			return -1;
	}
	return await_heads(streams, 0, error);
}

int streams_stamp(struct streams *streams, struct error *error)
{
	for (size_t i = 0; i < streams->count; i++) {
		if (net_stamp(&streams->all[i].source) != 0)
			return error_set(error, EX_OSERR, "no time stamps: %s", strerror(errno));
	}
	streams->stamped = true;
	return 0;
}

void streams_stall(struct streams *streams, size_t count)
{
	for (size_t i = 0; i < streams->count; i++) {
		struct stream *stream = &streams->all[i];

		if (stream->state == STREAM_STALLED && count == 0) {
			watch(streams, stream, EPOLL_CTL_ADD);
			stream->state = STREAM_READING;
			streams->reading++;
			streams->received += stream->received;
		} else if (stream->state == STREAM_READING && i + count >= streams->count) {
			watch(streams, stream, EPOLL_CTL_DEL);
			stream->state = STREAM_STALLED;
			streams->reading--;
			streams->received -= stream->received;
		}
	}
}

/* --- the result --- */

void streams_settle(struct streams *streams, const uint32_t *published)
{
	for (size_t i = 0; i < streams->count; i++) {
		const struct stream *stream = &streams->all[i];

		if (stream->state != STREAM_READING)
			continue;
		for (int64_t p = 0; p < streams->options->publishers; p++) {
			if (stream->seen[p].next < published[p])
				streams->lost += published[p] - stream->seen[p].next;
		}
	}
}

uint64_t streams_wrong(const struct streams *streams)
{
	return streams->lost + streams->repeated + streams->disordered + streams->torn +
	       streams->closed;
}
