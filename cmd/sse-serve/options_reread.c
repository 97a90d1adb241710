/* SPDX-License-Identifier: MIT */
/* The options as they were read, shown, blamed and read again; see options.h. */
#include "option_config.h"
#include "options.h"
#include "options_internal.h"

int options_reread(int argc, char **argv, const struct options *running, struct options *options,
	char *names, size_t size, struct error *error)
{
	if (options_parse(argc, argv, NULL, options, error) != OPTION_RUN ||
		option_config_keep(&options_program, options, running, names, size, error) != 0)
		return -1;
	/* With what stays as it is. */
	options_free_meanings(options);
	if (options_check(options, error) == 0)
		return 0;
	options_blame(options, error);
	return -1;
}

void options_print(const struct options *options, FILE *out)
{
	option_config_print(&options_program, &options->sources, out);
}

void options_blame(const struct options *options, struct error *error)
{
	option_config_blame(&options_program, &options->sources, error);
}
