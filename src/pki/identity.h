// SPDX-License-Identifier: Apache-2.0
/*
 * identity: what we present to a peer: a certificate chain, and who signs for it.
 *
 * The signer is a key of this process or a key elsewhere; tls/ makes an engine from
 * either and nobody above can tell. Ref-counted: the leaf cache and any number of
 * sessions hold the same one.
 */
#pragma once

#include "pki/chain.h"
#include "pki/key.h"

/* Read only for all but this file. */
struct identity {
	unsigned refs;
	X509 *leaf;            /* owned */
	STACK_OF(X509) * rest; /* owned; issuers, nearest first; may be empty */
	EVP_PKEY *key; /* owned; its private half may be elsewhere (tls/remote) */
	enum key_kind kind;
	uint8_t sha256[32]; /* of the leaf's DER */
	int64_t not_before; /* of the leaf, wall seconds */
	int64_t not_after;
	size_t cost; /* octets of memory, about: for caches */
};

/* Takes a reference of key, here or elsewhere (remote_key_new()). Refuses one that is
 * not the leaf's (ERR_PKI_IDENTITY). One reference is the caller's. */
struct identity *identity_new(
	const struct chain *chain, EVP_PKEY *key, struct err *err);
/* From a PEM file of certificates, leaf first, and one of the key (may be the same). */
struct identity *identity_load(const char *certificates, const char *key,
	struct span passphrase, struct err *err);

enum { IDENTITY_SERIAL = 48 };
/* Serial number of the leaf, upper-case hex, for events; returns dst. */
const char *identity_serial(const struct identity *id, char dst[IDENTITY_SERIAL]);

struct identity *identity_get(struct identity *id);
void identity_put(struct identity *id); /* NULL does nothing */
/* The leaf and its issuers as octets. */
MUST_USE bool identity_chain(
	const struct identity *id, struct chain *out, struct err *err);
