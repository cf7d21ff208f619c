// SPDX-License-Identifier: Apache-2.0
/*
 * body: how the end of a message is known (RFC 9112 §6.3, RFC 9113 §8.1).
 *
 * The same four facts for every version. In HTTP/2 a body without content-length is
 * BODY_CHUNKED: its length is unknown, its end is told.
 */
#pragma once

#include "base/err.h"

enum body_kind {
	BODY_NONE,    /* there is none, and no field says so */
	BODY_LENGTH,  /* exactly `length` octets, perhaps 0 */
	BODY_CHUNKED, /* unknown length; the end is marked and may carry trailers */
	BODY_CLOSE,   /* a response that ends with the connection; HTTP/1 only */
};

struct http_body {
	enum body_kind kind;
	uint64_t length; /* BODY_LENGTH only */
};

struct http_head;

/*
 * Decides from the fields of a head read as HTTP/1. Refuses every framing that two
 * readers could understand differently: Content-Length beside Transfer-Encoding, a
 * length given twice or as a list, any coding but a single "chunked", any coding in
 * HTTP/1.0.
 */
MUST_USE bool body_of_request(
	const struct http_head *head, struct http_body *out, struct err *err);

/*
 * The same for a response; asked is the method it answers (enum http_method). HEAD,
 * 1xx, 204, 304 and 2xx to CONNECT have none, whatever the fields say. *doubt is set
 * when the fields of such a response promise octets that must not follow: its
 * connection must not be used again.
 */
MUST_USE bool body_of_response(const struct http_head *head, unsigned asked,
	struct http_body *out, bool *doubt, struct err *err);

/* Digits only, below 2^63 (RFC 9110 §8.6). */
MUST_USE bool body_length_parse(struct span s, uint64_t *out);
