// SPDX-License-Identifier: Apache-2.0
/*
 * The library drops some frames without a word: those of unknown type, and those on
 * streams it has forgotten. They cost us time all the same, and a peer that goes on
 * sending on a stream it has reset itself is to be told (RFC 9113 §5.1). So the nine
 * octets before each frame are looked at here, before the library sees them.
 */
#include <nghttp2/nghttp2.h>

#include "base/read.h"
#include "http/h2_priv.h"

enum { PREFACE = 24 };

#define RESET_BIT (1U << 31) /* in the ring: by RST_STREAM, not by END_STREAM */

enum ending { STILL_OPEN, ENDED_WHOLE, ENDED_RESET };

void
h2_walk_begin(struct h2 *h2)
{
	h2->walk.skip = h2->config.role == H2_SERVER ? PREFACE : 0;
}

/* Whether the peer has ended this stream itself, and the library has forgotten it. */
static enum ending
ending_of(const struct h2 *h2, uint32_t id)
{
	const struct h2_walk *walk = &h2->walk;
	enum ending ending = STILL_OPEN;

	if (id == 0 || nghttp2_session_find_stream(h2->session, (int32_t)id))
		return STILL_OPEN; /* below 2^31 */
	for (size_t i = 0; i < COUNT_OF(walk->ended); i++) {
		if (walk->ended[i] == (id | RESET_BIT))
			return ENDED_RESET;
		if (walk->ended[i] == id)
			ending = ENDED_WHOLE;
	}
	return ending;
}

static void
say_closed(struct h2 *h2, uint32_t id)
{
	(void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, (int32_t)id,
		NGHTTP2_STREAM_CLOSED); /* below 2^31 */
	h2_calm_control(h2);
}

/* On a stream that we have reset it is ignored (RFC 9113 §5.1), yet not for nothing. */
static void
look_at_data(struct h2 *h2, uint32_t length, uint32_t flags, uint32_t id)
{
	bool empty = length == 0 && !(flags & NGHTTP2_FLAG_END_STREAM);

	if (ending_of(h2, id) != STILL_OPEN) {
		say_closed(h2, id);
	} else if (empty || !nghttp2_session_find_stream(h2->session, (int32_t)id)) {
		h2_calm_control(h2); /* id is below 2^31 */
	} else {
		h2_calm_work(h2, length);
	}
}

/* RFC 9113 §5.1: behind a reset it is an error of the stream, behind END_STREAM one of
 * the connection. The library reads such a section for its compression's sake. */
static void
look_behind_end(struct h2 *h2, uint32_t id)
{
	switch (ending_of(h2, id)) {
	case STILL_OPEN:
		break;
	case ENDED_RESET:
		say_closed(h2, id);
		break;
	case ENDED_WHOLE:
		h2_fail(h2, ERR_H2_PROTOCOL, NGHTTP2_STREAM_CLOSED,
			"HEADERS on a stream that had ended");
		break;
	}
}

/* RFC 9113 §5.1.1: a stream that was passed over cannot be begun any more. Only the
 * last gap is remembered; honest peers leave none. */
static void
look_at_headers(struct h2 *h2, uint32_t id)
{
	struct h2_walk *walk = &h2->walk;

	if (id > walk->newest) {
		if (id > walk->newest + 2) {
			walk->gap_from = walk->newest + 1;
			walk->gap_to = id - 1;
		}
		walk->newest = id;
	} else if (id >= walk->gap_from && id <= walk->gap_to) {
		h2_fail(h2, ERR_H2_PROTOCOL, H2_PROTOCOL_ERROR,
			"a stream that was passed over");
	} else {
		look_behind_end(h2, id);
	}
}

static void
peek_into(struct h2 *h2, uint32_t type)
{
	h2->walk.type = type;
	h2->walk.peek = 4;
	h2->walk.value = 0;
}

/* RFC 9113 §6.3; the library looks at priorities no more once we said so in SETTINGS.
 */
static void
look_at_priority(struct h2 *h2, uint32_t length, uint32_t id)
{
	if (id == 0) {
		h2_fail(h2, ERR_H2_PROTOCOL, H2_PROTOCOL_ERROR, "PRIORITY on stream 0");
	} else if (length != 5) {
		h2_fail(h2, ERR_H2_PROTOCOL, NGHTTP2_FRAME_SIZE_ERROR,
			"PRIORITY of a wrong size");
	}
	peek_into(h2, NGHTTP2_PRIORITY);
}

/* RFC 9113 §6.9: a window that grows by nothing is an error of its stream, also when
 * the stream has ended meanwhile and the library has forgotten it. */
static void
look_at_growth(struct h2 *h2, uint32_t id)
{
	if (h2->walk.value != 0 || id > h2->walk.newest ||
		nghttp2_session_find_stream(h2->session, (int32_t)id))
		return; /* id is below 2^31 */
	(void)nghttp2_submit_rst_stream(
		h2->session, NGHTTP2_FLAG_NONE, (int32_t)id, NGHTTP2_PROTOCOL_ERROR);
}

static void
look_at_value(struct h2 *h2, struct span s)
{
	struct h2_walk *walk = &h2->walk;

	for (size_t i = 0; i < s.n && walk->peek > 0; i++) {
		walk->value = walk->value << 8 | s.p[i];
		if (--walk->peek > 0)
			continue;
		walk->value &= INT32_MAX;
		if (walk->type == NGHTTP2_WINDOW_UPDATE) {
			look_at_growth(h2, walk->id);
		} else if (walk->value == walk->id) {
			h2_fail(h2, ERR_H2_PROTOCOL, H2_PROTOCOL_ERROR,
				"a stream that depends on itself");
		}
	}
}

/* RFC 9113 §4.2: too short for what must be in it. */
static void
look_at_padding(struct h2 *h2, uint32_t length, uint32_t flags)
{
	if (length == 0 && flags & NGHTTP2_FLAG_PADDED) {
		h2_fail(h2, ERR_H2_PROTOCOL, NGHTTP2_FRAME_SIZE_ERROR,
			"padding without its length");
	}
}

static void
remember_end(struct h2_walk *walk, uint32_t id)
{
	walk->ended[walk->n_ended++ % COUNT_OF(walk->ended)] = id;
}

static void
look_at(struct h2 *h2, struct read *head)
{
	struct h2_walk *walk = &h2->walk;
	uint32_t length = read_be(head, 3);
	uint32_t type = read_be(head, 1);
	uint32_t flags = read_be(head, 1);
	uint32_t id = read_be(head, 4) & INT32_MAX;
	bool message = type == NGHTTP2_DATA || type == NGHTTP2_HEADERS;

	walk->skip = length;
	walk->id = id;
	if (type == NGHTTP2_DATA) {
		look_at_data(h2, length, flags, id);
	} else if (type != NGHTTP2_HEADERS) {
		h2_calm_control(h2);
	} else if (h2->config.role == H2_SERVER) {
		look_at_headers(h2, id);
	}
	if (message)
		look_at_padding(h2, length, flags);
	if (type == NGHTTP2_PRIORITY)
		look_at_priority(h2, length, id);
	if (type == NGHTTP2_WINDOW_UPDATE && length == 4 && id != 0)
		peek_into(h2, type);
	if (type == NGHTTP2_RST_STREAM)
		remember_end(walk, id | RESET_BIT);
	if (message && flags & NGHTTP2_FLAG_END_STREAM)
		remember_end(walk, id);
}

/* What is there of the frame whose head was looked at, for the library: that head first
 * if it lies in front of *s. */
static void
feed_frame(struct h2 *h2, struct span *s, size_t head, struct span *feed)
{
	struct h2_walk *walk = &h2->walk;
	struct span payload = span_first(span_from(*s, head), walk->skip);

	walk->skip -= (uint32_t)payload.n; /* at most itself */
	look_at_value(h2, payload);
	*feed = span_first(*s, head + payload.n);
	*s = span_from(*s, feed->n);
}

/* The head of a frame goes to the library in one piece: it counts the calls it takes to
 * read a CONTINUATION's, and would call slow segments a flood. */
void
h2_walk_step(struct h2 *h2, struct span *s, struct span *feed)
{
	struct h2_walk *walk = &h2->walk;

	feed_frame(h2, s, 0, feed);
	if (feed->n > 0)
		return;
	if (walk->have == 0 && s->n >= sizeof(walk->head)) { /* almost always */
		struct read whole = read_from(span_first(*s, sizeof(walk->head)));
		look_at(h2, &whole);
		feed_frame(h2, s, sizeof(walk->head), feed);
		return;
	}
	while (s->n > 0 && walk->have < sizeof(walk->head)) {
		walk->head[walk->have++] = s->p[0];
		*s = span_from(*s, 1);
	}
	if (walk->have < sizeof(walk->head))
		return;
	struct read head = read_from(span_of(walk->head, sizeof(walk->head)));
	walk->have = 0;
	look_at(h2, &head);
	*feed = span_of(walk->head, sizeof(walk->head));
}
