/* SPDX-License-Identifier: MIT */
/* Certificates; see certificates.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "access/principal.h"
#include "access/private_file.h"
#include "certificates.h"

/* A CA of clients. */
struct authority {
	unsigned char ca[TLS_CA];
	struct principal *principal; /* held; it ends when the CA is gone */
};

/* What is read together, and replaced together. */
struct certificate_set {
	SSL_CTX *context;
	int64_t expires; /* s since 1970 */
	struct authority *authorities;
	int count;
};

/* By which a file is told from the one that took its place. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

#define FILES 3

struct stamps {
	struct stamp files[FILES];
};

struct certificates {
	const struct certificates_config *config;
	struct stamps read, seen; /* when the files were last read, and last looked at */

	pthread_mutex_t lock; /* guards the set; a leaf */
	struct certificate_set *set;
};

/* --- reading --- */

/* What OpenSSL says of its first failure; its queue is emptied. */
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return text != NULL ? text : "the reason is not known";
}

/* Without this, OpenSSL would ask on the terminal. */
static int no_password(char *out, int size, int rwflag, void *context)
{
	(void)out;
	(void)size;
	(void)rwflag;
	*(bool *)context = true;
	return -1;
}

static EVP_PKEY *parse_key(const char *path, const struct buf *text, struct error *error)
{
	BIO *bio = BIO_new_mem_buf(text->data, (int)text->len);
	EVP_PKEY *key = NULL;
	bool encrypted = false;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &encrypted);
	BIO_free(bio);
	if (key == NULL && encrypted)
		error_set(error, EX_DATAERR,
			"--tls-key %s: the key is encrypted, and the server cannot ask for its "
			"password; `openssl pkey -in FILE -out NEWFILE` writes it without one",
			path);
	else if (key == NULL)
		error_set(error, EX_DATAERR, "--tls-key %s: it has no private key in PEM: %s", path,
			reason());
	ERR_clear_error();
	return key;
}

static EVP_PKEY *read_key(const char *path, struct error *error)
{
	struct error why = {0};
	struct buf text;
	bool readable = false;
	EVP_PKEY *key;

	if (private_file_read(path, &text, &readable, &why) != 0) {
		error_set(error, why.status, "--tls-key %s", why.text);
		return NULL;
	}
	key = parse_key(path, &text, error);
	private_file_wipe(&text);
	if (key != NULL)
		private_file_warn("--tls-key", path, readable);
	return key;
}

/* Is the file there?  OpenSSL would not say which one is missing. */
static int check_file(const char *option, const char *path, struct error *error)
{
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return error_set(error, EX_NOINPUT, "%s: cannot open %s: %m", option, path);
	fclose(file);
	return 0;
}

static int use_pair(SSL_CTX *context, const struct certificates_config *config, struct error *error)
{
	EVP_PKEY *key;
	int result = 0;

	if (check_file("--tls-cert", config->cert, error) != 0)
		return -1;
	if (SSL_CTX_use_certificate_chain_file(context, config->cert) != 1)
		return error_set(error, EX_DATAERR,
			"--tls-cert %s: it is not a certificate in PEM: %s", config->cert,
			reason());
	key = read_key(config->key, error);
	if (key == NULL)
		return -1;
	if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1)
		result = error_set(error, EX_DATAERR,
			"--tls-key %s is not the key of the certificate in --tls-cert %s",
			config->key, config->cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return result;
}

/* Clients must prove that they have a certificate of this CA. */
static int use_client_ca(SSL_CTX *context, const char *path, struct error *error)
{
	STACK_OF(X509_NAME) * names;

	if (path == NULL)
		return 0;
	if (check_file("--client-ca", path, error) != 0)
		return -1;
	names = SSL_load_client_CA_file(path);
	if (names == NULL || SSL_CTX_load_verify_file(context, path) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return error_set(error, EX_DATAERR,
			"--client-ca %s: it is not a certificate in PEM: %s", path, reason());
	}
	SSL_CTX_set_client_CA_list(context, names);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	/* A session that is resumed is not verified again. */
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(context, 0);
	return 0;
}

/* We speak HTTP/1.1, and a client that speaks only something else is told so (RFC 7301). */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *len,
	const unsigned char *in, unsigned in_len, void *context)
{
	static const unsigned char ours[] = "\x08http/1.1";

	(void)ssl;
	(void)context;
	return SSL_select_next_proto((unsigned char **)(uintptr_t)out, len, ours, sizeof(ours) - 1,
		       in, in_len) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Ciphers and curves are OpenSSL's choice, or the system's. */
static SSL_CTX *new_context(void)
{
	static const unsigned char name[] = "sse-serve";
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (context == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	/* HTTP tells itself where a message ends, so a connection may end without close_notify. */
	SSL_CTX_set_options(context,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* The tickets that clients keep are enough. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	return context;
}

/* 0, or -1 without memory. */
static int make_authorities(struct certificate_set *set)
{
	STACK_OF(X509) *all = X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(set->context));
	int count = sk_X509_num(all);

	set->authorities = calloc((size_t)count + 1, sizeof(*set->authorities));
	while (set->authorities != NULL && set->count < count) {
		struct authority *one = &set->authorities[set->count];
		struct grants none = {0};

		tls_digest(sk_X509_value(all, set->count), one->ca);
		one->principal = principal_new(NULL, NULL, &none, PRINCIPAL_FOREVER, NULL);
		if (one->principal == NULL)
			break;
		set->count++;
	}
	sk_X509_pop_free(all, X509_free);
	return set->authorities != NULL && set->count == count ? 0 : -1;
}

static struct certificate_set *load(const struct certificates_config *config, struct error *error)
{
	struct certificate_set *set = calloc(1, sizeof(*set));

	ERR_clear_error();
	if (set == NULL || (set->context = new_context()) == NULL) {
		error_set(error, EX_OSERR, "out of memory for TLS");
		goto err1;
	}
	if (use_pair(set->context, config, error) != 0 ||
		use_client_ca(set->context, config->client_ca, error) != 0)
		goto err1;
	if (config->client_ca != NULL && make_authorities(set) != 0) {
		error_set(error, EX_OSERR, "out of memory for TLS");
		goto err1;
	}
	set->expires = tls_expiry(SSL_CTX_get0_certificate(set->context));
	return set;

err1:
	certificates_drop(set);
	return NULL;
}

void certificates_drop(struct certificate_set *set)
{
	if (set == NULL)
		return;
	SSL_CTX_free(set->context);
	for (int i = 0; i < set->count; i++)
		principal_drop(set->authorities[i].principal);
	free(set->authorities);
	free(set);
}

/* --- what is on the disk --- */

static struct stamp look_at(const char *path)
{
	struct stamp stamp = {0};
	struct stat status;

	if (path != NULL && stat(path, &status) == 0)
		stamp = (struct stamp){
			status.st_dev, status.st_ino, status.st_size, status.st_mtim};
	return stamp;
}

static struct stamps look(const struct certificates_config *config)
{
	return (struct stamps){
		{look_at(config->cert), look_at(config->key), look_at(config->client_ca)}};
}

static bool same(const struct stamps *a, const struct stamps *b)
{
	for (int i = 0; i < FILES; i++) {
		const struct stamp *one = &a->files[i], *other = &b->files[i];

		if (one->device != other->device || one->inode != other->inode ||
			one->size != other->size || one->changed.tv_sec != other->changed.tv_sec ||
			one->changed.tv_nsec != other->changed.tv_nsec)
			return false;
	}
	return true;
}

/* The certificate and its key are written one after the other: wait until both are. */
bool certificates_changed(struct certificates *certificates)
{
	struct stamps now = look(certificates->config);
	bool settled = same(&now, &certificates->seen);

	certificates->seen = now;
	if (!settled || same(&now, &certificates->read))
		return false;
	certificates->read = now;
	return true;
}

/* --- using --- */

struct certificates *certificates_new(const struct certificates_config *config, struct error *error)
{
	struct certificates *certificates = calloc(1, sizeof(*certificates));

	if (certificates == NULL) {
		error_set(error, EX_OSERR, "out of memory for TLS");
		return NULL;
	}
	certificates->config = config;
	/* Before they are read: what is written meanwhile is then new. */
	certificates->read = certificates->seen = look(config);
	certificates->set = load(config, error);
	if (certificates->set == NULL) {
		free(certificates);
		return NULL;
	}
	pthread_mutex_init(&certificates->lock, NULL);
	return certificates;
}

struct certificate_set *certificates_read(struct certificates *certificates, struct error *error)
{
	certificates->read = certificates->seen = look(certificates->config);
	return load(certificates->config, error);
}

static struct authority *find_authority(
	const struct certificate_set *set, const unsigned char ca[TLS_CA])
{
	for (int i = 0; i < set->count; i++) {
		if (memcmp(set->authorities[i].ca, ca, TLS_CA) == 0)
			return &set->authorities[i];
	}
	return NULL;
}

/* A CA that stays keeps its principal. */
static void succeed(struct certificate_set *set, struct certificate_set *old)
{
	for (int i = 0; i < old->count; i++) {
		struct authority *one = &old->authorities[i], *next = find_authority(set, one->ca);
		struct principal *kept = one->principal;

		if (next == NULL) {
			principal_end(kept, CERTIFICATES_CA_GONE);
			continue;
		}
		one->principal = next->principal;
		next->principal = kept;
	}
}

void certificates_use(struct certificates *certificates, struct certificate_set *set)
{
	struct certificate_set *old;

	pthread_mutex_lock(&certificates->lock);
	old = certificates->set;
	succeed(set, old);
	certificates->set = set;
	pthread_mutex_unlock(&certificates->lock);
	certificates_drop(old);
}

/* The session holds its context, which lives as long as that. */
struct tls *certificates_session(struct certificates *certificates, int fd)
{
	SSL_CTX *context;
	struct tls *tls;

	pthread_mutex_lock(&certificates->lock);
	context = certificates->set->context;
	SSL_CTX_up_ref(context);
	pthread_mutex_unlock(&certificates->lock);
	tls = tls_new(context, fd);
	SSL_CTX_free(context);
	return tls;
}

struct principal *certificates_authority(
	struct certificates *certificates, const unsigned char ca[TLS_CA])
{
	const struct authority *found;
	struct principal *principal = NULL;

	pthread_mutex_lock(&certificates->lock);
	found = find_authority(certificates->set, ca);
	if (found != NULL)
		principal = principal_hold(found->principal);
	pthread_mutex_unlock(&certificates->lock);
	return principal;
}

int64_t certificates_expire(struct certificates *certificates)
{
	int64_t expires;

	pthread_mutex_lock(&certificates->lock);
	expires = certificates->set->expires;
	pthread_mutex_unlock(&certificates->lock);
	return expires;
}

void certificates_free(struct certificates *certificates)
{
	if (certificates == NULL)
		return;
	certificates_drop(certificates->set);
	pthread_mutex_destroy(&certificates->lock);
	free(certificates);
}
