/* SPDX-License-Identifier: MIT */
/* TLS of the load generator; see net_tls.h.  No certificate is checked: all is on this machine. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net_tls.h"

#define WORDS_SIZE 200

static char words[WORDS_SIZE];

/*
 * What all sessions share; NULL without memory.  No session is ever resumed, so each handshake is a
 * whole one.  An idle session keeps no buffers: there may be 10,000 of them.
 */
static SSL_CTX *context(void)
{
	static SSL_CTX *made;

	if (made != NULL)
		return made;
	/* OpenSSL writes to the socket without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	made = SSL_CTX_new(TLS_client_method());
	if (made == NULL)
		return NULL;
	SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(made, SSL_OP_IGNORE_UNEXPECTED_EOF);
	return made;
}

int net_tls_begin(struct source *source, struct error *error)
{
	source->ssl = context() != NULL ? SSL_new(context()) : NULL;
	if (source->ssl == NULL || SSL_set_fd(source->ssl, source->fd) != 1 ||
		fcntl(source->fd, F_SETFL, O_NONBLOCK) != 0) {
		net_close(source);
		return error_set(error, EX_OSERR, "no TLS session: out of memory");
	}
	SSL_set_connect_state(source->ssl);
	return 0;
}

static void note_session(SSL *ssl)
{
	snprintf(words, sizeof(words), "%s %s %s", SSL_get_version(ssl), SSL_get_cipher_name(ssl),
		OBJ_nid2sn((int)SSL_get_negotiated_group(ssl)));
}

int net_tls_shake(struct source *source)
{
	int result, why;

	ERR_clear_error();
	result = SSL_connect(source->ssl);
	if (result == 1) {
		note_session(source->ssl);
		return 1;
	}
	why = SSL_get_error(source->ssl, result);
	if (why == SSL_ERROR_WANT_READ)
		return 0;
	fprintf(stderr, "load: no TLS: %s\n",
		why == SSL_ERROR_SSL ? ERR_reason_error_string(ERR_peek_error())
				     : "the server closed the connection");
	return -1;
}

/* Why it did not succeed, in errno: EAGAIN if it has to wait. */
static int explain(SSL *ssl, int result)
{
	int why = SSL_get_error(ssl, result);

	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		errno = EAGAIN;
	else if (why != SSL_ERROR_SYSCALL || errno == 0)
		errno = EPROTO;
	return why;
}

ssize_t net_tls_send(struct source *source, const void *data, size_t len)
{
	struct pollfd room = {.fd = source->fd, .events = POLLOUT};
	size_t written = 0;
	int result;

	for (;;) {
		ERR_clear_error();
		errno = 0;
		result = SSL_write_ex(source->ssl, data, len, &written);
		if (result == 1)
			return (ssize_t)written;
		if (explain(source->ssl, result) != SSL_ERROR_WANT_WRITE)
			return -1;
		poll(&room, 1, -1);
	}
}

ssize_t net_tls_recv(struct source *source, void *data, size_t max)
{
	size_t got = 0;
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_read_ex(source->ssl, data, max, &got);
	if (result == 1)
		return (ssize_t)got;
	return explain(source->ssl, result) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

void net_tls_end(struct source *source)
{
	if (source->ssl == NULL)
		return;
	ERR_clear_error();
	if (SSL_is_init_finished(source->ssl))
		SSL_shutdown(source->ssl);
	SSL_free(source->ssl);
	source->ssl = NULL;
}

const char *net_tls_words(void)
{
	return words;
}
