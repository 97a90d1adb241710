/* SPDX-License-Identifier: MIT */
/* What --spool-status prints: for people, and for programs; see run.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_target.h"
#include "client_url.h"
#include "clock.h"
#include "json.h"
#include "number.h"
#include "run.h"
#include "spool/spool.h"
#include "terminal.h"
#include "timestamp.h"

struct printer {
	const char *only; /* the URL that is asked for, or NULL */
	bool any;	  /* something was printed */
	bool json;
	int64_t now; /* ms since 1970 */
};

/* For people: in the largest unit that says enough. */
static const char *age_text(int64_t ms, char text[32])
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
	size_t i = 0;

	while (i < 3 && ms < 2 * units[i].ms)
		i++;
	snprintf(text, 32, "%" PRId64 " %s", ms / units[i].ms, units[i].unit);
	return text;
}

static void print_text(const struct printer *printer, const struct spool_status *status)
{
	int64_t age = printer->now > status->oldest ? printer->now - status->oldest : 0;
	struct buf url;
	char text[32];

	buf_init(&url, (size_t)1 << 20);
	if (terminal_text(status->url, strlen(status->url), &url) && url.len > 0)
		printf("%.*s: ", (int)url.len, url.data);
	buf_free(&url);
	printf("%" PRIu64 " event%s, %" PRIu64 " bytes", status->events,
		status->events == 1 ? "" : "s", status->bytes);
	if (status->oldest > 0)
		printf(", the oldest for %s", age_text(age, text));
	if (status->failed > 0)
		printf("; %" PRIu64 " refused, in failed/", status->failed);
	putchar('\n');
}

static void print_json(const struct printer *printer, const struct spool_status *status)
{
	int64_t age = printer->now > status->oldest ? printer->now - status->oldest : 0;
	char time[TIMESTAMP_TEXT];
	struct buf out;

	buf_init(&out, (size_t)4 << 20);
	buf_add_text(&out, "{\"url\":");
	json_quote(status->url, strlen(status->url), &out);
	buf_addf(&out, ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"failed\":%" PRIu64,
		status->events, status->bytes, status->failed);
	if (status->oldest > 0)
		buf_addf(&out, ",\"oldest\":\"%s\",\"age\":%" PRId64,
			timestamp_format(status->oldest, time), age / 1000);
	buf_add_text(&out, "}\n");
	if (out.len > 0)
		fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

static bool print(void *context, const struct spool_status *status)
{
	struct printer *printer = context;

	if ((printer->only != NULL && strcmp(printer->only, status->url) != 0) ||
		(status->events == 0 && status->failed == 0))
		return true;
	printer->any = true;
	if (printer->json)
		print_json(printer, status);
	else
		print_text(printer, status);
	return !ferror(stdout);
}

void run_tell_empty(const char *program, const struct options *options, const char *url)
{
	char text[600];

	if (options->client.quiet || !isatty(STDERR_FILENO))
		return;
	snprintf(text, sizeof(text), "no event waits in the spool %.200s%s%.300s", options->spool,
		url != NULL ? " for " : "", url != NULL ? url : "");
	terminal_say(program, text);
}

int run_status(const char *program, const struct options *options, struct error *error)
{
	struct printer printer = {.json = options->results == RESULTS_JSON};
	struct client_url url = {0};
	int result = 0;

	printer.now = clock_wall_ms() / 1000 * 1000;
	if (options->target != NULL)
		result = client_target_make(options->target, CLIENT_TOPIC, NULL, &url, error);
	printer.only = url.shown;
	if (result == 0)
		result = spool_each(options->spool, print, &printer, error);
	if (result == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		result = error_set(error, EX_IOERR, "cannot write to the standard output");
	if (result == 0 && !printer.any)
		run_tell_empty(program, options, url.shown);
	client_url_free(&url);
	return result;
}
