// SPDX-License-Identifier: Apache-2.0
/*
 * h1_write: serialises messages from the model (RFC 9112).
 *
 * Framing, Connection, Upgrade, TE and Host are made from the facts in the head, never
 * copied from fields; a head that a strict reader would refuse is refused here. Nothing
 * is written unless it fits: full means that the other side is not read.
 */
#pragma once

#include "base/buf.h"
#include "http/msg.h"

enum h1_wrote {
	H1_WROTE,   /* all of it is in the buf */
	H1_FULL,    /* nothing was: try again when the buf has emptied */
	H1_REFUSED, /* it cannot be written at all; *err says why */
};

struct h1_writer {
	struct http_body body; /* of the message being written */
	uint64_t left;         /* octets still owed, BODY_LENGTH */
	bool open;             /* a head was written, its end was not */
	bool old_peer; /* set by the owner: an HTTP/1.0 client; chunked becomes close */
	bool whole_url;  /* set by the owner: absolute form, for a proxy as next hop */
	bool must_close; /* the message just written ends with the connection */
};

void h1_writer_init(struct h1_writer *w);

/*
 * Writes a request (status 0) or response head. head->body is the framing; head->close
 * adds "Connection: close"; head->protocol adds "Connection: upgrade" and Upgrade;
 * head->takes_trailers adds "TE: trailers". Content-Length as a field is written only
 * where there is no body to frame but it tells something (HEAD, 304). A final head
 * opens a body, which h1_write_end() must close; a 1xx head does not.
 */
enum h1_wrote h1_write_head(struct h1_writer *w, const struct http_head *head,
	struct buf *out, struct err *err);

/* Writes as much of s as fits, and returns how much; never more than is owed. */
size_t h1_write_body(struct h1_writer *w, struct span s, struct buf *out);

/* Ends the message. trailers may be NULL; they are left out where the framing has no
 * place for them. Refused when a body of known length is short: close the connection.
 */
enum h1_wrote h1_write_end(struct h1_writer *w, const struct http_fields *trailers,
	struct buf *out, struct err *err);

/* "HTTP/1.1 100 Continue". */
enum h1_wrote h1_write_continue(struct buf *out);
