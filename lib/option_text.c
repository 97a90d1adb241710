/* SPDX-License-Identifier: MIT */
/* Help, version and completions from an option table; see option_text.h. */
#include <string.h>

#include "option_text.h"

#define ROWS_MAX 96

/* --help's columns: where the explanation starts, and where a line ends. */
#define HELP_COLUMN 30
#define HELP_WIDTH 80

static void print_wrapped(const char *text, FILE *out)
{
	int column = HELP_COLUMN;

	while (*text != '\0') {
		int len = (int)strcspn(text, " ");

		if (column > HELP_COLUMN && column + len + 1 > HELP_WIDTH) {
			fprintf(out, "\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		}
		if (column > HELP_COLUMN) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", len, text);
		column += len;
		text += len + (text[len] == ' ');
	}
	fputc('\n', out);
}

static void print_row(const struct option_row *row, FILE *out)
{
	char letter[8] = "    ";
	int len;

	if (row->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	len = fprintf(out, row->preset ? "  %s--%s[=%s%s]" : "  %s--%s%s%s", letter, row->name,
		row->argument && !row->preset ? " " : "", row->argument ? row->argument : "");
	if (len > HELP_COLUMN - 2)
		fprintf(out, "\n%*s", HELP_COLUMN, "");
	else
		fprintf(out, "%*s", HELP_COLUMN - len, "");
	print_wrapped(row->help, out);
}

void option_print_help(const struct option_program *program, FILE *out)
{
	const struct option_row *rows[ROWS_MAX];
	size_t count = option_rows(program, rows, ROWS_MAX);
	const char *group = NULL;

	fprintf(out, "usage: %s %s\n%s\n", program->name, program->synopsis, program->summary);
	for (size_t i = 0; i < count; i++) {
		if (group == NULL || strcmp(group, rows[i]->group) != 0)
			fprintf(out, "\n%s:\n", rows[i]->group);
		group = rows[i]->group;
		print_row(rows[i], out);
	}
	fprintf(out, "\nExamples:\n%s\nEach option can be set in the environment: --%s is ",
		program->examples, rows[0]->name);
	{
		char variable[80];

		option_variable(rows[0]->name, variable, sizeof(variable));
		fprintf(out, "%s.\nThe whole story: man %s\n", variable, program->name);
	}
}

void option_print_version(const struct option_program *program, FILE *out)
{
	fprintf(out, "%s (sse-tools) %s", program->name, sse_tools_version);
	if (program->version != NULL)
		program->version(out);
	fputc('\n', out);
}

static void print_words(const char *const *words, FILE *out)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", words[i]);
}

/* A function named after the program: dashes are not for names. */
static const char *function_name(const struct option_program *program, char name[64])
{
	snprintf(name, 64, "_%s", program->name);
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '-' ? '_' : *p;
	return name;
}

static void bash_value(const struct option_row *row, FILE *out)
{
	if (row->choices != NULL) {
		fputs("mapfile -t COMPREPLY < <(compgen -W '", out);
		print_words(row->choices, out);
		fputs("' -- \"$cur\")", out);
	} else if (row->complete == COMPLETE_FILE) {
		fputs("mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")", out);
	} else if (row->complete == COMPLETE_FOLDER) {
		fputs("mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")", out);
	} else {
		fputs("COMPREPLY=()", out);
	}
}

static void print_bash(const struct option_program *program, const struct option_row **rows,
	size_t count, FILE *out)
{
	char name[64];

	fprintf(out, "# bash completion for %s, made by %s --completions bash\n", program->name,
		program->name);
	fprintf(out,
		"%s() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n",
		function_name(program, name));
	fputs("\tcase $prev in\n", out);
	for (size_t i = 0; i < count; i++) {
		/* A value that may be left out does not stand in a word of its own. */
		if (rows[i]->argument == NULL || rows[i]->preset != NULL)
			continue;
		fputc('\t', out);
		if (rows[i]->letter != 0)
			fprintf(out, "-%c|", rows[i]->letter);
		fprintf(out, "--%s) ", rows[i]->name);
		bash_value(rows[i], out);
		fputs("; return ;;\n", out);
	}
	fputs("\tesac\n\tif [[ $cur == -* ]]; then\n\t\tmapfile -t COMPREPLY < <(compgen -W '",
		out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s--%s", i > 0 ? " " : "", rows[i]->name);
	fputs("' -- \"$cur\")\n\telse\n\t\t", out);
	fputs(program->operands == COMPLETE_FILE
			? "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")"
			: "COMPREPLY=()",
		out);
	fprintf(out, "\n\tfi\n}\ncomplete -F %s %s\n", name, program->name);
}

/* Inside zsh's single quotes a quote is '\'', and brackets and colons carry a backslash. */
static void zsh_text(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr("[]:\\", *text) != NULL)
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void zsh_spec(const struct option_row *row, const char *prefix, FILE *out)
{
	fprintf(out, "\t'%s%s", row->type == OPTION_LIST || row->type == OPTION_TIMES ? "*" : "",
		prefix);
	fputc('[', out);
	zsh_text(row->help, out);
	fputc(']', out);
	if (row->argument != NULL) {
		fputs(row->preset ? "::" : ":", out);
		zsh_text(row->argument, out);
		fputc(':', out);
		if (row->choices != NULL) {
			fputc('(', out);
			print_words(row->choices, out);
			fputc(')', out);
		} else if (row->complete == COMPLETE_FILE) {
			fputs("_files", out);
		} else if (row->complete == COMPLETE_FOLDER) {
			fputs("_files -/", out);
		}
	}
	fputs("' \\\n", out);
}

static void print_zsh(const struct option_program *program, const struct option_row **rows,
	size_t count, FILE *out)
{
	char prefix[80];

	fprintf(out,
		"#compdef %s\n# zsh completion, made by %s --completions zsh\n_arguments -s -S \\\n",
		program->name, program->name);
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->letter != 0) {
			snprintf(prefix, sizeof(prefix), "-%c%s", rows[i]->letter,
				rows[i]->preset != NULL ? "-" : "");
			zsh_spec(rows[i], prefix, out);
		}
		snprintf(prefix, sizeof(prefix), "--%s%s", rows[i]->name,
			rows[i]->preset != NULL	    ? "=-"
			: rows[i]->argument != NULL ? "="
						    : "");
		zsh_spec(rows[i], prefix, out);
	}
	fprintf(out, "\t'*:operand:%s'\n", program->operands == COMPLETE_FILE ? "_files" : "");
}

static void fish_text(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_fish(const struct option_program *program, const struct option_row **rows,
	size_t count, FILE *out)
{
	fprintf(out, "# fish completion for %s, made by %s --completions fish\n", program->name,
		program->name);
	if (program->operands != COMPLETE_FILE)
		fprintf(out, "complete -c %s -f\n", program->name);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "complete -c %s -l %s", program->name, rows[i]->name);
		if (rows[i]->letter != 0)
			fprintf(out, " -s %c", rows[i]->letter);
		if (rows[i]->choices != NULL && rows[i]->preset == NULL) {
			fputs(" -x -a '", out);
			print_words(rows[i]->choices, out);
			fputc('\'', out);
		} else if (rows[i]->argument != NULL && rows[i]->preset == NULL) {
			fputs(rows[i]->complete == COMPLETE_NOTHING ? " -x"
				: rows[i]->complete == COMPLETE_FILE
					? " -r -F"
					: " -x -a '(__fish_complete_directories)'",
				out);
		}
		fputs(" -d '", out);
		fish_text(rows[i]->help, out);
		fputs("'\n", out);
	}
}

void option_print_completions(
	const struct option_program *program, enum option_shell shell, FILE *out)
{
	static void (*const printers[])(const struct option_program *, const struct option_row **,
		size_t, FILE *) = {print_bash, print_zsh, print_fish};
	const struct option_row *rows[ROWS_MAX];
	size_t count = option_rows(program, rows, ROWS_MAX);

	printers[shell](program, rows, count, out);
}
