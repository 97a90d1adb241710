/* SPDX-License-Identifier: MIT */
/* Help, version and completions from an option table; see option_text.h. */
#include <stdbool.h>
#include <string.h>

#include "option_text.h"

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
	const struct option_row *rows[OPTION_TABLE_MAX];
	size_t count = option_table_rows(program, rows, OPTION_TABLE_MAX);
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

		option_table_variable(rows[0]->name, variable, sizeof(variable));
		fprintf(out, "%s.\nDetails: man %s\n", variable, program->name);
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

/*
 * The beginning and the end of bash's function.  Bash breaks words at = and : and @, as
 * COMP_WORDBREAKS says, and a reply replaces what comes after the last break, or from it on if it
 * is @.  So the words are put together again, and what stays is taken off the replies.  Readline
 * quotes a path, and adds the slash of a folder, only where the whole reply is the path.
 */
static const char bash_words[] =
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} line=$COMP_LINE i reply\n"
	"\tlocal word option value before kept choices='' files='' topics='' words=()\n"
	"\tfor ((i = 0; i <= COMP_CWORD; i++)); do\n"
	"\t\t[[ $i == 0 || -z $COMP_LINE || $line == [[:blank:]]* ]] && words+=('')\n"
	"\t\tline=${line#\"${line%%[![:blank:]]*}\"}\n"
	"\t\tline=${line#\"${COMP_WORDS[i]}\"}\n"
	"\t\twords[${#words[@]}-1]+=${COMP_WORDS[i]}\n"
	"\tdone\n"
	"\tCOMPREPLY=()\n"
	"\t((${#words[@]} > 1)) || return\n"
	"\tword=${words[${#words[@]}-1]} option=${words[${#words[@]}-2]} value=$word\n"
	"\t[[ $word == --*=* ]] && option=${word%%=*}= value=${word#*=}\n"
	"\t[[ $cur == [=:@]* && $COMP_WORDBREAKS == *\"${cur:0:1}\"* ]] && cur=''\n"
	"\tkept=${word%\"$cur\"}\n"
	"\t[[ $COMP_WORDBREAKS == *@* ]] && kept=${kept%@}\n";
static const char bash_topics[] =
	"\telif [[ -n $topics ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(command $topics --complete-topics=\"$value\" 2>/dev/null "
	"</dev/null)\n";
static const char bash_files[] =
	"\tbefore=${word%\"$value\"}\n"
	"\tif [[ -n $files ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen \"$files\" -- \"$value\")\n"
	"\t\t[[ $before == \"$kept\" ]] && compopt -o filenames 2>/dev/null && return\n";
static const char bash_replies[] =
	"\telse\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$value\")\n"
	"\tfi\n"
	"\tfor i in \"${!COMPREPLY[@]}\"; do\n"
	"\t\treply=${COMPREPLY[i]}\n"
	"\t\tif [[ -n $files && -d $reply ]]; then\n"
	"\t\t\treply+=/\n"
	"\t\t\tcompopt -o nospace 2>/dev/null\n"
	"\t\tfi\n"
	"\t\t[[ -n $files$topics ]] && printf -v reply %q \"$reply\"\n"
	"\t\treply=$before$reply\n"
	"\t\tCOMPREPLY[i]=${reply#\"$kept\"}\n"
	"\tdone\n";

static void bash_value(const struct option_row *row, FILE *out)
{
	if (row->choices != NULL) {
		fputs(" choices='", out);
		print_words(row->choices, out);
		fputc('\'', out);
	}
	switch (row->complete) {
	case COMPLETE_FILE:
		fputs(" files=-f", out);
		break;
	case COMPLETE_FOLDER:
		fputs(" files=-d", out);
		break;
	case COMPLETE_AT:
		fputs(" [[ $value == @* ]] && value=${value#@} files=-f", out);
		break;
	case COMPLETE_NOTHING:
		break;
	}
}

/* Separated words of options whose value is the next word. */
static void print_valued(
	const struct option_row **rows, size_t count, const char *separator, FILE *out)
{
	const char *before = "";

	for (size_t i = 0; i < count; i++) {
		if (rows[i]->argument == NULL || rows[i]->preset != NULL)
			continue;
		if (rows[i]->letter != 0) {
			fprintf(out, "%s-%c", before, rows[i]->letter);
			before = separator;
		}
		fprintf(out, "%s--%s", before, rows[i]->name);
		before = separator;
	}
}

/* The operands before the word. */
static void bash_operands(const struct option_row **rows, size_t count, FILE *out)
{
	fputs("\tlocal operands=()\n\tfor ((i = 1; i < ${#words[@]} - 1; i++)); do\n\t\tcase ${words[i]} in\n\t\t",
		out);
	print_valued(rows, count, "|", out);
	fputs(") ((i++)) ;;\n\t\t-*) ;;\n\t\t*) operands+=(\"${words[i]}\") ;;\n\t\tesac\n\tdone\n",
		out);
}

static void print_bash(const struct option_program *program, const struct option_row **rows,
	size_t count, FILE *out)
{
	char name[64];

	fprintf(out, "# bash completion for %s, made by %s --completions bash\n%s() {\n%s",
		program->name, program->name, function_name(program, name), bash_words);
	if (program->operands != OPERANDS_OTHER)
		bash_operands(rows, count, out);
	fputs("\tcase $option in\n", out);
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->argument == NULL)
			continue;
		fputc('\t', out);
		/* A value that may be left out does not stand in a word of its own. */
		if (rows[i]->letter != 0 && rows[i]->preset == NULL)
			fprintf(out, "-%c|", rows[i]->letter);
		if (rows[i]->preset == NULL)
			fprintf(out, "--%s|", rows[i]->name);
		fprintf(out, "--%s=)", rows[i]->name);
		bash_value(rows[i], out);
		fputs(" ;;\n", out);
	}
	fputs("\t*)\n\t\tvalue=$word\n\t\tif [[ $word == -* ]]; then\n\t\t\tchoices='", out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s--%s", i > 0 ? " " : "", rows[i]->name);
	fputs("'\n", out);
	if (program->operands == OPERANDS_TOPIC_DATA)
		fputs("\t\telif [[ $word == *=@* ]]; then\n\t\t\tvalue=${word#*=@} files=-f\n",
			out);
	if (program->operands != OPERANDS_OTHER)
		fprintf(out, "\t\telif %s; then\n\t\t\ttopics=%s\n",
			program->operands == OPERANDS_TOPICS
				? "[[ ${operands[0]-} != http?(s)://* ]]"
				: "((${#operands[@]} == 0))",
			program->name);
	fprintf(out, "\t\tfi\n\t\t;;\n\tesac\n%s%s%s}\ncomplete -F %s %s\n", bash_files,
		program->operands != OPERANDS_OTHER ? bash_topics : "", bash_replies, name,
		program->name);
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
	static const char *const actions[] = {[COMPLETE_NOTHING] = "",
		[COMPLETE_FILE] = "_files",
		[COMPLETE_FOLDER] = "_files -/",
		[COMPLETE_AT] = "{compset -P @ && _files}"};

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
		}
		fputs(actions[row->complete], out);
	}
	fputs("' \\\n", out);
}

/* A function that offers topics. */
static void zsh_topics(const struct option_program *program, const char *name, FILE *out)
{
	fprintf(out,
		"%s_topics() {\n"
		"\tlocal -a topics\n"
		"%s"
		"\ttopics=(${(f)\"$(command %s --complete-topics=\"$PREFIX\" 2>/dev/null "
		"</dev/null)\"})\n"
		"\tcompadd -a topics\n"
		"}\n",
		name,
		program->operands == OPERANDS_TOPICS
			? "\t[[ $line[1] == http(s|)://* ]] && return 1\n"
			: "",
		program->name);
}

static void zsh_operands(const struct option_program *program, const char *name, FILE *out)
{
	switch (program->operands) {
	case OPERANDS_OTHER:
		fputs("\t'*:operand:()'\n", out);
		break;
	case OPERANDS_TOPICS:
		fprintf(out, "\t'*:topic:{%s_topics}'\n", name);
		break;
	case OPERANDS_TOPIC_DATA:
		fprintf(out,
			"\t'1:topic:{if compset -P \"*=@\"; then _files; else %s_topics; fi}' \\\n"
			"\t'*:data:{compset -P \"*=@\" && _files}'\n",
			name);
		break;
	}
}

static void print_zsh(const struct option_program *program, const struct option_row **rows,
	size_t count, FILE *out)
{
	char prefix[80], name[64];

	function_name(program, name);
	fprintf(out, "#compdef %s\n# zsh completion, made by %s --completions zsh\n", program->name,
		program->name);
	if (program->operands != OPERANDS_OTHER)
		zsh_topics(program, name, out);
	fputs("_arguments -s -S \\\n", out);
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
	zsh_operands(program, name, out);
}

static void fish_text(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

/*
 * A function that offers the files after @, of @FILE and NAME=@FILE: with what is before them, but
 * without --option=, which fish puts there itself.
 */
static void fish_at(const struct option_program *program, const char *name, FILE *out)
{
	fprintf(out,
		"function %s_at\n"
		"\tset -l token (commandline -ct | string replace -r '^--[^=]*=' '')\n"
		"\tset -l parts (string match -r '^((?:[^=]*=)?@)(.*)$' -- $token)\n"
		"\tor return\n"
		"\tset -l files (complete -C \"'' $parts[3]\")\n"
		"\tstring join \\n -- $parts[2]$files\n"
		"end\n",
		name);
	if (program->operands == OPERANDS_TOPIC_DATA)
		fprintf(out, "complete -c %s -a '(%s_at)'\n", program->name, name);
}

/* A function that offers topics, for an operand; the options' values are not operands. */
static void fish_topics(const struct option_program *program, const char *name,
	const struct option_row **rows, size_t count, FILE *out)
{
	fprintf(out,
		"function %s_topics\n"
		"\tset -l token (commandline -ct)\n"
		"\tset -l words (commandline -opc)\n"
		"\tset -l before $words[1]\n"
		"\tset -l operands\n"
		"\tfor word in $words[2..]\n"
		"\t\tswitch $before\n"
		"\t\tcase ",
		name);
	print_valued(rows, count, " ", out);
	fprintf(out,
		"\n"
		"\t\t\tset before ''\n"
		"\t\t\tcontinue\n"
		"\t\tend\n"
		"\t\tset before $word\n"
		"\t\tstring match -q -- '-*' $word\n"
		"\t\tor set -a operands $word\n"
		"\tend\n"
		"\t%s\n"
		"\tand return\n"
		"\tcommand -q %s\n"
		"\tand command %s --complete-topics=\"$token\" 2>/dev/null </dev/null\n"
		"end\n"
		"complete -c %s -a '(%s_topics)'\n",
		program->operands == OPERANDS_TOPICS
			? "string match -qr -- '^https?://' \"$operands[1]\""
			: "set -q operands[1]",
		program->name, program->name, program->name, name);
}

/*
 * Words with what each means, which may be nothing: without a tab, fish would show for each what
 * the option means.  It reads the whole once more as words of its own, so \t and '...' are for it.
 */
static void fish_words(const struct option_row *row, FILE *out)
{
	for (size_t i = 0; row->choices[i] != NULL; i++) {
		fprintf(out, "%s%s\\t\\'", i > 0 ? " " : "", row->choices[i]);
		if (row->meanings != NULL)
			fish_text(row->meanings[i], out);
		fputs("\\'", out);
	}
}

static void fish_value(const struct option_row *row, const char *at, FILE *out)
{
	static const char *const values[] = {[COMPLETE_NOTHING] = " -x",
		[COMPLETE_FILE] = " -r -F",
		[COMPLETE_FOLDER] = " -x -a '(__fish_complete_directories)'"};

	/* A value that may be left out does not stand in a word of its own. */
	if (row->argument == NULL || (row->preset != NULL && row->choices == NULL))
		return;
	if (row->choices != NULL) {
		fputs(row->preset != NULL ? " -a '" : " -x -a '", out);
		fish_words(row, out);
		fputc('\'', out);
	} else if (row->complete == COMPLETE_AT) {
		fprintf(out, " -x -a '(%s_at)'", at);
	} else {
		fputs(values[row->complete], out);
	}
}

static void print_fish(const struct option_program *program, const struct option_row **rows,
	size_t count, FILE *out)
{
	bool at = program->operands == OPERANDS_TOPIC_DATA;
	char name[64];

	function_name(program, name);
	fprintf(out, "# fish completion for %s, made by %s --completions fish\ncomplete -c %s -f\n",
		program->name, program->name, program->name);
	for (size_t i = 0; i < count; i++)
		at = at || rows[i]->complete == COMPLETE_AT;
	if (at)
		fish_at(program, name, out);
	if (program->operands != OPERANDS_OTHER)
		fish_topics(program, name, rows, count, out);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "complete -c %s -l %s", program->name, rows[i]->name);
		if (rows[i]->letter != 0)
			fprintf(out, " -s %c", rows[i]->letter);
		fish_value(rows[i], name, out);
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
	const struct option_row *rows[OPTION_TABLE_MAX];
	size_t count = option_table_rows(program, rows, OPTION_TABLE_MAX);

	printers[shell](program, rows, count, out);
}
