/* SPDX-License-Identifier: MIT */
/* Prints the findings; see check_finding.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "check_finding.h"
#include "terminal.h"

/* The text begins here, and its next lines as well. */
#define COLUMN 5

/* The words before the findings, and what they look like. */
static const struct look {
	const char *word, *colour;
} looks[] = {
	[CHECK_OK] = {"ok", "\033[32m"},
	[CHECK_NOTE] = {"note", "\033[33m"},
	[CHECK_BAD] = {"BAD", "\033[1;31m"},
};

/* Write a line that begins with a word in the colour of a finding. */
static void write_line(
	struct check_findings *findings, enum check_verdict verdict, const char *text)
{
	const struct look *look = &looks[verdict];
	struct buf line, fitting;
	bool made;

	buf_init(&line, SIZE_MAX);
	buf_init(&fitting, SIZE_MAX);
	made = buf_addf(&line, "%s%-4s%s ", findings->colour ? look->colour : "", look->word,
		       findings->colour ? "\033[0m" : "") &&
	       terminal_text(text, strlen(text), &line) && buf_add_byte(&line, '\n') &&
	       terminal_hang(line.data, line.len, terminal_width(STDOUT_FILENO), COLUMN, &fitting);
	if (!made)
		errno = ENOMEM;
	else if (fwrite(fitting.data, 1, fitting.len, stdout) == fitting.len && fflush(stdout) == 0)
		errno = 0;
	if (findings->unwritten == 0)
		findings->unwritten = errno;
	buf_free(&line);
	buf_free(&fitting);
}

void check_finding(
	struct check_findings *findings, enum check_verdict verdict, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (verdict == CHECK_BAD && findings->bad++ == 0)
		findings->status = EX_PROTOCOL;
	findings->notes += verdict == CHECK_NOTE;
	write_line(findings, verdict, text);
}

void check_finding_verdict(struct check_findings *findings)
{
	enum check_verdict verdict = findings->bad > 0 ? CHECK_BAD : CHECK_OK;
	char text[120], notes[40] = "", bad[40] = "";
	bool both = findings->bad > 0 && findings->notes > 0;

	if (findings->bad > 0)
		snprintf(bad, sizeof(bad), "%u BAD", findings->bad);
	if (findings->notes > 0)
		snprintf(notes, sizeof(notes), "%u note%s", findings->notes,
			findings->notes == 1 ? "" : "s");
	snprintf(text, sizeof(text), "verdict: %s (%s%s%s)",
		findings->bad > 0 ? "not healthy" : "healthy", bad, both ? ", " : "",
		bad[0] || notes[0] ? notes : "nothing to mend");
	write_line(findings, verdict, text);
}

void check_finding_error(struct check_findings *findings, const struct error *error)
{
	bool first = findings->bad == 0;

	check_finding(findings, CHECK_BAD, "%s", error->text);
	if (first)
		findings->status = error->status;
}

const char *check_finding_ms(int64_t ms, char text[CHECK_FINDING_MS])
{
	if (ms < 1000)
		snprintf(text, CHECK_FINDING_MS, "%" PRId64 " ms", ms);
	else
		snprintf(text, CHECK_FINDING_MS, "%" PRId64 ".%" PRId64 " s", ms / 1000,
			ms % 1000 / 100);
	return text;
}

int check_finding_len(const struct buf *id)
{
	return id->len < 80 ? (int)id->len : 80;
}
