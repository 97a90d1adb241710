/* SPDX-License-Identifier: MIT */
/*
 * cluster: three servers that share a log in three NATS servers.  8 publishers send, and retry, with
 * idempotency keys, to any of the servers; 4 tails and one reader that sleeps most of the time go from
 * server to server with their ids; others close topics, delete events, set present values and poll.
 * Meanwhile faults happen, one a round; and after each round every acknowledged event is stored once,
 * every reader saw each once, in order, without a gap, and all servers list the same, byte for byte.
 * At the end their databases have the same rows.  Prints a line of figures, or a sentence on the first
 * violation, with status 1; the databases and the logs are kept then.  77: this machine cannot do it; 78:
 * the same after the NATS servers themselves did not have the same messages, so that what is built on them may
 * not agree either.  NATS 2.9 does that: a leader that was killed, stopped or cut off may keep a message that the
 * others never see.
 *
 *   cluster [OPTION]... SERVER [-- ARGUMENT...]
 *
 *   --rounds N     faults to survive (20)
 *   --seed N       of what is random (the time); the system's timing stays its own
 *   --run MIN-MAX  how long nothing happens before and after a fault, in ms (50-500)
 *   --hold MS      how long what is stopped, cut off or full stays so (15000)
 *   --faults LIST  the kinds of faults, separated by commas (all but cut and isolate):
 *                  node      kill -9 of a server
 *                  nats      kill -9 of a NATS server, as often as not the leader
 *                  both      of one of each
 *                  all       of all NATS servers at once
 *                  everything  of all six
 *                  stop      SIGSTOP of the leader
 *                  pause     SIGSTOP of a server
 *                  disk      no file of a NATS server can grow; then it is killed
 *                  cut       a NATS server cannot reach the others; clients can reach it
 *                  isolate   nobody can reach a NATS server
 *   --nats PROGRAM (nats-server)
 *   --private      each NATS server has a network of its own, as cut and isolate need; for root
 *   --clock SHIM   shim_clock.so: the clock of the first server is 5 minutes slow
 *   --skew         the clock of the second NATS server is 5 minutes wrong, slow or fast
 *   --think US     a publisher pauses for up to this long between events (2000)
 *   --spoil        for the test of the test: an event changes in one of the databases
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "clock.h"
#include "parts/fail.h"
#include "parts/ledger.h"
#include "parts/lists.h"
#include "parts/nats.h"
#include "parts/net.h"
#include "parts/network.h"
#include "parts/publishers.h"
#include "parts/random.h"
#include "parts/server.h"
#include "parts/verbs.h"

#define NODES 3
#define ARGUMENTS 30
#define LOG "fault"

/* The newest events of each topic that are compared after each round. */
#define COMPARED 3000

/* For so long a server that was killed stays away, at most, in ms. */
#define AWAY_MS 1500

/* A wrong clock is so many seconds slow or fast. */
#define WRONG_S 300

/* NATS servers that do not agree get so many occasions to. */
#define REPAIRS 3

/* The sleeping reader is waited for in one round of so many. */
#define WAKING 5

/* What has been done to whom, to be undone: a bit for each. */
struct harm {
	unsigned nodes, nats;	      /* are killed */
	unsigned paused, stopped;     /* servers, NATS servers */
	unsigned full, cut, isolated; /* NATS servers */
};

struct test {
	uint64_t rounds, seed, run_min, run_max, hold_ms, think_us;
	const char *faults, *clock;
	bool spoil, skew;
	struct server folder; /* of all of it */
	struct server nodes[NODES];
	char *arguments[ARGUMENTS];
	char databases[NODES][300];
	char urls[300];
	int ports[NODES];
	struct nats_cluster nats;
	struct ledger *ledger;
	struct publishers *publishers;
	struct verbs *verbs;
	struct random random;
	struct harm harm;
	uint64_t kills, repairs;
	uint64_t slowest; /* the most ms from the end of a fault until all was acknowledged */
};

/* --- faults --- */

static unsigned any(struct test *test, unsigned count)
{
	return (unsigned)random_below(&test->random, count);
}

/* A NATS server: as often as not the one that leads. */
static unsigned some_nats(struct test *test)
{
	int leader = any(test, 2) == 0 ? nats_leader(&test->nats, LOG) : -1;

	return leader >= 0 ? (unsigned)leader : any(test, NATS_SERVERS);
}

static void kill_node(struct test *test, unsigned which)
{
	server_kill(&test->nodes[which]);
	test->harm.nodes |= 1U << which;
	test->kills++;
}

static void kill_nats(struct test *test, unsigned which)
{
	nats_kill(&test->nats, which);
	test->harm.nats |= 1U << which;
	test->kills++;
}

static void do_node(struct test *test)
{
	kill_node(test, any(test, NODES));
}

static void do_nats(struct test *test)
{
	kill_nats(test, some_nats(test));
}

static void do_both(struct test *test)
{
	do_nats(test);
	do_node(test);
}

static void do_all(struct test *test)
{
	for (unsigned i = 0; i < NATS_SERVERS; i++)
		kill_nats(test, i);
}

static void do_everything(struct test *test)
{
	do_all(test);
	for (unsigned i = 0; i < NODES; i++)
		kill_node(test, i);
}

static void do_stop(struct test *test)
{
	int leader = nats_leader(&test->nats, LOG);
	unsigned which = leader >= 0 ? (unsigned)leader : any(test, NATS_SERVERS);

	kill(test->nats.servers[which].pid, SIGSTOP);
	test->harm.stopped |= 1U << which;
}

static void do_pause(struct test *test)
{
	unsigned which = any(test, NODES);

	kill(test->nodes[which].pid, SIGSTOP);
	test->harm.paused |= 1U << which;
}

static void do_disk(struct test *test)
{
	unsigned which = some_nats(test);

	nats_fill_disk(&test->nats, which);
	test->harm.full |= 1U << which;
}

static void do_cut(struct test *test)
{
	unsigned which = some_nats(test);

	for (unsigned i = 0; i < NATS_SERVERS; i++) {
		if (i != which)
			network_cut(test->nats.servers[which].pid, test->nats.servers[i].number);
	}
	test->harm.cut |= 1U << which;
}

static void do_isolate(struct test *test)
{
	unsigned which = some_nats(test);

	network_link(test->nats.servers[which].pid, false);
	test->harm.isolated |= 1U << which;
}

static const struct fault {
	const char *name;
	void (*begin)(struct test *test);
	bool held; /* for --hold, not only AWAY_MS */
	bool private;
} faults[] = {
	{"node", do_node, false, false},
	{"nats", do_nats, false, false},
	{"both", do_both, false, false},
	{"all", do_all, false, false},
	{"everything", do_everything, false, false},
	{"stop", do_stop, true, false},
	{"pause", do_pause, true, false},
	{"disk", do_disk, true, false},
	{"cut", do_cut, true, true},
	{"isolate", do_isolate, true, true},
};

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

/* What is undone before what was killed is started again. */
static void mend_nats(struct test *test, unsigned which)
{
	const struct harm *harm = &test->harm;
	const struct nats *nats = &test->nats.servers[which];
	unsigned bit = 1U << which;

	if (harm->stopped & bit)
		kill(nats->pid, SIGCONT);
	if (harm->isolated & bit)
		network_link(nats->pid, true);
	for (unsigned i = 0; i < NATS_SERVERS && harm->cut & bit; i++) {
		if (i != which)
			network_mend(nats->pid, test->nats.servers[i].number);
	}
	/* As a person would do it: make room, start it again. */
	if (harm->full & bit) {
		nats_clear_disk(&test->nats, which);
		kill_nats(test, which);
	}
	if (test->harm.nats & bit)
		nats_launch(&test->nats, which);
}

static void mend(struct test *test)
{
	unsigned first = any(test, 3);

	for (unsigned i = 0; i < NATS_SERVERS; i++)
		mend_nats(test, (first + i) % NATS_SERVERS);
	for (unsigned i = 0; i < NODES; i++) {
		if (test->harm.paused & 1U << i)
			kill(test->nodes[i].pid, SIGCONT);
		if (test->harm.nodes & 1U << i)
			server_launch(&test->nodes[i]);
	}
	for (unsigned i = 0; i < NODES; i++) {
		if (test->harm.nodes & 1U << i)
			server_wait(&test->nodes[i]);
	}
	test->harm = (struct harm){0};
}

static const struct fault *choose(struct test *test)
{
	for (;;) {
		const struct fault *fault = &faults[random_below(&test->random, FAULTS)];
		const char *found = test->faults;
		size_t len = strlen(fault->name);

		if (found == NULL && (!fault->private || test->nats.private))
			return fault;
		for (; found != NULL; found = strchr(found, ',')) {
			found += found[0] == ',';
			if (strncmp(found, fault->name, len) == 0 &&
				(found[len] == ',' || found[len] == '\0'))
				return fault;
		}
	}
}

/* --- rounds --- */

static void publish_for_a_while(struct test *test)
{
	publishers_work(test->publishers);
	net_pause(test->run_max);
	publishers_rest(test->publishers);
	publishers_wait(test->publishers);
}

/*
 * NATS servers that do not agree come to it when more is published.  What a node was given before by one that had
 * something else, it keeps: nothing can be said of it from then on.
 */
static void check_nats(struct test *test)
{
	char said[300];

	for (int i = 0; i < REPAIRS; i++) {
		if (nats_agree(&test->nats, LOG, said, sizeof(said)))
			return;
		fprintf(stderr, "cluster: the NATS servers do not have the same messages: %s\n", said);
		fail_with(78);
		test->repairs++;
		publish_for_a_while(test);
	}
	fail("the NATS servers do not come to have the same messages: %s", said);
}

static void check(struct test *test)
{
	check_nats(test);
	if (test->spoil) {
		server_kill(&test->nodes[1]);
		lists_spoil(test->databases[1]);
		server_launch(&test->nodes[1]);
		server_wait(&test->nodes[1]);
	}
	lists_check(test->ports, NODES, COMPARED);
	verbs_wait(test->verbs);
	verbs_check(test->verbs);
	ledger_check(test->ledger, test->ports[any(test, NODES)]);
	publishers_check(test->publishers, random_below(&test->random, WAKING) == 0);
}

static void run_for_a_while(struct test *test)
{
	net_pause(test->run_min + random_below(&test->random, test->run_max - test->run_min + 1));
}

static void round_of(struct test *test, uint64_t number)
{
	const struct fault *fault = choose(test);
	int64_t mended;
	uint64_t took;

	fprintf(stderr, "cluster: round %" PRIu64 ": %s\n", number + 1, fault->name);
	publishers_work(test->publishers);
	verbs_work(test->verbs);
	run_for_a_while(test);
	fault->begin(test);
	net_pause(fault->held ? test->hold_ms : random_below(&test->random, AWAY_MS));
	mend(test);
	mended = clock_now_ms();
	run_for_a_while(test);
	publishers_rest(test->publishers);
	verbs_rest(test->verbs);
	publishers_wait(test->publishers);
	took = (uint64_t)(clock_now_ms() - mended);
	test->slowest = took > test->slowest ? took : test->slowest;
	check(test);
}

/* --- all of it --- */

static void make_folders(struct test *test)
{
	server_folder(&test->folder);
	fail_setup("cluster", test->folder.folder, test->seed);
	for (unsigned i = 0; i < NODES; i++) {
		struct server *node = &test->nodes[i];

		snprintf(node->folder, sizeof(node->folder), "%.180s/node%u", test->folder.folder,
			i + 1);
		snprintf(test->databases[i], sizeof(test->databases[i]), "%s/events.db",
			node->folder);
		if (mkdir(node->folder, 0700) != 0)
			fail("cannot make the folder %s", node->folder);
	}
}

/* Its clock is slow from the beginning. */
static void set_clock(struct test *test)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/clock", test->folder.folder);
	file = fopen(path, "we");
	if (file == NULL || fputs("-300\n", file) < 0 || fclose(file) != 0)
		fail("cannot write %s", path);
	setenv("SHIM_CLOCK", path, 1);
	test->nodes[0].preload = test->clock;
}

static void start(struct test *test)
{
	struct publishers_config config = {.seed = test->seed,
		.think_us = test->think_us,
		.port = NET_ANY,
		.many = true,
		.batches = true,
		.moves = true,
		.ledger = test->ledger};

	if (test->skew)
		test->nats.servers[1].skew = any(test, 2) == 0 ? -WRONG_S : WRONG_S;
	nats_setup(&test->nats);
	nats_urls(&test->nats, test->urls, sizeof(test->urls));
	for (unsigned i = 0; i < NATS_SERVERS; i++)
		nats_launch(&test->nats, i);
	for (unsigned i = 0; i < NODES; i++) {
		test->nodes[i].more = test->arguments;
		test->nodes[i].again = true;
		test->nodes[i].port = test->ports[i] = net_free_port();
		server_launch(&test->nodes[i]);
	}
	for (unsigned i = 0; i < NODES; i++)
		server_wait(&test->nodes[i]);
	net_spread(test->ports, NODES);
	test->publishers = publishers_start(&config);
	test->verbs = verbs_start(test->ports[any(test, NODES)], test->seed);
}

static struct verbs_figures end(struct test *test)
{
	const char *databases[NODES];
	struct verbs_figures figures;

	lists_check(test->ports, NODES, COMPARED);
	for (unsigned i = 0; i < NODES; i++)
		ledger_check_all(test->ledger, test->ports[i]);
	publishers_check(test->publishers, true);
	publishers_dismiss(test->publishers);
	for (unsigned i = 0; i < NODES; i++) {
		server_stop(&test->nodes[i]);
		databases[i] = test->databases[i];
	}
	for (unsigned i = 0; i < NATS_SERVERS; i++)
		nats_kill(&test->nats, i);
	figures = verbs_end(test->verbs);
	publishers_end(test->publishers);
	lists_check_databases(databases, NODES);
	return figures;
}

static void print_figures(const struct test *test, int64_t ms, const struct verbs_figures *verbs)
{
	struct ledger_figures figures = ledger_figures(test->ledger);

	printf("%" PRIu64 " rounds, %" PRIu64 " kills in %.1f s: %" PRIu64
	       " events acknowledged, %" PRIu64 " stored, %" PRIu64 " retries, %" PRIu64
	       " deliveries checked, %" PRIu64 " topics closed, %" PRIu64
	       " events deleted, %" PRIu64 " values set and %" PRIu64 " followed, %" PRIu64
	       " polled; at most %.1f s from the end of a fault until all was acknowledged; NATS servers differed %" PRIu64
	       " times; seed %" PRIu64 "\n",
		test->rounds, test->kills, (double)ms / 1000, figures.acknowledged, figures.stored,
		figures.retries, figures.checked, verbs->closed, verbs->deleted, verbs->set,
		verbs->followed, verbs->polled, (double)test->slowest / 1000, test->repairs, test->seed);
}

static void run(struct test *test)
{
	int64_t began = clock_now_ms();
	struct verbs_figures figures;

	start(test);
	for (uint64_t i = 0; i < test->rounds; i++)
		round_of(test, i);
	figures = end(test);
	print_figures(test, clock_now_ms() - began, &figures);
}

/* --- options --- */

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"usage: cluster [--rounds N] [--seed N] [--run MIN-MAX] [--hold MS]"
		" [--faults LIST] [--nats PROGRAM] [--private] [--clock SHIM] [--skew] [--think US] [--spoil]"
		" SERVER [-- ARGUMENT...]\n");
	exit(2);
}

static void take(struct test *test, int option)
{
	switch (option) {
	case 'r':
		test->rounds = strtoull(optarg, NULL, 10);
		break;
	case 's':
		test->seed = strtoull(optarg, NULL, 10);
		break;
	case 't':
		if (sscanf(optarg, "%" SCNu64 "-%" SCNu64, &test->run_min, &test->run_max) != 2 ||
			test->run_max < test->run_min)
			usage();
		break;
	case 'h':
		test->hold_ms = strtoull(optarg, NULL, 10);
		break;
	case 'f':
		test->faults = optarg;
		break;
	case 'p':
		test->nats.private = true;
		break;
	case 'c':
		test->clock = optarg;
		break;
	case 'w':
		test->think_us = strtoull(optarg, NULL, 10);
		break;
	case 'n':
		test->nats.program = optarg;
		break;
	case 'x':
		test->spoil = true;
		break;
	case 'k':
		test->skew = true;
		break;
	default:
		usage();
	}
}

static void parse(int argc, char **argv, struct test *test)
{
	static const struct option names[] = {{"rounds", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'}, {"run", required_argument, NULL, 't'},
		{"hold", required_argument, NULL, 'h'}, {"faults", required_argument, NULL, 'f'},
		{"private", no_argument, NULL, 'p'}, {"clock", required_argument, NULL, 'c'},
		{"think", required_argument, NULL, 'w'}, {"spoil", no_argument, NULL, 'x'},
		{"nats", required_argument, NULL, 'n'}, {"skew", no_argument, NULL, 'k'}, {0}};
	int option, count = 0;

	*test = (struct test){.rounds = 20,
		.seed = (uint64_t)time(NULL),
		.run_min = 50,
		.run_max = 500,
		.hold_ms = 15000,
		.think_us = 2000,
		.nats.program = "nats-server"};
	while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1)
		take(test, option);
	if (optind == argc)
		usage();
	for (unsigned i = 0; i < NODES; i++)
		test->nodes[i].program = argv[optind];
	optind++;
	if (optind < argc && strcmp(argv[optind], "--") == 0)
		optind++;
	test->arguments[count++] = (char *)"--store";
	test->arguments[count++] = test->urls;
	test->arguments[count++] = (char *)"--cluster";
	test->arguments[count++] = (char *)LOG;
	while (optind < argc && count < ARGUMENTS - 1)
		test->arguments[count++] = argv[optind++];
}

int main(int argc, char **argv)
{
	static struct test test;
	char command[300];

	parse(argc, argv, &test);
	if (test.nats.private && !network_new()) {
		fprintf(stderr, "cluster: networks of their own need root and ip(8)\n");
		return 77;
	}
	make_folders(&test);
	test.nats.folder = test.folder.folder;
	if (test.clock != NULL)
		set_clock(&test);
	test.random = random_new(test.seed, 0);
	test.ledger = ledger_new(true);
	run(&test);
	ledger_free(test.ledger);
	snprintf(command, sizeof(command), "rm -rf '%s'", test.folder.folder);
	return system(command) == 0 ? 0 : 1;
}
