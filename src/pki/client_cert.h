// SPDX-License-Identifier: Apache-2.0
/*
 * client_cert: a client's certificate in the words that rules and origins know it by.
 *
 * All texts are made once, when the handshake is over, from what the client showed and
 * the verdict on it; they are set whether or not it is good. An origin behind TLS
 * termination sees the certificate only through these.
 */
#pragma once

#include "base/arena.h"
#include "pki/trust.h"

enum client_cert_text {
	CLIENT_CERT_SUBJECT, /* RFC 2253: "CN=a,O=b" */
	CLIENT_CERT_ISSUER,
	CLIENT_CERT_SUBJECT_LEGACY, /* "/O=b/CN=a" */
	CLIENT_CERT_ISSUER_LEGACY,
	CLIENT_CERT_SERIAL, /* upper-case hex */
	CLIENT_CERT_ISSUER_SERIAL,
	CLIENT_CERT_SHA256, /* lower-case hex, of the DER */
	CLIENT_CERT_SHA1,
	CLIENT_CERT_NOT_BEFORE, /* "Mar 21 13:35:00 2022 GMT" */
	CLIENT_CERT_NOT_AFTER,
	CLIENT_CERT_SKI, /* upper-case hex */
	CLIENT_CERT_ISSUER_SKI,
	CLIENT_CERT_RFC9440, /* ":base64:"; empty when too large */
	CLIENT_CERT_CHAIN_RFC9440,
	CLIENT_CERT_TEXTS
};

enum {
	CLIENT_CERT_ROOM = 96 * 1024, /* octets of arena needed, at most */
	CLIENT_CERT_RFC9440_MAX =
		10 * 1024, /* of the text; a longer one is not given */
	CLIENT_CERT_CHAIN_MAX = 16 * 1024,
};

struct client_cert {
	bool presented;
	bool verified; /* chain, use and dates are good; stays true when revoked */
	bool revoked;
	bool rfc9440_too_large;
	bool chain_too_large;
	struct span text[CLIENT_CERT_TEXTS]; /* in the arena; empty: none */
};

/* Sets verified and revoked from a verdict; for a verdict that changed meanwhile. */
void client_cert_judge(struct client_cert *c, const struct verdict *v);

/*
 * Fills *out from what the client showed (leaf first; empty: nothing presented) and the
 * verdict, which may be NULL: not judged, so not verified. The arena has
 * CLIENT_CERT_ROOM. False with *err when the leaf cannot be read.
 */
MUST_USE bool client_cert_describe(struct client_cert *out, const struct chain *chain,
	const struct verdict *v, struct arena *a, struct err *err);
