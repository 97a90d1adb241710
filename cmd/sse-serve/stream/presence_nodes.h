/* SPDX-License-Identifier: MIT */
/*
 * Names over several nodes: a name is present if this node or another has a stream of it.  What
 * others have is noted here; what this node has is handed out, one change after the other, to be
 * told to them.  Whether it is present as a whole is not told to anyone: each node finds that by
 * itself.
 */
#ifndef PRESENCE_NODES_H
#define PRESENCE_NODES_H

#include "presence.h"

/* Each other node has a number below this. */
#define PRESENCE_NODES 64

/*
 * presence_nodes_share(presence, wake, context):
 * From now on, note what other nodes are to be told, and call this, on any thread, when there is
 * something.  Before the first lease.
 */
void presence_nodes_share(struct presence *presence, void (*wake)(void *context), void *context);

/*
 * presence_nodes_next(presence, change):
 * Get the next name that has its first stream at this node now, or has none any more; without the
 * count.  False if there is none.  Any thread.
 */
bool presence_nodes_next(struct presence *presence, struct presence_change *change);

/*
 * presence_nodes_visit(presence, visit, context):
 * Visit all names that, by what presence_nodes_next() gave until now, have streams here.  The lock
 * is held.  Return false as soon as ${visit} does.  Any thread.
 */
bool presence_nodes_visit(struct presence *presence,
	bool (*visit)(void *context, const char *topic, const char *name), void *context);

/* What became of what another node says. */
enum presence_noted {
	PRESENCE_NOTED,
	PRESENCE_FULL, /* there would be too many names, or there is no memory */
};

/*
 * presence_nodes_note(presence, node, change, now, changed):
 * That node has the name's first stream, or none any more; *${changed} becomes true if
 * presence_events_run() must be called.  ${now} is in ms on the loops' clock.  Any thread, as what
 * follows.
 */
enum presence_noted presence_nodes_note(struct presence *presence, unsigned node,
	const struct presence_change *change, uint32_t now, bool *changed);

/*
 * presence_nodes_begin_list(presence, node): what is noted of that node now is in its complete
 * list.
 * presence_nodes_end_list(presence, node, now): what was not in it is not at that node.
 * presence_nodes_drop(presence, node, now): nothing is.
 * The last two return true if presence_events_run() must be called.
 */
void presence_nodes_begin_list(struct presence *presence, unsigned node);
bool presence_nodes_end_list(struct presence *presence, unsigned node, uint32_t now);
bool presence_nodes_drop(struct presence *presence, unsigned node, uint32_t now);

#endif
