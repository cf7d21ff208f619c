// SPDX-License-Identifier: Apache-2.0
/*
 * hello: what a ClientHello says, before anyone answers it.
 *
 * Policy chooses inspect, bypass, block or a site from the client's first flight alone,
 * so this works on bytes: no socket, no SSL object. The hello may come over any number
 * of records and segments (a post-quantum one never fits the first segment); each octet
 * is looked at a bounded number of times however it is cut.
 *
 * Strict where two readers could see different things: a name that OpenSSL or the
 * origin would read otherwise is refused here (RFC 8446 §4.2: one extension of a type;
 * RFC 6066 §3: one host_name; trailing octets nowhere).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

enum {
	HELLO_MAX = 65536,       /* octets of the message with its 4-octet header */
	HELLO_WIRE_MAX = 131072, /* octets of the records that carry it */
	HELLO_EXTENSIONS_MAX = 128,
};

/* All spans point into the message; see hello_peek() and hello_keep() for its life. */
struct hello {
	struct span message;      /* whole, with the 4-octet handshake header */
	struct span random;       /* 32 octets */
	struct span session_id;   /* 0 to 32 octets */
	struct span ciphers;      /* 2 octets each, in the client's order */
	struct span compressions; /* 1 octet each */
	struct span extensions;   /* type, length, body: as sent; empty when absent */
	struct span host;         /* SNI host_name as sent, checked; or empty */
	struct span alpn;         /* ProtocolNameList body, names of 1 octet or more */
	struct span versions;     /* supported_versions, 2 octets each; or empty */
	struct span groups;       /* supported_groups, 2 octets each */
	struct span points;       /* ec_point_formats, 1 octet each */
	struct span sigalgs;      /* signature_algorithms, 2 octets each */
	struct span key_shares;   /* client_shares: group, length, key */
	uint16_t legacy_version;
	uint16_t record_version; /* of the first record */
	uint16_t version_max;    /* highest offered that is not GREASE */
	uint16_t n_extensions;
	bool has_sni;    /* the extension is there */
	bool has_ech;    /* encrypted_client_hello, real or GREASE: it looks alike */
	bool has_psk;    /* pre_shared_key: wants to resume, TLS 1.3 */
	bool has_ticket; /* session_ticket with content: wants to resume, TLS 1.2 */
	bool has_early_data; /* sends 0-RTT */
	bool has_status;     /* status_request: takes a stapled OCSP answer */
	bool has_delegated;  /* delegated_credential (RFC 9345) */
};

enum hello_turn {
	HELLO_WANTS_MORE,
	HELLO_READY,
	HELLO_NOT_TLS, /* the first octets are no TLS handshake record */
	HELLO_BAD,     /* it is TLS, and malformed or over a limit; *err says how */
};

/* How far the peeking has come. All zero to begin. */
struct hello_peek {
	size_t done;     /* octets of whole records already looked at */
	size_t n;        /* octets of message found so far */
	size_t cap;      /* of joined */
	uint8_t *joined; /* owned; NULL while one record holds the message */
};

/*
 * Looks at all bytes that came so far; nothing is consumed, since the TLS engine reads
 * the same bytes again. `wire` is the same stream at each call, only longer. On
 * HELLO_READY *out points into wire (and is valid as long as those octets stay where
 * they are) or, when the message came in several records, into k.
 */
MUST_USE enum hello_turn hello_peek(
	struct hello_peek *k, struct span wire, struct hello *out, struct err *err);
void hello_peek_fini(struct hello_peek *k);

/* Reads one whole message, with its 4-octet header. On failure *out is untouched. */
MUST_USE bool hello_parse(struct span message, struct hello *out, struct err *err);

/* Copies the message into the arena and points h there. The arena has room (at most
 * HELLO_MAX), the caller asked. */
void hello_keep(struct hello *h, struct arena *a);

/* Whether the client offered this protocol, e.g. SPAN("h2"). */
MUST_USE bool hello_offers(const struct hello *h, struct span proto);
/* The next protocol name: *rest starts as h->alpn. */
MUST_USE bool hello_next_alpn(struct span *rest, struct span *name);
/* Whether a list of 2-octet values holds v. */
MUST_USE bool hello_has(struct span list, uint16_t v);
/* GREASE values are 0x?A?A (RFC 8701): said by clients to be ignored. */
MUST_USE bool hello_is_grease(uint16_t v);
/* Whether a leaf with an ECDSA P-256 key serves this client, in the version it will get
 * from us; if not, it needs RSA. */
MUST_USE bool hello_takes_ecdsa(const struct hello *h);
MUST_USE bool hello_takes_rsa(const struct hello *h);

/* ---- fingerprints and the fields of rules made from them; computed when asked ---- */

enum {
	HELLO_JA3 = 33,  /* 32 hex digits and NUL */
	HELLO_JA4 = 37,  /* "t13d1516h2_8daaf6152771_b186095e22b6" and NUL */
	HELLO_SHA1 = 29, /* base64 of 20 octets and NUL */
};

struct text;

/* The text whose MD5 is JA3: decimal values, GREASE left out. It may be long; a cut
 * shows in t. */
void hello_ja3_text(const struct hello *h, struct text *t);
/* MD5 of that text, lower-case hex. Returns dst. */
const char *hello_ja3(const struct hello *h, char dst[HELLO_JA3]);
/* JA4 of a TCP client. Returns dst. */
const char *hello_ja4(const struct hello *h, char dst[HELLO_JA4]);
/* cf.tls_ciphers_sha1: base64 of SHA-1 over the cipher suite octets. Returns dst. */
const char *hello_ciphers_sha1(const struct hello *h, char dst[HELLO_SHA1]);
/* cf.tls_client_extensions_sha1 and _le: over the extension types in the client's
 * order, each big-endian or little-endian. Returns dst. */
const char *hello_extensions_sha1(
	const struct hello *h, bool little_endian, char dst[HELLO_SHA1]);
