// SPDX-License-Identifier: Apache-2.0
/*
 * h2: one HTTP/2 connection as a byte machine, either side of it (RFC 9113).
 *
 *	h2_read(&h2, &in, &err);                 what the peer sent
 *	while ((x = h2_ready(&h2)))              streams that have news
 *		… h2_step(x, &head, &body, &err), h2_took(x, n) …
 *		… h2_write_head(x, …), h2_write_body(x, …), h2_write_end(x, …) …
 *	h2_flush(&h2);                           what we owe the peer, into `out`
 *
 * A stream speaks as an HTTP/1 connection does (h1_read.h, h1_write.h), so that an
 * exchange need not know which it has. Windows open only as bodies are taken: a stalled
 * reader stops its own stream and no other. Bodies are written straight from the
 * caller's bytes into `out`; nothing is queued per stream.
 *
 * Memory: a connection holds at most `budget` octets of bodies not taken yet, and per
 * stream at most H2_STREAM_ARENA for its heads and trailers. An idle stream costs about
 * 2.5 KiB. What a peer can make us do for nothing (resets, pings, settings, empty
 * frames, priorities) is counted; too much ends the connection with ENHANCE_YOUR_CALM.
 */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "http/translate.h"

struct nghttp2_session;

enum h2_role {
	H2_SERVER, /* towards a client */
	H2_CLIENT, /* towards an origin */
};

struct h2_config {
	enum h2_role role;
	struct http_limits limits;
	uint32_t streams;      /* open at once, either way; default 100 */
	uint32_t window;       /* of a new stream; default 64 KiB */
	uint32_t window_most;  /* to which it grows when taken fast; default 1 MiB */
	uint32_t budget;       /* of all streams' windows together; default 16 MiB */
	bool connect_protocol; /* server: offer extended CONNECT (RFC 8441) */
};
void h2_config_init(struct h2_config *c, enum h2_role role);

enum { H2_STREAM_ARENA = 192 * 1024 };

/* What a peer did for nothing, counted down; refills with time and with real work. */
struct h2_calm {
	int32_t resets;  /* streams that were begun in vain */
	int32_t control; /* frames that carry nothing */
	uint64_t filled; /* clock_now() of the last refill */
};

/* Where frames begin in what comes in, and which streams the peer ended last. */
struct h2_walk {
	uint8_t head[9];
	uint32_t have;  /* octets of the head */
	uint32_t skip;  /* octets until the next head */
	uint32_t type;  /* of the frame, of those that are peeked into */
	uint32_t peek;  /* octets of its first number still to come */
	uint32_t value; /* that number: a PRIORITY's dependency, a window's growth */
	uint32_t id;    /* of the frame being skipped */
	uint32_t ended[16]; /* a ring; 0 where unused */
	uint32_t n_ended;
	uint32_t newest;   /* stream the peer began */
	uint32_t gap_from; /* streams it passed over last */
	uint32_t gap_to;
};

struct h2 {
	struct nghttp2_session *session; /* owned */
	void *frame; /* the session's block for a frame: see h2_mem.c */
	void *table; /* and that of its streams */
	struct h2_config config;
	struct buf *out;    /* borrowed: plaintext towards the peer */
	struct span unsent; /* of a frame that did not fit into out; the session's */
	struct h2_stream *last; /* that was looked for; NULL when it is gone */
	struct list streams;    /* all */
	struct list ready;      /* with news */
	struct list blocked;    /* whose writer waits for room or window */
	uint32_t n_open;
	uint64_t promised; /* windows of all open streams */
	struct h2_calm calm;
	struct h2_walk walk;
	uint64_t pinged;  /* clock_now() of a ping not answered yet, or 0 */
	bool settled;     /* the peer's SETTINGS came */
	bool goaway_seen; /* the peer takes no new streams */
	unsigned drains;  /* how often h2_drain() was called */
	bool out_full;    /* something waited for room in out */
	bool over;        /* nothing will be read any more */
	struct err saw;   /* what the library complained of last */
	struct err err;   /* why the connection ended */
};

struct h2_stream;

/* Embedded by whoever uses a stream, to find itself from it with CONTAINER_OF(). */
struct h2_user {
	struct h2_stream *stream;
};

enum h2_step {
	H2_MORE,   /* nothing new; wait for h2_ready() */
	H2_HEAD,   /* *head is complete; told once */
	H2_INFORM, /* *head is a 1xx head; another follows */
	H2_BODY,   /* body octets are at *body; give back with h2_took() */
	/* (*head)->trailers is complete; told once, only if there are some */
	H2_TRAILERS,
	H2_END, /* the message is over; stays */
	/* *err says why; stays. The stream, perhaps the connection, is gone */
	H2_FAILED,
};

enum h2_wrote {
	H2_WROTE,
	H2_FULL, /* not now; the stream becomes ready when it is worth trying again */
	H2_REFUSED, /* never; *err says why */
};

struct h2_inform;

struct h2_stream {
	struct h2 *h2; /* borrowed */
	struct list in_all;
	struct list in_ready;
	struct list in_blocked;
	struct h2_user *user; /* borrowed; set by the owner, NULL in a new one */
	int32_t id;
	unsigned asked;            /* enum http_method of the request */
	struct arena arena;        /* owned: heads and trailers, both ways */
	struct http_head head;     /* the peer's message */
	struct translate coming;   /* the section that comes in now */
	struct h2_inform *informs; /* 1xx heads not told yet, oldest first */
	uint32_t n_informs;        /* that came, in all */
	struct buf body;           /* octets not taken yet */
	uint32_t window;           /* promised to the peer */
	uint64_t taken;            /* of the body, since the window last grew */
	struct span giving;        /* octets being written, during h2_write_body() */
	uint64_t owed;             /* of a body of known length being written */
	const struct http_fields *trailers; /* borrowed, during h2_write_end() */
	char priority[32];   /* of the last PRIORITY_UPDATE (RFC 9218 §7.1), or "" */
	uint32_t reset_code; /* RFC 9113 §7, of a stream that was reset */
	struct err err;      /* why it failed; code ERR_NONE while it has not */

	bool offered; /* h2_ready() gave it away: freed by h2_release() */
	bool released;
	bool closed;    /* the session has forgotten it */
	bool resetting; /* our own wish: not the peer's doing */
	bool head_done;
	bool head_told;
	bool trailers_told;
	bool body_done; /* END_STREAM came */
	bool head_written;
	bool ends_early; /* END_STREAM goes with the last octet owed */
	bool counted;    /* a body of known length is being written */
	bool ending;     /* during h2_write_end() */
	bool end_written;
	bool end_sent;
};

/* config is copied; out is borrowed for life and must have room for 32 KiB or more.
 * Our settings are queued: call h2_flush(). */
void h2_init(struct h2 *h2, const struct h2_config *config, struct buf *out);
/* Frees all streams, also those given away. */
void h2_fini(struct h2 *h2);

/* Takes all of in. False when the connection is over (also when the peer said goodbye
 * and no stream is left): flush, then close. Streams learn of it by themselves. */
MUST_USE bool h2_read(struct h2 *h2, struct buf *in, struct err *err);
/* The peer will send nothing more: unfinished streams fail. */
void h2_eof(struct h2 *h2);
/* Moves what is due into out as far as there is room. Call when out has emptied, too:
 * writers that waited become ready. */
void h2_flush(struct h2 *h2);
/* Whether something is due that did not fit. */
MUST_USE bool h2_wants_flush(const struct h2 *h2);

/* The next stream with news, or NULL. A server meets new requests here: user is NULL.
 */
struct h2_stream *h2_ready(struct h2 *h2);
/* Puts it (back) into the list, for another turn. */
void h2_wake(struct h2_stream *x);

/* As h1_read(). *head is the stream's and lives until h2_release(). */
enum h2_step h2_step(struct h2_stream *x, struct http_head **head, struct span *body,
	struct err *err);
/* The first n octets of *body are dealt with: the window opens again. */
void h2_took(struct h2_stream *x, size_t n);

/* Client: how many requests can be sent now. Until the origin's SETTINGS are there it
 * is one at most. */
MUST_USE uint32_t h2_room(const struct h2 *h2);
MUST_USE bool h2_can_open(const struct h2 *h2);
/* Client: whether the origin takes extended CONNECT. */
MUST_USE bool h2_takes_connect_protocol(const struct h2 *h2);
/* Server: offers it from now on. */
void h2_offer_connect_protocol(struct h2 *h2);
/* Client: sends a request head. NULL when it cannot be said in HTTP/2 or h2_can_open()
 * is false. */
struct h2_stream *h2_request(struct h2 *h2, const struct http_head *head,
	struct h2_user *user, struct err *err);

/* Server: a response head, 1xx or final. */
enum h2_wrote h2_write_head(
	struct h2_stream *x, const struct http_head *head, struct err *err);
/* Writes as much as windows and room allow; returns how much. */
size_t h2_write_body(struct h2_stream *x, struct span s);
/* Ends the message; trailers may be NULL. */
enum h2_wrote h2_write_end(
	struct h2_stream *x, const struct http_fields *trailers, struct err *err);

/* Passes on a priority that `from` was given since it began (RFC 9218 §7.1). */
void h2_pass_priority(struct h2_stream *from, struct h2_stream *to);

/* Resets the stream with one of RFC 9113 §7's codes. */
void h2_reset(struct h2_stream *x, uint32_t code);
enum { /* those that callers use */
	H2_NO_ERROR = 0,
	H2_PROTOCOL_ERROR = 1,
	H2_INTERNAL_ERROR = 2,
	H2_REFUSED_STREAM = 7,
	H2_CANCEL = 8,
	H2_ENHANCE_YOUR_CALM = 11,
	H2_HTTP_1_1_REQUIRED = 13,
};
/* The user is done with it; an unfinished stream is reset (NO_ERROR after a whole
 * response, else CANCEL). */
void h2_release(struct h2_stream *x);

/* Server: announces that no new streams are wanted; h2_drained() when the last ended.
 * The second call makes it final: streams begun since are refused. */
void h2_drain(struct h2 *h2);
MUST_USE bool h2_drained(const struct h2 *h2);
/* Ends the connection now, with this code. */
void h2_abort(struct h2 *h2, uint32_t code);
/* Sends a ping. False when the one before was not answered within timeout_ms. */
MUST_USE bool h2_ping(struct h2 *h2, uint64_t timeout_ms);
/* Nothing is expected for a while: gives back memory that is only there for speed. */
void h2_rest(struct h2 *h2);
/* Streams open now. */
MUST_USE uint32_t h2_open_streams(const struct h2 *h2);
/* Stable name of an error code, "NO_ERROR" and so on. */
const char *h2_code_text(uint32_t code);
