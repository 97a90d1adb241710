/* SPDX-License-Identifier: MIT */
/* The verdict on a token; see jwt_verdict.h. */
#include "jwt_verdict.h"
#include "members.h"

enum jwt_verdict jwt_object(struct json_text value, const char *phrase, const char **fault)
{
	switch (members_check(value)) {
	case MEMBERS_OK:
		return JWT_OK;
	case MEMBERS_NO_OBJECT:
		return jwt_refuse(fault, phrase);
	case MEMBERS_TWICE:
		return jwt_refuse(fault, "the token has duplicate claims or header members");
	case MEMBERS_TOO_MANY:
		return jwt_refuse(fault, "the token has too many claims or header members");
	case MEMBERS_NO_MEMORY:
		break;
	}
	return JWT_NO_MEMORY;
}
