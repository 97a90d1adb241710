/* SPDX-License-Identifier: MIT */
/* Reasons in a few words; see brief.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "brief.h"

/* What libcurl's own words say at too great a length, or not for a stream. */
static const struct {
	CURLcode code;
	const char *words;
} codes[] = {
	{CURLE_COULDNT_RESOLVE_HOST, "unknown host"},
	{CURLE_COULDNT_RESOLVE_PROXY, "unknown proxy"},
	{CURLE_OPERATION_TIMEDOUT, "no connection in time"},
	{CURLE_SSL_CONNECT_ERROR, "no TLS connection"},
	{CURLE_GOT_NOTHING, "closed without an answer"},
	{CURLE_SEND_FAIL_REWIND, "closed without an answer"},
	{CURLE_PARTIAL_FILE, "closed too early"},
};

/* "Connection refused" in the middle of a line. */
static void write_small(const char *words, char text[BRIEF_TEXT])
{
	snprintf(text, BRIEF_TEXT, "%s", words);
	if (isupper((unsigned char)text[0]) && islower((unsigned char)text[1]))
		text[0] = (char)tolower((unsigned char)text[0]);
}

static void write_code(const struct brief *brief, char text[BRIEF_TEXT])
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == brief->code) {
			write_small(codes[i].words, text);
			return;
		}
	}
	if (brief->os_number != 0)
		write_small(strerror((int)brief->os_number), text);
	else if (brief->code == CURLE_COULDNT_CONNECT)
		write_small("no connection", text);
	else
		write_small(brief->code == CURLE_OK ? "no stream" : curl_easy_strerror(brief->code),
			text);
}

const char *brief_write(const struct brief *brief, char text[BRIEF_TEXT])
{
	const struct client_answer *answer = brief->answer;

	if (brief->silent)
		write_small(brief->stream ? "nothing received for too long" : "no answer", text);
	else if (brief->stream && brief->code == CURLE_OK)
		write_small("the stream ended", text);
	else if (brief->stream && brief->os_number == 0)
		write_small("the stream broke", text);
	else if (!brief->stream && answer->head_ended && answer->status >= 400)
		snprintf(text, BRIEF_TEXT, "%ld%s%s", answer->status, answer->reason[0] ? " " : "",
			answer->reason);
	else
		write_code(brief, text);
	return text;
}
