/* SPDX-License-Identifier: MIT */
/* Serving files; see pages.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "hash.h"
#include "http/accept.h"
#include "log/topic_name.h"
#include "pages.h"

/*
 * The policy of the built-in pages, which need no more than this; pages of --web have none.
 * Nothing in an event can become a script or a style, or be sent elsewhere.
 */
static const char policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
	"frame-ancestors 'none'";

/* Addresses at which a page of another name is served. */
struct alias {
	const char *path;
	bool below; /* so is all that is below it */
	const char *page;
};

static const struct alias aliases[] = {
	{"try", false, "try.html"},
	{"chat", true, "chat.html"},
	{"favicon.ico", false, "favicon.svg"},
	{"status", false, "status.html"},
};

/*
 * The embedded files that are also served with --web, unless the folder has them: sse.js, and its
 * parts, sse-*.js.
 */
static bool is_module(const char *path)
{
	return strcmp(path, "sse.js") == 0 || strncmp(path, "sse-", 4) == 0;
}

struct media_type {
	const char *ending, *type;
};

static const struct media_type media_types[] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".json", "application/json"},
	{".map", "application/json"},
	{".webmanifest", "application/manifest+json"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".jpg", "image/jpeg"},
	{".jpeg", "image/jpeg"},
	{".gif", "image/gif"},
	{".webp", "image/webp"},
	{".avif", "image/avif"},
	{".ico", "image/x-icon"},
	{".woff", "font/woff"},
	{".woff2", "font/woff2"},
	{".txt", "text/plain; charset=utf-8"},
	{".md", "text/markdown; charset=utf-8"},
	{".xml", "application/xml"},
	{".pdf", "application/pdf"},
	{".wasm", "application/wasm"},
	{".mp3", "audio/mpeg"},
	{".ogg", "audio/ogg"},
	{".mp4", "video/mp4"},
	{".webm", "video/webm"},
};

static const char *type_of(const char *path)
{
	const char *ending = strrchr(path, '.');

	for (size_t i = 0; ending != NULL && i < sizeof(media_types) / sizeof(media_types[0]);
		i++) {
		if (strcasecmp(media_types[i].ending, ending) == 0)
			return media_types[i].type;
	}
	return "application/octet-stream";
}

/* Does If-None-Match name this tag (RFC 9110, section 13.1.2)? */
static bool has_already(const struct request *request, const char *etag)
{
	const char *match = request_header(request, "If-None-Match");

	return match != NULL && (strcmp(match, "*") == 0 || strstr(match, etag) != NULL);
}

/* Where /users or /users/event was meant to lead; a name with a dot was meant to be a file. */
static void not_found(struct request *request)
{
	const char *path = request_route(request)->path + 1;
	size_t len = strlen(path), ending = strlen("/event");

	if (len > ending && strcmp(path + len - ending, "/event") == 0)
		len -= ending;
	if (strchr(path, '.') == NULL && topic_name_check(path, len, NULL) == 0)
		request_problem(request, 404,
			"no such page; if you meant the topic %.*s, it is at /api/%.*s, and its "
			"stream at /api/%.*s/event",
			(int)len, path, (int)len, path, (int)len, path);
	else
		request_problem(request, 404,
			"no such page; topics are at /api/TOPIC, and their streams at "
			"/api/TOPIC/event");
}

/* --- the embedded pages --- */

/* The tag has to change with the bytes, no more. */
static void embedded_etag(struct page_bytes bytes, char etag[24])
{
	snprintf(etag, 24, "\"%016" PRIx64 "\"", hash_fnv1a(HASH_START, bytes.data, bytes.len));
}

static const struct page *find_embedded(const char *path)
{
	const struct page *page = pages;

	while (page->path != NULL && strcmp(page->path, path) != 0)
		page++;
	return page->path != NULL ? page : NULL;
}

/* The page that is meant by an address without its first slash. */
static const char *page_of(const char *path)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		size_t len = strlen(aliases[i].path);

		if (strncmp(path, aliases[i].path, len) == 0 &&
			(path[len] == '\0' || (path[len] == '/' && aliases[i].below)))
			return aliases[i].page;
	}
	return *path == '\0' ? "index.html" : path;
}

static void reply_embedded(struct request *request, const char *path)
{
	const struct page *page = find_embedded(page_of(path));
	struct page_bytes bytes;
	bool gzip, known;
	char etag[24];

	if (page == NULL) {
		not_found(request);
		return;
	}
	gzip = page->gzip.len > 0 &&
	       accept_names(request_header(request, "Accept-Encoding"), "gzip");
	bytes = gzip ? page->gzip : page->plain;
	embedded_etag(bytes, etag);
	known = has_already(request, etag);
	if (known)
		request_reply_static(request, 304, NULL, "", 0);
	else
		request_reply_static(request, 200, type_of(page->path), bytes.data, bytes.len);
	if (gzip && !known)
		request_add_header(request, "Content-Encoding", "gzip");
	if (page->gzip.len > 0)
		request_add_header(request, "Vary", "Accept-Encoding");
	request_add_header(request, "ETag", etag);
	request_add_header(request, "Cache-Control", "no-cache");
	request_add_header(request, "Content-Security-Policy", policy);
	request_add_header(request, "Referrer-Policy", "same-origin");
}

/* --- a folder --- */

/*
 * Open a file below the folder, following links, but not outside of it.  Return a descriptor or -1;
 * ${real} is the path of the file that was opened.
 */
static int open_below(const char *folder, const char *path, char real[PATH_MAX])
{
	char root[PATH_MAX], wanted[PATH_MAX];
	size_t len;

	if ((size_t)snprintf(wanted, sizeof(wanted), "%s/%s", folder, path) >= sizeof(wanted) ||
		realpath(folder, root) == NULL || realpath(wanted, real) == NULL)
		return -1;
	len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(real, root, len) != 0 || (real[len] != '/' && real[len] != '\0'))
		return -1;
	/* Links are resolved: one that has come up since is not followed.  A pipe must not block.
	 */
	return open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static void reply_open_file(
	struct request *request, int fd, const char *path, const struct stat *status)
{
	char etag[64];

	snprintf(etag, sizeof(etag), "\"%" PRIx64 "-%" PRIx64 ".%lx\"", (uint64_t)status->st_size,
		(uint64_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec);
	if (has_already(request, etag)) {
		request_reply_static(request, 304, NULL, "", 0);
		close(fd);
	} else if (status->st_size == 0) {
		request_reply_static(request, 200, type_of(path), "", 0);
		close(fd);
	} else {
		request_reply_file(request, type_of(path), fd, (uint64_t)status->st_size);
	}
	request_add_header(request, "ETag", etag);
	request_add_header(request, "Cache-Control", "no-cache");
}

/* A folder's address ends with a slash, or the links in its page would lead elsewhere. */
static void redirect_to_folder(struct request *request)
{
	char location[PATH_MAX];
	const char *target = request_target(request);
	size_t len = strcspn(target, "?#");

	/* "//host" would be another host. */
	while (len > 1 && target[0] == '/' && target[1] == '/') {
		target++;
		len--;
	}
	if ((size_t)snprintf(location, sizeof(location), "%.*s/%s", (int)len, target,
		    target + len) >= sizeof(location)) {
		not_found(request);
		return;
	}
	request_reply_static(request, 301, NULL, "", 0);
	request_add_header(request, "Location", location);
}

/* .git, .env and the like are no pages, but what RFC 8615 puts there is. */
static bool is_hidden(const char *path)
{
	for (const char *segment = path; segment != NULL; segment = strchr(segment, '/')) {
		segment += *segment == '/';
		if (*segment == '.' && strncmp(segment, ".well-known/", 12) != 0)
			return true;
	}
	return false;
}

/* A file that the folder lacks is not found, except the modules. */
static void reply_missing(struct request *request, const char *path)
{
	if (is_module(path))
		reply_embedded(request, path);
	else
		not_found(request);
}

static void reply_from_folder(struct request *request, const char *folder, const char *path)
{
	char real[PATH_MAX];
	struct stat status;
	int fd;

	if (is_hidden(path)) {
		not_found(request);
		return;
	}
	fd = open_below(folder, path, real);
	if (fd >= 0 && fstat(fd, &status) == 0) {
		if (S_ISREG(status.st_mode)) {
			reply_open_file(request, fd, real, &status);
			return;
		}
		close(fd);
		if (S_ISDIR(status.st_mode)) {
			redirect_to_folder(request);
			return;
		}
	} else if (errno == EACCES) {
		request_problem(request, 403, "this file may not be read");
		return;
	}
	reply_missing(request, path);
}

/* A path that ends with a slash is that of the folder's page. */
static void reply_path(struct request *request, const char *folder, const char *path)
{
	size_t len = strlen(path);
	char index[PATH_MAX];

	if (len > 0 && path[len - 1] != '/')
		reply_from_folder(request, folder, path);
	else if ((size_t)snprintf(index, sizeof(index), "%sindex.html", path) < sizeof(index))
		reply_from_folder(request, folder, index);
	else
		not_found(request);
}

void pages_run(struct request *request)
{
	const char *path = request_route(request)->path;
	const char *folder = api_of(request)->web;

	while (*path == '/')
		path++;
	if (folder != NULL)
		reply_path(request, folder, path);
	else
		reply_embedded(request, path);
}
