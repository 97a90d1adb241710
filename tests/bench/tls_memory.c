/* SPDX-License-Identifier: MIT */
/*
 * tls_memory: what OpenSSL alone takes for an idle session of a server.
 *
 *	tls_memory CERT KEY COUNT
 *
 * Opens so many sessions, each for a client in the same process, and lets each side send the other
 * some bytes.  Prints "openssl_bytes_per_session": what the calls of the server's side have allocated
 * and not freed, with what malloc() takes for each piece.  The modes are sse-serve's.
 */
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define BASE_SHARE 10 /* one in so many is open first: what they share is no session's */
#define MESSAGE 100

/* Before each piece of memory: is it the server's? */
union tag {
	bool server;
	max_align_t align;
};

static bool serving; /* a call of the server's side is under way */
static size_t held;  /* by the server's side */

static size_t size_of(union tag *tag)
{
	return malloc_usable_size(tag) - sizeof(*tag) + sizeof(size_t);
}

static void *take(size_t size, const char *file, int line)
{
	union tag *tag = malloc(sizeof(*tag) + size);

	(void)file;
	(void)line;
	if (tag == NULL)
		return NULL;
	tag->server = serving;
	if (serving)
		held += size_of(tag);
	return tag + 1;
}

static void give(void *memory, const char *file, int line)
{
	union tag *tag = memory;

	(void)file;
	(void)line;
	if (tag == NULL)
		return;
	tag--;
	if (tag->server)
		held -= size_of(tag);
	free(tag);
}

static void *take_again(void *memory, size_t size, const char *file, int line)
{
	union tag *tag = memory, *grown;
	bool server;

	if (memory == NULL)
		return take(size, file, line);
	server = tag[-1].server;
	if (server)
		held -= size_of(tag - 1);
	grown = realloc(tag - 1, sizeof(*tag) + size);
	if (server)
		held += size_of(grown != NULL ? grown : tag - 1);
	return grown != NULL ? grown + 1 : NULL;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "tls_memory: %s: ", what);
	ERR_print_errors_fp(stderr);
	exit(2);
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (context == NULL)
		fail("no context");
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return context;
}

/* The sessions use the same two pipes, one after the other: they are empty in between. */
static SSL *new_session(SSL_CTX *context, BIO *from, BIO *to)
{
	SSL *ssl = SSL_new(context);

	if (ssl == NULL)
		fail("no session");
	BIO_up_ref(from);
	BIO_up_ref(to);
	SSL_set_bio(ssl, from, to);
	return ssl;
}

static void talk(SSL *server, SSL *client)
{
	char message[MESSAGE] = {0};
	int shaken = 0;

	for (int i = 0; i < 10 && shaken != 1; i++) {
		SSL_connect(client);
		serving = true;
		shaken = SSL_accept(server);
		serving = false;
	}
	if (SSL_write(client, message, sizeof(message)) != sizeof(message))
		fail("the client cannot write");
	serving = true;
	if (SSL_read(server, message, sizeof(message)) != sizeof(message) ||
		SSL_write(server, message, sizeof(message)) != sizeof(message))
		fail("the server cannot read or write");
	serving = false;
	if (SSL_read(client, message, sizeof(message)) != sizeof(message))
		fail("the client cannot read");
}

static void open_session(SSL_CTX *servers, SSL_CTX *clients, BIO *up, BIO *down)
{
	SSL *server, *client = new_session(clients, down, up);

	serving = true;
	server = new_session(servers, up, down);
	SSL_set_accept_state(server);
	serving = false;
	SSL_set_connect_state(client);
	talk(server, client);
	SSL_free(client);
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? strtol(argv[3], NULL, 10) : 0, base = count / BASE_SHARE;
	SSL_CTX *servers, *clients;
	BIO *up, *down;
	size_t before = 0;

	if (count < BASE_SHARE || CRYPTO_set_mem_functions(take, take_again, give) != 1) {
		fprintf(stderr, "usage: tls_memory CERT KEY COUNT\n");
		return 64;
	}
	servers = new_context(TLS_server_method());
	clients = new_context(TLS_client_method());
	up = BIO_new(BIO_s_mem());
	down = BIO_new(BIO_s_mem());
	if (SSL_CTX_use_certificate_chain_file(servers, argv[1]) != 1 ||
		SSL_CTX_use_PrivateKey_file(servers, argv[2], SSL_FILETYPE_PEM) != 1)
		fail("no certificate");
	for (long i = 0; i < count; i++) {
		if (i == base)
			before = held;
		open_session(servers, clients, up, down);
	}
	printf("openssl_bytes_per_session %.1f\n",
		(double)(held - before) / (double)(count - base));
	return 0;
}
