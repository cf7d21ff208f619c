// SPDX-License-Identifier: Apache-2.0
/*
 * worker: one process that carries traffic: a loop, its caches, its links.
 *
 * proc/ forks it and gives it everything it may touch: settings, open ports, a way to
 * the vault, a way to the scribe. It shares nothing with other workers. It ends when it
 * was told to drain and its last session has gone, or at once when it was stopped.
 */
#pragma once

#include "event/event.h"
#include "fact/facts.h"
#include "gate/crl.h"
#include "gate/edge.h"
#include "gate/evidence.h"
#include "gate/fleet.h"
#include "gate/issuer.h"
#include "gate/mint.h"
#include "gate/settings.h"
#include "gate/staple.h"
#include "gate/trunk.h"
#include "gate/upstream.h"
#include "gate/versions.h"
#include "keyless/line.h"
#include "net/ipc.h"
#include "net/listen.h"
#include "net/resolve.h"
#include "net/splice.h"
#include "shared/crowd.h"
#include "tls/resume.h"

/* What proc/ hands over. */
struct worker_spec {
	const struct settings *settings; /* borrowed for the worker's life */
	unsigned index;                  /* 0 … workers − 1 */
	const int *listen_fds; /* one per settings->listens, in their order; taken */
	size_t n_listen_fds;
	int vault_fd; /* stream socket to the vault's key protocol; taken */
	int event_fd; /* SOCK_SEQPACKET to the scribe; taken; -1: events go nowhere */
	struct metrics *key_metrics; /* key servers count there; NULL: by themselves */
};

/* What a gateway needs per worker. */
struct worker_gateway {
	const struct gateway *g;    /* borrowed */
	struct crl crl;             /* what our own authority took back */
	struct profile *to_clients; /* owned reference */
	struct profile *to_origins; /* owned reference */
	/* Where rules want another manner, at its index; owned references. */
	struct profile *clients_in[MANNERS];
	struct profile *origins_in[MANNERS];
	struct facts_wanted wanted;
	struct edge *edge; /* owned; NULL: no edge */
};

/* The profile for this manner, which act_tls_manners() named. */
struct profile *worker_to_clients(const struct worker_gateway *wg, struct manner m);
struct profile *worker_to_origins(const struct worker_gateway *wg, struct manner m);

struct worker_listener {
	struct listener listener;
	struct worker *w;
	const struct listen_settings *settings;
	/* Where all of its connections arrive, so that none is asked; zero when it is
	 * bound to every address. */
	struct addr local;
};

struct worker {
	struct loop loop;
	const struct settings *settings;
	unsigned index;
	struct resolver *resolver;
	struct splice_pool pipes;
	struct hello_memo *prints; /* owned */
	struct listen_limit limit;
	size_t held; /* octets of requests' bodies, by all exchanges */
	struct crowd crowd;
	struct worker_listener *listeners; /* owned */
	size_t n_listeners;
	struct worker_gateway *gateways; /* owned; by gateway->index */
	size_t n_gateways;
	struct tickets *tickets; /* owned */
	struct fleet fleet;
	struct resume_cache resumes;
	struct upstream_pool pool;
	struct trunks trunks;
	struct versions versions;
	struct mint mint;
	struct evidence evidence;
	struct ask_line vault;
	struct keyserver *keyservers; /* owned; linked by next */
	struct metrics *key_metrics;  /* borrowed; or NULL */
	struct issuers issuers;
	struct staples staples;
	struct ipc_out event_pipe;
	struct event_link events;
	struct hook each_turn;
	struct timer event_timer;
	struct list sessions;
	bool draining;
	uint64_t drain_since_ms; /* clock_now() when that began */
	struct timer drain_deadline;
	struct timer drain_fresh;
	void (*drained)(struct worker *w); /* may be NULL; the last session has gone */
};

/* The directory below `data` in which workers share what they fetched, as a C string
 * for the caller to free; NULL: there is none. */
char *worker_shelf_path(const struct settings *s);
uint64_t worker_shelf_bytes(const struct settings *s);

/* Opens everything and begins to accept. False with everything closed. */
MUST_USE bool worker_open(
	struct worker *w, const struct worker_spec *spec, struct err *err);
/* Runs until drained or stopped. */
void worker_run(struct worker *w);
/* No new connections; idle ones end now, busy ones after what they are doing; what is
 * left after drain-timeout is cut. */
void worker_drain(struct worker *w);
/* The running turn is the last. */
void worker_stop(struct worker *w);
void worker_close(struct worker *w);
/* A session has ended: for session.c. */
void worker_lost(struct worker *w);
