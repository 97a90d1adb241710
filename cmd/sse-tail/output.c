/* SPDX-License-Identifier: MIT */
/* The table of formats, and writing; see output.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_run.h"
#include "output.h"
#include "terminal.h"

/* An event of the largest size, of which JSON escapes every byte, and room beside it. */
#define OUTPUT_MAX (8 * SSE_EVENT_MAX)

/* A buffer that had to hold more than this is given back once it was written. */
#define OUTPUT_KEPT ((size_t)1 << 20)

const struct output_format output_formats[] = {
	{"pretty", "for people (default in a terminal)", output_pretty, false, false},
	{"json", "one line an event (default in a pipe)", output_json, false, false},
	{"data", "the data alone", output_data, false, true},
	{"raw", "the bytes as they came", NULL, true, false},
	{0},
};

void output_init(struct output *output, int format, int colour)
{
	int fd = STDOUT_FILENO;

	if (format < 0)
		format = isatty(fd) ? 0 : 1;
	*output = (struct output){.format = &output_formats[format],
		.fd = fd,
		.colour = terminal_colour((enum terminal_colour)colour, fd)};
	buf_init(&output->bytes, OUTPUT_MAX);
	client_watch_output(fd);
}

void output_free(struct output *output)
{
	buf_free(&output->bytes);
}

int output_event(struct output *output, const struct sse_event *event, const char *origin,
	struct error *error)
{
	size_t len = output->bytes.len;

	if (output->format->raw || output->format->event(output, event, origin))
		return 0;
	/* Half an event is none. */
	output->bytes.len = len;
	return error_set(
		error, EX_OSERR, "out of memory for an event of %zu bytes", event->data.len);
}

/* Write all of it; see output_piece(). */
static int write_all(int fd, const char *data, size_t len, struct error *error)
{
	while (len > 0) {
		ssize_t count = write(fd, data, len);

		if (count >= 0) {
			data += count;
			len -= (size_t)count;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			/* Someone else made the terminal or pipe non-blocking. */
			struct pollfd writable = {.fd = fd, .events = POLLOUT};

			poll(&writable, 1, 1000);
		} else if (errno == EPIPE) {
			return error_set(error, 128 + SIGPIPE, "%s", "");
		} else if (errno != EINTR) {
			return error_set(error, EX_IOERR, "cannot write to the standard output: %s",
				strerror(errno));
		}
		if (len > 0 && client_signal() != 0)
			return client_stopped(error);
	}
	return 0;
}

int output_piece(struct output *output, const char *data, size_t len, struct error *error)
{
	struct buf *bytes = &output->bytes;

	if (output->format->raw)
		return write_all(output->fd, data, len, error);
	if (write_all(output->fd, bytes->data, bytes->len, error) != 0)
		return -1;
	bytes->len = 0;
	if (bytes->size > OUTPUT_KEPT)
		buf_free(bytes);
	return 0;
}
