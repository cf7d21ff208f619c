// SPDX-License-Identifier: Apache-2.0
/*
 * site: what an edge serves under which names, and what it asks of whom.
 *
 * A name is looked up once per connection: exactly, then as covered by a wildcard of
 * one label, then the default site, if there is one. Two names share connections and
 * TLS sessions only when they have the same binding: same site, same demands on
 * clients.
 */
#pragma once

#include "base/map.h"
#include "conf/schema.h"
#include "gate/site_balance.h"
#include "gate/site_cache.h"
#include "http/url.h"
#include "tls/profile.h"
#include "tls/remote.h"

struct ask_pool;
struct gateway;
struct identity;
struct loop;
struct resolver;
struct settings;
struct trust;

/* What is done with a client that asks for a name no site has, or for none. */
enum site_unknown { SITE_UNKNOWN_REJECT, SITE_UNKNOWN_DEFAULT };

/* How an origin is told of the client's certificate. */
enum site_cert_fields {
	SITE_CERT_NOTHING,
	SITE_CERT_RFC9440,    /* Client-Cert, Client-Cert-Chain */
	SITE_CERT_CLOUDFLARE, /* Cf-Client-Cert-*, cf-cert-* */
	SITE_CERT_X_SSL,      /* X-SSL-Client-*, as nginx configurations have it */
	SITE_CERT_XFCC,       /* X-Forwarded-Client-Cert, as Envoy writes it */
};

/* Who has a site's private key. */
enum site_keeper { SITE_KEPT_BY_WORKER, SITE_KEPT_BY_VAULT };

/* What a worker says to the vault (item `function`) when it means keys that nobody but
 * our own workers may use. */
#define SITE_OWN_KEYS "site"

struct site_path {
	struct conf_item item;
	struct span path;
};

struct site_certificate {
	struct conf_item item;
	struct span path;
	struct span key; /* path of the private key, or empty: in the same file; or its
			    RFC 7512 name: then it is the vault that has it */
	int keeper;      /* enum site_keeper */
	struct span staple; /* path of an OCSP answer that is kept fresh, or empty */

	/* Compiled. */
	struct remote_key where; /* of a key that is not the worker's */
	struct identity *id;     /* one reference */
};

struct site_origin {
	struct conf_item item;
	struct span url;
	uint64_t weight; /* 0: only when no other is left */

	/* Compiled. */
	struct span host; /* lower case; name or address */
	uint16_t port;
	bool tls;
	bool h2;      /* spoken without TLS, by prior knowledge */
	size_t index; /* over all origins of all edges */
};

struct site {
	struct conf_item item;
	struct span name;
	struct conf_texts also;
	struct conf_item *certificates; /* struct site_certificate */
	struct conf_item *keyless;      /* the same, with the key elsewhere */
	struct conf_item *origins;
	uint64_t hsts_ms; /* 0: no Strict-Transport-Security */
	bool hsts_subdomains;
	bool hsts_preload;
	struct span session_time; /* a duration, or empty: as the edge says */
	bool is_default;
	/* of its clients is taken, where no certificate is asked for */
	bool early_data;
	bool stapling;  /* OCSP answers are fetched and shown */
	bool keep_host; /* the origin gets the Host of the client */
	struct site_cache cache;
	struct site_balance balance;

	/* Compiled. */
	uint32_t session_s;     /* of its TLS sessions; as in tls_server_spec */
	struct identity *ecdsa; /* also Ed25519; borrowed from a certificate, or NULL */
	struct identity *rsa;   /* the same */
	struct site_origin **at; /* in the tree's arena */
	size_t n_origins;
};

/* What is asked of the clients of some names. */
struct site_clients {
	struct conf_item item;
	struct span name;
	struct conf_texts also;
	int certificate;               /* enum profile_client_cert */
	int fields;                    /* enum site_cert_fields */
	struct conf_item *authorities; /* struct site_path */
	struct conf_item *crls;        /* struct site_path */
	struct conf_item *crl_urls;    /* struct site_path: addresses */
	struct span managed; /* directory of an authority of ours; adds to both */
	int revocation;      /* enum trust_revocation */

	/* Compiled. */
	struct trust *trust;   /* owned */
	struct span *ca_names; /* DER Names, in the tree's arena */
	struct span *ca_ders;  /* the same authorities, whole */
	size_t n_ca_names;
	struct span ca_digest; /* 32 octets over the authorities, in the arena */
	struct identity *ocsp; /* one reference; answers OCSP for `managed`; or NULL */
	struct span responder; /* path of its certificate, or empty */
	size_t index;          /* within its edge */
};

/* One name that clients may ask for. */
struct site_name {
	struct map_item by_name;
	struct site_name *next; /* of all, for their end */
	struct span key;        /* lower case, in text[]; ".example" for "*.example" */
	const struct site *site;
	const struct site_clients *clients; /* NULL: nothing is asked */
	uint8_t binding[PROFILE_POLICY];
	uint8_t text[];
};

struct site_key_server {
	struct conf_item item;
	struct conf_address address;
	struct span name; /* that its certificate must have; empty: the host */
	bool padded;
	bool request_ids; /* it knows the item that carries them */
	bool legacy_c;
};

/* Where private keys are that are not here. */
struct site_keys {
	struct conf_item *servers; /* struct site_key_server */
	struct span certificate;   /* ours, PEM */
	struct span key;           /* its key; empty: in the same file */
	struct span authority;     /* PEM: who signs theirs */
	uint64_t timeout_ms;

	/* Compiled. */
	struct identity *id; /* one reference */
	struct trust *trust; /* owned */
};

/* The part of a gateway that only an edge has. */
struct site_table {
	struct conf_item *sites;
	struct conf_item *clients;
	int unknown; /* enum site_unknown */
	struct site_keys keys;

	/* Compiled. */
	bool is_edge;
	bool asks_vault;            /* for signatures: a certificate's key is there */
	struct map names;           /* struct site_name */
	struct site_name *all;      /* owned: those, and the fallback */
	struct site_name *fallback; /* for names nobody has; NULL: rejected */
	size_t n_clients;
};

/* For settings.c: the blocks `site` and `clients`, and the choices of `unknown-name`.
 */
extern const struct conf_table site_block;
extern const struct conf_table site_clients_block;
extern const struct conf_table site_keys_block;
extern const struct conf_choice site_unknown_choices[];

/* Loads certificates, keys and authorities, fills the table of names. n_origins counts
 * on over all edges. Everything found wrong is complained about. */
MUST_USE bool site_compile(struct settings *s, struct gateway *g, size_t *n_origins,
	struct conf_report *report);
void site_uncompile(struct gateway *g);
/* The block `authority-keys` of an inspecting gateway; the edge's `keys` are part of
 * site_compile(). */
MUST_USE bool site_compile_keys(
	struct settings *s, struct gateway *g, struct conf_report *report);
void site_uncompile_keys(struct gateway *g);
/* Any such block; one without servers is nothing and good. */
MUST_USE bool site_compile_key_block(
	struct site_keys *k, struct conf_place at, struct conf_report *report);
void site_uncompile_key_block(struct site_keys *k);

/* Whether the vault signs for this certificate. */
MUST_USE bool site_is_kept(const struct site_certificate *c);
/* Whether the vault has it in memory: kept there, and in no token. */
MUST_USE bool site_key_is_near(const struct site_certificate *c);
/* Whether its clients may have RSA key exchange, so that keys of its certificates which
 * are not the worker's have to decrypt. */
MUST_USE bool site_may_decrypt(const struct gateway *g);
/* Whether one of the servers is behind a Unix socket. */
MUST_USE bool site_keys_are_here(const struct site_keys *k);
/* Connections to the servers of k, which has some. Everything is borrowed. */
struct site_pool_place {
	struct loop *loop;
	struct resolver *resolver;
	struct profile *profile; /* ask_pool_profile() */
};
struct ask_pool *site_open_pool(
	const struct site_keys *k, const struct site_pool_place *at);

/* A digest of what the files of certificates, keys and authorities look like from
 * outside; differs when one was replaced. */
uint64_t site_stamp(const struct settings *s);

/* name is lower case without a closing dot; empty for a client that named none. NULL:
 * nobody's. */
const struct site_name *site_find(const struct gateway *g, struct span name);
