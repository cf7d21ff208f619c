// SPDX-License-Identifier: Apache-2.0
/*
 * h1_read: a strict HTTP/1 reader for one direction of one connection (RFC 9112).
 *
 *	for (;;) switch (h1_read(&r, &in, &head, &body, &err)) {
 *	case H1_BODY: n = …use some of body…; h1_took(&r, &in, n); …
 *
 * Bytes come in any segmentation and each is looked at once: whole lines leave `in` as
 * they are understood, so `in` need only hold the longest line, not the head. What two
 * parsers could read differently is refused (smuggling): see the tests for the list.
 *
 * A reader that failed stays failed; the connection cannot be used again. After H1_END
 * a response reader is idle: octets that come unasked fail it (ERR_HTTP_UNASKED), so a
 * pooled connection is watched by calling h1_read().
 */
#pragma once

#include "base/buf.h"
#include "http/msg.h"

enum h1_step {
	H1_MORE,     /* wants more bytes */
	H1_HEAD,     /* head is complete; told once */
	H1_INFORM,   /* a 1xx head other than 101 is complete; another head follows */
	H1_BODY,     /* body octets are at *body; give back with h1_took() */
	H1_TRAILERS, /* head->trailers is complete; told once, only if there are some */
	/* the message is over; a request reader says so until h1_next_request() */
	H1_END,
	H1_TUNNEL, /* from here on `in` is no longer HTTP; stays */
	H1_CLOSED, /* the peer ended between two messages; stays */
	H1_FAILED, /* *err says why; stays */
};

enum h1_role { H1_REQUESTS, H1_RESPONSES };

struct h1_reader {
	struct http_limits limits;
	enum h1_role role;
	enum h1_state {
		H1_S_IDLE,
		H1_S_START,
		H1_S_FIELDS,
		H1_S_BODY,
		H1_S_CHUNK_SIZE,
		H1_S_CHUNK_DATA,
		H1_S_CHUNK_END,
		H1_S_TRAILERS,
		H1_S_END,
		H1_S_TUNNEL,
		H1_S_FAILED,
	} state;
	unsigned asked;    /* enum http_method a response answers */
	bool may_switch;   /* that request asked for an upgrade */
	bool eof;          /* h1_eof() was called */
	bool blank;        /* the one empty line before a request has passed */
	uint32_t informs;  /* 1xx heads so far */
	size_t scanned;    /* bytes of `in` known to hold no line end */
	size_t head_bytes; /* of the head, or of the trailers, so far */
	uint64_t left;     /* octets of body or chunk still to come */
	struct http_body body;
	struct err err; /* when failed */
};

/* limits NULL means the defaults. A request reader is ready for the first request; a
 * response reader waits for h1_next_response(). */
void h1_reader_init(
	struct h1_reader *r, enum h1_role role, const struct http_limits *limits);

/*
 * Goes as far as the bytes allow and says why it stopped. The same *head is given from
 * the first byte of a message to its end; when a head begins (again, after 1xx) the
 * reader empties it, keeping its arena, and fills it as lines come. It is whole only on
 * H1_HEAD and H1_INFORM. head->body then says the framing.
 *
 * *body points into `in` and is valid until in changes.
 */
enum h1_step h1_read(struct h1_reader *r, struct buf *in, struct http_head *head,
	struct span *body, struct err *err);

/* The first n octets of the last *body are dealt with; drops them from in. */
void h1_took(struct h1_reader *r, struct buf *in, size_t n);

/* After H1_END: now read the next request. Bytes of a pipelined one may be in `in`
 * already. */
void h1_next_request(struct h1_reader *r);
/* A request with this method (enum http_method) was sent; now read its response. The
 * reader must be new, or at H1_END. upgrade: the request asked to switch protocols, so
 * that 101 is acceptable. */
void h1_next_response(struct h1_reader *r, unsigned method, bool upgrade);
/* The message that ended (a CONNECT or upgrade request) was accepted: what follows is
 * not HTTP. */
void h1_tunnel(struct h1_reader *r);

/* No more bytes will come, and the peer said so properly (close_notify or FIN). */
void h1_eof(struct h1_reader *r);

/* Whether the reader is between two messages and has seen nothing of a next one. */
MUST_USE bool h1_reader_idle(const struct h1_reader *r);
