// SPDX-License-Identifier: Apache-2.0
/*
 * profile: an SSL_CTX with its meaning, one per role and policy.
 *
 * Made from the settings (or at a policy's first use), shared by all connections of
 * that policy, ref-counted. Never one per connection: making an SSL_CTX costs 1.2
 * million instructions, a fifth of a handshake.
 *
 * Fixed here and not negotiable: TLS 1.2 at least (but for insecure_old_versions), no
 * renegotiation, no compression, security level 2, released buffers; no early data but
 * where a server's connection takes it. No
 * groups list is written by name, so post-quantum groups appear where the system's
 * OpenSSL has them.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

/*
 * How careful a side is, dated: what is in which is looked at again each year (2026).
 *
 *	modern        TLS 1.3 alone
 *	intermediate  TLS 1.2 too, with forward secrecy and AEAD
 *	compat        and CBC and RSA key exchange, for peers that have nothing better
 */
enum profile_level { PROFILE_INTERMEDIATE, PROFILE_MODERN, PROFILE_COMPAT };

struct profile;
struct ids;     /* tls/ids.h */
struct tickets; /* tls/resume.h */

enum profile_role { PROFILE_CLIENT, PROFILE_SERVER };

enum { /* versions as on the wire */
	TLS_1_0 = 0x0301,
	TLS_1_1 = 0x0302,
	TLS_1_2 = 0x0303,
	TLS_1_3 = 0x0304,
};

/* What a server wants of its clients. A certificate that is missing or bad never ends
 * the handshake but with REQUIRE and none presented: the verdict is a fact, rules
 * decide. */
enum profile_client_cert { CLIENT_CERT_OFF, CLIENT_CERT_ASK, CLIENT_CERT_REQUIRE };

enum { PROFILE_POLICY = 32 };

/* All zero but for role is a good client, and a good server that resumes nothing. */
struct profile_spec {
	enum profile_role role;
	uint16_t min_version; /* 0: TLS 1.2 */
	uint16_t max_version; /* 0: the highest there is */
	const char
		*ciphers;   /* TLS 1.2 suites, OpenSSL's syntax; NULL: ECDHE and AEAD */
	const char *suites; /* TLS 1.3 suites; NULL: the three everybody has */
	/* TLS 1.2 RSA key exchange has no forward secrecy; adds its suites. */
	bool insecure_rsa_key_exchange;
	/* TLS 1.2 suites with CBC, for peers that have nothing better. */
	bool insecure_cbc;
	/* TLS 1.0 and 1.1 with what they have (SHA-1, CBC), beside all newer: only for
	 * a holder who looks at the version agreed on before an octet moves. */
	bool insecure_old_versions;
	/* Adds to what is set above, never takes away. */
	enum profile_level level;
	/* Sessions begun under one policy are not resumed under another: hash whatever
	 * makes them differ. A connection can be bound tighter (engine.h). */
	uint8_t policy[PROFILE_POLICY];

	/* Servers only. */
	enum profile_client_cert client_cert;
	const struct span *ca_names; /* DER Names for the CertificateRequest, or none */
	size_t n_ca_names;
	/* borrowed for the profile's life; NULL: no resumption */
	struct tickets *tickets;
	/* Where TLS 1.2 sessions without a ticket are kept, with tickets; borrowed;
	 * NULL: some, by this process alone. */
	struct ids *ids;
	uint32_t session_timeout_s; /* 0: no resumption */
};

/* Fails for a cipher list OpenSSL does not know or a version it cannot speak. */
MUST_USE struct profile *profile_new(const struct profile_spec *spec, struct err *err);
struct profile *profile_get(struct profile *p);
/* The last put frees. NULL is fine. */
void profile_put(struct profile *p);
/* Whether the library this process runs with has X25519MLKEM768 (OpenSSL 3.5), which
 * both sides then offer and prefer by themselves. */
MUST_USE bool profile_has_hybrid(void);
enum profile_role profile_role(const struct profile *p);
enum profile_client_cert profile_client_cert(const struct profile *p);
const uint8_t *profile_policy(const struct profile *p); /* PROFILE_POLICY octets */
