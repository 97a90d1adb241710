/* SPDX-License-Identifier: MIT */
/* The rows of all tables, and the names of their variables; see option_table.h. */
#include "option_table.h"

const char sse_tools_version[] = SSE_TOOLS_VERSION;

const struct option_row option_table_built_in[] = {
	{.name = "help",
		.letter = 'h',
		.type = OPTION_FLAG,
		.command = true,
		.help = "print this help",
		.group = "About"},
	{.name = "version",
		.letter = 'V',
		.type = OPTION_FLAG,
		.command = true,
		.help = "print the program's and the libraries' versions",
		.group = "About"},
	{.name = "completions",
		.type = OPTION_CHOICE,
		.command = true,
		.argument = "SHELL",
		.help = "print completions for bash, zsh or fish",
		.group = "About",
		.choices = (const char *const[]){"bash", "zsh", "fish", NULL}},
	{0},
};

size_t option_table_rows(
	const struct option_program *program, const struct option_row **rows, size_t max)
{
	size_t count = 0;

	for (size_t t = 0; t <= OPTION_TABLES; t++) {
		const struct option_row *row =
			t < OPTION_TABLES ? program->tables[t] : option_table_built_in;

		for (; row != NULL && row->name != NULL && count < max; row++)
			rows[count++] = row;
	}
	return count;
}

void option_table_variable(const char *name, char *text, size_t size)
{
	size_t len = 0;

	for (const char *p = "SSE_"; *p != '\0' && len + 1 < size; p++)
		text[len++] = *p;
	for (; *name != '\0' && len + 1 < size; name++)
		text[len++] = *name == '-'		     ? '_'
			      : *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A')
							     : *name;
	text[len] = '\0';
}
