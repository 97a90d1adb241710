/* SPDX-License-Identifier: MIT */
/* sse-serve: hosts event streams and the POST endpoint, and keeps every event. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "access/rules.h"
#include "base/ending.h"
#include "base/logger.h"
#include "drain.h"
#include "http/http.h"
#include "http/inherited.h"
#include "http/listen.h"
#include "log/database.h"
#include "log/store.h"
#include "maintain/maintain.h"
#include "nats/jetstream.h"
#include "notify.h"
#include "options.h"
#include "paths.h"
#include "preview.h"
#include "reload.h"
#include "sandbox/sandbox.h"
#include "sandbox/user.h"
#include "server.h"
#include "shared.h"
#include "watch.h"

/* How often the files of certificates are looked at, in ms. */
#define LOOK_MS 2000

struct program {
	int argc;
	char **argv;
	struct options options;
	struct listeners listeners;
	struct sandbox sandbox;
	struct server *server;
	struct notify notify;
	struct watch watch;
	sigset_t signals;
};

/* Signals are taken by watch_wait() alone, so every thread blocks them. */
static void block_signals(sigset_t *signals, bool reloads)
{
	sigemptyset(signals);
	/*
	 * Otherwise there is nothing to reload, and the end of its terminal, which a service does not
	 * have, ends the server.
	 */
	if (reloads)
		sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGUSR1);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* A file size limit is an error of the write, not the end. */
	signal(SIGXFSZ, SIG_IGN);
}

/*
 * If a standard descriptor is closed at the start, the next file would get its number, and log
 * lines would go into the database.  So open it in a way that makes its use fail, as it should: an
 * export to a closed descriptor must not succeed.
 */
static int fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
		if (fd == STDIN_FILENO) {
			close(fd);
			fd = open("/dev/null", O_WRONLY);
		}
	} while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -1 : close(fd);
}

/* As many streams as the system allows. */
static void raise_descriptor_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* The limit in force: an operator that needs more streams has to know it. */
static void say_limits(const struct program *program)
{
	const struct options *options = &program->options;
	unsigned loops = server_loops(program->server);
	struct rlimit files = {0};
	char streams[60] = "";

	getrlimit(RLIMIT_NOFILE, &files);
	if (options->max_streams > 0)
		snprintf(streams, sizeof(streams), ", at most %lld streams",
			(long long)options->max_streams);
	logger_write(LOGGER_INFO, "%u loop%s, %llu descriptors%s", loops, loops == 1 ? "" : "s",
		(unsigned long long)files.rlim_cur, streams);
}

/* Where events are kept, and where a person sees them. */
static void say_places(const struct program *program)
{
	const struct options *options = &program->options;
	const char *url = program->listeners.url;
	char *path = NULL;

	if (options->servers.urls != NULL)
		logger_write(LOGGER_INFO, "events are kept in the log %s of NATS",
			options->servers.name);
	else if (!store_kind_of(NULL, options->db)->in_file)
		logger_write(
			LOGGER_INFO, "events are kept in memory only, and end with the server");
	else if (paths_log(options, &path, NULL) == 0)
		logger_write(LOGGER_INFO, "events are kept in %s", path);
	free(path);
	if (strncmp(url, "http", 4) == 0)
		logger_write(LOGGER_INFO, "open %s%s in a browser", url,
			options->web == NULL ? "/try" : "");
}

/* It connects again and again: names are looked up, and credentials and CAs are read. */
static void allow_places_of_nats(const struct options *options, struct places *places)
{
	places_allow(places, PLACES_READ, "/etc");
	places_allow(places, PLACES_READ, "/run/systemd/resolve");
	places_allow(places, PLACES_READ, "/usr/share/ca-certificates");
	places_allow(places, PLACES_READ, "/usr/local/share/ca-certificates");
	places_allow_file(places, PLACES_READ, options->servers.credentials);
	places_allow_file(places, PLACES_READ, options->servers.ca);
}

/* What the server opens, and removes, after it has entered the sandbox. */
static int allow_places(const struct program *program, struct places *places, struct error *error)
{
	const struct options *options = &program->options;
	char *database = NULL;

	if (paths_log(options, &database, error) != 0)
		return -1;
	places_begin(places, options->servers.urls != NULL);
	if (options->servers.urls != NULL)
		allow_places_of_nats(options, places);
	places_allow_file(places, PLACES_WRITE, database);
	places_allow(places, PLACES_READ, options->web);
	places_allow_file(places, PLACES_READ, options->config);
	places_allow_file(places, PLACES_WRITE, options->log_file);
	places_allow_file(places, PLACES_READ, options->access);
	places_allow_file(places, PLACES_READ, options->jwt_keys);
	places_allow_file(places, PLACES_READ, options->tls.cert);
	places_allow_file(places, PLACES_READ, options->tls.key);
	places_allow_file(places, PLACES_READ, options->tls.client_ca);
	for (size_t i = 0; i < options->hook_rules.count; i++)
		places_allow_file(places, PLACES_READ, options->hook_rules.rules[i].file);
	for (size_t i = 0; i < program->listeners.count; i++)
		places_allow_file(places, PLACES_REMOVE, program->listeners.paths[i]);
	free(database);
	return 0;
}

static int enter_sandbox(struct program *program, struct error *error)
{
	struct places places;

	program->sandbox.left_out = program->options.no_sandbox;
	if (program->sandbox.left_out)
		return 0;
	/* OpenSSL reads its configuration at its first use, which would be inside the sandbox. */
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
	if (program->options.servers.urls != NULL)
		servers_look_up(&program->options.servers);
	if (allow_places(program, &places, error) != 0)
		return -1;
	sandbox_enter(&program->sandbox, &places, program->options.servers.urls != NULL);
	return 0;
}

/* As the user that will open it again. */
static int open_log(const struct options *options, struct error *error)
{
	return options->log_file != NULL ? logger_open(options->log_file, error) : 0;
}

/* Those that were handed over, and those of --listen, which has a default only if none were. */
static int open_listeners(struct program *program, struct error *error)
{
	const struct options *options = &program->options;
	bool open = options->open || options_guarded(options), tls = options->tls.cert != NULL;
	int inherited = inherited_count(error);

	if (inherited < 0)
		return -1;
	if ((inherited == 0 || options->listen.count > 0) &&
		listen_open(&options->listen, open, tls, &program->listeners, error) != 0)
		return -1;
	if (inherited_add(inherited, open, tls, &program->listeners, error) != 0)
		return -1;
	return listen_check_tls(&program->listeners, tls, error);
}

/* The database is opened in the sandbox, since its file may be malicious. */
static int start(struct program *program, struct error *error)
{
	const struct options *options = &program->options;
	struct user user;

	if (user_find(options->user, &user, error) != 0 || open_listeners(program, error) != 0 ||
		user_become(&user, error) != 0 || open_log(options, error) != 0 ||
		paths_check_web(options->web, error) != 0 || enter_sandbox(program, error) != 0)
		return -1;
	program->server = server_start(options, &program->listeners, error);
	return program->server != NULL ? 0 : -1;
}

/* Say where: a script reads it from stdout, a person once, wherever both go to the same place. */
static void announce(const struct program *program)
{
	struct stat out, err;

	logger_write(LOGGER_INFO, "Listening on %s", program->listeners.all);
	if (fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &err) == 0 &&
		(out.st_dev != err.st_dev || out.st_ino != err.st_ino)) {
		printf("Listening on %s\n", program->listeners.url);
		fflush(stdout);
	}
}

/* Programs that renew certificates just write files. */
static void look_at_certificates(const struct program *program)
{
	struct error error = {0};

	switch (server_look_at_certificates(program->server, &error)) {
	case 1:
		logger_write(LOGGER_INFO, "the certificate was replaced: new connections use it");
		break;
	case -1:
		logger_write(LOGGER_ERROR, "%s; the old certificate stays in force", error.text);
		break;
	}
}

static void reload(struct program *program)
{
	watch_reloading(&program->watch);
	reload_run(program->argc, program->argv, &program->options, program->server);
	watch_ready(&program->watch);
}

/* Wait for a signal, and look at the certificates meanwhile.  Return its number. */
static int next_signal(struct program *program)
{
	int number;

	if (program->options.tls.cert == NULL)
		return watch_wait(&program->watch, -1);
	while ((number = watch_wait(&program->watch, LOOK_MS)) == 0)
		look_at_certificates(program);
	return number;
}

static void wait_for_signal(struct program *program)
{
	int number;

	while ((number = next_signal(program)) == SIGHUP || number == SIGUSR1) {
		if (number == SIGHUP)
			reload(program);
		else
			reload_log(&program->options);
	}
	if (ending_status() == 0)
		logger_write(LOGGER_INFO, "stopping: %s", strsignal(number));
}

static void stop(struct program *program)
{
	if (program->server != NULL)
		server_stop(program->server);
	listen_close(&program->listeners);
	notify_close(&program->notify);
	options_free(&program->options);
}

static void print_versions(FILE *out)
{
	fprintf(out, ", libmicrohttpd/%s, SQLite/%s", http_library_version(), sqlite3_libversion());
#ifdef HAVE_NATS
	fprintf(out, ", libnats/%s", jetstream_library());
#endif
}

/*
 * The line is for the access file, the token for its holder.  So they go to different outputs, and
 * stdout may be redirected to the file.
 */
static int make_token(const char *name)
{
	const char *fault = rules_check_name(name);
	unsigned char digest[TOKEN_DIGEST];
	char token[TOKEN_TEXT], hex[TOKEN_HEX + 1];

	if (fault != NULL || strcmp(name, RULES_EVERYONE) == 0) {
		fprintf(stderr, "sse-serve: --new-token '%.70s': the name %s\n", name,
			fault != NULL ? fault : "is reserved for clients without a token");
		return EX_USAGE;
	}
	if (token_new(token) != 0) {
		fprintf(stderr, "sse-serve: cannot make a token: %s\n", strerror(errno));
		return EX_OSERR;
	}
	token_digest(token, strlen(token), digest);
	token_hex(digest, hex);
	printf("%s sha256:%s publish=** read=** as=%s\n", name, hex, name);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "sse-serve: cannot write the line: %s\n", strerror(errno));
		return EX_IOERR;
	}
	fprintf(stderr, "%s\n", token);
	OPENSSL_cleanse(token, sizeof(token));
	return 0;
}

static int maintain_at(const struct options *options, const char *path, struct error *error)
{
	if (options->verify)
		return maintain_verify(path, error);
	if (options->export)
		return maintain_export(path, stdout, error);
	if (options->backup != NULL)
		return maintain_backup(path, options->backup, error);
	return maintain_import(path, stdin, error);
}

/* Run the command that replaces serving.  Return the exit status. */
static int maintain(const struct options *options)
{
	struct error error = {0};
	char *path;
	int result = -1;

	/* That nobody reads what is written, or that a file is too large, is an error of the write.
	 */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (options->servers.urls != NULL && options->import) {
		result = shared_import(options, stdin, &error);
	} else {
		path = options->servers.urls != NULL ? shared_catch_up(options, &error)
						     : paths_database(options->db, &error);
		if (path != NULL)
			result = maintain_at(options, path, &error);
		free(path);
	}
	if (result == 0)
		return 0;
	if (error.text[0] != '\0')
		fprintf(stderr, "sse-serve: %s\n", error.text);
	return error.status;
}

int main(int argc, char **argv)
{
	static struct program program;
	struct error error = {.status = EX_SOFTWARE};

	if (fill_standard_descriptors() != 0)
		return EX_OSERR;
	program.argc = argc;
	program.argv = argv;
	database_set_up();
	switch (options_parse(argc, argv, print_versions, &program.options, &error)) {
	case OPTION_RUN:
		break;
	case OPTION_DONE:
		return 0;
	case OPTION_BAD:
		fprintf(stderr, "sse-serve: %s\n", error.text);
		options_free(&program.options);
		return error.status;
	}
	if (program.options.new_token != NULL) {
		int status = make_token(program.options.new_token);

		options_free(&program.options);
		return status;
	}
	if (program.options.check_config || program.options.print_config) {
		int status = preview(&program.options);

		options_free(&program.options);
		return status;
	}
	if (options_maintains(&program.options) > 0) {
		int status = maintain(&program.options);

		options_free(&program.options);
		return status;
	}
	ending_watch();
	block_signals(&program.signals, options_reloads(&program.options) || notify_wanted());
	raise_descriptor_limit();
	logger_format(program.options.log == LOG_JSON);
	if (notify_open(&program.notify, &error) != 0)
		logger_write(LOGGER_WARNING, "%s", error.text);
	if (start(&program, &error) != 0) {
		options_blame(&program.options, &error);
		fprintf(stderr, "sse-serve: %s\n", error.text);
		stop(&program);
		return error.status;
	}
	announce(&program);
	say_places(&program);
	say_limits(&program);
	sandbox_say(&program.sandbox);
	watch_begin(&program.watch, program.server, &program.notify, &program.signals);
	wait_for_signal(&program);
	drain_run(&program.watch, program.options.drain_delay,
		options_drain(&program.options, program.notify.fd >= 0), &program.listeners);
	stop(&program);
	return ending_status();
}
