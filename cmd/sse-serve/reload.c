/* SPDX-License-Identifier: MIT */
/* Reading again; see reload.h. */
#include <stdlib.h>
#include <sysexits.h>

#include "base/logger.h"
#include "reload.h"

/* All names of options fit. */
#define NAMES_MAX 1000

static int reload(int argc, char **argv, const struct options *options, struct server *server,
	char names[NAMES_MAX], struct error *error)
{
	struct options *fresh = calloc(1, sizeof(*fresh));
	bool json;

	if (fresh == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	if (options_reread(argc, argv, options, fresh, names, NAMES_MAX, error) == 0) {
		json = fresh->log == LOG_JSON;
		if (server_reload(server, fresh, error) == 0) {
			logger_format(json);
			return 0;
		}
		options_blame(fresh, error);
	}
	options_free(fresh);
	free(fresh);
	return -1;
}

void reload_run(int argc, char **argv, const struct options *options, struct server *server)
{
	struct error error = {0};
	char names[NAMES_MAX] = "";

	if (reload(argc, argv, options, server, names, &error) != 0) {
		logger_write(LOGGER_ERROR, "%s; %s", error.text,
			options->config != NULL ? "nothing was changed"
						: "the old rules stay in force");
		return;
	}
	logger_write(LOGGER_INFO, "reloaded %s",
		options->config != NULL ? "the configuration" : "who may do what");
	if (names[0] != '\0')
		logger_write(LOGGER_WARNING,
			"changed, but this needs a restart: %s; until then, the old values stay in "
			"force",
			names);
}

void reload_log(const struct options *options)
{
	struct error error = {0};

	if (options->log_file == NULL)
		logger_write(LOGGER_WARNING,
			"SIGUSR1 opens the file of --log-file again, but there is none");
	else if (logger_open(options->log_file, &error) != 0)
		logger_write(LOGGER_ERROR, "%s; the log continues in the old file", error.text);
	else
		logger_write(LOGGER_INFO, "opened the log file again");
}
