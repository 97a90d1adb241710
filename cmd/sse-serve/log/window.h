/* SPDX-License-Identifier: MIT */
/*
 * The window: the newest events as encoded frames in one bounded ring, which is mapped twice in a
 * row so that a run of frames is always contiguous.  One thread at a time writes it, the log thread
 * or a loop in its place; readers (the loops and the replay thread) read it without a lock.
 *
 * Entries are numbered from 0 for the life of the process; [tail, head) are in the window.
 * Entries of one topic are linked both ways.
 *
 * No torn frame is ever read: a reader announces the oldest entry that it will read before it
 * reads, and withdraws when it has finished (a slice of work, never a subscriber's pace).  The
 * writer first moves the tail, then waits for announcements below it, and only then overwrites.
 * Both sides do "store mine, then load the other's" with sequential consistency, so one of them
 * always sees the other.
 *
 * Deleted events are erased from amid the window by the same rule: the writer marks their entries
 * with the number of the erasure, then raises the number of erasures, waits for readers, and only
 * then overwrites the frames.  A reader asks for the number of erasures after it has announced.  It
 * leaves out what was erased up to that number; what is marked later stays whole until it withdraws.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "error.h"
#include "event.h"
#include "event_types.h"
#include "form.h"
#include "topic.h"

struct window;

struct window_entry {
	uint64_t position; /* of a stored event, or a deletion; otherwise the previous entry's */
	uint64_t before; /* if the window is the log: position of the topic's event before; or 0 */
	uint64_t previous;     /* entry of the topic before this, or TOPIC_NO_ENTRY; may be gone */
	_Atomic uint64_t next; /* entry of the topic after this, or TOPIC_NO_ENTRY; may lie beyond
				  the head that a reader took */
	struct topic *topic;
	const char
		*frame; /* NULL if the frame did not fit into the window: it is in the log only */
	int64_t time;
	uint32_t len;
	/* Of the frames in the other forms, which follow the plain one; 0: not made. */
	uint32_t envelope_len, line_len;
	bool json : 1, ephemeral : 1, deletion : 1, system : 1; /* ${system}: of TOPIC_SYSTEM */
	uint8_t subject_len; /* the subject is after the frames, if the window is the log */
};

/* The entries that a reader wants from the window, and their form. */
struct window_view {
	const struct topic_set *topics;
	struct event_types types; /* leave out events of other types */
	enum form form;		  /* of the frames */
	bool stored;		  /* leave out ephemeral events */
	uint64_t erasures;	  /* window_erasures(), asked for after the announcement */
};

/*
 * window_new(size, readers, head, is_log, error):
 * A window of about ${size} bytes (at least 4096; rounded up to pages) for ${readers} readers,
 * whose first event will have the position ${head} + 1.  With ${is_log} the window is the log
 * itself, and an event that leaves it is marked as removed in its topic.
 */
struct window *window_new(
	size_t size, unsigned readers, uint64_t head, bool is_log, struct error *error);

/* window_free(window): call it when no thread uses the window.  Takes NULL. */
void window_free(struct window *window);

/* --- the log thread --- */

/*
 * window_add(window, event, id, id_len):
 * Encode the event's frame at the end of the ring, after making room for it.  It is visible after
 * window_publish() at the latest.
 */
void window_add(struct window *window, const struct event *event, const char *id, size_t id_len);

/*
 * window_newest(window, topic):
 * If the window is the log: the position of the topic's newest stored event, in the window or gone
 * from it; 0 if there is none.  Log thread.
 */
uint64_t window_newest(const struct window *window, const struct topic *topic);

/* window_oldest(window): the oldest entry that readers may still read.  Log thread. */
uint64_t window_oldest(const struct window *window);

/*
 * window_stamp(window, us), window_stamped(window):
 * When the publishing of what is published next began, by clock_now_us(), or 0 if nobody asks; any
 * thread reads that of the newest.
 */
void window_stamp(struct window *window, uint64_t us);
uint64_t window_stamped(const struct window *window);

/* window_publish(window): make the added entries visible to the readers. */
void window_publish(struct window *window);

/*
 * window_erase(window, topic, after, upto):
 * Overwrite the frames of the topic's stored events with after < position <= upto, as soon as no
 * reader uses them, and have readers leave these events out.  All entries are visible.  Before it,
 * raise topic->deleted: a reader that leaves an event out must see why.
 */
void window_erase(struct window *window, const struct topic *topic, uint64_t after, uint64_t upto);

/* --- readers --- */

/*
 * window_want_form(window, form, more):
 * Add ${more} (1 or -1) to the number of readers that want the form.  As long as there are any, new
 * entries get frames in it; the reader takes older ones from the log.  All have the plain form.
 */
void window_want_form(struct window *window, enum form form, int more);

/* window_head(window): one past the newest visible entry. */
uint64_t window_head(const struct window *window);

/* window_size(window): the most bytes that it holds. */
size_t window_size(const struct window *window);

/*
 * window_use(window, bytes, events):
 * About how much it holds now, without the events of TOPIC_SYSTEM.  Any thread.
 */
void window_use(const struct window *window, uint64_t *bytes, uint64_t *events);

/* window_position(window): the position of the newest visible stored event. */
uint64_t window_position(const struct window *window);

/*
 * window_announce(window, reader, entry):
 * From now on, no entry from ${entry} on is overwritten.  False, and nothing announced, if ${entry}
 * was overwritten already.
 */
bool window_announce(struct window *window, unsigned reader, uint64_t entry);

/* window_announce_oldest(window, reader): announce all entries; return the oldest. */
uint64_t window_announce_oldest(struct window *window, unsigned reader);

/*
 * window_seek(window, reader, position, entry):
 * If every stored event after ${position} is in the window, announce and set *${entry} to the first
 * entry after it (the head if no entry follows).  Otherwise return false, with nothing announced.
 */
bool window_seek(struct window *window, unsigned reader, uint64_t position, uint64_t *entry);

/*
 * window_after(window, from, limit, position):
 * The first entry from ${from} (announced) to before ${limit} of an event after ${position}, or
 * ${limit}.
 */
uint64_t window_after(
	const struct window *window, uint64_t from, uint64_t limit, uint64_t position);

/*
 * window_subject(entry): the subject of an entry that has a frame, if the window is the log;
 * otherwise empty.  Valid while announced.
 */
struct sse_text window_subject(const struct window_entry *entry);

/* window_withdraw(window, reader): the announced entries may be overwritten. */
void window_withdraw(struct window *window, unsigned reader);

/* window_entry(window, entry): valid while announced. */
const struct window_entry *window_entry(const struct window *window, uint64_t entry);

/* window_erasures(window): how many there were.  Ask after announcing, once for each announcement. */
uint64_t window_erasures(const struct window *window);

/* window_is_erased(window, entry, erasures): was the entry, announced, erased by one of these? */
bool window_is_erased(const struct window *window, uint64_t entry, uint64_t erasures);

/*
 * window_first_of(window, topic, from):
 * The first entry of ${topic} at or after ${from}, which is announced; TOPIC_NO_ENTRY if no entry
 * matches.  It walks back from the topic's newest entry, so its cost grows with the number of
 * entries that the reader will be sent.
 */
uint64_t window_first_of(const struct window *window, const struct topic *topic, uint64_t from);

/*
 * window_find(window, view, from, limit):
 * The first entry of the view at or after ${from} (announced) and before ${limit}, or ${limit}.
 */
uint64_t window_find(
	const struct window *window, const struct window_view *view, uint64_t from, uint64_t limit);

/* window_next(window, view, entry, limit): the same, after ${entry}, which is of the view. */
uint64_t window_next(const struct window *window, const struct window_view *view, uint64_t entry,
	uint64_t limit);

/* window_frame(view, entry, len): an entry's bytes for the view; NULL if the window lacks them. */
const char *window_frame(
	const struct window_view *view, const struct window_entry *entry, size_t *len);

/* The most pieces of one send, and about the most bytes. */
#define WINDOW_PIECES 512
#define WINDOW_CHUNK ((size_t)1 << 20)

/* Frames of a view, ready to be sent at once. */
struct window_chunk {
	struct iovec pieces[WINDOW_PIECES];
	int count;	 /* of pieces */
	uint32_t events; /* in them */
	size_t len;	 /* bytes in all pieces */

	/* What was asked for: see window_gather(). */
	const struct window_view *view;
	uint64_t begin;	 /* the first entry that may be in it */
	uint64_t before; /* the position before that */
	size_t skip;	 /* the bytes that it lacks of the first frame */

	uint64_t end;	   /* all entries of the view from ${begin} to before this one are in it */
	uint64_t position; /* of the last stored event before ${end}, as far as it is known */
	bool missing;	   /* the frame at ${end} is not in the window: it is in the log only */
};

/*
 * window_gather(window, view, entry, limit, position, skip, chunk):
 * Gather frames of the view from ${entry} (announced) to before ${limit}, as many as make one
 * send, without the first ${skip} bytes; ${position} is that of the last event before.  It looks at
 * a bounded number of entries, so it may gather nothing and return only a later ${end}.  The pieces
 * point into the ring, and ${chunk} to the view: the bytes are valid until the reader withdraws its
 * announcement.
 */
void window_gather(const struct window *window, const struct window_view *view, uint64_t entry,
	uint64_t limit, uint64_t position, size_t skip, struct window_chunk *chunk);

#endif
