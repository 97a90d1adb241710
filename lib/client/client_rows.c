/* SPDX-License-Identifier: MIT */
/* The options that the clients share; see client_rows.h. */
#include <curl/curl.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_rows.h"
#include "client_token.h"

#define FIELD(name) .offset = offsetof(struct client_options, name)

const struct option_row client_option_rows[] = {
	{"request", 'X', OPTION_STRING, FIELD(method), "METHOD", "use this HTTP method", "Request"},
	{"header", 'H', OPTION_LIST, FIELD(headers), "LINE",
		"send this header, 'Name: value' (repeat)", "Request", .secret = true},
	{"user", 'u', OPTION_STRING, FIELD(user), "NAME:PASSWORD",
		"log in with this name and password", "Request", .rivals = "login", .secret = true},
	{"oauth2-bearer", 0, OPTION_STRING, FIELD(bearer), "TOKEN", "log in with this token",
		"Request", .variable = "SSE_TOKEN", .rivals = "login", .secret = true},
	{"token-file", 0, OPTION_STRING, FIELD(token_file), "FILE",
		"log in with the token in this file, read for each attempt", "Request",
		.rivals = "login", .complete = COMPLETE_FILE},
	{"netrc", 0, OPTION_FLAG, FIELD(netrc), NULL, "take the name and password from ~/.netrc",
		"Request"},
	{"cookie", 'b', OPTION_STRING, FIELD(cookies), "DATA",
		"send these cookies, 'a=1; b=2', or those in a file", "Request",
		.complete = COMPLETE_FILE, .secret = true},
	{"cookie-jar", 'c', OPTION_STRING, FIELD(cookie_jar), "FILE",
		"write the cookies to FILE at the end", "Request", .complete = COMPLETE_FILE},
	{"proxy", 'x', OPTION_STRING, FIELD(proxy), "URL", "use this proxy", "Connection",
		.secret = true, .may_be_empty = true},
	{"unix-socket", 0, OPTION_STRING, FIELD(unix_socket), "PATH",
		"connect to this socket instead of the host", "Connection",
		.complete = COMPLETE_FILE},
	{"cacert", 0, OPTION_STRING, FIELD(cacert), "FILE",
		"trust the certificate authorities in this file", "Connection",
		.complete = COMPLETE_FILE},
	{"cert", 0, OPTION_STRING, FIELD(cert), "FILE", "present this certificate to the server",
		"Connection", .complete = COMPLETE_FILE},
	{"key", 0, OPTION_STRING, FIELD(key), "FILE",
		"use this key for --cert, if its file has none", "Connection",
		.complete = COMPLETE_FILE},
	{"insecure", 'k', OPTION_FLAG, FIELD(insecure), NULL, "trust any certificate",
		"Connection"},
	{"connect-timeout", 0, OPTION_DURATION, FIELD(connect_timeout), "TIME",
		OPTION_DEFAULT("give up connecting after this long (", "10s", ")"), "Connection", 1,
		3600000},
	{"quiet", 'q', OPTION_FLAG, FIELD(quiet), NULL,
		"print no messages except the reason for a failure", "Messages"},
	{"verbose", 'v', OPTION_TIMES, FIELD(verbose), NULL,
		"explain each request and decision; -vv: headers, too", "Messages"},
	{"complete-topics", 0, OPTION_STRING, FIELD(topics), "WORD",
		"print the topics that begin with WORD, for completions", "About", .command = true,
		.may_be_empty = true},
	{0},
};

/* --- what the table cannot check -------------------------------------------------------------- */

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
		{"cookie", client_options_has_cookie_file(options) ? options->cookies : NULL},
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

/* There is one way to log in, and it can be sent. */
static int check_login(const struct client_options *options, struct error *error)
{
	if (options->bearer != NULL && !client_token_is_valid(options->bearer))
		return error_set(error, EX_USAGE,
			"--oauth2-bearer: this is not a token: it contains a blank, a newline, "
			"another control character or a character that is not ASCII, or is "
			"longer than %d bytes",
			CLIENT_TOKEN_MAX);
	if (options->user != NULL && options->bearer != NULL)
		return error_set(error, EX_USAGE,
			"--user and --oauth2-bearer are two ways to log in; give one");
	if (options->token_file != NULL && (options->user != NULL || options->bearer != NULL))
		return error_set(error, EX_USAGE,
			"--token-file and --%s are two ways to log in; give one",
			options->user != NULL ? "user" : "oauth2-bearer (or SSE_TOKEN)");
	return 0;
}

int client_options_check_headers(
	const struct option_list *headers, const char *option, struct error *error)
{
	for (size_t i = 0; i < headers->count; i++) {
		const char *fault = client_options_header_fault(headers->values[i]);

		if (fault != NULL)
			return error_set(error, EX_USAGE, "--%s: %s", option, fault);
	}
	return 0;
}

int client_options_check(struct client_options *options, struct error *error)
{
	struct error wrong;

	if (client_options_check_headers(&options->headers, "header", error) != 0)
		return -1;
	if (options->method != NULL && !is_token(options->method))
		return error_set(error, EX_USAGE,
			"--request: '%.60s' is not a valid method; one is like GET or POST",
			options->method);
	if (client_options_has_controls(options->cookies))
		return error_set(error, EX_USAGE,
			"--cookie: it cannot contain a newline or another control character");
	if (check_login(options, error) != 0)
		return -1;
	if (options->proxy != NULL && !is_proxy(options->proxy))
		return error_set(error, EX_USAGE,
			"--proxy: this is not the URL of a proxy; one is like http://localhost:3128");
	if (options->key != NULL && options->cert == NULL)
		return error_set(
			error, EX_USAGE, "--key belongs to a certificate: give --cert, too");
	if (check_files(options, error) != 0)
		return -1;
	if (options->token_file == NULL)
		return 0;
	options->token = client_token_open(options->token_file, &wrong);
	return options->token != NULL
		       ? 0
		       : error_set(error, wrong.status, "--token-file: %s", wrong.text);
}

/* --- the rest --------------------------------------------------------------------------------- */

void client_options_free(struct client_options *options)
{
	client_token_free(options->token);
	options->token = NULL;
	option_free(client_option_rows, options);
}
