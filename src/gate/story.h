// SPDX-License-Identifier: Apache-2.0
/*
 * story: what the event of a session will tell: facts that no stage needs again.
 */
#pragma once

#include "base/err.h"
#include "event/event.h"
#include "gate/session.h"
#include "pki/cert.h"
#include "tls/hello.h"

struct session_story {
	uint64_t id;
	int64_t wall_ms;
	uint64_t began_us;
	uint64_t stage_us;            /* the stage now running began */
	uint64_t stages[STAGE_COUNT]; /* spent in each, µs */
	struct reach_times reach;
	uint64_t mint_us;
	uint64_t mint_asked_us; /* clock_us(); 0: no leaf was needed */
	enum ender ender;
	enum stage ended_in;
	struct err err;
	const char *action; /* inspect, bypass, block, plain, … */
	struct addr origin;
	bool origin_reused;
	bool origin_resumed;
	const char *origin_version;
	char origin_cipher[48];
	char origin_group[24];
	uint16_t origin_number; /* its version as on the wire */
	char origin_ja3[HELLO_JA3];
	char origin_ja4[HELLO_JA4];
	const char *origin_verdict;
	uint32_t origin_faults;        /* as in the verdict */
	const char *origin_revocation; /* a constant of pki/, as the next */
	const char *origin_ct;
	struct trust_status origin_status;
	char evidence[64];     /* as in the event */
	uint64_t sign_us;      /* waiting for signatures from elsewhere */
	char signer[64];       /* where; "" for here */
	const char *untrusted; /* what was done about the verdict, or NULL */
	unsigned fetched;
	struct cert *origin_leaf; /* owned reference, or NULL */
	struct cert *origin_root; /* the same; of a good chain only */
	char *origin_chain;       /* owned; names, leaf first; or NULL */
	char leaf_serial[48];     /* of what the client was shown */
	enum key_kind leaf_key;
	const char *leaf_issuer; /* a constant; NULL: the node CA */
	bool leaf_cached;
	bool client_resumed;
	const char *client_version;
	uint16_t client_number;
	char client_cipher[48];
	char client_group[24];
	char alpn[16];
	int alert; /* TLS_NO_ALERT, or its number */
	enum ender alert_by;
	uint64_t requests;
	uint64_t bytes_up;
	uint64_t bytes_down;
};

struct session_story *story_new(void);
void story_free(struct session_story *story);

/* The stage now running ends here. */
void story_stage(struct session *s);
/* Takes over what the connection to the origin tells, once it stands. */
void story_origin(struct session *s, const struct upstream *up);
/* What the origin's verdict stands on, and where that came from. */
struct evidence_wait;
void story_evidence(
	struct session *s, const struct verdict *v, const struct evidence_wait *wait);
/* The same of the client's handshake. */
void story_client(struct session *s);
/* The alert that ended it, if one did. */
void story_alerts(struct session *s);
/* Sets the TLS fields of the session's event: story_tls.c. */
void story_tell_tls(struct event *e, const struct session *s);
/* "client", "origin", "gateway", or NULL. */
const char *story_ender_name(enum ender who);
/* Emits the session's event. */
void story_tell(const struct session *s);
/* Sets what sessions and requests have in common: rule, verdicts, labels, dry run. */
void story_verdicts(
	struct event *e, const struct gateway *g, const struct verdict_record *v);
