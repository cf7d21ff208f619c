// SPDX-License-Identifier: Apache-2.0
/*
 * remote: a private key that lives elsewhere.
 *
 * To OpenSSL it is a key like any other; when a handshake wants a signature from it,
 * the handshake's fibre pauses and the owner of the connection is given a `struct
 * remote_ask` to have answered: in this turn or seconds later, by another process or
 * another continent. Ten thousand may wait at once; no worker ever does.
 *
 *      tls_advance() ── TLS_WANTS_SIGNATURE, owner->asked(ask) was called
 *           … the answer comes: remote_answer(ask, bytes) or remote_refuse(ask) …
 *      tls_advance() ── goes on
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

/* From pki and OpenSSL; opaque here. */
struct evp_pkey_st;
struct x509_st;

enum {
	REMOTE_SKI = 20,
	REMOTE_ANSWER_MAX = 1024, /* octets of the largest signature: RSA 8192 */
};

/* Which key: embedded by whoever knows where it lives (a site, the vault's link). Must
 * outlive every key made from it. */
struct remote_key {
	/* SHA-1 of the public key's bits (RFC 5280 §4.2.1.2) */
	uint8_t ski[REMOTE_SKI];
	/* RSA key exchange is allowed; off unless the operator asks */
	bool rsa_decrypt;
};

/* Values are the opcodes of the key protocol (keyless/wire.h). The name is the scheme
 * and the hash whose digest `input` is. */
enum remote_op {
	REMOTE_RSA_DECRYPT =
		0x01, /* raw: input and answer are as long as the modulus */
	REMOTE_RSA_SHA1 = 0x03,
	REMOTE_RSA_SHA224 = 0x04,
	REMOTE_RSA_SHA256 = 0x05,
	REMOTE_RSA_SHA384 = 0x06,
	REMOTE_RSA_SHA512 = 0x07,
	REMOTE_ECDSA_SHA1 = 0x13,
	REMOTE_ECDSA_SHA224 = 0x14,
	REMOTE_ECDSA_SHA256 = 0x15,
	REMOTE_ECDSA_SHA384 = 0x16,
	REMOTE_ECDSA_SHA512 = 0x17,
	REMOTE_ED25519 = 0x18, /* input is the whole message */
	REMOTE_PSS_SHA256 = 0x35,
	REMOTE_PSS_SHA384 = 0x36,
	REMOTE_PSS_SHA512 = 0x37,
};

/* One question. It lives on the paused fibre's stack: valid from asked() until it is
 * answered or refused and tls_advance() called, or until tls_free(). */
struct remote_ask {
	const struct remote_key *key;
	enum remote_op op;
	struct span input; /* digest, message or ciphertext; lives as long as the ask */

	/* remote's own. */
	enum {
		REMOTE_WAITING,
		REMOTE_ANSWERED,
		REMOTE_REFUSED,
		REMOTE_LIED,
	} state;
	struct evp_pkey_st *public; /* borrowed: what the answer must verify with */
	uint8_t *answer;
	size_t n;
	size_t cap;
};

/* Embedded by the owner of connections whose keys are elsewhere. */
struct remote_owner {
	/* Called from inside tls_advance(), at most once at a time per connection, on
	 * the fibre's small stack: note the ask, send the request, nothing deep. */
	void (*asked)(struct remote_owner *o, struct remote_ask *ask);
};

/*
 * The answer has come. It is held against the public key first: a wrong signature of a
 * faulty RSA device gives the key away to whoever sees it, so none leaves this process;
 * the handshake ends with ERR_TLS_REMOTE_LIED. After either call: tls_advance().
 */
void remote_answer(struct remote_ask *ask, struct span answer);
/* The same from a process of this very program that has the key in memory: a signature
 * with an elliptic curve is believed, as one made here is. RSA is not, see above; to
 * check it costs little. */
void remote_answer_near(struct remote_ask *ask, struct span answer);
/* There will be none: late, refused, no route. The handshake fails with an alert. */
void remote_refuse(struct remote_ask *ask);

/*
 * A private key for this leaf whose private half is elsewhere: pass it, with the chain,
 * to identity_new(). key is borrowed for its life. Fails for key types the protocol has
 * no operation for (only RSA, EC on P-256/384/521, Ed25519). key->ski is filled in.
 */
MUST_USE struct evp_pkey_st *remote_key_new(
	struct x509_st *leaf, struct remote_key *key, struct err *err);

/* Before the first handshake, once per process: how many may wait at a time, each with
 * a stack of 32 KiB of which 13 are touched; beyond it handshakes fail at once. Without
 * the call there is no limit; the first call counts. */
MUST_USE bool remote_setup(size_t max_waiting, struct err *err);
/* At the worker's exit, when no key made here is left. */
void remote_end(void);
