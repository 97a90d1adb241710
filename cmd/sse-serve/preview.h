/* SPDX-License-Identifier: MIT */
/* --check-config and --print-config: what a start would do, without doing it. */
#ifndef PREVIEW_H
#define PREVIEW_H

#include "options.h"

/*
 * preview(options): do what these options ask for, on stdout.  Before there is a second thread.
 * Return the exit status, which is that of the start if it would fail by a mistake.
 */
int preview(const struct options *options);

#endif
