/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing cmd/sse-serve/tls/tls.c by what a stranger sends before there is a session: libFuzzer's
 * entry and, with -DFUZZ_STANDALONE, a driver of its own,
 *
 *     fuzz_serve_tls SECONDS [SEED]
 *
 * that mutates what a client sends first, of TLS 1.2 and 1.3, in which some bytes are random.  For each input, in two parts:
 * 1. the handshake waits or fails, and ends the call within its limit of reads;
 * 2. what the server sends is a handshake, an alert, or a change of cipher;
 * 3. a handshake that failed stays so, and its session can be ended.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "parts/must.h"
#include "parts/mutate.h"
#include "tls/tls.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A context of the server; its key is made anew each time. */
static SSL_CTX *server_context(void)
{
	static SSL_CTX *context;
	EVP_PKEY *key;
	X509 *certificate;

	if (context != NULL)
		return context;
	context = SSL_CTX_new(TLS_server_method());
	key = EVP_EC_gen("P-256");
	certificate = X509_new();
	MUST(context != NULL && key != NULL && certificate != NULL);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_set_pubkey(certificate, key);
	MUST(X509_sign(certificate, key, EVP_sha256()) > 0);
	MUST(SSL_CTX_use_certificate(context, certificate) == 1);
	MUST(SSL_CTX_use_PrivateKey(context, key) == 1);
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

/*
 * What the server has sent: records, the last of which may have been cut by the buffer.  Did it answer
 * with more than an alert?
 */
static bool check_sent(int fd)
{
	unsigned char sent[16384];
	ssize_t len = recv(fd, sent, sizeof(sent), MSG_DONTWAIT);

	for (ssize_t i = 0; i + 5 <= len; i += 5 + (sent[i + 3] << 8 | sent[i + 4]))
		MUST(sent[i] >= 20 && sent[i] <= 23);
	return len > 0 && sent[0] == 22;
}

static int shake_hands(struct tls *tls)
{
	int result = 0;

	for (int i = 0; i < 10000; i++) {
		result = tls_handshake(tls);
		if (result != 0 || !tls_has_more(tls))
			return result;
	}
	MUST(false); /* the handshake ends */
	return result;
}

static bool check_input(const unsigned char *data, size_t len)
{
	struct tls *tls;
	size_t first = len / 2;
	int fds[2], result;
	bool answered;

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	tls = tls_new(server_context(), fds[0]);
	MUST(tls != NULL);
	MUST(send(fds[1], data, first, MSG_NOSIGNAL) == (ssize_t)first || first == 0);
	result = shake_hands(tls);
	if (result == 0 && len > first) {
		(void)send(fds[1], data + first, len - first, MSG_NOSIGNAL);
		result = shake_hands(tls);
	}
	/* Nobody can finish a handshake without an answer. */
	MUST(result != 1);
	answered = check_sent(fds[1]);
	if (result == -1)
		MUST(tls_handshake(tls) == -1);
	tls_finish(tls);
	tls_free(tls);
	close(fds[0]);
	close(fds[1]);
	return answered;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

/* What a client of that version sends first. */
static struct sse_text hello(int version, char *out)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *client = SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem()), *sent = BIO_new(BIO_s_mem());
	int len;

	MUST(client != NULL && in != NULL && sent != NULL);
	SSL_set_max_proto_version(client, version);
	SSL_set_bio(client, in, sent);
	SSL_set_tlsext_host_name(client, "localhost");
	SSL_connect(client);
	len = BIO_read(sent, out, MUTATE_MAX);
	MUST(len > 0);
	SSL_free(client);
	SSL_CTX_free(context);
	return (struct sse_text){out, (size_t)len};
}

/* What makes or breaks one: types of records and messages, versions, lengths, extensions. */
static const char *const pieces[] = {"", "\x01", "\x02", "\x14", "\x15", "\x16", "\x17", "\x18",
	"\xff", "\x03\x01", "\x03\x03", "\x03\x04", "\x13\x01", "\x7f\xff", "http/1.1", "h2",
	"GET / HTTP/1.1\r\n\r\n"};

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_BYTE, MUTATE_BIT, MUTATE_BIT,
	MUTATE_CUT, MUTATE_REPEAT, MUTATE_OTHER, MUTATE_START, MUTATE_PIECE};

int main(int argc, char **argv)
{
	static char first[MUTATE_MAX], second[MUTATE_MAX];
	const struct sse_text seeds[] = {
		hello(TLS1_2_VERSION, first), hello(TLS1_3_VERSION, second)};
	const struct mutate fuzzer = {
		.program = "fuzz_serve_tls",
		.inputs = "beginnings",
		.taken = "answered",
		.seeds = seeds,
		.seed_count = COUNT(seeds),
		.pieces = pieces,
		.piece_count = COUNT(pieces),
		.mutations = mutations,
		.mutation_count = COUNT(mutations),
		.max = MUTATE_MAX,
		.rounds = 3,
		.kept = 600,
		.check = check_input,
	};

	return mutate_main(&fuzzer, argc, argv);
}

#endif
