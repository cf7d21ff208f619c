// SPDX-License-Identifier: Apache-2.0
/*
 * engine: TLS as a byte machine. Bytes of the wire in, bytes of the wire out, plaintext
 * beside; no socket.
 *
 *                 wire_in ──▶ ┌─────┐ ──▶ tls_read(plain)
 *      the peer               │ tls │                      our side
 *                wire_out ◀── └─────┘ ◀── tls_write(plain)
 *
 * wire_in and wire_out belong to the holder; the engine reads from the one and writes
 * to the other with no buffer between. Whenever bytes were added to wire_in, or room
 * was made in wire_out, the holder calls tls_advance() (and tls_read, tls_write) again:
 * each goes as far as the bufs allow. A full buf means wait.
 *
 * A client engine stops after the handshake in TLS_WANTS_VERDICT: it has checked that
 * the peer holds the key of the leaf it showed, and nothing else. The holder looks at
 * tls_peer_chain(), and until tls_accept() not an octet of plaintext moves.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "tls/profile.h"
#include "tls/remote.h"

struct chain;    /* pki/chain.h */
struct identity; /* pki/identity.h */
struct once;     /* tls/once.h */
struct tls;
struct tls_session; /* tls/resume.h */

enum tls_state {
	TLS_SHAKING,         /* waits for wire bytes */
	TLS_WANTS_IDENTITY,  /* server: give one with tls_present(), or tls_free() */
	TLS_WANTS_SIGNATURE, /* owner->asked() was called; no answer yet */
	TLS_WANTS_VERDICT,   /* client: tls_accept() or tls_free() */
	TLS_OPEN,
	TLS_ENDED,  /* the peer's close_notify came and all before it was read; writing
		     * still works (RFC 8446 §6.1) until tls_end() */
	TLS_FAILED, /* for good; wire_out may hold an alert to be sent */
};

/*
 * Who judges a client's certificate while the handshake still goes on, so that a bad
 * one ends it with the alert that says why (RFC 8446 §6.2). Without a judge any
 * certificate is taken, and its verdict is a fact for later.
 */
struct tls_judge {
	/* chain is as the client sent it, leaf first. 0: go on; else one of the
	 * TLS_ALERT_… for certificates. Not called when a session is resumed. */
	uint8_t (*judged)(struct tls_judge *j, const struct chain *chain);
};

/* Bufs are borrowed and outlive the engine. */
struct tls_client_spec {
	struct profile *profile; /* the engine takes its own reference */
	struct span host;        /* SNI; empty for an address */
	struct span alpn;        /* names in wire form ("\2h2\x08http/1.1"), or empty */
	struct tls_session *session; /* offered for resumption; NULL: none. Not kept */
	struct identity *identity;   /* shown if the server asks; or NULL */
	/* for an identity whose key is elsewhere; or NULL */
	struct remote_owner *owner;
	bool scts; /* ask for timestamps of transparency logs (RFC 6962 §3.3.1) */
	struct buf *wire_in;
	struct buf *wire_out;
};

enum { TLS_NO_SESSION = INT32_MAX };

struct tls_server_spec {
	struct profile *profile;
	struct identity *identity; /* NULL: TLS_WANTS_IDENTITY will come */
	struct identity *second;   /* another key type (RSA beside ECDSA), or NULL */
	struct span alpn; /* the one protocol to choose ("h2", no length), kept by the
		       * caller; empty: no ALPN. Not offered by the client: no ALPN */
	/* What sessions are bound to, PROFILE_POLICY octets; NULL: the profile's
	 * policy. A session of another binding is not resumed, the handshake is full.
	 */
	const uint8_t *binding;
	/* Seconds in which the session can be resumed; 0: as the profile says;
	 * TLS_NO_SESSION: never. Not without a timeout of the profile's. */
	uint32_t session_s;
	/* Early data (RFC 8446 §2.3) of at most so many octets is taken, once per
	 * ticket; 0: none is. What it is good for is the holder's to say:
	 * tls_is_early(). */
	uint32_t early_most;
	struct once *once;  /* borrowed; with early_most */
	struct span staple; /* OCSP response for the identity, kept by the caller; or
			       empty */
	struct remote_owner *owner;
	struct tls_judge *judge; /* borrowed; or NULL */
	struct buf *wire_in;
	struct buf *wire_out;
};

MUST_USE struct tls *tls_client_new(
	const struct tls_client_spec *spec, struct err *err);
MUST_USE struct tls *tls_server_new(
	const struct tls_server_spec *spec, struct err *err);
/* A handshake that waits for a signature is refused and unwound first; owners drop
 * their ask before. NULL is fine. */
void tls_free(struct tls *t);

/* Goes as far as the bytes allow. *err is set when the result is TLS_FAILED. */
MUST_USE enum tls_state tls_advance(struct tls *t, struct err *err);
enum tls_state tls_state(const struct tls *t); /* as of the last call */

/* Server: the engine is open, and what it has read may be a repetition, because the
 * handshake is not over. */
MUST_USE bool tls_is_early(const struct tls *t);

/* The answer to TLS_WANTS_IDENTITY. second may be NULL. */
MUST_USE bool tls_present(struct tls *t, struct identity *identity,
	struct identity *second, struct err *err);
/* The answer to TLS_WANTS_VERDICT: the chain is good for what we want. Only sessions
 * after this can be kept for resumption. */
void tls_accept(struct tls *t);

/* Decrypts into plain until either side is exhausted. Returns octets added; look at the
 * state behind a 0. */
size_t tls_read(struct tls *t, struct buf *plain);
/* Encrypts from plain until it is empty or wire_out is full; what was taken is dropped
 * from plain. Returns octets taken. */
size_t tls_write(struct tls *t, struct buf *plain);
/* Octets that are decrypted or half decrypted inside the engine: with some, tls_read()
 * can bring more without new wire bytes. */
MUST_USE bool tls_has_more(const struct tls *t);

/* Queues our close_notify; nothing can be written after. False while wire_out has no
 * room for it: try again. */
bool tls_end(struct tls *t);
/* The transport's stream ended. Without close_notify before, what follows is TLS_FAILED
 * with ERR_TLS_TRUNCATED. */
void tls_wire_ended(struct tls *t);

/* ---- facts ---- */

enum { TLS_NO_ALERT = -1 };

struct tls_facts {
	uint16_t version;         /* as on the wire */
	const char *version_name; /* "TLSv1.3"; "" before it is known */
	const char *cipher;       /* OpenSSL's name; "" before */
	const char *group; /* key agreement, "x25519"; "" if none or resumed so */
	struct span alpn;  /* agreed protocol, or empty; the engine's */
	bool resumed;
	bool early_taken;   /* server: the client's early data, if any came */
	bool early_refused; /* it offered some */
	int alert_sent;     /* number, or TLS_NO_ALERT; close_notify (0) counts */
	int alert_received;
	uint64_t wire_in;  /* octets taken from the wire, all in all */
	uint64_t wire_out; /* octets put on the wire */
};

void tls_facts(const struct tls *t, struct tls_facts *out);
/* The alerts alone: numbers, or TLS_NO_ALERT. */
int tls_alert_sent(const struct tls *t);
int tls_alert_received(const struct tls *t);
/* "unknown_ca" for 48 (RFC 8446 §6); "unassigned" for others. */
const char *tls_alert_name(int number);

/* Whether the peer showed a certificate. */
MUST_USE bool tls_has_peer(const struct tls *t);
/* Adds copies to out: leaf first, as the peer sent them; only the leaf when a server's
 * session was resumed. Nothing when the peer showed none. ERR_PKI_CHAIN when it is too
 * long to be handled. */
MUST_USE bool tls_peer_chain(const struct tls *t, struct chain *out, struct err *err);
/* The OCSP response a server stapled, or empty; valid until tls_free(). */
struct span tls_peer_staple(const struct tls *t);
/* The timestamps a server sent along (SignedCertificateTimestampList), or empty; valid
 * until tls_free(). Nobody looked into them. */
struct span tls_peer_scts(const struct tls *t);

/* A plaintext alert record, for refusing a client before there is an engine. False when
 * it does not fit. */
MUST_USE bool tls_put_alert(struct buf *wire_out, uint8_t number);
enum { /* RFC 8446 §6, those we send ourselves */
	TLS_ALERT_HANDSHAKE_FAILURE = 40,
	TLS_ALERT_BAD_CERTIFICATE = 42,
	TLS_ALERT_UNSUPPORTED_CERTIFICATE = 43,
	TLS_ALERT_CERTIFICATE_REVOKED = 44,
	TLS_ALERT_CERTIFICATE_EXPIRED = 45,
	TLS_ALERT_UNKNOWN_CA = 48,
	TLS_ALERT_DECODE_ERROR = 50,
	TLS_ALERT_ACCESS_DENIED = 49,
	TLS_ALERT_PROTOCOL_VERSION = 70,
	TLS_ALERT_INTERNAL_ERROR = 80,
	TLS_ALERT_UNRECOGNIZED_NAME = 112,
};
