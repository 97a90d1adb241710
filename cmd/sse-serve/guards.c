/* SPDX-License-Identifier: MIT */
/* Who is who; see guards.h. */
#include <sysexits.h>

#include "api/rate.h"
#include "guards.h"

/* For one address: a person mistypes a few times, a program does not stop. */
static const struct rates_rule wrong_proofs = {.count = 1, .per = 1000, .burst = 20};

static int open_access(struct guards *guards, const struct options *options, struct error *error)
{
	if (!options_guarded(options))
		return 0;
	guards->access_config = (struct access_config){.file = options->access,
		.jwt_keys = options->jwt_keys,
		.issuer = options->jwt_issuer,
		.audience = options->jwt_audience,
		.session_lifetime = options->session_lifetime,
		.open_status = options->open_status};
	guards->access = access_new(&guards->access_config, error);
	return guards->access != NULL ? 0 : -1;
}

static int open_hooks(struct guards *guards, const struct options *options, struct error *error)
{
	const struct hook_rules *rules = &options->hook_rules;

	if (rules->count == 0)
		return 0;
	guards->hooks = hooks_new(rules, error);
	return guards->hooks != NULL ? 0 : -1;
}

static int open_certificates(
	struct guards *guards, const struct options *options, struct error *error)
{
	const struct tls_options *tls = &options->tls;

	if (tls->cert == NULL)
		return 0;
	guards->certificates_config = (struct certificates_config){
		.cert = tls->cert, .key = tls->key, .client_ca = tls->client_ca};
	guards->certificates = certificates_new(&guards->certificates_config, error);
	return guards->certificates != NULL ? 0 : -1;
}

int guards_open(struct guards *guards, const struct options *options, struct error *error)
{
	*guards = (struct guards){0};
	if (open_access(guards, options, error) != 0 || open_hooks(guards, options, error) != 0 ||
		open_certificates(guards, options, error) != 0)
		return -1;
	if (!options_proves(options))
		return 0;
	guards->wrong_proofs = rates_new(&wrong_proofs, RATE_BUCKETS);
	return guards->wrong_proofs != NULL ? 0 : error_set(error, EX_OSERR, "out of memory");
}

static void use_certificates(struct guards *guards, struct certificate_set *set)
{
	certificates_use(guards->certificates, set);
	/* A CA of clients may be gone. */
	if (guards->access != NULL)
		access_note_change(guards->access);
}

int guards_reload(struct guards *guards, struct error *error)
{
	struct hook_keys *keys = NULL;
	struct certificate_set *set = NULL;

	if (guards->hooks != NULL && (keys = hooks_read_keys(guards->hooks, error)) == NULL)
		goto err1;
	if (guards->certificates != NULL &&
		(set = certificates_read(guards->certificates, error)) == NULL)
		goto err1;
	if (guards->access != NULL && access_reload(guards->access, error) != 0)
		goto err1;
	if (keys != NULL)
		hooks_use_keys(guards->hooks, keys);
	if (set != NULL)
		use_certificates(guards, set);
	return 0;

err1:
	certificates_drop(set);
	hooks_drop_keys(keys);
	return -1;
}

int guards_look_at_certificates(struct guards *guards, struct error *error)
{
	struct certificate_set *set;

	if (guards->certificates == NULL || !certificates_changed(guards->certificates))
		return 0;
	set = certificates_read(guards->certificates, error);
	if (set == NULL)
		return -1;
	use_certificates(guards, set);
	return 1;
}

void guards_close(struct guards *guards)
{
	rates_free(guards->wrong_proofs);
	hooks_free(guards->hooks);
	access_free(guards->access);
	certificates_free(guards->certificates);
}
