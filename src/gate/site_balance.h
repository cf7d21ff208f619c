// SPDX-License-Identifier: Apache-2.0
/*
 * site_balance: what a configuration says about how a site's requests are spread over
 * its origins, and how much one of them is asked to bear. The block `origins` of a
 * site.
 */
#pragma once

#include "conf/schema.h"

struct identity;
struct trust;

enum site_balance_how {
	BALANCE_LEAST,  /* of two picked at random the one with less to do */
	BALANCE_TURNS,  /* each in turn, by weight */
	BALANCE_CLIENT, /* always the same for a client address */
	BALANCE_PATH,   /* always the same for a URL */
};

/* What an origin is told of the connection before it gets a request. */
enum site_hello { HELLO_NONE, HELLO_V1, HELLO_V2 };

struct site_balance {
	int how;   /* enum site_balance_how */
	int hello; /* enum site_hello */
	uint64_t retries;
	uint64_t budget; /* percent of requests that may be retried */
	uint64_t limit;  /* requests at once per origin and worker; 0: none */
	uint64_t fails;  /* in a row, until it is left alone */
	uint64_t down_ms;
	uint64_t request_bytes;  /* body; 0: any */
	uint64_t response_bytes; /* the same */
	uint64_t held_bytes;     /* of a request's body, read before; 0: none */
	struct span check_path;  /* of health checks; empty: none */
	uint64_t check_ms;
	uint64_t check_timeout_ms;
	uint64_t connect_ms; /* of this and the next three 0: as the edge says */
	uint64_t handshake_ms;
	uint64_t answer_ms; /* from request to response head */
	uint64_t idle_ms;
	struct conf_texts trusted; /* "system" and files of PEM; none: as the edge */
	struct span certificate;   /* PEM, shown to https origins that ask; or empty */
	struct span key;           /* of it; empty: in the same file */

	/* Compiled. */
	struct identity *identity; /* one reference; or NULL */
	struct trust *trust;       /* owned; NULL: the edge's */
};

extern const struct conf_table site_balance_block;
