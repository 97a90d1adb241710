/* SPDX-License-Identifier: MIT */
/* Prints the findings; see check_finding.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "check_finding.h"
#include "terminal.h"

static void write_line(struct check_findings *findings, const char *word, const char *text)
{
	struct buf line;

	buf_init(&line, SIZE_MAX);
	if (!buf_addf(&line, "%-4s ", word) || !terminal_text(text, strlen(text), &line) ||
		!buf_add_byte(&line, '\n'))
		errno = ENOMEM;
	else if (fwrite(line.data, 1, line.len, stdout) == line.len && fflush(stdout) == 0)
		errno = 0;
	if (findings->unwritten == 0)
		findings->unwritten = errno;
	buf_free(&line);
}

void check_finding(
	struct check_findings *findings, enum check_verdict verdict, const char *format, ...)
{
	static const char *const words[] = {"ok", "note", "BAD"};
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (verdict == CHECK_BAD && findings->bad++ == 0)
		findings->status = EX_PROTOCOL;
	write_line(findings, words[verdict], text);
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
