/* SPDX-License-Identifier: MIT */
/* What the clients print on the standard error; see client_voice.h. */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_run.h"
#include "client_voice.h"
#include "option.h"
#include "terminal.h"

/* What the last line on the process's standard error is, see client_status(). */
static enum { STATUS_NONE, STATUS_OPEN, STATUS_SAID } status_line;

/* A status that the next may be written over has no line end yet. */
static void end_status(void)
{
	if (status_line == STATUS_OPEN)
		(void)!write(STDERR_FILENO, "\n", 1);
	status_line = STATUS_NONE;
}

/* The standard error or output, whichever is a terminal. */
static int terminal_descriptor(void)
{
	return isatty(STDERR_FILENO) ? STDERR_FILENO : STDOUT_FILENO;
}

/* Does a terminal show ^C? */
static bool is_echoed(void)
{
	return client_signal() == SIGINT && isatty(terminal_descriptor());
}

/* Nothing tells when the echo is done; the kernel needs microseconds. */
void client_await_echo(void)
{
	if (is_echoed())
		poll(NULL, 0, 30);
}

void client_break_line(void)
{
	if (status_line == STATUS_OPEN)
		end_status();
	else if (is_echoed())
		(void)!write(terminal_descriptor(), "\n", 1);
}

void client_status(const struct client *client, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (client->options->quiet || status_line == STATUS_SAID)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	status_line = STATUS_OPEN;
	if (!terminal_status(client->program, text)) {
		terminal_say(client->program, text);
		status_line = STATUS_SAID;
	}
}

void client_status_end(const struct client *client, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (client->options->quiet)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Without a line to write over it needs no escape sequence. */
	if (status_line == STATUS_OPEN && terminal_status(client->program, text))
		end_status();
	else
		terminal_say_cut(client->program, text);
	status_line = STATUS_NONE;
}

void client_status_drawn(void)
{
	status_line = STATUS_OPEN;
}

void client_status_clear(void)
{
	if (status_line == STATUS_OPEN)
		(void)!write(STDERR_FILENO, "\r\033[K", 4);
	status_line = STATUS_NONE;
}

static void say(const struct client *client, const char *text)
{
	end_status();
	terminal_say(client->program, text);
}

int client_open(struct client *client, const char *program, const struct client_options *options,
	struct error *error)
{
	char agent[64];

	snprintf(agent, sizeof(agent), "%s/%s", program, sse_tools_version);
	return client_init(client, program, options, say, error) != 0
		       ? -1
		       : client_configure(client, agent, error);
}

void client_close(struct client *client)
{
	end_status();
	client_free(client);
}

void client_version(FILE *out)
{
	fprintf(out, ", %s", curl_version());
}
