/* SPDX-License-Identifier: MIT */
/* The options of TLS; see options_tls.h. */
#include <stddef.h>
#include <sysexits.h>

#include "options_tls.h"

#define FIELD(name) offsetof(struct tls_options, name)

const struct option_row options_tls_rows[] = {
	{.name = "tls-cert",
		.type = OPTION_STRING,
		.offset = FIELD(cert),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "TLS",
		.help = "speak TLS with this certificate, followed by those that lead to its root "
			"(PEM); the file is read again when it changes"},
	{.name = "tls-key",
		.type = OPTION_STRING,
		.offset = FIELD(key),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "TLS",
		.help = "the private key of the certificate (PEM)"},
	{.name = "client-ca",
		.type = OPTION_STRING,
		.offset = FIELD(client_ca),
		.argument = "FILE",
		.complete = COMPLETE_FILE,
		.group = "TLS",
		.help = "accept only TLS clients with a certificate of this CA (PEM); --access can "
			"grant rights to them"},
	{.name = "hsts",
		.type = OPTION_DURATION,
		.offset = FIELD(hsts),
		.live = true,
		.argument = "TIME",
		.min = 1000,
		.max = (int64_t)3650 * 86400000,
		.group = "TLS",
		.help = "tell browsers to use only https:// for this host, for this long"},
	{0},
};

int options_check_tls(const struct tls_options *tls, struct error *error)
{
	if ((tls->cert == NULL) != (tls->key == NULL))
		return error_set(error, EX_USAGE,
			"--tls-cert and --tls-key go together: a certificate and its private key");
	if (tls->cert == NULL && (tls->client_ca != NULL || tls->hsts > 0))
		return error_set(error, EX_USAGE,
			"--client-ca and --hsts need --tls-cert: they say how TLS is used");
	return 0;
}
