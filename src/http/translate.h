// SPDX-License-Identifier: Apache-2.0
/*
 * translate: heads between the message model and HTTP/2's lists of fields (RFC 9113
 * §8.2, §8.3, RFC 8441).
 *
 * Strict on the way in, whatever the framing library let through: pseudo-fields exactly
 * once and first, names in lower case, nothing about connections, values that could not
 * break a line in HTTP/1. What the other version cannot say exactly is refused.
 */
#pragma once

#include "http/msg.h"

/* One head or trailer section as it comes, field by field. Starts zeroed. */
struct translate {
	unsigned seen;   /* pseudo-fields, a bit each */
	size_t bytes;    /* as counted by RFC 9113 §6.5.2 */
	bool regular;    /* an ordinary field has come: no pseudo-field may follow */
	unsigned crumbs; /* Cookie fields */
};

/* Takes one field, copying it into the head's arena. *head was emptied with
 * http_head_init() before the first. */
MUST_USE bool translate_field(struct translate *t, const struct http_limits *limits,
	struct http_head *head, const struct http_field *field, struct err *err);
/* The same for a trailer: goes to head->trailers. */
MUST_USE bool translate_trailer(struct translate *t, const struct http_limits *limits,
	struct http_head *head, const struct http_field *field, struct err *err);

/* The head is complete: checks it as a whole and fills the facts. ended: no body
 * follows. Cookie crumbs become one field (RFC 9113 §8.2.3). */
MUST_USE bool translate_request(
	struct translate *t, struct http_head *head, bool ended, struct err *err);
/* asked: enum http_method of the request. */
MUST_USE bool translate_response(struct translate *t, struct http_head *head,
	unsigned asked, bool ended, struct err *err);

/*
 * The list to send for a head, pseudo-fields first, into *out (an empty one, which
 * may bring an array; the arena keeps a larger one; spans are borrowed from the head).
 * A request with head->protocol must be an extended CONNECT. Names may still hold
 * capitals: the framing library lowers them.
 */
MUST_USE bool translate_out(
	const struct http_head *head, struct http_fields *out, struct err *err);
/* The trailers that may be sent. */
MUST_USE bool translate_trailers_out(
	const struct http_fields *trailers, struct http_fields *out, struct err *err);
