// SPDX-License-Identifier: Apache-2.0
/*
 * facts: what is known about a traveller, and so what rules may ask.
 *
 * One per session, copied into each exchange, which adds its request and response. All
 * spans point into the arena of the session or of the exchange. A field of vocab.c
 * reads from here; nothing here is computed unless some rule asks for it.
 */
#pragma once

#include "base/arena.h"
#include "fact/categories.h"
#include "fact/facts_made.h"
#include "http/msg.h"
#include "net/addr.h"
#include "pki/client_cert.h"
#include "rule/field.h"
#include "tls/hello.h"

struct facts {
	struct facts_base base;
	const struct catalogue *apps; /* borrowed from the settings; may be NULL */
	const struct geo *geo;        /* the same */
	const struct categories *categories; /* the same */

	/* accept */
	struct addr client;
	struct addr server; /* the port that was connected to */
	bool tls;           /* the client's side is TLS, or will be */

	/* ask, hello */
	/* where CONNECT goes: lower case; a name or address */
	struct span connect_host;
	uint16_t port;    /* of the destination */
	struct span sni;  /* lower case, or empty */
	struct span host; /* best known name: SNI, else connect_host; later Host */
	const struct hello *hello; /* NULL: none was read */
	struct value alpn;         /* array of strings, or missing */
	struct span ja3;           /* hex; computed when a rule or an event wants it */
	struct span ja4;

	/* peer, handshake */
	struct ip origin_ip;
	struct span origin_verdict;     /* id of the class; empty: not judged */
	const struct client_cert *cert; /* NULL: no client certificate can come */
	struct span tls_version;        /* client's side, "TLSv1.3" */
	struct span tls_cipher;

	/* request, response */
	const struct http_head *request;
	struct span scheme; /* "http" or "https" */
	struct span path;
	struct span query;
	uint64_t request_id;
	const struct http_head *response;

	struct categories_hit category; /* of host */
	/* MADE_COUNT of what rules read, in an arena; NULL: they read none. Idle
	 * sessions are many, so it is not here. */
	const struct value *made;
};

/* Which costly facts some rule of a policy asks for. */
struct facts_wanted {
	bool ja3;
	bool ja4;
	uint32_t made; /* bit per enum made */
};

struct policy;
struct facts_wanted facts_wanted(const struct policy *p);

/* The ClientHello was read: sets sni, host, alpn and the fingerprints wanted. h lies in
 * the arena for as long as the facts. */
void facts_take_hello(struct facts *f, const struct hello *h,
	const struct facts_wanted *wanted, struct arena *a);
/* A request head was read: sets host and everything of the request. */
void facts_take_request(struct facts *f, const struct http_head *head,
	const struct facts_wanted *wanted, struct arena *a);
void facts_take_response(struct facts *f, const struct http_head *head,
	const struct facts_wanted *wanted, struct arena *a);
