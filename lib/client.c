/* SPDX-License-Identifier: MIT */
/* Options, handle, headers and messages of the clients; see client.h. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf.h"
#include "client.h"
#include "client_url.h"
#include "terminal.h"

#define FIELD(name) .offset = offsetof(struct client_options, name)

const struct option_row client_option_rows[] = {
	{"header", 'H', OPTION_LIST, FIELD(headers), "LINE",
		"send this header, 'Name: value' (repeat)", "Request"},
	{"user", 'u', OPTION_STRING, FIELD(user), "NAME:PASSWORD", "log in with these", "Request"},
	{"oauth2-bearer", 0, OPTION_STRING, FIELD(bearer), "TOKEN", "log in with this token",
		"Request"},
	{"cacert", 0, OPTION_STRING, FIELD(cacert), "FILE",
		"trust the certificate authorities in this file", "Request",
		.complete = COMPLETE_FILE},
	{"insecure", 'k', OPTION_FLAG, FIELD(insecure), NULL, "trust any certificate", "Request"},
	{"unix-socket", 0, OPTION_STRING, FIELD(unix_socket), "PATH",
		"connect to this socket instead of the host", "Request", .complete = COMPLETE_FILE},
	{"connect-timeout", 0, OPTION_DURATION, FIELD(connect_timeout), "TIME",
		"give up connecting after this long (10s)", "Request", 1, 3600000},
	{"quiet", 'q', OPTION_FLAG, FIELD(quiet), NULL, "only say why it ends, if by an error",
		"Messages"},
	{"verbose", 'v', OPTION_TIMES, FIELD(verbose), NULL,
		"explain what it does and why; -vv: headers too", "Messages"},
	{0},
};

/* --- options --------------------------------------------------------------------------------- */

/* The length of the name in "Name: value", or in "Name;", which means an empty value. */
static size_t header_name(const char *line)
{
	size_t len = strcspn(line, ":;");

	return line[len] == ':' || (line[len] == ';' && line[len + 1] == '\0') ? len : 0;
}

int client_options_check(const struct client_options *options, struct error *error)
{
	for (size_t i = 0; i < options->headers.count; i++) {
		const char *line = options->headers.values[i];
		size_t len = header_name(line);

		if (strpbrk(line, "\r\n") != NULL)
			return error_set(
				error, EX_USAGE, "--header: a header cannot hold a line end");
		if (len == 0 || strcspn(line, " \t") < len)
			return error_set(error, EX_USAGE,
				"--header: '%.60s' is no header; one is like 'Name: value'", line);
	}
	if (options->user != NULL && options->bearer != NULL)
		return error_set(error, EX_USAGE,
			"--user and --oauth2-bearer are two ways to log in; give one");
	if (options->cacert != NULL && access(options->cacert, R_OK) != 0)
		return error_set(error, EX_NOINPUT, "--cacert: cannot read '%.200s': %s",
			options->cacert, strerror(errno));
	return 0;
}

void client_options_free(struct client_options *options)
{
	option_list_free(&options->headers);
}

bool client_has_header(const struct client_options *options, const char *name)
{
	for (size_t i = 0; i < options->headers.count; i++) {
		const char *line = options->headers.values[i];

		if (header_name(line) == strlen(name) && strncasecmp(line, name, strlen(name)) == 0)
			return true;
	}
	return false;
}

/* --- messages -------------------------------------------------------------------------------- */

void client_say(const struct client *client, enum client_level level, const char *format, ...)
{
	char text[2048];
	va_list args;

	if (level == CLIENT_WARN ? client->options->quiet : client->options->verbose < (int)level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	terminal_say(client->program, text);
}

/* Show the lines of a head, ">" for those that are sent; the first, with the URL, is known. */
static int trace(CURL *easy, curl_infotype type, char *data, size_t size, void *context)
{
	const struct client *client = context;
	const char *line = data, *end = data + size;

	(void)easy;
	if (type != CURLINFO_HEADER_OUT && type != CURLINFO_HEADER_IN)
		return 0;
	while (line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((next ? next : end) - line);
		const char *colon = memchr(line, ':', len);
		size_t name = colon != NULL ? (size_t)(colon - line) : 0;

		while (len > 0 && line[len - 1] == '\r')
			len--;
		if (type == CURLINFO_HEADER_OUT && line == data)
			len = 0;
		if (len > 0 && client_url_is_secret(line, name))
			client_say(client, CLIENT_HEADERS, "%c %.*s: [not shown]",
				type == CURLINFO_HEADER_OUT ? '>' : '<', (int)name, line);
		else if (len > 0)
			client_say(client, CLIENT_HEADERS, "%c %.*s",
				type == CURLINFO_HEADER_OUT ? '>' : '<', (int)len, line);
		line = next ? next + 1 : end;
	}
	return 0;
}

void client_version(FILE *out)
{
	fprintf(out, ", %s", curl_version());
}

/* --- the handle ------------------------------------------------------------------------------ */

static void set_login(CURL *easy, const struct client_options *options)
{
	if (options->user != NULL)
		curl_easy_setopt(easy, CURLOPT_USERPWD, options->user);
	if (options->bearer != NULL) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, options->bearer);
	}
	if (options->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (options->cacert != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, options->cacert);
}

int client_open(struct client *client, const char *program, const struct client_options *options,
	struct error *error)
{
	CURL *easy = curl_easy_init();
	char agent[64];

	*client = (struct client){
		.easy = easy, .multi = curl_multi_init(), .program = program, .options = options};
	if (easy == NULL || client->multi == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	snprintf(agent, sizeof(agent), "%s/%s", program, sse_tools_version);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, agent);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A name server that does not answer is not to hold up the end. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	/* What a proxy answers to CONNECT is not the server's answer. */
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->details);
	/* A peer that vanished is noticed after about a minute, however quiet the stream is. */
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout);
	if (options->unix_socket != NULL &&
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket) != CURLE_OK)
		return error_set(error, EX_USAGE, "--unix-socket: this libcurl cannot do that");
	set_login(easy, options);
	if (options->verbose >= (int)CLIENT_HEADERS) {
		curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
		curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, trace);
		curl_easy_setopt(easy, CURLOPT_DEBUGDATA, client);
	}
	return 0;
}

void client_close(struct client *client)
{
	curl_easy_cleanup(client->easy);
	curl_multi_cleanup(client->multi);
	curl_slist_free_all(client->headers);
	*client = (struct client){0};
}

static int add_header(struct curl_slist **list, const char *line, struct error *error)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	*list = longer;
	return 0;
}

int client_set_headers(struct client *client, const struct client_header *headers, size_t count,
	struct error *error)
{
	const struct client_options *options = client->options;
	struct curl_slist *list = NULL;
	struct buf line;
	int result = 0;

	buf_init(&line, SIZE_MAX);
	for (size_t i = 0; i < options->headers.count && result == 0; i++)
		result = add_header(&list, options->headers.values[i], error);
	for (size_t i = 0; i < count && result == 0; i++) {
		if (client_has_header(options, headers[i].name))
			continue;
		line.len = 0;
		if (!buf_addf(&line, "%s:%s%s", headers[i].name, headers[i].value ? " " : "",
			    headers[i].value ? headers[i].value : "") ||
			!buf_add_byte(&line, '\0'))
			result = error_set(error, EX_OSERR, "out of memory");
		else
			result = add_header(&list, line.data, error);
	}
	buf_free(&line);
	if (result != 0) {
		curl_slist_free_all(list);
		return -1;
	}
	curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, list);
	curl_slist_free_all(client->headers);
	client->headers = list;
	return 0;
}
