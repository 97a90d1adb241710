/* SPDX-License-Identifier: MIT */
/* The forms in which events are sent. */
#ifndef FORM_H
#define FORM_H

#include <stdbool.h>

enum form {
	FORM_PLAIN,    /* an event stream (WHATWG HTML, section 9.2) */
	FORM_ENVELOPE, /* the same, the data being the event in its envelope; see envelope.h */
	FORM_LINE,     /* NDJSON: the event in its envelope, on one line */
	/* Elements of lists, which are only made of what is read from the log: */
	FORM_LIST,		 /* JSON: the data, after a comma and a line end */
	FORM_LIST_ENVELOPE,	 /* the same of the event in its envelope */
	FORM_LIST_LINE,		 /* NDJSON: the data, on one line */
	FORM_LIST_LINE_ENVELOPE, /* the same of the event in its envelope */
	FORMS,
};

/* form_is_list(form): is it that of a list's elements? */
static inline bool form_is_list(enum form form)
{
	return form >= FORM_LIST;
}

/* form_is_array(form): is it that of the elements of a JSON array, rather than of lines? */
static inline bool form_is_array(enum form form)
{
	return form == FORM_LIST || form == FORM_LIST_ENVELOPE;
}

/* form_is_bare(form): has a list the data alone? */
static inline bool form_is_bare(enum form form)
{
	return form == FORM_LIST || form == FORM_LIST_LINE;
}

#endif
