/* SPDX-License-Identifier: MIT */
/* The source of events; see input.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_run.h"
#include "fields.h"
#include "input.h"
#include "json.h"
#include "sse.h"

#define READ_SIZE ((size_t)64 << 10)

/* How long lines of a pipe are counted for an error message (ms). */
#define COUNT_MS 50

/* --- reading --------------------------------------------------------------------------------- */

static int wait_for(int fd, int64_t until, struct error *error)
{
	switch (client_wait_input(fd, until)) {
	case CLIENT_SIGNAL:
		return client_stopped(error);
	case CLIENT_TIME:
		return error_set(error, EX_TEMPFAIL, "the time of --timeout is up");
	case CLIENT_DONE:
	case CLIENT_HANGUP:
		break;
	}
	return 0;
}

/* Read once, waiting if there is nothing yet.  Return 1, 0 at the end, -1 on an error. */
static int read_more(struct input *input, int fd, const char *name, struct error *error)
{
	struct buf *bytes = &input->bytes;
	size_t left = bytes->cap - bytes->len;
	ssize_t count;
	char *room;

	if (left == 0)
		return error_set(error, EX_DATAERR,
			"%s%s is larger than the %zu MiB that one event may hold",
			input->lines ? "a line of " : "", name, INPUT_MAX >> 20);
	if (left > READ_SIZE)
		left = READ_SIZE;
	room = buf_reserve(bytes, left);
	if (room == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	do {
		if (!input->file && wait_for(fd, input->until, error) != 0)
			return -1;
		count = read(fd, room, left);
	} while (count < 0 && (errno == EINTR || errno == EAGAIN));
	if (count < 0)
		return error_set(error, EX_NOINPUT, "cannot read %s: %s", name, strerror(errno));
	bytes->len += (size_t)count;
	return count > 0;
}

/* Read all of it; one line end at its end belongs to the file, not to the data. */
static int read_all(struct input *input, int fd, const char *name, struct error *error)
{
	struct buf *bytes = &input->bytes;
	int more;

	do
		more = read_more(input, fd, name, error);
	while (more > 0);
	if (bytes->len > 0 && bytes->data[bytes->len - 1] == '\n')
		bytes->len--;
	if (bytes->len > 0 && bytes->data[bytes->len - 1] == '\r')
		bytes->len--;
	return more;
}

static int read_file(struct input *input, const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), result;

	if (fd < 0)
		return error_set(
			error, EX_NOINPUT, "cannot open %.300s: %s", path, strerror(errno));
	result = read_all(input, fd, path, error);
	close(fd);
	return result;
}

/* --- opening --------------------------------------------------------------------------------- */

int input_open(
	struct input *input, const struct options *options, int64_t until, struct error *error)
{
	const char *data = options->data;
	struct stat status;

	*input = (struct input){.options = options, .until = until};
	buf_init(&input->bytes, INPUT_MAX);
	if (options->field_count > 0)
		return fields_to_json(options->fields, options->field_count, &input->bytes, error);
	if (data != NULL && strcmp(data, "-") == 0)
		return read_all(input, STDIN_FILENO, "the standard input", error);
	if (data != NULL && *data == '@')
		return read_file(input, data + 1, error);
	if (data != NULL)
		return buf_add_text(&input->bytes, data)
			       ? 0
			       : error_set(error, EX_DATAERR, "--data is too large");
	if (isatty(STDIN_FILENO))
		return error_set(error, EX_USAGE,
			"there is nothing to send: give NAME=TEXT, --data, or lines through a pipe");
	input->lines = true;
	input->file = fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
	return 0;
}

void input_close(struct input *input)
{
	buf_free(&input->bytes);
}

/* --- taking events --------------------------------------------------------------------------- */

/* Is it what it is to be sent as? */
static int check(const struct input *input, struct input_item *item, struct error *error)
{
	struct json_error wrong = {0};
	struct json_text value;
	char where[40] = "the data";
	size_t valid;

	if (item->line > 0)
		snprintf(where, sizeof(where), "line %llu", (unsigned long long)item->line);
	item->json = input->options->form != FORM_TEXT &&
		     json_check(item->data, item->len, &value, &wrong);
	if (!item->json && input->options->form == FORM_JSON)
		return error_set(error, EX_DATAERR, "%s is not JSON: %s at byte %zu", where,
			wrong.what, wrong.offset + 1);
	valid = item->json ? item->len : sse_utf8_valid(item->data, item->len);
	if (valid < item->len)
		return error_set(
			error, EX_DATAERR, "%s is not UTF-8: byte %zu is wrong", where, valid + 1);
	return 1;
}

/* Take one line, which ends before ${end}; false if it is blank. */
static bool take_line(struct input *input, size_t end, struct input_item *item)
{
	const char *line = input->bytes.data + input->used;
	size_t len = end - input->used, blank = 0;

	input->used = end;
	input->searched = 0;
	input->line++;
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	while (blank < len && (line[blank] == ' ' || line[blank] == '\t'))
		blank++;
	if (blank == len)
		return false;
	*item = (struct input_item){.data = line, .len = len, .line = input->line};
	input->events++;
	return true;
}

/* Take the next line that was read whole.  Return 1, or 0 if there is none. */
static int take_read_line(struct input *input, struct input_item *item)
{
	struct buf *bytes = &input->bytes;

	while (input->used < bytes->len) {
		const char *from = bytes->data + input->used + input->searched;
		size_t left = bytes->len - input->used - input->searched;
		const char *end = memchr(from, '\n', left);

		if (end == NULL && !input->ended) {
			input->searched += left;
			return 0;
		}
		if (take_line(input, end ? (size_t)(end + 1 - bytes->data) : bytes->len, item))
			return 1;
	}
	return 0;
}

/* Take the next line, reading more until there is one. */
static int next_line(struct input *input, struct input_item *item, struct error *error)
{
	while (take_read_line(input, item) == 0) {
		int more;

		if (input->ended)
			return 0;
		buf_drop(&input->bytes, input->used);
		input->used = 0;
		more = read_more(input, STDIN_FILENO, "the standard input", error);
		if (more < 0)
			return -1;
		input->ended = more == 0;
	}
	return 1;
}

int input_next(struct input *input, struct input_item *item, struct error *error)
{
	if (input->lines) {
		int more = next_line(input, item, error);

		return more > 0 ? check(input, item, error) : more;
	}
	if (input->ended)
		return 0;
	input->ended = true;
	input->events = 1;
	*item = (struct input_item){
		.data = input->bytes.data ? input->bytes.data : "", .len = input->bytes.len};
	return check(input, item, error);
}

bool input_count_rest(struct input *input)
{
	struct input_item item;

	if (!input->lines)
		return true;
	input->until = client_after(COUNT_MS);
	while (next_line(input, &item, NULL) > 0)
		;
	return input->ended && input->used == input->bytes.len;
}
