/* SPDX-License-Identifier: MIT */
/* A token that another program may replace; see client_token.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_token.h"

struct client_token {
	const char *path;
	bool opened;  /* it was read once */
	bool again;   /* a regular file: it can be read again */
	bool exposed; /* every user can read it, and no warning was given yet */
	unsigned version;
	char text[CLIENT_TOKEN_MAX + 1];
};

/* The start of the file, with room for a line end, blanks before it, and a NUL. */
struct start {
	char text[CLIENT_TOKEN_MAX + 256];
	size_t len;
};

/* Visible ASCII: a token68 of RFC 9110, section 11.2, and what else services use. */
bool client_token_is_valid(const char *text)
{
	size_t len = 0;

	while (text[len] > ' ' && text[len] <= '~')
		len++;
	return len > 0 && text[len] == '\0' && len <= CLIENT_TOKEN_MAX;
}

static bool has_line(const struct start *start)
{
	return memchr(start->text, '\n', start->len) != NULL;
}

/* Read until the end of the first line.  False with errno. */
static bool read_start(int fd, struct start *start)
{
	start->len = 0;
	while (!has_line(start) && start->len < sizeof(start->text) - 1) {
		ssize_t count =
			read(fd, start->text + start->len, sizeof(start->text) - 1 - start->len);

		if (count < 0 && errno != EINTR)
			return false;
		if (count == 0)
			break;
		if (count > 0)
			start->len += (size_t)count;
	}
	start->text[start->len] = '\0';
	return true;
}

/* Later reads must not wait: another file may have taken the place of the first. */
static bool read_file(struct client_token *token, struct start *start)
{
	int fd = open(
		token->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (token->opened ? O_NONBLOCK : 0));
	struct stat status;
	bool done;
	int saved;

	if (fd < 0)
		return false;
	done = fstat(fd, &status) == 0 && read_start(fd, start);
	if (done && !token->opened) {
		token->again = S_ISREG(status.st_mode);
		token->exposed = token->again && (status.st_mode & S_IROTH) != 0;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return done;
}

/* The first line without the blanks around it, ended by a NUL. */
static char *cut_line(struct start *start)
{
	static const char blanks[] = " \t\r";
	char *line = start->text, *end = memchr(start->text, '\n', start->len);

	if (end == NULL)
		end = start->text + start->len;
	/* A NUL is not the end of the line; as a control it makes the token invalid. */
	for (char *p = line; p < end; p++)
		*p = *p == '\0' ? '\1' : *p;
	while (end > line && strchr(blanks, end[-1]) != NULL)
		end--;
	*end = '\0';
	return line + strspn(line, blanks);
}

/* The first line of the file becomes the token.  No error shows any of it. */
static int take_line(struct client_token *token, struct start *start, struct error *error)
{
	const char *line = cut_line(start);
	size_t len = strlen(line);

	if (len == 0)
		return error_set(error, EX_DATAERR,
			"the first line of '%.200s' is empty; it must be the token", token->path);
	if (len > CLIENT_TOKEN_MAX)
		return error_set(error, EX_DATAERR,
			"the first line of '%.200s' is longer than a token can be, %d "
			"bytes",
			token->path, CLIENT_TOKEN_MAX);
	if (!client_token_is_valid(line))
		return error_set(error, EX_DATAERR,
			"the first line of '%.200s' is not a token: it contains a blank, a "
			"control character or a character that is not ASCII",
			token->path);
	if (strcmp(line, token->text) != 0) {
		memcpy(token->text, line, len + 1);
		token->version++;
	}
	return 0;
}

int client_token_read(struct client_token *token, struct error *error)
{
	struct start start;
	int result;

	if (token->opened && !token->again)
		return 0;
	if (read_file(token, &start))
		result = take_line(token, &start, error);
	else
		result = error_set(error, EX_NOINPUT, "cannot read '%.200s': %s", token->path,
			strerror(errno));
	explicit_bzero(&start, sizeof(start));
	return result;
}

struct client_token *client_token_open(const char *path, struct error *error)
{
	struct client_token *token = calloc(1, sizeof(*token));

	if (token == NULL) {
		error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	token->path = path;
	if (client_token_read(token, error) != 0) {
		client_token_free(token);
		return NULL;
	}
	token->opened = true;
	return token;
}

void client_token_free(struct client_token *token)
{
	if (token == NULL)
		return;
	explicit_bzero(token, sizeof(*token));
	free(token);
}

const char *client_token_text(const struct client_token *token)
{
	return token->text;
}

unsigned client_token_version(const struct client_token *token)
{
	return token->version;
}

bool client_token_is_exposed(struct client_token *token)
{
	bool exposed = token->exposed;

	token->exposed = false;
	return exposed;
}
