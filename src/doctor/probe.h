// SPDX-License-Identifier: Apache-2.0
/*
 * probe: what a host shows to a client like a browser: one TLS handshake, perhaps one
 * HEAD request, and everything worth knowing of them.
 *
 * A probe trusts nothing and refuses nothing; judging is look's. Through a proxy it
 * asks with CONNECT first. Many run at once on one loop, under one deadline.
 */
#pragma once

#include "base/err.h"
#include "doctor/proxy.h"
#include "net/dial.h"
#include "net/io.h"
#include "net/resolve.h"
#include "pki/chain.h"
#include "tls/engine.h"

enum probe_end {
	PROBE_LATE,      /* nothing decisive within the deadline */
	PROBE_NO_NAME,   /* the name, or the proxy's, has no address */
	PROBE_NO_ROUTE,  /* no connection */
	PROBE_PROXY,     /* the proxy refused; status */
	PROBE_PLAIN,     /* plain text came back; status when it is HTTP */
	PROBE_HANDSHAKE, /* the handshake failed; err */
	PROBE_SHOWN,     /* a chain was shown */
};

enum {
	PROBE_HOST = 256,
	PROBE_HEAD = 8192, /* octets of a response's head that are looked at */
	PROBES = 64,       /* in one call */
};

struct probe {
	/* Set by the caller. */
	char host[PROBE_HOST];
	uint16_t port;
	struct proxy proxy; /* host "" for the direct path */
	bool talks;         /* HTTP/1.1 alone is offered, and HEAD / asked */
	/* The result. */
	enum probe_end end;
	struct err err; /* what went wrong, or empty */
	char version[16];
	char cipher[64];
	char group[32];
	char alpn[16];
	struct chain chain;    /* as shown */
	bool staple;           /* an OCSP answer came along */
	int alert;             /* received; TLS_NO_ALERT */
	int status;            /* of the HTTP answer or of the proxy's; 0: none */
	char head[PROBE_HEAD]; /* the answer's head as text, or "" */
	/* Private. */
	struct probes *all;
	struct resolve resolve;
	struct dial dial;
	struct io io;
	struct tls *tls;
	struct buf plain_in;
	struct buf plain_out;
	bool open; /* io is */
	bool over;
	bool tunnel; /* the proxy has connected us */
};

/* Runs all until each has an end or deadline_ms (of clock_now()) has come. What came so
 * far stays in a late one. False with *err only if nothing could be started at all. */
MUST_USE bool probe_all(
	struct probe *const *list, size_t n, uint64_t deadline_ms, struct err *err);
/* Frees what a probe learned. */
void probe_fini(struct probe *p);

/* The value of a field in the answer's head, without case; empty when absent. Points
 * into p->head. */
struct span probe_field(const struct probe *p, struct span name);
