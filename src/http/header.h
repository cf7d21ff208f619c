// SPDX-License-Identifier: Apache-2.0
/*
 * header: values of fields that are lists, and fields that a gateway adds or takes
 * away (RFC 9110 §5.6, §7.6).
 */
#pragma once

#include "base/ip.h"
#include "http/msg.h"

/*
 * Takes the next element off the front of a comma list: without blanks around it, never
 * empty; commas inside quoted strings do not split. False at the end.
 */
MUST_USE bool header_item(struct span *rest, struct span *item);
/* Splits "name;a=b;c" of an element: what stands before the first ';', and the rest. */
struct span header_item_name(struct span item, struct span *params);
/* The next parameter; a quoted value comes without its quotes, escapes as sent. */
MUST_USE bool header_param(struct span *params, struct span *name, struct span *value);

/* Whether any field of this id lists this token, without regard to case. */
MUST_USE bool header_lists(
	const struct http_fields *f, enum http_name id, struct span token);

/*
 * Reads off a head what concerns its connection: close, protocol, takes_trailers,
 * expects_continue. Readers call it. Refuses malformed Connection and Upgrade lists.
 */
MUST_USE bool header_learn(struct http_head *head, struct err *err);

/*
 * Removes the fields that concern one connection only, and those its Connection fields
 * name; a name on the guarded list stays, whatever the peer says (framing, routing,
 * identity, security). What header_learn() took is not lost. Call before forwarding.
 */
void header_strip(struct http_head *head);

/* Adds "1.1 name" to Via, behind what is there, for the version the head came in. */
MUST_USE bool header_add_via(struct http_head *head, struct span name, struct err *err);
/* How often our name stands in Via already: a loop, unless 0. */
MUST_USE size_t header_count_via(const struct http_head *head, struct span name);

enum header_forwarded {
	HEADER_FORWARDED_REMOVE, /* of both kinds, add nothing */
	HEADER_FORWARDED_KEEP,   /* as they are */
	HEADER_FORWARDED_ADD,    /* behind what is there */
	HEADER_FORWARDED_SET,    /* only ours */
};
struct header_hop {
	struct ip client;
	struct span scheme; /* "https" */
	struct span host;   /* the authority asked for; must be a valid one */
};
/* X-Forwarded-For, -Proto, -Host and Forwarded (RFC 7239), by policy. */
MUST_USE bool header_forward(struct http_head *head, enum header_forwarded how,
	const struct header_hop *hop, struct err *err);

/* "text/html" of a Content-Type value, as sent; empty if malformed. */
struct span header_media_type(struct span value);
