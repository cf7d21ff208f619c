// SPDX-License-Identifier: Apache-2.0
/*
 * issuer_priv: between the authorities and their visitors.
 */
#pragma once

#include "base/arena.h"
#include "gate/issuer.h"
#include "http/msg.h"

/* What is answered. */
struct issuer_answer {
	unsigned status;
	const char *type;         /* media type; a constant */
	struct span body;         /* in blob, in the arena, or a constant */
	struct issuer_blob *blob; /* one reference, or NULL */
	bool may_cache;
};

/* What is asked; all borrowed. */
struct issuer_ask {
	struct worker *w;
	const struct gateway *g;
	const struct http_head *request;
	struct span posted;  /* body of a POST */
	struct arena *arena; /* of the visit: for what is made up on the way */
};
void issuer_answer(const struct issuer_ask *q, struct issuer_answer *out);
void issuer_desk_open(struct worker *w);
void issuer_close_files(struct issuer *i);   /* and i itself */
void issuer_put_blob(struct issuer_blob *b); /* NULL does nothing */
