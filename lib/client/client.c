/* SPDX-License-Identifier: MIT */
/* Options, handle, headers and messages of the clients; see client.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf.h"
#include "client.h"
#include "client_run.h"
#include "client_url.h"
#include "terminal.h"

#define FIELD(name) .offset = offsetof(struct client_options, name)

const struct option_row client_option_rows[] = {
	{"request", 'X', OPTION_STRING, FIELD(method), "METHOD", "use this method", "Request"},
	{"header", 'H', OPTION_LIST, FIELD(headers), "LINE",
		"send this header, 'Name: value' (repeat)", "Request", .secret = true},
	{"user", 'u', OPTION_STRING, FIELD(user), "NAME:PASSWORD", "log in with these", "Request",
		.rivals = "login", .secret = true},
	{"oauth2-bearer", 0, OPTION_STRING, FIELD(bearer), "TOKEN", "log in with this token",
		"Request", .variable = "SSE_TOKEN", .rivals = "login", .secret = true},
	{"netrc", 0, OPTION_FLAG, FIELD(netrc), NULL, "take name and password from ~/.netrc",
		"Request"},
	{"cookie", 'b', OPTION_STRING, FIELD(cookies), "DATA",
		"send these cookies, 'a=1; b=2', or a file of them", "Request",
		.complete = COMPLETE_FILE, .secret = true},
	{"cookie-jar", 'c', OPTION_STRING, FIELD(cookie_jar), "FILE",
		"write the cookies to this file at the end", "Request", .complete = COMPLETE_FILE},
	{"proxy", 'x', OPTION_STRING, FIELD(proxy), "URL", "go through this proxy", "Connection",
		.secret = true, .may_be_empty = true},
	{"unix-socket", 0, OPTION_STRING, FIELD(unix_socket), "PATH",
		"connect to this socket instead of the host", "Connection",
		.complete = COMPLETE_FILE},
	{"cacert", 0, OPTION_STRING, FIELD(cacert), "FILE",
		"trust the certificate authorities in this file", "Connection",
		.complete = COMPLETE_FILE},
	{"cert", 0, OPTION_STRING, FIELD(cert), "FILE", "show this certificate to the server",
		"Connection", .complete = COMPLETE_FILE},
	{"key", 0, OPTION_STRING, FIELD(key), "FILE", "the certificate's key, if not in its file",
		"Connection", .complete = COMPLETE_FILE},
	{"insecure", 'k', OPTION_FLAG, FIELD(insecure), NULL, "trust any certificate",
		"Connection"},
	{"connect-timeout", 0, OPTION_DURATION, FIELD(connect_timeout), "TIME",
		OPTION_DEFAULT("give up connecting after this long (", "10s", ")"), "Connection", 1,
		3600000},
	{"quiet", 'q', OPTION_FLAG, FIELD(quiet), NULL, "say nothing but why it failed",
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

/* Controls but for the tab: nothing of a header may hold them (RFC 9110, section 5.5). */
static bool has_controls(const char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return true;
	}
	return false;
}

static int check_header(const char *line, struct error *error)
{
	size_t len = header_name(line);

	if (has_controls(line))
		return error_set(error, EX_USAGE,
			"--header: a header cannot hold a line end or another control");
	if (len == 0 || strcspn(line, " \t") < len)
		/* Not shown: it may be a secret that lacks its colon. */
		return error_set(error, EX_USAGE,
			"--header: this is not a header; one is like 'Name: value'");
	return 0;
}

/* -b is a file, unless it looks like cookies, as curl has it. */
static bool is_cookie_file(const char *cookies)
{
	return cookies != NULL && strchr(cookies, '=') == NULL;
}

/* Is it a file that can be written, or is it in a folder where it can be made? */
static bool can_be_written(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	bool can;

	if (access(path, F_OK) == 0 || strcmp(path, "-") == 0)
		return strcmp(path, "-") == 0 || access(path, W_OK) == 0;
	folder =
		strndup(slash != NULL ? path : ".", slash != NULL ? (size_t)(slash - path) + 1 : 1);
	can = folder != NULL && access(folder, W_OK) == 0;
	free(folder);
	return can;
}

static int check_files(const struct client_options *options, struct error *error)
{
	const struct {
		const char *name, *path;
	} files[] = {
		{"cacert", options->cacert},
		{"cert", options->cert},
		{"key", options->key},
		{"cookie", is_cookie_file(options->cookies) ? options->cookies : NULL},
	};

	if (options->cookie_jar != NULL && !can_be_written(options->cookie_jar))
		return error_set(error, EX_CANTCREAT, "--cookie-jar: cannot write '%.200s': %s",
			options->cookie_jar, strerror(errno));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].path != NULL && access(files[i].path, R_OK) != 0)
			return error_set(error, EX_NOINPUT, "--%s: cannot read '%.200s': %s",
				files[i].name, files[i].path, strerror(errno));
	}
	return 0;
}

/* The letters of a token (RFC 9110, section 5.6.2). */
static bool is_token(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"!#$%&'*+-.^_`|~";

	return *text != '\0' && text[strspn(text, letters)] == '\0';
}

/* "host", "host:3128" or a URL; an empty one is for no proxy. */
static bool is_proxy(const char *proxy)
{
	CURLU *parts = curl_url();
	bool is = *proxy == '\0' ||
		  (parts != NULL &&
			  curl_url_set(parts, CURLUPART_URL, proxy,
				  CURLU_DEFAULT_SCHEME | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK);

	curl_url_cleanup(parts);
	return is;
}

int client_options_check(const struct client_options *options, struct error *error)
{
	for (size_t i = 0; i < options->headers.count; i++) {
		if (check_header(options->headers.values[i], error) != 0)
			return -1;
	}
	if (options->method != NULL && !is_token(options->method))
		return error_set(error, EX_USAGE,
			"--request: '%.60s' is not a valid method; one is like GET or POST",
			options->method);
	if (has_controls(options->cookies) || has_controls(options->bearer))
		return error_set(error, EX_USAGE,
			"--%s: it cannot hold a line end or another control",
			has_controls(options->bearer) ? "oauth2-bearer" : "cookie");
	if (options->user != NULL && options->bearer != NULL)
		return error_set(error, EX_USAGE,
			"--user and --oauth2-bearer are two ways to log in; give one");
	if (options->proxy != NULL && !is_proxy(options->proxy))
		return error_set(error, EX_USAGE,
			"--proxy: this is not the URL of a proxy; one is like http://localhost:3128");
	if (options->key != NULL && options->cert == NULL)
		return error_set(
			error, EX_USAGE, "--key belongs to a certificate: give --cert, too");
	return check_files(options, error);
}

void client_options_free(struct client_options *options)
{
	option_free(client_option_rows, options);
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

void client_say(const struct client *client, enum client_level level, const char *format, ...)
{
	char text[2048];
	va_list args;

	if (level == CLIENT_WARN ? client->options->quiet : client->options->verbose < (int)level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	end_status();
	terminal_say(client->program, text);
}

static void show_location(const struct client *client, const char *value, size_t len)
{
	char text[1024], shown[CLIENT_URL_TEXT];

	snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1),
		value);
	client_say(client, CLIENT_HEADERS, "< Location: %s",
		client_url_text(text + strspn(text, " \t"), shown));
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
		else if (name == strlen("Location") && strncasecmp(line, "Location", name) == 0)
			show_location(client, line + name + 1, len - name - 1);
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
	if (options->netrc)
		curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	/* Cookies that were given as text are a header: libcurl drops that on another origin. */
	if (is_cookie_file(options->cookies))
		curl_easy_setopt(easy, CURLOPT_COOKIEFILE, options->cookies);
	if (options->cookie_jar != NULL)
		curl_easy_setopt(easy, CURLOPT_COOKIEJAR, options->cookie_jar);
}

/* The proxy, the socket, and the certificates to trust. */
static int set_way(CURL *easy, const struct client_options *options, struct error *error)
{
	const struct {
		const char *name, *value;
		CURLoption option;
	} rows[] = {
		{"proxy", options->proxy, CURLOPT_PROXY},
		{"unix-socket", options->unix_socket, CURLOPT_UNIX_SOCKET_PATH},
		{"cacert", options->cacert, CURLOPT_CAINFO},
		{"cert", options->cert, CURLOPT_SSLCERT},
		{"key", options->key, CURLOPT_SSLKEY},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].value != NULL &&
			curl_easy_setopt(easy, rows[i].option, rows[i].value) != CURLE_OK)
			return error_set(
				error, EX_USAGE, "--%s: this libcurl cannot do that", rows[i].name);
	}
	if (options->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout);
	return 0;
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
	/* A quarter of the default's system calls, and the data still fits the caches. */
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 65536L);
	/* A peer that vanished is noticed after about a minute, however quiet the stream is. */
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
	set_login(easy, options);
	if (set_way(easy, options, error) != 0)
		return -1;
	if (options->verbose >= (int)CLIENT_HEADERS) {
		curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
		curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, trace);
		curl_easy_setopt(easy, CURLOPT_DEBUGDATA, client);
	}
	return 0;
}

void client_close(struct client *client)
{
	end_status();
	curl_easy_cleanup(client->easy);
	curl_multi_cleanup(client->multi);
	curl_slist_free_all(client->headers);
	*client = (struct client){0};
}

static int add_line(struct curl_slist **list, const char *line, struct error *error)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	*list = longer;
	return 0;
}

static int add_header(struct curl_slist **list, struct client_header header, struct error *error)
{
	struct buf line;
	int result;

	buf_init(&line, SIZE_MAX);
	/* To libcurl "Name:" leaves a header out, and "Name;" sends it empty. */
	if (!buf_addf(&line, "%s%s%s", header.name, header.value ? ": " : ":",
		    header.value ? header.value : "") ||
		!buf_add_byte(&line, '\0'))
		result = error_set(error, EX_OSERR, "out of memory");
	else
		result = add_line(list, line.data, error);
	buf_free(&line);
	return result;
}

int client_set_headers(struct client *client, const struct client_header *headers, size_t count,
	struct error *error)
{
	const struct client_options *options = client->options;
	struct curl_slist *list = NULL;
	int result = 0;

	for (size_t i = 0; i < options->headers.count && result == 0; i++) {
		const char *line = options->headers.values[i];

		if (!client->cross_origin || !client_url_is_secret(line, header_name(line)))
			result = add_line(&list, line, error);
	}
	for (size_t i = 0; i < count && result == 0; i++) {
		if (!client_has_header(options, headers[i].name))
			result = add_header(&list, headers[i], error);
	}
	if (result == 0 && options->cookies != NULL && !is_cookie_file(options->cookies) &&
		!client->cross_origin && !client_has_header(options, "Cookie"))
		result = add_header(
			&list, (struct client_header){"Cookie", options->cookies}, error);
	if (result != 0) {
		curl_slist_free_all(list);
		return -1;
	}
	curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, list);
	curl_slist_free_all(client->headers);
	client->headers = list;
	return 0;
}
