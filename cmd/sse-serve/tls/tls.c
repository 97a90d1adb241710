/* SPDX-License-Identifier: MIT */
/* TLS sessions; see tls.h. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls.h"

/* Reads of the socket in one call, two for each record: a client that never stops sending must not
 * hold up the others. */
#define READS_MAX 64

/* Records that are heard in one turn. */
#define HEAR_MAX 16

struct tls {
	SSL *ssl;
	int fd;
	int reads;     /* of the socket that are still allowed in this call */
	bool writing;  /* OpenSSL is asked to write, so all of it is kept */
	bool ended;    /* the client sends no more */
	bool broken;   /* nothing can be sent any more */
	bool finished; /* close_notify was sent */
	char *kept;    /* encrypted bytes that wait for the socket; NULL: none */
	size_t len, done;
	struct tls_client client; /* without a subject: nobody is known */
};

/* --- the socket, as OpenSSL sees it --- */

static int send_kept(struct tls *tls)
{
	while (tls->done < tls->len) {
		ssize_t sent = send(tls->fd, tls->kept + tls->done, tls->len - tls->done,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno != EINTR)
			return -1;
		tls->done += sent > 0 ? (size_t)sent : 0;
	}
	free(tls->kept);
	tls->kept = NULL;
	tls->len = tls->done = 0;
	return 0;
}

/* Keep a copy.  0, or -1 with errno. */
static int keep(struct tls *tls, const char *data, size_t len)
{
	char *grown = realloc(tls->kept, tls->len + len);

	if (grown == NULL)
		return -1;
	memcpy(grown + tls->len, data, len);
	tls->kept = grown;
	tls->len += len;
	return 0;
}

static int bio_write(BIO *bio, const char *data, size_t len, size_t *written)
{
	struct tls *tls = BIO_get_data(bio);
	ssize_t sent = 0;

	BIO_clear_retry_flags(bio);
	*written = 0;
	/* Otherwise a client that makes us answer, and does not read, would fill the memory. */
	if (tls->kept != NULL && !tls->writing) {
		BIO_set_retry_write(bio);
		return 0;
	}
	if (tls->kept == NULL)
		sent = send(tls->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		return 0;
	if (sent < 0)
		sent = 0;
	if ((size_t)sent < len && keep(tls, data + sent, len - (size_t)sent) != 0)
		return 0;
	*written = len;
	return 1;
}

static int bio_read(BIO *bio, char *data, size_t len, size_t *got)
{
	struct tls *tls = BIO_get_data(bio);
	ssize_t count = -1;

	BIO_clear_retry_flags(bio);
	*got = 0;
	errno = EAGAIN;
	if (tls->reads > 0) {
		tls->reads--;
		count = recv(tls->fd, data, len, MSG_DONTWAIT);
		/* It has had all that there is. */
		if (count < 0)
			tls->reads++;
	}
	if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		BIO_set_retry_read(bio);
	tls->ended = count == 0;
	if (count <= 0)
		return 0;
	*got = (size_t)count;
	return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	const struct tls *tls = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return tls->ended;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
	if (method == NULL)
		return;
	BIO_meth_set_write_ex(method, bio_write);
	BIO_meth_set_read_ex(method, bio_read);
	BIO_meth_set_ctrl(method, bio_control);
}

/* --- beginning --- */

struct tls *tls_new(SSL_CTX *context, int fd)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct tls *tls = calloc(1, sizeof(*tls));
	BIO *bio = NULL;

	pthread_once(&once, make_method);
	if (tls == NULL || method == NULL)
		goto err1;
	tls->fd = fd;
	tls->ssl = SSL_new(context);
	bio = BIO_new(method);
	if (tls->ssl == NULL || bio == NULL)
		goto err2;
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_accept_state(tls->ssl);
	return tls;

err2:
	BIO_free(bio);
	SSL_free(tls->ssl);
err1:
	free(tls);
	return NULL;
}

bool tls_speaks_http(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z';
}

/* Why did a call of OpenSSL fail?  With errno, EAGAIN if it only waits. */
static int explain(struct tls *tls, int result)
{
	int why = errno;

	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_SYSCALL:
		errno = why != 0 && why != EAGAIN ? why : ECONNRESET;
		break;
	default:
		errno = EPROTO;
	}
	tls->broken = true;
	return -1;
}

void tls_digest(const X509 *certificate, unsigned char digest[TLS_CA])
{
	unsigned len = TLS_CA;

	memset(digest, 0, TLS_CA);
	X509_digest(certificate, EVP_sha256(), digest, &len);
}

int64_t tls_expiry(const X509 *certificate)
{
	struct tm utc = {0};

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &utc) != 1)
		return 0;
	return (int64_t)timegm(&utc);
}

/* Return it; or NULL.  A name with a NUL in it is none: whoever prints it would see another. */
static char *read_subject(const X509 *certificate)
{
	const X509_NAME *name = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1), len;
	unsigned char *text = NULL;
	char *subject = NULL;

	if (at < 0)
		return NULL;
	len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len > 0 && strlen((const char *)text) == (size_t)len)
		subject = strdup((const char *)text);
	OPENSSL_free(text);
	return subject;
}

/* The chain was verified: the client's certificate is its first, the CA's its last. */
static void read_client(struct tls *tls)
{
	const STACK_OF(X509) *chain = SSL_get0_verified_chain(tls->ssl);
	int count = chain != NULL ? sk_X509_num(chain) : 0;

	if (count <= 0)
		return;
	tls->client.subject = read_subject(sk_X509_value(chain, 0));
	tls_digest(sk_X509_value(chain, count - 1), tls->client.ca);
	tls->client.expires = INT64_MAX;
	for (int i = 0; i < count; i++) {
		int64_t expires = tls_expiry(sk_X509_value(chain, i)) * 1000;

		if (expires < tls->client.expires)
			tls->client.expires = expires;
	}
}

int tls_handshake(struct tls *tls)
{
	int result;

	ERR_clear_error();
	if (tls_flush(tls) != 0)
		return errno == EAGAIN ? 0 : -1;
	tls->reads = READS_MAX;
	/* It is bounded: renegotiation is off. */
	tls->writing = true;
	errno = 0;
	result = SSL_accept(tls->ssl);
	tls->writing = false;
	if (result == 1) {
		read_client(tls);
		return 1;
	}
	return explain(tls, result) != 0 && errno == EAGAIN ? 0 : -1;
}

const char *tls_fault(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason != NULL ? reason : "the client has closed the connection";
}

const struct tls_client *tls_client(const struct tls *tls)
{
	return tls->client.subject != NULL ? &tls->client : NULL;
}

/* --- reading --- */

ssize_t tls_read(struct tls *tls, void *out, size_t max)
{
	size_t got = 0;
	int result;

	tls->reads = READS_MAX;
	if (tls_flush(tls) != 0)
		return -1;
	ERR_clear_error();
	errno = 0;
	result = SSL_read_ex(tls->ssl, out, max, &got);
	if (result == 1)
		return (ssize_t)got;
	if (SSL_get_error(tls->ssl, result) == SSL_ERROR_ZERO_RETURN)
		return 0;
	return explain(tls, result);
}

int tls_hear(struct tls *tls)
{
	char bytes[TLS_RECORD];

	for (int i = 0; i < HEAR_MAX; i++) {
		ssize_t got = tls_read(tls, bytes, sizeof(bytes));

		if (got == 0 || (got < 0 && errno != EAGAIN))
			return -1;
		if (got < 0)
			return tls_has_more(tls);
	}
	return 1;
}

bool tls_has_more(const struct tls *tls)
{
	return tls->reads == 0;
}

/* --- writing --- */

int tls_flush(struct tls *tls)
{
	if (tls->broken) {
		errno = ECONNRESET;
		return -1;
	}
	if (tls->kept == NULL || send_kept(tls) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		errno = EAGAIN;
	tls->broken = errno != EAGAIN;
	return -1;
}

bool tls_wants(const struct tls *tls)
{
	return tls->kept != NULL;
}

/* Have all of it encrypted, in one record unless the client asked for smaller ones.  0, or -1. */
static int write_all(struct tls *tls, const char *data, size_t len)
{
	size_t written = 0;
	int result = 1;

	tls->writing = true;
	while (len > 0 && result == 1) {
		ERR_clear_error();
		errno = 0;
		result = SSL_write_ex(tls->ssl, data, len, &written);
		if (result != 1)
			break;
		data += written;
		len -= written;
	}
	tls->writing = false;
	if (result == 1)
		return 0;
	explain(tls, result);
	/* Our BIO takes everything, so there is nothing that OpenSSL could wait for. */
	tls->broken = true;
	if (errno == EAGAIN)
		errno = EPROTO;
	return -1;
}

/* The pieces from an offset on. */
struct cursor {
	const struct iovec *piece;
	size_t count, offset;
};

static void skip(struct cursor *cursor, size_t len)
{
	cursor->offset += len;
	while (cursor->count > 0 && cursor->offset >= cursor->piece->iov_len) {
		cursor->offset -= cursor->piece->iov_len;
		cursor->piece++;
		cursor->count--;
	}
}

/*
 * The bytes of the next record, which are a part of a piece, or copied from several into ${space}.
 * Return their number.
 */
static size_t next_record(struct cursor *cursor, char space[TLS_RECORD], const char **data)
{
	size_t len = 0, left;

	skip(cursor, 0);
	if (cursor->count == 0)
		return 0;
	*data = (const char *)cursor->piece->iov_base + cursor->offset;
	left = cursor->piece->iov_len - cursor->offset;
	if (left >= TLS_RECORD || cursor->count == 1) {
		len = left < TLS_RECORD ? left : TLS_RECORD;
		skip(cursor, len);
		return len;
	}
	*data = space;
	while (cursor->count > 0 && len < TLS_RECORD) {
		size_t part = cursor->piece->iov_len - cursor->offset;

		if (part > TLS_RECORD - len)
			part = TLS_RECORD - len;
		memcpy(space + len, (const char *)cursor->piece->iov_base + cursor->offset, part);
		len += part;
		skip(cursor, part);
	}
	return len;
}

ssize_t tls_send(struct tls *tls, const struct iovec *pieces, size_t count)
{
	struct cursor cursor = {.piece = pieces, .count = count};
	char space[TLS_RECORD];
	const char *data;
	size_t taken = 0, len;

	if (tls_flush(tls) != 0)
		return -1;
	while (tls->kept == NULL && (len = next_record(&cursor, space, &data)) > 0) {
		if (write_all(tls, data, len) != 0)
			return taken > 0 ? (ssize_t)taken : -1;
		taken += len;
	}
	return (ssize_t)taken;
}

/* --- ending --- */

void tls_finish(struct tls *tls)
{
	if (tls->finished || tls_flush(tls) != 0 || !SSL_is_init_finished(tls->ssl))
		return;
	tls->finished = true;
	tls->writing = true;
	ERR_clear_error();
	SSL_shutdown(tls->ssl);
	tls->writing = false;
}

void tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	ERR_clear_error();
	free(tls->kept);
	free(tls->client.subject);
	free(tls);
}
