/* SPDX-License-Identifier: MIT */
/* What the tests of presence share; see presence.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "presence.h"

struct presence_lease *enter(struct presence *presence, const char *topic, const char *name)
{
	bool full;
	struct presence_lease *lease = presence_reserve(presence, &topic, 1, name, &full);

	assert_non_null(lease);
	presence_enter(lease);
	return lease;
}

void told(struct presence *presence, uint32_t now, const char *expected)
{
	struct presence_change change;
	char text[400] = "";

	if (presence_change(presence, now, &change))
		snprintf(text, sizeof(text), "%s %s/%s %u", change.joined ? "join" : "leave",
			change.topic, change.name, change.count);
	assert_string_equal(text, expected);
}
