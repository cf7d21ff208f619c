// SPDX-License-Identifier: Apache-2.0
/*
 * settings: the whole configuration, compiled.
 *
 * Made once by the master before it forks, const for everybody from then on; a reload
 * makes new settings and a new generation of workers. The tables in settings.c are what
 * can be written in a configuration file; the manual is printed from them.
 */
#pragma once

#include "conf/schema.h"
#include "gate/acts.h"
#include "gate/fleet.h"
#include "gate/mint_limits.h"
#include "gate/site.h"
#include "gate/untrusted.h"
#include "net/addr.h"
#include "page/page.h"
#include "page/page_words.h"
#include "rule/policy.h"
#include "rule/set.h"

struct ctlogs; /* pki/ct.h */
struct revoke; /* pki/revoke.h */
struct trust;  /* pki/trust.h */

/* Where clients of a proxy find the list that the vault signs. */
#define GATEWAY_CRL_URL "http://sekisho.internal/ca.crl"

/* How the destination of a connection is learned. */
struct keyserver_settings; /* gate/keyserver.h */

enum front_kind {
	FRONT_PROXY,     /* CONNECT and absolute-form requests */
	FRONT_EDGE,      /* TLS for the names of sites */
	FRONT_REDIRECT,  /* plain HTTP for the same names: sent on to https */
	FRONT_KEYSERVER, /* the key protocol, for edges elsewhere */
	FRONT_AUTHORITY, /* lists and OCSP of the managed authorities of an edge */
};

/* What is done with bytes inside CONNECT that are not TLS. */
enum non_tls_action { NON_TLS_BLOCK, NON_TLS_TUNNEL };

/* Which versions of HTTP origins are asked for where TLS lets them choose. */
enum upstream_http {
	UPSTREAM_HTTP_MIRROR, /* those that the client offers */
	UPSTREAM_HTTP_1,
	UPSTREAM_HTTP_ANY,
};

struct upstream_settings {
	int http;                /* enum upstream_http */
	struct conf_texts trust; /* "system" and files of PEM */
	int profile;             /* enum profile_level */
	int min_version;         /* as on the wire */
	uint64_t connect_ms;
	uint64_t handshake_ms;
	uint64_t answer_ms;    /* from request to response head */
	uint64_t idle_ms;      /* a connection without a request is kept so long */
	int revocation;        /* enum trust_revocation */
	struct conf_texts crl; /* files of lists */
	struct conf_texts blocked_keys;   /* SHA-256 in hex */
	bool fetch;                       /* what verifying needs and nobody sent */
	uint64_t fetch_ms;                /* a handshake waits for it no longer */
	uint64_t fetch_most;              /* octets of one CRL */
	uint64_t fetch_cache;             /* octets kept, per worker and on disk */
	struct span ct_logs;              /* path of a log list, or empty */
	int ct;                           /* enum trust_ct */
	struct conf_prefixes fetch_allow; /* not public, and yet fetched from */
	bool reuse;
	uint64_t pool; /* idle connections kept per worker */
};

struct client_settings {
	int profile; /* enum profile_level */
	int min_version;
	bool insecure_rsa_key_exchange; /* TLS 1.2 without forward secrecy, too */
	uint64_t ask_ms;                /* to say where it wants to go */
	uint64_t hello_ms;              /* to send its ClientHello */
	uint64_t handshake_ms;          /* to finish the handshake */
	uint64_t head_ms;               /* to send a request head */
	uint64_t idle_ms;               /* between requests */
	uint64_t stall_ms;   /* without any progress inside a message or tunnel */
	uint64_t session_ms; /* TLS sessions can be resumed so long */
};

/* Where a stranger may make us connect to. */
struct reach_settings {
	struct conf_texts ports;     /* of CONNECT; numbers and ranges */
	struct conf_prefixes allow;  /* exceptions from what is refused by kind */
	struct conf_prefixes refuse; /* refused although public */
};

struct forward_settings {
	bool via;
	int forwarded; /* enum header_forwarded */
	bool strip_alt_svc;
};

struct gateway {
	struct conf_item item;
	struct span name;
	struct span authority;       /* directory of the CA */
	struct span authority_token; /* RFC 7512: where its key is; or empty */
	/* a path, or "credential:NAME"; empty: none */
	struct span authority_passphrase;
	struct span crl_url;  /* that leafs name; empty: none */
	uint64_t activate_ms; /* before its node CA ends; 0: only by hand */
	uint64_t leaf_days;
	uint64_t leaf_cache; /* octets per worker */
	struct mint_limits mint;
	struct upstream_settings upstream;
	struct client_settings client;
	struct untrusted untrusted;
	struct reach_settings reach;
	struct forward_settings forward;
	int non_tls; /* enum non_tls_action */
	struct page_words pages;
	struct conf_nodes let_nodes;
	struct conf_nodes rules;
	struct site_table sites; /* of an edge only */

	/* Compiled. */
	const struct rule_let *lets;         /* with those of the top level */
	struct policy *policy;               /* owned */
	const struct catalogue *apps;        /* borrowed from the settings */
	const struct geo *geo;               /* the same; NULL without files */
	const struct categories *categories; /* the same; NULL: there are none */
	struct act *acts;      /* in the tree's arena; a rule's tag is its index */
	struct trust *trust;   /* owned */
	struct ctlogs *logs;   /* owned; NULL: none are known */
	struct revoke *lists;  /* owned; of files; NULL: there are none */
	int64_t authority_end; /* wall seconds; 0: it has none */
	uint64_t ports[65536 / 64];
	struct page_status status; /* for the page about ourselves; parts owned */
	struct page_style style;
	uint8_t policy_hash[32]; /* of all that a resumed session must agree with */
	size_t index;
};

struct listen_settings {
	struct conf_item item;
	struct conf_address address;
	int front; /* enum front_kind */
	struct span use;
	struct conf_prefixes proxy_protocol; /* peers whose PROXY header is believed */

	/* Compiled. */
	struct addr bind; /* of a path: IP_NONE, and octets that tell paths apart */
	const char *path; /* of a Unix socket, or NULL; the tree's */
	const struct gateway *gateway; /* borrowed; NULL with a key server */
	const struct keyserver_settings *keyserver; /* borrowed; or NULL */
};

struct categories_settings {
	struct conf_item item;
	struct span path; /* a directory */
	int kind;         /* enum category_kind */
};

struct list_settings {
	struct conf_item item;
	struct span name;
	struct span path;
	int format; /* enum list_format */
	struct span column;
	bool below;
};

struct event_settings {
	struct span store; /* path, or empty */
	struct span json;  /* path, "-", or empty */
	uint64_t keep_ms;
	uint64_t keep_bytes;
};

/* PKCS#11 modules, which the vault loads. */
struct pkcs11_settings {
	struct span module;      /* path, for names that do not say one; or empty */
	struct span pin;         /* path of a file, for names without one; or empty */
	struct conf_texts files; /* what modules read and write while they run */
	bool sockets;            /* modules may open some */
};

struct resolver_settings {
	struct conf_texts servers;
	struct span hosts; /* path, or empty: the system's */
	uint64_t timeout_ms;
};

struct settings {
	struct conf_tree tree; /* owns all texts below */

	uint64_t workers;            /* 0: one per core */
	int log_level;               /* enum log_level */
	struct span user;            /* to become when started as root */
	struct span data;            /* directory for what is kept */
	struct span control;         /* path of the control socket */
	struct conf_address admin;   /* where /metrics is served; port 0: nowhere */
	uint64_t connections;        /* most open client connections per worker */
	uint64_t client_connections; /* most of one client, per worker; 0: any */
	uint64_t drain_ms;
	struct event_settings events;
	struct resolver_settings resolver;
	struct pkcs11_settings pkcs11;
	struct span ticket_file; /* path of the secret nodes share, or empty */
	struct fleet_settings tickets;
	struct conf_texts geo; /* paths of MaxMind DB files */
	struct conf_nodes let_nodes;
	struct cache_settings cache;
	struct conf_item *categories; /* struct categories_settings */
	struct conf_item *lists;
	struct conf_item *listens;
	struct conf_item *gateways;   /* struct gateway */
	struct conf_item *edges;      /* struct gateway, with sites */
	struct conf_item *keyservers; /* struct keyserver_settings */
	size_t n_gateways;            /* compiled: of both kinds */
	size_t n_origins;             /* compiled: of all sites */

	/* Compiled. */
	struct lists *rule_lists;         /* owned */
	const struct rule_let *lets;      /* of the top level; in the tree's arena */
	struct catalogue *apps;           /* owned; NULL when no rule asks */
	struct categories *categories_of; /* owned; NULL: there are none */
	struct geo *geo_files;            /* owned; NULL without files */
	struct scheme scheme;
	uint8_t ticket_secret[32]; /* of the file; else made by the master once, and
				      kept through reloads */
	struct rate_table *rates;  /* held; NULL: no rule counts, or not yet */
	struct ids *ids;           /* held; TLS sessions by id; NULL: not yet */
	struct once *once;         /* held; early data that was taken; NULL: not yet */
	struct cache_store *cache_store; /* held; NULL: none is needed, or not yet */
	char *servers; /* owned; comma-joined, for the resolver; or NULL */
};

/* Reads, checks and compiles. False when *report holds errors; s needs settings_fini()
 * in any case. Reads the files that the configuration names, so it belongs in the
 * master before privileges are dropped. */
MUST_USE bool settings_load(
	struct settings *s, const char *path, struct conf_report *report);
/* The same from memory, for the demo, tests and `explain` without a file. */
MUST_USE bool settings_parse(struct settings *s, const char *name, struct span text,
	struct conf_report *report);
void settings_fini(struct settings *s);

/* The whole language of the file, for the manual and `check`. */
extern const struct conf_table settings_table;
/* The words for enum profile_level; dated ones stay what they are. */
extern const struct conf_choice settings_tls_profiles[];

/* By name, or NULL. */
const struct gateway *settings_gateway(const struct settings *s, struct span name);
/* Whether CONNECT to this port is allowed. */
MUST_USE bool gateway_port_allowed(const struct gateway *g, uint16_t port);
/* Whether this address may be connected to for a client; *err says why not. */
MUST_USE bool gateway_address_allowed(const struct gateway *g, const struct settings *s,
	const struct addr *to, struct err *err);
/* The same for what certificates point at: public addresses and `fetch-allow`. */
MUST_USE bool gateway_fetch_allowed(const struct gateway *g, const struct settings *s,
	const struct addr *to, struct err *err);
