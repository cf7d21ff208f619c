// SPDX-License-Identifier: Apache-2.0
/*
 * vault_priv: what a vault has, for its files: vault.c is its life, vault_mint.c makes
 * leafs, vault_crl.c lists, vault_sign.c has them signed elsewhere, vault_keys.c holds
 * the keys that sign for key servers and sites.
 */
#pragma once

#include "base/lru.h"
#include "gate/mint_limits.h"
#include "keyless/line.h"
#include "net/resolve.h"
#include "pki/leaf.h"
#include "pki/seal.h"
#include "pki/token.h"
#include "proc/child_priv.h"

struct ask_pool;
struct profile;
struct site_keys;

struct known_authority {
	struct known_authority *next;
	struct span dir;                  /* the settings' */
	const struct mint_limits *limits; /* the settings' */
	struct span passphrase;           /* where that of node.key is; the settings' */
	struct authority *authority;      /* owned */
	/* Its key is on key servers: authority->key is a stand-in. */
	const struct site_keys *keys; /* borrowed; NULL: the key is here */
	struct ask_pool *pool;        /* owned */
	/* It is in a PKCS#11 token; the vault's own store has it under `ski`. */
	struct span token; /* its name; the settings' */
	struct span crl;   /* owned; as signed at crl_at, clock_now() */
	uint64_t crl_at;
	uint8_t ski[KEY_SKI];
};

/* What one key server of the configuration serves: no edge of one reaches the keys of
 * another. */
struct known_server {
	struct known_server *next;
	struct span name; /* the settings' */
	struct keys keys;
	struct seal seal;
	bool seals; /* it has a secret for that */
};

/* A key in a token, before it is open: its PIN is read while files can be. */
struct vault_token {
	struct vault_token *next;
	struct span name;  /* RFC 7512; the settings' */
	struct keys *into; /* the store it goes to */
	bool decrypt;      /* as into->decrypt was when it was wanted */
	char pin[TOKEN_PIN_MAX];
};

struct vault {
	struct answer_desk desk;
	struct loop loop;
	struct leash leash;
	struct answer_client workers; /* what any worker may ask */
	struct known_authority *authorities;
	struct leafkeys leafkeys;
	struct known_server *served; /* owned; what key servers serve */
	struct keys own;             /* what only our own workers may use */
	struct keys days;            /* the key of session tickets, alone */
	struct keys ca;              /* what signs leafs, and nobody else's words */
	struct vault_token *wanted;  /* owned; until the tokens are open */
	struct token_box *box;       /* owned; NULL without tokens */
	char pin[TOKEN_PIN_MAX];   /* for names without one; wiped once they are open */
	struct resolver *resolver; /* owned; NULL: no key is elsewhere */
	struct profile *tunnel;    /* the same */
	bool asks_here;            /* a key server is behind a Unix socket */
	struct lru minted;
	struct timer renew;
	struct list lines;
	bool ending; /* stops with the last line */
};

/* A worker's. */
struct vault_line {
	struct answer_line line;
	struct vault *vault;
	struct mint_budget budget;
	struct list in;
	struct corpse corpse;
};

struct vault *vault_of(const struct answer_call *c);

/* ---- vault_mint.c ---- */

/* Of this directory; NULL when no gateway has it. */
struct known_authority *vault_find_authority(const struct vault *v, struct span dir);

/* Reads the authorities of all gateways; before files go out of reach. */
MUST_USE bool vault_load_authorities(
	struct vault *v, const struct settings *s, struct err *err);
/* Reaches for keys elsewhere: after the process has become what it will be. */
void vault_open_pools(struct vault *v);
/* Forgets what was minted: the leaf keys are new. */
void vault_forget_minted(struct vault *v);
void vault_mint_init(struct vault *v);
void vault_mint_fini(struct vault *v);
void vault_run_mint(struct answer_call *c);
void vault_run_chain(struct answer_call *c);

enum {
	/* LEAF_NAMES names of 253 octets with their heads, twice the node's chain. */
	VAULT_LEAF_MOST = 45000,
	VAULT_CHAIN_MOST = 6000, /* the node CA and what is above it */
};

/* ---- vault_crl.c ---- */

void vault_run_crl(struct answer_call *c);

/* ---- vault_sign.c ---- */

/* What becomes of it; exactly one is called, once. */
struct vault_signed {
	/* der is done()'s to free. */
	void (*done)(struct answer_call *c, struct known_authority *k, struct span der);
	void (*refused)(struct answer_call *c, const struct err *why);
};
/* Whether its key is not in a file. */
MUST_USE bool vault_signs_elsewhere(const struct known_authority *k);
/* Has a certificate or list of a stand-in's signature signed by the authority's own key
 * (pki/resign.h); then->… may be called before this returns. der is taken over. */
void vault_sign(struct answer_call *c, struct known_authority *k, struct span der,
	const struct vault_signed *then);

/* ---- vault_keys.c ---- */

/* What can be read from files: keys, seals, PINs. */
MUST_USE bool vault_load_keys(
	struct vault *v, const struct settings *s, struct err *err);
/* Loads modules and logs in, as the user the process has become. Then every key that a
 * site or an authority needs must be there. */
MUST_USE bool vault_open_tokens(
	struct vault *v, const struct settings *s, struct err *err);
void vault_keys_init(struct vault *v);
void vault_keys_fini(struct vault *v);
/* Which store a request means. */
struct keys *vault_store(struct answer_door *d, const struct wire_msg *req);
void vault_run_seal(struct answer_call *c);
void vault_run_unseal(struct answer_call *c);
void vault_run_daykey(struct answer_call *c);
