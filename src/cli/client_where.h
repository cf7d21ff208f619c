// SPDX-License-Identifier: Apache-2.0
/*
 * client_where: the authority for clients whose key is not in its directory.
 *
 * The file ca.where beside ca.crt says, in the words of a configuration, who signs:
 *
 *	token "pkcs11:token=office;object=clients"; module FILE; pin FILE
 *	keys { server keys.internal; certificate F; key F; authority F }; public F
 *
 * Commands may wait for an answer, so a key server is asked on a loop of its own.
 */
#pragma once

#include "gate/site.h"
#include "keyless/ask.h"
#include "net/loop.h"
#include "pki/client_ca.h"
#include "pki/token.h"

/* What ca.where says. */
struct client_where_words {
	struct span token;  /* RFC 7512 name, or empty */
	struct span module; /* paths, or empty */
	struct span pin;
	struct span public; /* for `client init` with a key on key servers */
	struct site_keys keys;
};

struct client_where {
	struct client_signer signer;
	struct conf_tree tree; /* owns the texts */
	struct client_where_words words;

	struct token_box *box; /* owned */
	struct token *token;   /* owned; NULL: key servers sign */

	struct loop loop;
	bool has_loop;
	struct resolver *resolver; /* owned */
	struct profile *profile;   /* owned */
	struct ask_pool *pool;     /* owned */
	EVP_PKEY *public;          /* owned; NULL until it is known */
	struct ask ask;
	bool came;
	uint8_t signature[KEY_SIGNATURE_MAX]; /* of the last ask */
	size_t n;
};

/* Whether DIR has such a file; then it is opened. False with *err: it has one that is
 * no good. *out is NULL without a file; else ended by client_where_close(). */
MUST_USE bool client_where_open(
	const char *dir, struct client_where **out, struct err *err);
void client_where_close(struct client_where *w); /* NULL does nothing */
/* The key's public half, for init: of the token, or of the file `public`. Borrowed.
 * NULL with *err. */
EVP_PKEY *client_where_public(struct client_where *w, struct err *err);
/* Whose signatures those of key servers must be: ca.crt's key. Takes a reference. */
void client_where_expect(struct client_where *w, EVP_PKEY *public);
