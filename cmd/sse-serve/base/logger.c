/* SPDX-License-Identifier: MIT */
/* Log lines; see logger.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "logger.h"
#include "sse.h"
#include "terminal.h"
#include "timestamp.h"

#define LINE_MAX_BYTES 8192

static _Atomic bool log_json;

/* It keeps its number when the file is opened again. */
static _Atomic int log_fd = STDERR_FILENO;

void logger_format(bool json)
{
	log_json = json;
}

int logger_open(const char *path, struct error *error)
{
	/* Opening a FIFO must not wait for somebody who reads from it. */
	int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

	if (fd < 0)
		return error_set(error, EX_CANTCREAT,
			"--log-file %.200s: cannot open it: %s; give a file that this user may "
			"write or create",
			path, strerror(errno));
	if (log_fd == STDERR_FILENO) {
		log_fd = fd;
		return 0;
	}
	/* At one stroke: what is being written goes to the old file as a whole. */
	if (dup3(fd, log_fd, O_CLOEXEC) < 0) {
		int why = errno;

		close(fd);
		return error_set(error, EX_CANTCREAT, "--log-file %.200s: %s", path, strerror(why));
	}
	close(fd);
	return 0;
}

static void add_time(struct buf *line)
{
	char text[TIMESTAMP_TEXT];

	buf_add_text(line, timestamp_format(clock_wall_ms(), text));
}

/* What came from outside: as a JSON string, which has no controls, and repaired. */
static void add_quoted(struct buf *line, const char *text)
{
	char repaired[3 * 1024];
	size_t len = strnlen(text, 1024);
	struct buf quoted;

	buf_init(&quoted, LINE_MAX_BYTES);
	len = sse_utf8_repair(text, len, repaired);
	/* JSON leaves C1 and bidi controls as they are; what shows them writes them as JSON does.
	 */
	json_quote(repaired, len, &quoted);
	terminal_text(quoted.data, quoted.len, line);
	buf_free(&quoted);
}

static void finish(struct buf *line)
{
	buf_add_byte(line, '\n');
	/* The server continues if its log lines cannot be written. */
	if (write(log_fd, line->data, line->len) < 0)
		line->len = 0;
	buf_free(line);
}

void logger_write(enum logger_level level, const char *format, ...)
{
	static const char *const names[] = {"info", "warning", "error"};
	char text[1024];
	struct buf line;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_init(&line, LINE_MAX_BYTES);
	if (log_json) {
		buf_add_text(&line, "{\"time\":\"");
		add_time(&line);
		buf_addf(&line, "\",\"level\":\"%s\",\"message\":", names[level]);
		add_quoted(&line, text);
		buf_add_byte(&line, '}');
	} else {
		add_time(&line);
		buf_addf(&line, " %s%s", level == LOGGER_INFO ? "" : names[level],
			level == LOGGER_INFO ? "" : ": ");
		terminal_text(text, strlen(text), &line);
	}
	finish(&line);
}

/* What the lines of JSON about requests and streams begin with. */
static void add_client(struct buf *line, const char *id, const char *address)
{
	buf_add_text(line, "{\"time\":\"");
	add_time(line);
	buf_addf(line, "\",\"level\":\"info\",\"request\":\"%s\",\"client\":\"%s\"", id, address);
}

static void add_seconds(struct buf *line, uint64_t us)
{
	buf_addf(line, ",\"seconds\":%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

void logger_request(const struct logger_request *request)
{
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	if (log_json) {
		add_client(&line, request->id, request->address);
		buf_add_text(&line, ",\"method\":");
		add_quoted(&line, request->method);
		buf_add_text(&line, ",\"target\":");
		add_quoted(&line, request->target);
		buf_addf(&line, ",\"status\":%u,\"bytes\":%" PRIu64, request->status,
			request->bytes);
		add_seconds(&line, request->us);
		buf_add_byte(&line, '}');
	} else {
		add_time(&line);
		buf_addf(&line, " %s ", request->address);
		add_quoted(&line, request->method);
		buf_add_byte(&line, ' ');
		add_quoted(&line, request->target);
		buf_addf(&line, " %u %" PRIu64, request->status, request->bytes);
	}
	finish(&line);
}

void logger_stream(const struct logger_stream *stream)
{
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	if (log_json) {
		add_client(&line, stream->id, stream->address);
		buf_addf(&line, ",\"ended\":\"%s\",\"events\":%" PRIu64, stream->why,
			stream->events);
		add_seconds(&line, stream->us);
		buf_add_byte(&line, '}');
	} else {
		add_time(&line);
		buf_addf(&line,
			" %s stream %s ended: %s, after %" PRIu64 ".%06" PRIu64 " s and %" PRIu64
			" events",
			stream->address, stream->id, stream->why, stream->us / 1000000,
			stream->us % 1000000, stream->events);
	}
	finish(&line);
}
