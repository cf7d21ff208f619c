// SPDX-License-Identifier: Apache-2.0
/*
 * story_tls: the TLS part of a session's event: both sides, the origin's chain, what
 * was found out about it, and where one side is weaker than the other.
 *
 * A client behind a gateway sees the gateway's TLS and not the origin's; so whatever
 * it can no longer judge by itself is written down here (rubric 57).
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"

static void
copy_text(char *dst, size_t cap, const char *text)
{
	text_format(dst, cap, "%s", text ? text : "");
}

/* "CN=a.example < CN=Some CA < CN=Some Root"; the caller frees. */
static char *
chain_text(const struct verdict *v)
{
	char line[1024];
	struct text t = text_to(line, sizeof(line));
	for (size_t i = 0; i < v->n_path; i++) {
		text_add(&t, i > 0 ? " < " : "");
		cert_name_text(v->path[i]->subject, &t);
	}
	return mem_cstr(text_span(&t));
}

static void
add_word(struct text *t, const char *word)
{
	text_add(t, "%s%s", t->n > 0 ? "," : "", word);
}

/* Whether what a verdict stands on was at hand, or had to come from somewhere. */
static const char *
source_word(enum evidence_source from)
{
	switch (from) {
	case EVIDENCE_SHELF:
		return "disk";
	case EVIDENCE_NETWORK:
		return "network";
	case EVIDENCE_MEMORY:
		break;
	}
	return "memory";
}

void
story_evidence(
	struct session *s, const struct verdict *v, const struct evidence_wait *wait)
{
	static const struct {
		unsigned proof;
		const char *name;
		enum evidence_kind kind;
	} rows[] = {
		{VERDICT_BY_OCSP, "ocsp", EVIDENCE_OCSP},
		{VERDICT_BY_CRL, "crl", EVIDENCE_CRL},
		{VERDICT_BY_LEARNED, "issuer", EVIDENCE_ISSUERS},
	};
	struct text t = text_to(s->story->evidence, sizeof(s->story->evidence));

	if (v->proofs & VERDICT_BY_STAPLE)
		add_word(&t, "staple=handshake");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!(v->proofs & rows[i].proof))
			continue;
		add_word(&t, rows[i].name);
		text_add(&t, "=%s", source_word(wait->from[rows[i].kind]));
	}
	s->story->origin_status = trust_status(s->g->trust, v);
}

/* Only the first connection's: its certificate is the one the leaf was made from. */
static void
take_verdict(struct session_story *story, const struct verdict *v)
{
	story->origin_verdict = verdict_id(v->class);
	story->origin_faults = v->faults;
	story->origin_revocation = v->revocation;
	story->origin_ct = v->ct;
	if (v->n_path == 0 || story->origin_leaf)
		return;
	story->origin_leaf = cert_get(v->path[0]);
	story->origin_chain = chain_text(v);
	if (v->class == VERDICT_GOOD)
		story->origin_root = cert_get(v->path[v->n_path - 1]);
}

void
story_origin(struct session *s, const struct upstream *up)
{
	struct session_story *story = s->story;
	struct tls_facts facts;
	story->origin = up->peer;
	story->origin_reused = up->was_reused;
	if (!up->side.tls)
		return;
	tls_facts(up->side.tls, &facts);
	story->origin_version = facts.version_name;
	story->origin_number = facts.version;
	story->origin_resumed = facts.resumed;
	copy_text(story->origin_cipher, sizeof(story->origin_cipher), facts.cipher);
	copy_text(story->origin_group, sizeof(story->origin_group), facts.group);
	copy_text(story->origin_ja3, sizeof(story->origin_ja3), up->ja3);
	copy_text(story->origin_ja4, sizeof(story->origin_ja4), up->ja4);
	take_verdict(story, &up->verdict);
}

void
story_client(struct session *s)
{
	struct session_story *story = s->story;
	struct tls_facts facts;
	tls_facts(s->client.tls, &facts);
	story->client_version = facts.version_name;
	story->client_number = facts.version;
	story->client_resumed = facts.resumed;
	copy_text(story->client_cipher, sizeof(story->client_cipher), facts.cipher);
	copy_text(story->client_group, sizeof(story->client_group), facts.group);
	(void)!span_copy(story->alpn, sizeof(story->alpn), facts.alpn);
}

/* close_notify is how it should end; anything else is worth telling. */
static void
note_alert(struct session_story *story, const struct tls *tls, enum ender peer)
{
	if (!tls || story->alert > 0)
		return;
	if (tls_alert_received(tls) > 0) {
		story->alert = tls_alert_received(tls);
		story->alert_by = peer;
	} else if (tls_alert_sent(tls) > 0) {
		story->alert = tls_alert_sent(tls);
		story->alert_by = ENDER_GATEWAY;
	}
}

void
story_alerts(struct session *s)
{
	const struct upstream *up = s->own.up ? s->own.up : s->own.reach.up;
	note_alert(s->story, s->client.tls, ENDER_CLIENT);
	if (up)
		note_alert(s->story, up->side.tls, ENDER_ORIGIN);
}

/* ---- how strong */

/* Groups that join a classical exchange with a lattice (draft-ietf-tls-ecdhe-mlkem),
 * and the trial before them. */
static bool
is_hybrid(uint32_t group)
{
	return group == 0x11eb || group == 0x11ec || group == 0x11ed || group == 0x6399;
}

/* By OpenSSL's name, "X25519MLKEM768". */
static bool
is_hybrid_name(const char *group)
{
	struct span name = span_str(group);
	return span_find(name, SPAN("MLKEM")) < name.n;
}

static bool
offers_hybrid(const struct hello *h)
{
	struct read list = read_from(h->key_shares);
	while (read_more(&list)) {
		if (is_hybrid(read_be(&list, 2)))
			return true;
		(void)read_vec(&list, 2);
	}
	return false;
}

/* A client's share that nobody took is lost without its knowing: both sides agree on
 * something, and it is not what a recorder of today cannot open tomorrow. */
static const char *
hybrid_fate(const struct session *s)
{
	const struct session_story *story = s->story;
	if (!s->facts.hello || !offers_hybrid(&s->hello) || !story->client_group[0])
		return NULL;
	if (!is_hybrid_name(story->client_group))
		return "dropped by the gateway";
	if (!story->origin_group[0] || is_hybrid_name(story->origin_group))
		return "kept";
	return "dropped by the origin";
}

/* Bits of security (NIST SP 800-57 part 1, table 2). */
static unsigned
strength(enum key_family family, unsigned bits)
{
	if (family != KEY_FAMILY_RSA)
		return bits / 2;
	if (bits >= 7680)
		return 192;
	return bits >= 3072 ? 128 : bits >= 2048 ? 112 : 80;
}

static unsigned
leaf_strength(enum key_kind kind)
{
	return kind == KEY_RSA2048 ? 112 : 128; /* the other is P-256 */
}

static void
tell_keys(struct text *t, const struct session_story *story)
{
	const struct cert *origin = story->origin_leaf;
	if (!origin || !story->leaf_serial[0])
		return;
	unsigned theirs = strength(origin->family, origin->bits);
	unsigned ours = leaf_strength(story->leaf_key);
	if (ours < theirs)
		add_word(t, "client-key");
	if (theirs < ours)
		add_word(t, "origin-key");
}

/* Which side is weaker, and in what: the client knows only its own. */
static void
tell_weaker(struct event *e, const struct session *s)
{
	const struct session_story *story = s->story;
	char line[128];
	struct text t = text_to(line, sizeof(line));
	if (!story->client_version || !story->origin_version ||
		!story->client_version[0] || !story->origin_version[0])
		return;
	if (story->client_number != story->origin_number) {
		add_word(&t,
			story->client_number < story->origin_number ? "client-version"
								    : "origin-version");
	}
	tell_keys(&t, story);
	bool theirs = is_hybrid_name(story->origin_group);
	if (is_hybrid_name(story->client_group) != theirs)
		add_word(&t, theirs ? "client-group" : "origin-group");
	event_str(e, EVENT_WEAKER, text_span(&t));
}

/* ---- telling */

static void
tell_name(struct event *e, enum event_field field, struct span name)
{
	char line[512];
	struct text t = text_to(line, sizeof(line));
	cert_name_text(name, &t);
	event_str(e, field, text_span(&t));
}

static void
tell_digest(struct event *e, enum event_field field, const struct cert *c)
{
	char line[2 * CERT_HASH + 1];
	struct text t = text_to(line, sizeof(line));
	text_put_hex(&t, span_of(c->sha256, sizeof(c->sha256)), false);
	event_str(e, field, text_span(&t));
}

static void
tell_with(struct event *e, enum event_field field, const struct cert *c,
	void (*put)(const struct cert *, struct text *))
{
	char line[128];
	struct text t = text_to(line, sizeof(line));
	put(c, &t);
	event_str(e, field, text_span(&t));
}

static void
tell_certificate(struct event *e, const struct cert *leaf)
{
	char date[CLOCK_TEXT];
	if (!leaf)
		return;
	tell_name(e, EVENT_ORIGIN_SUBJECT, leaf->subject);
	tell_name(e, EVENT_ORIGIN_ISSUER, leaf->issuer);
	tell_digest(e, EVENT_ORIGIN_SHA256, leaf);
	tell_with(e, EVENT_ORIGIN_SERIAL, leaf, cert_serial_text);
	tell_with(e, EVENT_ORIGIN_KEY, leaf, cert_key_text);
	event_cstr(
		e, EVENT_ORIGIN_NOT_BEFORE, clock_text(date, leaf->not_before * 1000));
	event_cstr(e, EVENT_ORIGIN_NOT_AFTER, clock_text(date, leaf->not_after * 1000));
}

/* What the verifier found, whatever was then done about it. */
static void
tell_verdict(struct event *e, const struct session_story *story)
{
	char line[256];
	struct text t = text_to(line, sizeof(line));
	for (unsigned i = 0; i < VERDICT_COUNT; i++) {
		if (i != VERDICT_GOOD && story->origin_faults >> i & 1)
			add_word(&t, verdict_id((enum verdict_class)i));
	}
	event_cstr(e, EVENT_ORIGIN_VERDICT, story->origin_verdict);
	event_str(e, EVENT_ORIGIN_FAULTS, text_span(&t));
	event_cstr(e, EVENT_ORIGIN_REVOCATION, story->origin_revocation);
	event_cstr(e, EVENT_ORIGIN_CT, story->origin_ct);
	event_cstr(e, EVENT_EVIDENCE, story->evidence);
	event_cstr(e, EVENT_ORIGIN_CHAIN_STATUS, story->origin_status.chain);
	event_cstr(e, EVENT_ORIGIN_ROOT_STATUS, story->origin_status.root);
	event_cstr(e, EVENT_UNTRUSTED, story->untrusted);
	event_cstr(e, EVENT_ORIGIN_CHAIN, story->origin_chain);
	if (story->origin_root)
		tell_digest(e, EVENT_ORIGIN_ROOT, story->origin_root);
	if (story->fetched > 0)
		event_int(e, EVENT_FETCHED, story->fetched);
}

static void
tell_leaf(struct event *e, const struct session *s)
{
	const struct session_story *story = s->story;
	event_flag(e, EVENT_LEAF_CACHED, story->leaf_cached);
	if (!story->leaf_serial[0])
		return;
	event_cstr(e, EVENT_LEAF_SERIAL, story->leaf_serial);
	event_cstr(e, EVENT_LEAF_KEY, key_kind_name(story->leaf_key));
	event_str(e, EVENT_LEAF_ISSUER,
		story->leaf_issuer ? span_str(story->leaf_issuer)
				   : s->g->status.node_name);
}

void
story_tell_tls(struct event *e, const struct session *s)
{
	const struct session_story *story = s->story;
	event_cstr(e, EVENT_ALPN, story->alpn);
	event_cstr(e, EVENT_CLIENT_TLS, story->client_version);
	event_cstr(e, EVENT_CLIENT_CIPHER, story->client_cipher);
	event_cstr(e, EVENT_CLIENT_GROUP, story->client_group);
	event_flag(e, EVENT_CLIENT_RESUMED, story->client_resumed);
	if (story->client_version && story->client_version[0] && !story->client_resumed)
		event_cstr(e, EVENT_SIGNER, story->signer[0] ? story->signer : "here");
	event_cstr(e, EVENT_ORIGIN_TLS, story->origin_version);
	event_cstr(e, EVENT_ORIGIN_CIPHER, story->origin_cipher);
	event_cstr(e, EVENT_ORIGIN_GROUP, story->origin_group);
	event_cstr(e, EVENT_ORIGIN_JA3, story->origin_ja3);
	event_cstr(e, EVENT_ORIGIN_JA4, story->origin_ja4);
	event_flag(e, EVENT_ORIGIN_RESUMED, story->origin_resumed);
	event_flag(e, EVENT_ORIGIN_REUSED, story->origin_reused);
	event_cstr(e, EVENT_HYBRID, hybrid_fate(s));
	tell_verdict(e, story);
	tell_certificate(e, story->origin_leaf);
	tell_leaf(e, s);
	tell_weaker(e, s);
	if (story->alert >= 0) {
		event_cstr(e, EVENT_ALERT, tls_alert_name(story->alert));
		event_int(e, EVENT_ALERT_NUMBER, story->alert);
		event_cstr(e, EVENT_ALERT_BY, story_ender_name(story->alert_by));
	}
}
