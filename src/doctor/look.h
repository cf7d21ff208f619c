// SPDX-License-Identifier: Apache-2.0
/*
 * look: whether TLS is inspected here, by whom, for which hosts.
 *
 * Each host is probed as a browser would ask it, the chain it shows is held against the
 * carried list of public roots and against this machine's store, and the hosts are held
 * against each other: one unknown issuer on unrelated names is what inspection looks
 * like, whatever the issuer calls itself.
 */
#pragma once

#include "doctor/issuer.h"
#include "doctor/probe.h"
#include "doctor/words.h"
#include "pki/trust.h"

/* Order does not matter; the sentences are in look_words.c. */
enum look_state {
	LOOK_PUBLIC,              /* a public root: not inspected */
	LOOK_BYPASSED,            /* the same, while other hosts are inspected */
	LOOK_INSPECTED,           /* and the CA is trusted here */
	LOOK_INSPECTED_UNTRUSTED, /* and the CA is not in the store */
	LOOK_PRIVATE, /* a private CA that is trusted here; one host proves nothing */
	LOOK_UNKNOWN_ROOT, /* nobody we know, not trusted here */
	LOOK_SELF_SIGNED,  /* the leaf signs itself */
	LOOK_WRONG_NAME,   /* somebody else answers */
	LOOK_DATES,        /* expired or not begun: host, gateway or clock */
	LOOK_BROKEN,       /* another fault of the chain */
	LOOK_CAPTIVE,      /* a login or block page answers */
	LOOK_REFUSED,      /* the proxy refuses */
	LOOK_FAILED,       /* the handshake broke */
	LOOK_UNREACHABLE,
	LOOK_LAUNDERED,   /* asked as bad: the gateway made it look good */
	LOOK_BAD_REFUSED, /* asked as bad: the gateway answers with a page */
	LOOK_BAD_SHOWN,   /* asked as bad: it looks as bad as it is */
	LOOK_BAD_NOT_BAD, /* asked as bad, and it is good */
	LOOK_STATES
};

enum { LOOK_NAME = 200, LOOK_HEX = 2 * CERT_HASH + 1, LOOK_LINE = 240 };

struct look_host {
	struct probe *probe; /* borrowed */
	bool bad;            /* the user says that it is broken on purpose */
	/* The result. */
	enum look_state state;
	struct verdict verdict; /* by the store, for the name */
	bool judged;            /* verdict is there */
	bool public_root;
	const struct issuer_row *product; /* or NULL */
	const struct look_host *same; /* another host with the same issuer, or NULL */
	char issuer[LOOK_NAME];       /* of the leaf */
	char root[LOOK_NAME];         /* top of the path, or the topmost issuer named */
	char root_sha256[LOOK_HEX];   /* "" when the root itself was not seen */
	char issuer_cn[LOOK_NAME];
	int64_t leaf_days;     /* lifetime */
	int64_t leaf_age_days; /* since it began */
	bool scts;             /* embedded */
	bool aia;
	bool crl;
	struct span leaf; /* DER; in the probe's chain */
};

/* What is trusted and what is public. */
struct look_lists {
	struct trust *store; /* borrowed: this machine's roots */
	/* roots that count as public; NULL: the carried list */
	const struct chain *public;
	int64_t now; /* wall seconds */
};

/* Judges hosts whose probes have ended, each alone and then all together. */
void look_judge(struct look_host *hosts, size_t n, const struct look_lists *lists);
/* The header of a later probe that talked may name the product, and shows whether a bad
 * host was answered with a page. */
void look_hear(struct look_host *h, const struct probe *talked);
void look_fini(struct look_host *h);

/* A stable word for JSON, and a sentence; %s is the product or "". */
const char *look_id(enum look_state s);
void look_sentence(const struct look_host *h, enum language l, struct text *t);
/* Whether it is something the user should act on or know. */
MUST_USE bool look_is_finding(enum look_state s);
/* Whether it says anything about the host at all. */
MUST_USE bool look_is_answer(enum look_state s);

/* What differs from what a public site shows, as one line: "no SCT; leaf of 63 days".
 */
void look_differences(const struct look_host *h, enum language l, struct text *t);
