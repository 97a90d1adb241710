/* SPDX-License-Identifier: MIT */
/* Certificates for tests; see certificate.h. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cmocka.h>

#include "certificate.h"
#include "tls/tls.h"

static X509 *make(EVP_PKEY *key, const char *name, int days)
{
	X509 *certificate = X509_new();
	X509_NAME *subject;

	assert_non_null(certificate);
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400L * days);
	subject = X509_get_subject_name(certificate);
	assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
				 (const unsigned char *)name, -1, -1, 0),
		1);
	X509_set_issuer_name(certificate, subject);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static FILE *create(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	return file;
}

void certificate_write(const char *cert, const char *key, const char *name, int days)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *certificate;
	FILE *file;

	assert_non_null(pair);
	certificate = make(pair, name, days);
	file = create(cert);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	assert_int_equal(fclose(file), 0);
	file = create(key);
	assert_int_equal(PEM_write_PrivateKey(file, pair, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
	X509_free(certificate);
	EVP_PKEY_free(pair);
}

SSL *certificate_connect(int fd)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *client = SSL_new(context);

	SSL_CTX_free(context);
	assert_non_null(client);
	assert_int_equal(SSL_set_fd(client, fd), 1);
	SSL_set_connect_state(client);
	/* OpenSSL writes to sockets that the server has closed. */
	signal(SIGPIPE, SIG_IGN);
	return client;
}

void certificate_shake_hands(SSL *client, struct tls *server)
{
	int mine = 0, theirs = 0;

	for (int i = 0; i < 1000 && (mine != 1 || theirs != 1); i++) {
		if (mine != 1)
			mine = SSL_do_handshake(client);
		if (theirs != 1)
			theirs = tls_handshake(server);
		assert_int_not_equal(theirs, -1);
	}
	assert_int_equal(mine, 1);
	assert_int_equal(theirs, 1);
}
