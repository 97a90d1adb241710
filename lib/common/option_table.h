/* SPDX-License-Identifier: MIT */
/*
 * The option table, one row for each option.  Parsing (with getopt_long), the environment, --help,
 * --version and the completions all read it.  To add an option, add one row.
 *
 * A program has a config struct and one or more tables whose rows name a field in it by offset.
 * Tables that programs share (client.h) name fields of a struct that each config starts with.
 *
 * Every option --some-name can also be given as the environment variable SSE_SOME_NAME; the command
 * line takes precedence.  An empty variable counts as not set.  A flag's variable is 1, yes, true
 * or on for set, and 0, no, false or off for not set.  The variable of an option that may be
 * repeated holds one value.
 *
 * A program may also read a configuration file (option_file.h), which has the long names.  Variables
 * and the command line take precedence over it.
 *
 * An empty value on the command line usually comes from an unset variable in a script, and the user
 * did not mean to leave the option out.  So it is a usage error, unless the row allows it.
 */
#ifndef OPTION_TABLE_H
#define OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct error;

enum option_type {
	OPTION_FLAG,	 /* bool: set to true */
	OPTION_TIMES,	 /* int: counts how often it was given (-vv) */
	OPTION_STRING,	 /* const char *: points into argv or the environment, unless secret */
	OPTION_LIST,	 /* struct option_list: may be repeated */
	OPTION_COUNT,	 /* int64_t, between min and max */
	OPTION_DURATION, /* int64_t milliseconds, between min and max */
	OPTION_SIZE,	 /* int64_t bytes, between min and max */
	OPTION_CHOICE,	 /* int: the index of the word in choices */
};

/* The values of an option that may be repeated, in the order given. */
struct option_list {
	const char **values; /* owned; the strings are not, unless secret */
	size_t count;
};

/* The completions for an option's argument. */
enum option_complete {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_FOLDER,
	COMPLETE_AT, /* a file after @, as in @FILE */
};

/*
 * What the operands are, for completions, which offer the topics of the server: a program that takes
 * topics has the option --complete-topics WORD.
 */
enum option_operands {
	OPERANDS_OTHER,
	OPERANDS_TOPICS,     /* topics, or a URL, which is the first */
	OPERANDS_TOPIC_DATA, /* the first may be a topic; all others are data, as NAME=@FILE */
};

struct option_row {
	const char *name; /* long name without dashes; NULL ends a table */
	char letter;	  /* short name, or 0 */
	enum option_type type;
	size_t offset;		     /* of the field in the config struct */
	const char *argument;	     /* what --help calls the argument; NULL for a flag */
	const char *help;	     /* one phrase in lower case, without full stop */
	const char *group;	     /* the heading in --help; rows of one group are adjacent */
	int64_t min, max;	     /* OPTION_COUNT, OPTION_DURATION, OPTION_SIZE */
	const char *const *choices;  /* OPTION_CHOICE: words, ended by NULL */
	const char *const *meanings; /* of each a phrase without quotes, for completions; or NULL */
	enum option_complete complete;
	/*
	 * Stored before anything is parsed, in the words of a user; NULL: the field keeps what it
	 * holds.  Not for OPTION_FLAG, OPTION_TIMES, OPTION_LIST and secrets.  See OPTION_DEFAULT.
	 */
	const char *default_value;
	const char *variable; /* another environment variable, read if the first is not set */
	const char *preset;   /* the argument may be left out (--name, --name=VALUE, -nVALUE): this
				 is what it is then */
	const char *rivals;   /* one makes sense of options that share this word: the variables of
				 the others are not read if the command line has one */
	bool command;	      /* what to do, not how: it is not taken from a configuration file */
	bool live;	   /* a new value can be used while the program runs; see option_keep() */
	bool secret;	   /* OPTION_STRING, OPTION_LIST: the value is copied, and what the list of
			      processes shows of it is overwritten */
	bool may_be_empty; /* OPTION_STRING, OPTION_LIST: an empty value means something */
	const char *if_empty; /* what is right instead of an empty value, for the usage error;
				 NULL: to leave the option out */
};

/*
 * OPTION_DEFAULT(before, value, after): in a row, in place of its help: the help and the default
 * that it names, as in OPTION_DEFAULT("the most bytes (default ", "1M", ")").
 */
#define OPTION_DEFAULT(before, value, after) .default_value = value, .help = before value after

#define OPTION_TABLES 4

struct option_program {
	const char *name;     /* sse-post */
	const char *synopsis; /* the text after the name in the usage line */
	const char *summary;  /* one sentence that says what the program does */
	const struct option_row *tables[OPTION_TABLES]; /* unused places are NULL */
	const char *examples; /* three lines of --help, each a command and its purpose */
	enum option_operands operands;
	void (*version)(FILE *out); /* prints the linked libraries' versions, ", libcurl/7.88.1";
					  may be NULL */
	const char *file; /* the name of the option that names a configuration file; NULL: none */

	/*
	 * read(path, text, len, error): read that file whole, with room for one more byte; the caller
	 * frees *${text}.  Return 0, or -1 with the reason.
	 */
	int (*read)(const char *path, char **text, size_t *len, struct error *error);
};

/* The most rows of all tables of a program, and the built-in ones after them. */
#define OPTION_TABLE_MAX 96

/* The built-in rows: --help, --version, --completions; {0} ends them. */
extern const struct option_row option_table_built_in[];

/*
 * option_table_rows(program, rows, max): gather the rows of all tables and the built-in ones, ${max}
 * at most.  Return their number.
 */
size_t option_table_rows(
	const struct option_program *program, const struct option_row **rows, size_t max);

/* option_table_variable(name, text, size): "max-body" gives "SSE_MAX_BODY". */
void option_table_variable(const char *name, char *text, size_t size);

/* The version of sse-tools, "0.1.0". */
extern const char sse_tools_version[];

#endif
