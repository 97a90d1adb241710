/* SPDX-License-Identifier: MIT */
/* The text of a proof in a request's headers; see proof.h. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "proof.h"

/* strspn() would make a table of all these first, for each token. */
static bool is_of_token(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("-._~+/=", c) != NULL);
}

bool proof_bearer(const char *header, struct sse_text *token)
{
	static const char scheme[] = "Bearer ";
	size_t len = 0;

	if (strncasecmp(header, scheme, strlen(scheme)) != 0)
		return false;
	header += strlen(scheme);
	header += strspn(header, " ");
	while (is_of_token(header[len]))
		len++;
	*token = (struct sse_text){header, len};
	return len > 0 && header[len + strspn(header + len, " \t")] == '\0';
}

bool proof_cookie(const char *header, struct sse_text *secret)
{
	static const char name[] = PROOF_COOKIE "=";

	for (;;) {
		header += strspn(header, " \t");
		if (strncmp(header, name, strlen(name)) == 0) {
			header += strlen(name);
			*secret = (struct sse_text){header, strcspn(header, "; \t")};
			return secret->len > 0;
		}
		header += strcspn(header, ";");
		if (*header == '\0')
			return false;
		header++;
	}
}
