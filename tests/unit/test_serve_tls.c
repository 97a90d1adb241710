/* SPDX-License-Identifier: MIT */
/*
 * Tests of TLS sessions and certificates (tls/): whatever the socket takes and whenever, each byte
 * arrives once and in order; a pair of files that does not fit is refused, and the old one stays.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include <cmocka.h>

#include "access/principal.h"
#include "parts/certificate.h"
#include "tls/certificates.h"
#include "tls/tls.h"

static char folder[64], cert[80], key[80], ca[80];
static const struct certificates_config config = {.cert = cert, .key = key};

static void write_pair(const char *name, int days)
{
	certificate_write(cert, key, name, days);
	assert_int_equal(chmod(key, 0600), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_serve_tls.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
	snprintf(key, sizeof(key), "%s/key.pem", folder);
	snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
	write_pair("localhost", 10);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(cert);
	unlink(key);
	unlink(ca);
	return rmdir(folder);
}

/* Both ends of a session. */
struct pair {
	int fds[2];
	struct certificates *certificates;
	struct tls *server;
	SSL *client;
};

static void open_pair(struct pair *pair)
{
	const int small = 1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->fds), 0);
	pair->certificates = certificates_new(&config, NULL);
	assert_non_null(pair->certificates);
	pair->server = certificates_session(pair->certificates, pair->fds[0]);
	assert_non_null(pair->server);
	pair->client = certificate_connect(pair->fds[1]);
	certificate_shake_hands(pair->client, pair->server);
	assert_int_equal(setsockopt(pair->fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
}

static void close_pair(struct pair *pair)
{
	tls_free(pair->server);
	SSL_free(pair->client);
	certificates_free(pair->certificates);
	close(pair->fds[0]);
	close(pair->fds[1]);
}

/* --- sending --- */

#define TOTAL 300000

static void each_byte_arrives_once_whatever_the_socket_takes(void **state)
{
	static char data[TOTAL], got[TOTAL + 1];
	struct pair pair;
	size_t sent = 0, read = 0, count;
	unsigned full = 0;

	(void)state;
	open_pair(&pair);
	for (size_t i = 0; i < TOTAL; i++)
		data[i] = (char)(i * 31 + i / 251);
	while (read < TOTAL) {
		/* Pieces of all sizes, small and larger than a record. */
		struct iovec pieces[3] = {{data + sent, sent % 5}, {NULL, 0}, {NULL, 0}};
		ssize_t taken;

		if (sent + pieces[0].iov_len > TOTAL)
			pieces[0].iov_len = 0;
		pieces[2].iov_base = data + sent + pieces[0].iov_len;
		pieces[2].iov_len = TOTAL - sent - pieces[0].iov_len;
		taken = sent < TOTAL ? tls_send(pair.server, pieces, 3) : tls_flush(pair.server);
		if (taken < 0) {
			assert_int_equal(errno, EAGAIN);
			assert_true(tls_wants(pair.server));
			full++;
		} else {
			sent += (size_t)taken;
		}
		if (SSL_read_ex(pair.client, got + read, sizeof(got) - read, &count) == 1)
			read += count;
	}
	assert_int_equal(sent, TOTAL);
	assert_true(full > 0);
	assert_false(tls_wants(pair.server));
	assert_memory_equal(got, data, TOTAL);
	close_pair(&pair);
}

static void a_session_keeps_at_most_a_record_for_a_client_that_does_not_read(void **state)
{
	static char data[TOTAL];
	struct pair pair;
	struct iovec piece = {data, TOTAL};
	ssize_t taken;

	(void)state;
	open_pair(&pair);
	taken = tls_send(pair.server, &piece, 1);
	assert_true(taken > 0);
	assert_int_equal(taken % TLS_RECORD, 0);
	assert_true(taken < TOTAL);
	assert_int_equal(tls_send(pair.server, &piece, 1), -1);
	assert_int_equal(errno, EAGAIN);
	close_pair(&pair);
}

static void the_end_is_told_after_all_that_was_sent(void **state)
{
	static char data[TLS_RECORD];
	struct pair pair;
	struct iovec piece = {data, sizeof(data)};
	size_t read = 0, count = 0;
	int result = 1;

	(void)state;
	open_pair(&pair);
	assert_int_equal(tls_send(pair.server, &piece, 1), sizeof(data));
	for (int i = 0; i < 10000 && SSL_get_shutdown(pair.client) == 0; i++) {
		tls_finish(pair.server);
		tls_flush(pair.server);
		result = SSL_read_ex(pair.client, data, sizeof(data), &count);
		read += result == 1 ? count : 0;
	}
	assert_int_equal(read, sizeof(data));
	assert_int_equal(SSL_get_error(pair.client, result), SSL_ERROR_ZERO_RETURN);
	close_pair(&pair);
}

/* --- hearing --- */

static void a_client_that_ends_its_session_is_heard(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair);
	assert_int_equal(tls_hear(pair.server), 0);
	assert_int_equal(SSL_write(pair.client, "more", 4), 4);
	assert_int_equal(tls_hear(pair.server), 0);
	SSL_shutdown(pair.client);
	assert_int_equal(tls_hear(pair.server), -1);
	close_pair(&pair);
}

static void key_updates_are_answered_while_nothing_else_is_sent(void **state)
{
	struct pair pair;
	struct iovec piece = {(char[]){"after"}, 5};
	char got[16];

	(void)state;
	open_pair(&pair);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(SSL_key_update(pair.client, SSL_KEY_UPDATE_REQUESTED), 1);
		assert_int_equal(SSL_do_handshake(pair.client), 1);
		assert_int_not_equal(tls_hear(pair.server), -1);
		assert_int_equal(SSL_read(pair.client, got, sizeof(got)), -1);
	}
	assert_int_equal(tls_send(pair.server, &piece, 1), 5);
	assert_int_equal(SSL_read(pair.client, got, sizeof(got)), 5);
	assert_memory_equal(got, "after", 5);
	close_pair(&pair);
}

/* A client that makes the server answer, and reads nothing, must not fill its memory. */
static void a_client_that_asks_and_does_not_read_is_not_heard_any_more(void **state)
{
	struct pair pair;
	int sent = 0;

	(void)state;
	open_pair(&pair);
	for (int i = 0; i < 20000; i++) {
		if (SSL_key_update(pair.client, SSL_KEY_UPDATE_REQUESTED) == 1 &&
			SSL_do_handshake(pair.client) == 1)
			sent++;
		assert_int_not_equal(tls_hear(pair.server), -1);
	}
	assert_true(sent < 20000);
	assert_true(tls_wants(pair.server));
	close_pair(&pair);
}

static void a_client_that_never_stops_is_heard_a_turn_at_a_time(void **state)
{
	struct pair pair;
	int turns = 0;

	(void)state;
	open_pair(&pair);
	for (int i = 0; i < 200; i++)
		assert_int_equal(SSL_write(pair.client, "x", 1), 1);
	while (tls_hear(pair.server) == 1)
		turns++;
	assert_in_range(turns, 5, 200);
	close_pair(&pair);
}

static void what_is_not_tls_fails(void **state)
{
	struct pair pair;
	struct tls *tls;
	int fds[2];

	(void)state;
	open_pair(&pair);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	tls = certificates_session(pair.certificates, fds[0]);
	assert_int_equal(tls_handshake(tls), 0);
	assert_int_equal(write(fds[1], "\x16\x03\x01\xff\xff rubbish", 13), 13);
	assert_int_equal(tls_handshake(tls), -1);
	tls_finish(tls);
	tls_free(tls);
	close(fds[0]);
	close(fds[1]);
	assert_true(tls_speaks_http('G'));
	assert_false(tls_speaks_http(0x16));
	close_pair(&pair);
}

/* --- certificates --- */

static void refused(const struct certificates_config *files, int status, const char *text)
{
	struct error error = {0};

	assert_null(certificates_new(files, &error));
	assert_int_equal(error.status, status);
	if (strstr(error.text, text) == NULL)
		fail_msg("%s", error.text);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void a_file_that_is_wrong_is_named(void **state)
{
	struct certificates_config files = config;

	(void)state;
	files.cert = "/nonexistent/cert.pem";
	refused(&files, EX_NOINPUT, "--tls-cert: cannot open /nonexistent/cert.pem: No such file");
	files = config;
	files.key = "/nonexistent/key.pem";
	refused(&files, EX_NOINPUT, "--tls-key cannot open /nonexistent/key.pem: No such file");
	files.key = cert;
	refused(&files, EX_DATAERR, "it has no private key in PEM");
	files = config;
	write_text(ca, "nothing\n");
	files.cert = ca;
	refused(&files, EX_DATAERR, "it is not a certificate in PEM: no start line");
	files = config;
	files.client_ca = ca;
	refused(&files, EX_DATAERR, "--client-ca");
	assert_int_equal(chmod(key, 0622), 0);
	refused(&config, EX_NOINPUT, "can be written by users other than its owner");
	assert_int_equal(chmod(key, 0600), 0);
	/* The key of another certificate. */
	certificate_write(cert, ca, "other", 10);
	refused(&config, EX_DATAERR, "is not the key of the certificate");
	write_pair("localhost", 10);
}

static void a_new_pair_is_noticed_when_it_stays_as_it_is(void **state)
{
	struct certificates *certificates = certificates_new(&config, NULL);
	int64_t before = certificates_expire(certificates);
	struct certificate_set *set;
	struct error error = {0};

	(void)state;
	assert_false(certificates_changed(certificates));
	certificate_write(cert, ca, "localhost", 20);
	assert_false(certificates_changed(certificates));
	assert_true(certificates_changed(certificates));
	assert_false(certificates_changed(certificates));
	assert_null(certificates_read(certificates, &error));
	assert_int_equal(certificates_expire(certificates), before);
	write_pair("localhost", 20);
	assert_false(certificates_changed(certificates));
	assert_true(certificates_changed(certificates));
	set = certificates_read(certificates, &error);
	assert_non_null(set);
	certificates_use(certificates, set);
	assert_in_range(certificates_expire(certificates) - before, 864000 - 60, 864000 + 60);
	assert_false(certificates_changed(certificates));
	certificates_free(certificates);
}

/* Whose certificate, which it signed itself, the client shows. */
static const struct tls_client *meet(struct pair *pair, struct certificates *certificates,
	const char *client_cert, const char *client_key)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->fds), 0);
	pair->certificates = certificates;
	pair->server = certificates_session(certificates, pair->fds[0]);
	pair->client = certificate_connect(pair->fds[1]);
	assert_int_equal(SSL_use_certificate_file(pair->client, client_cert, SSL_FILETYPE_PEM), 1);
	assert_int_equal(SSL_use_PrivateKey_file(pair->client, client_key, SSL_FILETYPE_PEM), 1);
	certificate_shake_hands(pair->client, pair->server);
	assert_non_null(tls_client(pair->server));
	return tls_client(pair->server);
}

static void a_client_is_known_by_its_certificate_until_the_ca_is_gone(void **state)
{
	struct certificates_config files = config;
	struct certificates *certificates;
	const struct tls_client *client;
	struct principal *authority, *same;
	struct pair pair;

	(void)state;
	files.client_ca = cert;
	certificates = certificates_new(&files, NULL);
	assert_non_null(certificates);
	client = meet(&pair, certificates, cert, key);
	assert_string_equal(client->subject, "localhost");
	assert_true(client->expires == certificates_expire(certificates) * 1000);
	assert_int_equal(SSL_SESSION_is_resumable(SSL_get_session(pair.client)), 0);
	authority = certificates_authority(certificates, client->ca);
	assert_non_null(authority);
	/* A CA that stays is the same. */
	certificates_use(certificates, certificates_read(certificates, NULL));
	same = certificates_authority(certificates, client->ca);
	assert_ptr_equal(same, authority);
	assert_null(principal_over(authority, 0));
	write_pair("other", 10);
	certificates_use(certificates, certificates_read(certificates, NULL));
	assert_non_null(principal_over(authority, 0));
	assert_null(certificates_authority(certificates, client->ca));
	principal_drop(authority);
	principal_drop(same);
	close_pair(&pair);
	write_pair("localhost", 10);
}

static void a_session_outlives_the_certificate_that_it_began_with(void **state)
{
	struct pair pair;
	struct iovec piece = {(char[]){"still"}, 5};
	char got[16];

	(void)state;
	open_pair(&pair);
	certificates_use(pair.certificates, certificates_read(pair.certificates, NULL));
	assert_int_equal(tls_send(pair.server, &piece, 1), 5);
	assert_int_equal(SSL_read(pair.client, got, sizeof(got)), 5);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_arrives_once_whatever_the_socket_takes),
		cmocka_unit_test(a_session_keeps_at_most_a_record_for_a_client_that_does_not_read),
		cmocka_unit_test(the_end_is_told_after_all_that_was_sent),
		cmocka_unit_test(a_client_that_ends_its_session_is_heard),
		cmocka_unit_test(key_updates_are_answered_while_nothing_else_is_sent),
		cmocka_unit_test(a_client_that_asks_and_does_not_read_is_not_heard_any_more),
		cmocka_unit_test(a_client_that_never_stops_is_heard_a_turn_at_a_time),
		cmocka_unit_test(what_is_not_tls_fails),
		cmocka_unit_test(a_file_that_is_wrong_is_named),
		cmocka_unit_test(a_new_pair_is_noticed_when_it_stays_as_it_is),
		cmocka_unit_test(a_client_is_known_by_its_certificate_until_the_ca_is_gone),
		cmocka_unit_test(a_session_outlives_the_certificate_that_it_began_with),
	};

	return cmocka_run_group_tests_name("serve_tls", tests, set_up, tear_down);
}
