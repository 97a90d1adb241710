/* SPDX-License-Identifier: MIT */
/*
 * Follows a stream by sse_follow.h, and prints what the callback is told.
 *
 *	usage: follow_library URL [WORD ...]
 *
 * A word is NAME=VALUE for each option, in small letters and without _MS, or: loop (in a loop of
 * its own, by sse_follow_fds()), stop=N (in the callback, after N events), late=N
 * (sse_follow_stop() after N, and go on returning true), renew=TOKEN (when denied).  Each call is a
 * line: "KIND (type)(id)(data) ORIGIN" of an event, then "text SENTENCE" if there is one; at last
 * "end STATE HTTP-STATUS (last id)".  The error goes to the standard error.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sse_follow.h"

struct caller {
	struct sse_follow *follow;
	const char *renew;
	long stop, late, events;
	bool loop;
};

static const struct word {
	const char *name;
	enum sse_follow_option option;
} options[] = {
	{"last_id", SSE_FOLLOW_LAST_ID},
	{"token", SSE_FOLLOW_TOKEN},
	{"token_file", SSE_FOLLOW_TOKEN_FILE},
	{"user", SSE_FOLLOW_USER},
	{"header", SSE_FOLLOW_HEADER},
	{"ca_file", SSE_FOLLOW_CA_FILE},
	{"cert_file", SSE_FOLLOW_CERT_FILE},
	{"key_file", SSE_FOLLOW_KEY_FILE},
	{"proxy", SSE_FOLLOW_PROXY},
	{"unix_socket", SSE_FOLLOW_UNIX_SOCKET},
	{"user_agent", SSE_FOLLOW_USER_AGENT},
	{"body", SSE_FOLLOW_BODY},
	{"body_type", SSE_FOLLOW_BODY_TYPE},
	{"silence", SSE_FOLLOW_SILENCE_MS},
	{"connect", SSE_FOLLOW_CONNECT_MS},
	{"delay", SSE_FOLLOW_DELAY_MS},
	{"attempts", SSE_FOLLOW_ATTEMPTS},
	{"time", SSE_FOLLOW_TIME_MS},
	{"reconnect", SSE_FOLLOW_RECONNECT},
};

/* --- what the callback is told ---------------------------------------------------------------- */

static void say_text(struct sse_text text)
{
	putchar('(');
	for (size_t i = 0; i < text.len; i++)
		putchar(text.data[i] == '\n' ? '|' : text.data[i]);
	putchar(')');
}

static bool on_item(void *context, const struct sse_item *item)
{
	static const char *const kinds[] = {[SSE_ITEM_EVENT] = "event",
		[SSE_ITEM_GAP] = "gap",
		[SSE_ITEM_UPTODATE] = "uptodate",
		[SSE_ITEM_CLOSED] = "closed",
		[SSE_ITEM_OPEN] = "open",
		[SSE_ITEM_TROUBLE] = "trouble",
		[SSE_ITEM_DENIED] = "denied"};
	struct caller *caller = context;

	printf("%s", kinds[item->kind]);
	if (item->kind < SSE_ITEM_OPEN) {
		putchar(' ');
		say_text(item->type);
		say_text(item->id);
		say_text(item->data);
		printf(" %s", item->origin);
	}
	putchar('\n');
	if (item->text[0] != '\0')
		printf("text %s\n", item->text);
	if (item->kind == SSE_ITEM_DENIED && caller->renew != NULL)
		sse_follow_set_text(caller->follow, SSE_FOLLOW_TOKEN, caller->renew);
	caller->events += item->kind == SSE_ITEM_EVENT;
	if (caller->late > 0 && caller->events == caller->late)
		sse_follow_stop(caller->follow);
	return caller->stop == 0 || caller->events != caller->stop;
}

/* --- words ------------------------------------------------------------------------------------ */

static bool set_option(struct sse_follow *follow, const char *name, size_t len, const char *value)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strlen(options[i].name) != len || memcmp(options[i].name, name, len) != 0)
			continue;
		return options[i].option < 100
			       ? sse_follow_set_text(follow, options[i].option, value)
			       : sse_follow_set_number(
					 follow, options[i].option, strtoll(value, NULL, 10));
	}
	return false;
}

static bool take_word(struct caller *caller, const char *word)
{
	size_t len = strcspn(word, "=");
	const char *value = word[len] != '\0' ? word + len + 1 : "";

	if (strcmp(word, "loop") == 0)
		caller->loop = true;
	else if (strncmp(word, "stop=", 5) == 0)
		caller->stop = strtol(value, NULL, 10);
	else if (strncmp(word, "late=", 5) == 0)
		caller->late = strtol(value, NULL, 10);
	else if (strncmp(word, "renew=", 6) == 0)
		caller->renew = value;
	else
		return set_option(caller->follow, word, len, value);
	return true;
}

/* As a program does that has a loop already.  Turns are counted, and those that a descriptor woke. */
static enum sse_follow_state run_loop(struct sse_follow *follow)
{
	enum sse_follow_state state;
	struct pollfd fds[16];
	long turns = 0, woken = 0;
	size_t count;
	int timeout;

	while ((state = sse_follow_step(follow, 0)) == SSE_FOLLOW_ON) {
		count = sse_follow_fds(follow, fds, 16, &timeout);
		woken += poll(fds, count < 16 ? count : 16, timeout) > 0;
		turns++;
	}
	fprintf(stderr, "%ld turns %ld\n", turns, woken);
	return state;
}

int main(int argc, char **argv)
{
	struct caller caller = {0};
	enum sse_follow_state end;
	struct sse_text last;

	setvbuf(stdout, NULL, _IOLBF, 0);
	caller.follow = sse_follow_new(argc > 1 ? argv[1] : NULL, on_item, &caller);
	for (int i = 2; i < argc; i++) {
		if (take_word(&caller, argv[i]))
			continue;
		fprintf(stderr, "follow_library: %s\n", sse_follow_error(caller.follow));
		sse_follow_free(caller.follow);
		return 64;
	}
	end = caller.loop ? run_loop(caller.follow) : sse_follow_run(caller.follow);
	last = sse_follow_last_id(caller.follow);
	printf("end %d %ld ", (int)end, sse_follow_http_status(caller.follow));
	say_text(last);
	putchar('\n');
	if (*sse_follow_error(caller.follow) != '\0')
		fprintf(stderr, "%s\n", sse_follow_error(caller.follow));
	sse_follow_free(caller.follow);
	return (int)end;
}
