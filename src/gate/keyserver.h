// SPDX-License-Identifier: Apache-2.0
/*
 * keyserver: a listener that lets edges elsewhere use private keys of this place.
 *
 * The worker ends mutual TLS, judges the edge's certificate and its policy, and passes
 * what is allowed on to the vault, which alone has the keys:
 *
 *	edge ══ TLS ══ worker: who, which key, how often ── socket pair ── vault: signs
 *
 * Words of the configuration, their compiled form, and what a worker has of each.
 */
#pragma once

#include "conf/schema.h"
#include "keyless/server.h"

struct listen_settings;
struct settings;
struct worker;

/* Whom a row is for, and what it may. */
struct keyserver_client {
	struct conf_item item;
	struct span match;
	struct conf_texts keys;       /* SKIs, hex; none: all */
	struct conf_texts operations; /* names; none: the usual signatures */
	struct conf_texts names;      /* server names; none: any */
	uint64_t per_second;          /* 0: no limit */

	/* Compiled, in the tree's arena. */
	struct wire_mask mask;
	uint8_t *skis;
	const char **allowed;
};

/* The key of requests that name none but this server name or address. */
struct keyserver_name {
	struct conf_item item;
	struct span name;
	struct span ski; /* hex */
};

struct keyserver_settings {
	struct conf_item item;
	struct span name;
	struct span keys; /* directory of the private keys, for the vault; or empty */
	struct conf_texts tokens;  /* RFC 7512 names of more, for the vault */
	struct span passphrase;    /* path of a file, or empty */
	struct span certificate;   /* PEM of ours */
	struct span key;           /* its key; empty: in the same file */
	struct span authority;     /* PEM: who signs the edges' certificates */
	struct span crl;           /* PEM or DER, or empty */
	struct conf_item *clients; /* struct keyserver_client */
	struct conf_item *names;   /* struct keyserver_name */
	struct span seal_secret;   /* path, or empty: no seal and unseal */
	bool rsa_decrypt;
	bool sha1;
	uint64_t idle_ms;

	/* Compiled. */
	struct identity *id;   /* one reference */
	struct trust *trust;   /* owned */
	struct revoke *revoke; /* owned; or NULL */
	size_t n_clients;
};

/* For settings.c. */
extern const struct conf_table keyserver_block;

MUST_USE bool keyserver_compile(
	struct settings *s, struct keyserver_settings *k, struct conf_report *report);
void keyserver_uncompile(struct keyserver_settings *k);
/* For the vault, after all keys are there: the names that stand for some. */
MUST_USE bool keyserver_load_names(
	const struct keyserver_settings *k, struct keys *keys, struct err *err);
/* For the vault: adds the keys of its directory. ERR_FILE_READ, ERR_KEYLESS_KEY. */
MUST_USE bool keyserver_load_keys(
	const struct keyserver_settings *k, struct keys *keys, struct err *err);
/* What a client may that no row restricts. */
struct wire_mask keyserver_usual_mask(const struct keyserver_settings *k);
/* By name, or NULL. */
const struct keyserver_settings *keyserver_find(
	const struct settings *s, struct span name);

/* What one worker has for one key server. */
struct keyserver {
	struct server server;
	struct worker *w;                          /* borrowed */
	const struct keyserver_settings *settings; /* borrowed */
	struct server_policy *policies;            /* owned */
	struct profile *profile;                   /* one reference */
	struct list passed;                        /* calls that the vault has */
	struct keyserver *next;                    /* of the worker */
};

/* Opens all of the settings'. False: *err says why. */
MUST_USE bool keyserver_open_all(struct worker *w, struct err *err);
/* Before the vault's line is closed. */
void keyserver_close_all(struct worker *w);
/* Peers end when their calls are answered. */
void keyserver_drain_all(struct worker *w);
/* Whether no peer is left. */
MUST_USE bool keyserver_is_idle(const struct worker *w);
/* What bounds the connections of a listener `as keyserver`. */
struct listen_limit *keyserver_limit(struct worker *w, const struct listen_settings *l);
/* A connection of a listener `as keyserver`; takes fd. */
void keyserver_accept(struct worker *w, const struct listen_settings *l, int fd,
	const struct addr *peer);
