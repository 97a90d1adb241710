/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing cmd/sse-serve/http/host.c: libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver of its
 * own,
 *
 *     fuzz_serve_host SECONDS [SEED]
 *
 * that mutates hosts, the same ones in the same order for the same seed.  For each host:
 * 1. if it is valid, it is the server's if it is one of a few names or addresses, read by other means;
 * 2. if it is valid, it has no byte that a browser would not send, and each other port, another
 *    letter case, and a target that begins with it are judged alike;
 * 3. if it is right for --host, it is the server's with that option.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "http/host.h"
#include "parts/must.h"
#include "parts/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CAP ((size_t)1 << 20)

#define LOCAL "192.0.2.7"

static const struct option_list hosts = {
	(const char *[]){"events.example.org", "*.wild.example", "[2001:db8::1]"}, 3};
static const struct option_list none;
static const struct host_names names = {&hosts, &none};

static enum host_verdict judge(const struct host_names *own, const char *host)
{
	struct sockaddr_in local = {.sin_family = AF_INET};

	MUST(inet_pton(AF_INET, LOCAL, &local.sin_addr) == 1);
	return host_judge(own, host, (struct sockaddr *)&local);
}

/* --- the model -------------------------------------------------------------------------------- */

static bool is_own_v4(uint32_t address)
{
	return address >> 24 == 127 || address == 0 || address == 0xc0000207;
}

static bool is_own_v6(const struct in6_addr *address)
{
	static const char *const own[] = {"::", "::1", "2001:db8::1"};
	uint32_t v4;

	memcpy(&v4, &address->s6_addr[12], sizeof(v4));
	if (IN6_IS_ADDR_V4MAPPED(address))
		return is_own_v4(ntohl(v4));
	for (size_t i = 0; i < COUNT(own); i++) {
		struct in6_addr one;

		MUST(inet_pton(AF_INET6, own[i], &one) == 1);
		if (memcmp(&one, address, sizeof(one)) == 0)
			return true;
	}
	return false;
}

/* ${name} has no port, and no dot at its end. */
static bool is_own_name(char *name)
{
	static const char wild[] = ".wild.example";
	size_t len = strlen(name), end = strlen(wild);
	struct in_addr v4;

	if (inet_pton(AF_INET, name, &v4) == 1)
		return is_own_v4(ntohl(v4.s_addr));
	return strcmp(name, "localhost") == 0 || strcmp(name, "events.example.org") == 0 ||
	       (len > end && strcmp(name + len - end, wild) == 0 && name[0] != '.');
}

/* Is a valid host the server's? */
static bool is_own(const char *host)
{
	char *name = strdup(host), *end;
	struct in6_addr v6;
	bool own;

	MUST(name != NULL);
	for (char *p = name; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (name[0] == '[') {
		name[strcspn(name, "%]")] = '\0';
		own = inet_pton(AF_INET6, name + 1, &v6) == 1 && is_own_v6(&v6);
	} else {
		name[strcspn(name, ":")] = '\0';
		end = strrchr(name, '.');
		if (end != NULL && end[1] == '\0')
			*end = '\0';
		own = is_own_name(name);
	}
	free(name);
	return own;
}

/* --- the properties --------------------------------------------------------------------------- */

static void check_other_port(const char *host, enum host_verdict verdict)
{
	struct buf other;

	buf_init(&other, CAP);
	MUST(host_length(host) > 0 && host_length(host) <= strlen(host));
	MUST(buf_addf(&other, "%.*s:8000", (int)host_length(host), host));
	MUST(buf_add_byte(&other, '\0'));
	MUST(judge(&names, other.data) == verdict);
	buf_free(&other);
}

static void check_other_case(const char *host, enum host_verdict verdict)
{
	char *other = strdup(host);

	MUST(other != NULL);
	for (char *p = other; *p != '\0'; p++)
		*p = (char)(islower((unsigned char)*p) ? toupper((unsigned char)*p) : *p);
	MUST(judge(&names, other) == verdict);
	free(other);
}

static void check_target(const char *host)
{
	struct buf target;
	const char *authority;
	size_t len;

	buf_init(&target, CAP);
	MUST(buf_addf(&target, "http://%s/?a", host) && buf_add_byte(&target, '\0'));
	authority = host_in_target(target.data, &len);
	MUST(authority == target.data + 7 && len == strlen(host));
	buf_free(&target);
}

static void check_valid(const char *host, enum host_verdict verdict)
{
	for (const char *p = host; *p != '\0'; p++)
		MUST(*p > ' ' && *p < 0x7f && strchr("@/?#\\\"<>^`{|}", *p) == NULL);
	check_other_port(host, verdict);
	check_other_case(host, verdict);
	check_target(host);
}

/* As --host, it names itself; *.NAME names what is below it, whatever the star is. */
static void check_option(const char *host)
{
	const struct option_list one = {&host, 1};
	struct error error = {0};

	if (host_check_name(host, &error) == 0)
		MUST(judge(&(struct host_names){&one, &none}, host) == HOST_OURS);
	else
		MUST(error.text[0] != '\0');
}

/* Return whether the host is valid. */
static bool check_input(const unsigned char *data, size_t len)
{
	char *host = calloc(1, len + 1);
	enum host_verdict verdict;

	MUST(host != NULL);
	must_input(data, len);
	if (len > 0)
		memcpy(host, data, len);
	verdict = judge(&names, host);
	MUST(verdict == HOST_INVALID || (verdict == HOST_OURS) == is_own(host));
	if (verdict != HOST_INVALID)
		check_valid(host, verdict);
	check_option(host);
	free(host);
	return verdict != HOST_INVALID;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const struct sse_text seeds[] = {
	MUTATE_SEED("localhost:8000"),
	MUTATE_SEED("127.0.0.1"),
	MUTATE_SEED("[::1]:8000"),
	MUTATE_SEED("[fe80::1%25eth0]"),
	MUTATE_SEED("events.example.org."),
	MUTATE_SEED("a.wild.example"),
	MUTATE_SEED("*.example.org"),
	MUTATE_SEED("[::ffff:192.0.2.7]"),
	MUTATE_SEED("evil.example"),
};

/* What makes or breaks a host. */
static const char *const pieces[] = {".", ":", "[", "]", "%", "@", "*", "*.", ":80", ":65536",
	"::", "ffff:", "127.", "0.0.0.0", "192.0.2.7", "localhost", ".wild.example",
	"events.example.org", "2001:db8::1", "[::1]", "%25a", " ", "\t", "/", "\\", "\x7f", "\xff",
	"xn--", "_", "-"};

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_CUT, MUTATE_REPEAT, MUTATE_OTHER,
	MUTATE_START, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_serve_host",
	.inputs = "hosts",
	.taken = "valid",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 256,
	.rounds = 3,
	.kept = 100,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
