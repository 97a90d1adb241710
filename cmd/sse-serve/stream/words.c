/* SPDX-License-Identifier: MIT */
/* The server's own words; see words.h. */
#include <string.h>

#include "json.h"
#include "words.h"

bool words_event(
	enum form form, const char *type, const char *id, const char *data, struct buf *out)
{
	if (form == FORM_LINE)
		return buf_add_byte(out, '{') &&
		       (id == NULL || buf_addf(out, "\"id\":\"%s\",", id)) &&
		       buf_addf(out, "\"event\":\"%s\",\"data\":", type) &&
		       buf_add_text(out, data) && buf_add_text(out, "}\n");
	return buf_addf(out, "event: %s\ndata: ", type) && buf_add_text(out, data) &&
	       (id == NULL || buf_addf(out, "\nid: %s", id)) && buf_add_text(out, "\n\n");
}

bool words_gap(enum form form, const char *id, const char *after, const char *oldest,
	const char *reason, struct buf *out)
{
	struct buf data;
	bool added;

	buf_init(&data, 64 << 10);
	added = buf_add_text(&data, "{\"after\":") && json_quote(after, strlen(after), &data) &&
		(oldest != NULL ? buf_addf(&data, ",\"oldest\":\"%s\"", oldest)
				: buf_add_text(&data, ",\"oldest\":null")) &&
		buf_addf(&data, ",\"reason\":\"%s\"}", reason) && buf_add_byte(&data, '\0') &&
		words_event(form, "gap", id, data.data, out);
	buf_free(&data);
	return added;
}

bool words_start(enum form form, const char *id, struct buf *out)
{
	return buf_addf(out, form == FORM_LINE ? "{\"id\":\"%s\"}\n" : "id: %s\n\n", id);
}

bool words_retry(enum form form, uint32_t ms, struct buf *out)
{
	return form == FORM_LINE || buf_addf(out, "retry: %u\n\n", ms);
}

const char *words_heartbeat(enum form form)
{
	return form == FORM_LINE ? "\n" : ":\n\n";
}
