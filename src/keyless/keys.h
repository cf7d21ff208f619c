// SPDX-License-Identifier: Apache-2.0
/*
 * keys: the private keys this process holds, found by what a request names them.
 *
 * By SKI (SHA-1 of the public key), by the legacy digest, by certificate id, and, where
 * the operator wrote a map, by server name. Only the vault and the key server have a
 * store; crypto here blocks, and that is what those processes are for.
 */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "keyless/wire.h"

struct evp_pkey_st; /* OpenSSL's */
struct key;         /* pki/key.h */
struct key_job;     /* pki/key.h */
struct signer;      /* pki/signer.h */
struct token;       /* pki/token.h */

struct keys_entry {
	struct map_item by_ski;
	struct map_item by_digest; /* RSA and EC only */
	struct map_item by_id;     /* when it has an id */
	struct map_item by_source; /* when no other came from there */
	struct list all;
	struct key *key;       /* owned; has the private half, unless a token does */
	struct signer *signer; /* owned */
	struct token *token;   /* owned; or NULL: it signs instead of the signer */
	uint8_t type;          /* enum wire_key */
	uint16_t bits;
	uint8_t ski[WIRE_SKI];
	uint8_t digest[WIRE_DIGEST];
	bool has_digest;
	bool decrypt;       /* the raw RSA operation is allowed with it */
	bool stale;         /* found missing by a reload that is going on */
	char *id;           /* owned: certificate id or file name without ".pem" */
	char *source;       /* owned: path, for people */
	uint64_t uses;      /* operations performed */
	int64_t changed_ns; /* of the file, wall */
};

struct keys {
	struct map by_ski;
	struct map by_digest;
	struct map by_id;
	struct map by_source;
	struct map refused; /* files that were no use, as they are now */
	struct map by_name; /* server name → SKI, operator's map */
	struct list all;
	size_t n;
	char *dir;        /* owned; NULL without a directory */
	char *passphrase; /* owned; for encrypted PEM; wiped */
	bool decrypt;     /* allow the raw RSA operation with RSA keys of dir */
};

void keys_init(struct keys *k);
/* Wipes and frees all. */
void keys_fini(struct keys *k);

/* Takes the key over. id may be NULL; source says where it came from. False for a type
 * or size we do not serve (RSA under 2048 bits, a curve other than P-256/384/521), or
 * when it is there already. */
MUST_USE bool keys_add(struct keys *k, struct key *key, const char *id,
	const char *source, struct err *err);
/* The same for a key in a PKCS#11 token. Its source is "token", and it stays at a
 * reload. */
MUST_USE bool keys_add_token(struct keys *k, struct token *token, struct err *err);
/* Adds one file of PEM (PKCS#8, PKCS#1, SEC1; plain or encrypted). Refused when group
 * or others can read it. */
MUST_USE bool keys_add_file(struct keys *k, const char *path, struct err *err);
/* Adds every *.pem and *.key of a directory and remembers it for keys_reload(). A bad
 * file fails the first load. */
MUST_USE bool keys_add_dir(struct keys *k, const char *dir, struct err *err);
/* Forgets directory and passphrase, not the keys: another directory may be added, and
 * this one is not followed. */
void keys_seal_dir(struct keys *k);
/* Looks at the directory again: new and changed files come in, missing ones go. A file
 * that is bad is logged and leaves what it was before. Returns changes made. */
size_t keys_reload(struct keys *k);
/* A server name, or an address as text, of the operator's map; the key must be there.
 */
MUST_USE bool keys_name(
	struct keys *k, struct span name, struct span ski, struct err *err);

/* The key a request means: SKI; else digest; else certificate id; else, only where a
 * map was written, the server name, or the address that was connected to. NULL when
 * there is none. */
struct keys_entry *keys_find(const struct keys *k, const struct wire_msg *req);
struct keys_entry *keys_by_ski(const struct keys *k, struct span ski);

enum { KEYS_RESULT_MAX = 1024 };

/*
 * Performs a signing or decrypt operation. Refuses an opcode that does not fit the key,
 * a payload that does not fit the opcode, and RSA decrypt where it is not allowed.
 * out has KEYS_RESULT_MAX octets. Returns WIRE_OK, WIRE_CRYPTO or WIRE_BAD_OP.
 */
enum wire_error keys_perform(
	struct keys_entry *e, uint8_t op, struct span payload, uint8_t *out, size_t *n);

/* The operation that does this job with a key of this type, or WIRE_NO_OP. */
uint8_t keys_op_for(const struct evp_pkey_st *key, const struct key_job *job);

/* Whether `signature` is what a signing operation on this payload gives, by the public
 * half. */
MUST_USE bool keys_verify(struct evp_pkey_st *pub, uint8_t op, struct span payload,
	struct span signature);
