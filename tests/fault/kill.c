/* SPDX-License-Identifier: MIT */
/*
 * kill: kills a server with kill -9 at random moments while 8 publishers send and retry with
 * idempotency keys, 4 tails follow, and one reader sleeps most of the time; starts it again; and
 * checks after each round that every acknowledged event is stored once and that every reader saw
 * each once, in order, without a gap.  Others close topics, delete events, set present values and
 * poll; what they were told must be so, too.  Prints one line of figures, or a sentence on the first
 * violation, with status 1; the database and the log are kept then.
 *
 *   kill [OPTION]... SERVER [-- ARGUMENT...]
 *
 *   --rounds N     kills to survive (50)
 *   --seed N       of what is random (the time); the system's timing stays its own
 *   --run MIN-MAX  how long the server lives between two kills, in ms (10-200)
 *   --think US     a publisher pauses for up to this long between events (2000)
 *   --port N       where the clients connect, and where the server is told to listen (a free one)
 *   --no-keys      the server knows no idempotency keys: what was retried may be stored twice
 *   --no-verbs     nor to close, to delete, present values and polls
 *   --power SHIM   shim_power.so: each kill is a power cut too, unsynced writes are lost
 *   --spoil HOW    for the test of the test: delete, repeat or swap an event in the database while
 *                  the server is down; the check must notice
 */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "parts/publishers.h"
#include "parts/random.h"
#include "parts/fail.h"
#include "parts/ledger.h"
#include "parts/net.h"
#include "parts/power.h"
#include "parts/server.h"
#include "parts/verbs.h"

/* The sleeping reader is waited for in one round of so many. */
#define WAKING 5

struct options {
	uint64_t rounds, seed, run_min, run_max, think_us;
	bool keys, verbs;
	const char *spoil;
};

struct test {
	struct options options;
	struct server server;
	struct ledger *ledger;
	struct publishers *publishers;
	struct verbs *verbs; /* NULL: the server has no such verbs */
	struct random random;
	uint64_t kills;
	struct power_loss lost;
};

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"usage: kill [--rounds N] [--seed N] [--run MIN-MAX] [--think US] [--port N]"
		" [--no-keys] [--no-verbs] [--power SHIM] [--spoil HOW] SERVER [-- ARGUMENT...]\n");
	exit(2);
}

static void parse(int argc, char **argv, struct test *test)
{
	static const struct option names[] = {{"rounds", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'}, {"run", required_argument, NULL, 't'},
		{"think", required_argument, NULL, 'w'}, {"no-keys", no_argument, NULL, 'n'},
		{"no-verbs", no_argument, NULL, 'v'}, {"power", required_argument, NULL, 'p'},
		{"spoil", required_argument, NULL, 'x'}, {"port", required_argument, NULL, 'l'},
		{0}};
	struct options *options = &test->options;
	int option;

	*options = (struct options){.rounds = 50,
		.seed = (uint64_t)time(NULL),
		.run_min = 10,
		.run_max = 200,
		.think_us = 2000,
		.keys = true,
		.verbs = true};
	while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1) {
		if (option == 'r')
			options->rounds = strtoull(optarg, NULL, 10);
		else if (option == 's')
			options->seed = strtoull(optarg, NULL, 10);
		else if (option == 't' && sscanf(optarg, "%" SCNu64 "-%" SCNu64, &options->run_min,
						  &options->run_max) != 2)
			usage();
		else if (option == 'w')
			options->think_us = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			options->keys = options->verbs = false;
		else if (option == 'v')
			options->verbs = false;
		else if (option == 'p')
			test->server.preload = optarg;
		else if (option == 'x')
			options->spoil = optarg;
		else if (option == 'l')
			test->server.port = (int)strtol(optarg, NULL, 10);
		else if (option != 't')
			usage();
	}
	/* The power goes in the middle of a sync, not only before and after. */
	if (test->server.preload != NULL)
		setenv("SHIM_SYNC_US", "4000", 0);
	if (optind == argc || options->run_max < options->run_min)
		usage();
	test->server.program = argv[optind++];
	if (optind < argc && strcmp(argv[optind], "--") == 0)
		optind++;
	test->server.more = argv + optind;
}

/* --- the database, while the server is down --- */

static sqlite3 *open_database(struct test *test)
{
	char path[250];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/events.db", test->server.folder);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		fail("the database cannot be opened: %s", sqlite3_errmsg(db));
	return db;
}

/* Do harm. */
static void spoil(struct test *test)
{
	static const struct {
		const char *how, *sql;
	} ways[] = {
		{"delete", "DELETE FROM event WHERE position = min(%1$lld, %2$lld)"},
		{"repeat", "CREATE TEMP TABLE t AS SELECT * FROM event WHERE position = %1$lld;"
			   "UPDATE t SET position = (SELECT max(position) + 1 FROM event);"
			   "INSERT INTO event SELECT * FROM t"},
		{"swap", "UPDATE event SET position = 1e15 WHERE position = %1$lld;"
			 "UPDATE event SET position = %1$lld WHERE position = %2$lld;"
			 "UPDATE event SET position = %2$lld WHERE position = 1e15"},
	};
	sqlite3 *db = open_database(test);
	uint64_t newest, before;
	char sql[500];

	if (!ledger_sample(test->ledger, &newest, &before))
		fail("too little was published to spoil it");
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (strcmp(test->options.spoil, ways[i].how) != 0)
			continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(sql, sizeof(sql), ways[i].sql, (long long)newest, (long long)before);
#pragma GCC diagnostic pop
		if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
			fail("the database cannot be spoilt: %s", sqlite3_errmsg(db));
	}
	sqlite3_close(db);
}

static void check_database(struct test *test)
{
	sqlite3 *db = open_database(test);
	sqlite3_stmt *statement = NULL;
	const char *said;

	if (sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL) != SQLITE_OK ||
		sqlite3_step(statement) != SQLITE_ROW)
		fail("the database cannot be checked: %s", sqlite3_errmsg(db));
	said = (const char *)sqlite3_column_text(statement, 0);
	if (strcmp(said, "ok") != 0)
		fail("the database is damaged: %s", said);
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

/* --- rounds --- */

static void down(struct test *test)
{
	/* Now and then while it is about to end well, with its last checkpoint. */
	if (random_below(&test->random, 6) == 0) {
		server_ask(&test->server);
		net_pause(random_below(&test->random, 30));
	}
	server_kill(&test->server);
	test->kills++;
	ledger_killed(test->ledger);
	if (test->server.preload != NULL)
		power_cut(test->server.folder, &test->random, &test->lost);
}

/* As often at random, the server does not get far. */
static void false_starts(struct test *test, uint64_t percent)
{
	while (random_below(&test->random, 100) < percent) {
		server_launch(&test->server);
		net_pause(random_below(&test->random, 40));
		down(test);
	}
}

static void round_of(struct test *test)
{
	const struct options *options = &test->options;
	uint64_t span = options->run_max - options->run_min + 1;

	publishers_work(test->publishers);
	if (test->verbs != NULL)
		verbs_work(test->verbs);
	net_pause(options->run_min + random_below(&test->random, span));
	down(test);
	/* What a power cut brings back of a file that was cut off is the disk's affair. */
	if (test->verbs != NULL && test->server.preload == NULL)
		verbs_check_files(test->verbs, test->server.folder);
	publishers_rest(test->publishers);
	if (test->verbs != NULL)
		verbs_rest(test->verbs);
	false_starts(test, 25);
	if (options->spoil != NULL)
		spoil(test);
	server_launch(&test->server);
	server_wait(&test->server);
	publishers_wait(test->publishers);
	if (test->verbs != NULL) {
		verbs_wait(test->verbs);
		verbs_check(test->verbs);
	}
	ledger_check(test->ledger, test->server.port);
	publishers_check(test->publishers, random_below(&test->random, WAKING) == 0);
}

/* Does the server answer so? */
static bool answers(int port, int status, const char *method, const char *target, const char *type,
	const char *body)
{
	char head[2048];

	return net_ask(port, method, target, type, body, head, sizeof(head)) == status;
}

static void probe(struct test *test, struct publishers_config *config)
{
	int port = test->server.port;

	config->many = answers(port, 200, "GET", "/api/event?topic=kill&topic=many/*", "", "");
	config->batches = test->options.keys && answers(port, 201, "POST", "/api/probe?envelope=1",
							"Content-Type: application/x-ndjson\r\n",
							"{\"key\":\"probe\",\"data\":1}\n");
}

static void print_figures(const struct test *test, int64_t ms,
	const struct publishers_config *config, const struct verbs_figures *verbs)
{
	struct ledger_figures figures = ledger_figures(test->ledger);

	printf("%" PRIu64 " rounds, %" PRIu64 " kills in %.1f s: %" PRIu64
	       " events acknowledged, %" PRIu64 " stored",
		test->options.rounds, test->kills, (double)ms / 1000, figures.acknowledged,
		figures.stored + figures.repeated);
	if (!test->options.keys)
		printf(" (%" PRIu64 " twice, without keys)", figures.repeated);
	printf(", %" PRIu64 " retries", figures.retries);
	if (test->options.keys)
		printf(", %" PRIu64 " duplicates recognised", figures.recognised);
	printf(", %" PRIu64 " deliveries checked", figures.checked);
	if (test->server.preload != NULL)
		printf(", %" PRIu64 " unsynced sectors lost, %" PRIu64
		       " times in a checkpoint, %" PRIu64 " files",
			test->lost.sectors, test->lost.checkpoints, test->lost.files);
	if (test->verbs != NULL)
		printf(", %" PRIu64 " topics closed, %" PRIu64 " events deleted, %" PRIu64
		       " values set and %" PRIu64 " followed, %" PRIu64 " polled",
			verbs->closed, verbs->deleted, verbs->set, verbs->followed, verbs->polled);
	printf("%s%s; seed %" PRIu64 "\n", config->many ? ", many topics" : "",
		config->batches ? ", batches" : "", test->options.seed);
}

static void run(struct test *test)
{
	struct publishers_config config = {.seed = test->options.seed,
		.think_us = test->options.think_us,
		.port = test->server.port,
		.ledger = test->ledger};
	int64_t start = clock_now_ms(), said = start;
	struct verbs_figures figures = {0};

	/* Also while it makes its database. */
	false_starts(test, 75);
	server_launch(&test->server);
	server_wait(&test->server);
	probe(test, &config);
	test->publishers = publishers_start(&config);
	if (test->options.verbs)
		test->verbs = verbs_start(config.port, config.seed);
	for (uint64_t i = 0; i < test->options.rounds; i++) {
		round_of(test);
		if (clock_now_ms() - said > 60000) {
			said = clock_now_ms();
			fprintf(stderr, "kill: %" PRIu64 " of %" PRIu64 " rounds\n", i + 1,
				test->options.rounds);
		}
	}
	ledger_check_all(test->ledger, config.port);
	publishers_check(test->publishers, true);
	publishers_dismiss(test->publishers);
	server_stop(&test->server);
	if (test->verbs != NULL)
		figures = verbs_end(test->verbs);
	publishers_end(test->publishers);
	check_database(test);
	print_figures(test, clock_now_ms() - start, &config, &figures);
}

int main(int argc, char **argv)
{
	static struct test test;

	parse(argc, argv, &test);
	server_folder(&test.server);
	fail_setup("kill", test.server.folder, test.options.seed);
	if (test.server.port == 0)
		test.server.port = net_free_port();
	test.random = random_new(test.options.seed, 0);
	test.ledger = ledger_new(test.options.keys);
	run(&test);
	ledger_free(test.ledger);
	server_remove(&test.server);
	return 0;
}
