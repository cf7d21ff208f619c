// SPDX-License-Identifier: Apache-2.0
/*
 * stage_present: the client is shown a certificate: a leaf minted from what the origin
 * really is, or, where there is no origin to show, a short-lived one for the page that
 * says why.
 */
#include "base/clock.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/act_tls.h"
#include "gate/relay_h2.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"
#include "tls/resume.h"

enum { MOST_NAMES = 8 }; /* of the origin's that cover one host */

static void
minted(struct mint_wait *wait)
{
	session_advance(CONTAINER_OF(wait, struct session, mint));
}

/*
 * Only those of the origin's names that cover what was asked for. A browser that speaks
 * HTTP/2 may send requests for any name in the certificate over this connection; with
 * the whole list it would, and reach an origin that was never checked for them.
 */
struct leaf_names {
	struct span names[MOST_NAMES];
	size_t n;
	struct ip ips[1];
	size_t n_ips;
	uint8_t lower[MOST_NAMES][256];
};

static bool
covers(struct span pattern, struct span host)
{
	if (span_eq_nocase(pattern, host))
		return true;
	if (!span_starts(pattern, SPAN("*.")))
		return false;
	return span_eq_nocase(
		span_from(pattern, 1), span_from(host, span_chr(host, '.')));
}

static void
add_name(struct leaf_names *l, struct span name)
{
	if (l->n == MOST_NAMES || name.n > sizeof(l->lower[0]))
		return;
	span_lower(l->lower[l->n], name);
	l->names[l->n] = span_of(l->lower[l->n], name.n);
	l->n++;
}

/* all: also those that do not cover the host, so that a client sees that they do not.
 */
static void
take_names(struct leaf_names *l, const struct cert *origin, struct span host, bool all)
{
	struct cert_san san;
	struct ip ip = {0};
	bool is_ip = ip_parse(host, &ip);
	for (struct read it = cert_sans(origin); cert_next_san(&it, &san);) {
		struct ip theirs;
		if (san.kind == CERT_SAN_DNS && (all || covers(san.value, host)))
			add_name(l, san.value);
		if (san.kind == CERT_SAN_IP && ip_from_bytes(san.value, &theirs) &&
			(all || (is_ip && ip_eq(&ip, &theirs))) && l->n_ips == 0)
			l->ips[l->n_ips++] = theirs;
	}
}

static void
take_host(struct leaf_names *l, struct span host)
{
	if (ip_parse(host, &l->ips[0])) {
		l->n_ips = 1;
	} else {
		add_name(l, host);
	}
}

static struct span
presented_host(const struct session *s)
{
	return s->facts.sni.n > 0 ? s->facts.sni : s->facts.connect_host;
}

static bool
has_fault(const struct upstream *up, enum verdict_class class)
{
	return (up->verdict.faults >> class & 1) != 0;
}

/* Without an origin it carries a page of ours. The origin's end is a cap, unless it has
 * passed and the origin is accepted all the same. */
static void
set_purpose(const struct session *s, const struct cert *origin, struct leaf_facts *f)
{
	const struct upstream *up = s->lane->up;
	f->purpose = LEAF_PAGE;
	if (!origin)
		return;
	f->purpose = s->mirrored.n > 0 ? LEAF_MIRROR : LEAF_NORMAL;
	if (f->purpose == LEAF_MIRROR)
		f->not_before = origin->not_before;
	if (f->purpose == LEAF_MIRROR || !has_fault(up, VERDICT_EXPIRED))
		f->not_after = origin->not_after;
}

/* True when the leaf is in the cache. */
static bool
ask_for_leaf(struct session *s)
{
	struct leaf_names names = {0};
	struct span host = presented_host(s);
	const struct upstream *up = s->lane->up;
	const struct cert *origin =
		up && up->verdict.n_path > 0 ? up->verdict.path[0] : NULL;
	if (origin)
		take_names(&names, origin, host, has_fault(up, VERDICT_WRONG_NAME));
	/* A rule sent us elsewhere, and what was found there is what the rule wanted.
	 */
	bool elsewhere = origin && s->target.sni.n > 0 && !span_eq(s->target.sni, host);
	if (!origin || elsewhere)
		take_host(&names, host);
	if (names.n + names.n_ips == 0) /* no name to show is a name that fits nobody */
		add_name(&names, SPAN("no-name.invalid"));
	struct leaf_facts facts = {
		.kind = hello_takes_ecdsa(&s->hello) ? KEY_P256 : KEY_RSA2048,
		.days = (unsigned)s->g->leaf_days,
		.names = names.names,
		.n_names = names.n,
		.ips = names.ips,
		.n_ips = names.n_ips,
	};
	set_purpose(s, origin, &facts);
	if (facts.purpose == LEAF_MIRROR)
		s->story->leaf_issuer = "sekisho: origin NOT trusted";
	s->mint.done = minted;
	s->story->leaf_key = facts.kind;
	s->story->mint_asked_us = clock_us();
	s->story->leaf_cached = mint_start(&s->w->mint, s->g, &facts, &s->mint);
	return s->story->leaf_cached;
}

/* Mirrors what the origin chose; without an origin, what our pages are sent in. Where
 * the origin's choice is none of the client's, or was not the origin's to make, the
 * client gets what it likes best and messages are translated. */
static struct span
chosen_alpn(const struct session *s)
{
	struct tls_facts facts = {0};
	bool h1 = hello_offers(&s->hello, SPAN("http/1.1"));
	bool h2 = hello_offers(&s->hello, SPAN("h2"));
	if (s->own.up)
		tls_facts(s->own.up->side.tls, &facts);
	bool chose_h2 = span_eq(facts.alpn, SPAN("h2"));
	bool prefers_h2 = s->own.up && s->g->upstream.http == UPSTREAM_HTTP_1;
	if (h2 && (chose_h2 || !h1 || prefers_h2))
		return SPAN("h2");
	if (h1 && (chose_h2 || !s->own.up))
		return SPAN("http/1.1");
	return facts.alpn;
}

static bool
start_tls(struct session *s, struct err *err)
{
	if (s->visit)
		return edge_start_tls(s, err);
	struct profile *profile =
		worker_to_clients(s->wg, act_tls_client(s->g, &s->verdicts));
	/* A session of one name is not resumed under another (RFC 6066 §3), nor in
	 * another manner: it brings its suite along. And who resumes sees no
	 * certificate, so only one that showed the same fault will do. */
	const struct span bound[] = {span_of(profile_policy(profile), PROFILE_POLICY),
		s->target.host, presented_host(s), s->mirrored};
	uint8_t binding[PROFILE_POLICY];
	resume_binding(binding, bound, COUNT_OF(bound));

	const struct tls_server_spec spec = {
		.profile = profile,
		.identity = s->mint.id,
		.alpn = chosen_alpn(s),
		.binding = binding,
		.wire_in = &s->client.io.in,
		.wire_out = &s->client.io.out,
	};
	s->client.tls = tls_server_new(&spec, err);
	return s->client.tls != NULL;
}

static int
end_with(struct session *s, enum ender who, const struct err *err)
{
	session_end(s, who, err);
	return TURN_OVER;
}

/* Until the leaf is there: 0 to go on, or what to return. */
static int
wait_for_leaf(struct session *s)
{
	struct err err = {0};
	s->story->mint_us = clock_us() - s->story->mint_asked_us;
	if (s->mint.id)
		return 0;
	if (s->mint.err.code != ERR_NONE) {
		err = s->mint.err;
		stat_add(STAT_MINT_FAILURES, 1);
		return end_with(s, ENDER_GATEWAY, &err);
	}
	if (s->expired) {
		(void)err_set(&err, ERR_GATE_MINT, "the vault did not answer in time");
		return end_with(s, ENDER_GATEWAY, &err);
	}
	return TURN_WAIT;
}

static int
open_up(struct session *s)
{
	struct tls_facts facts;
	if (s->mint.id) /* an edge shows a certificate of its own */
		identity_serial(s->mint.id, s->story->leaf_serial);
	identity_put(s->mint.id);
	s->mint.id = NULL;
	story_client(s);
	tls_facts(s->client.tls, &facts);
	if (span_eq(facts.alpn, SPAN("h2"))) {
		relay_h2_start(s);
	} else if (s->own.up && s->own.up->h2) {
		trunk_arrived(&s->own, &s->target);
	}
	s->facts.tls_version = span_str(facts.version_name);
	s->facts.tls_cipher = arena_copy(&s->arena, span_str(facts.cipher));
	stat_add(facts.resumed ? STAT_CLIENT_RESUMED : STAT_CLIENT_HANDSHAKES, 1);
	return s->visit ? edge_opened(s) : STAGE_RELAY;
}

/* 0 once there is an engine, or what to return. */
static int
begin_tls(struct session *s)
{
	struct err err = {0};
	if (!s->visit && !s->mint.done)
		(void)ask_for_leaf(s);
	int turn = s->visit ? 0 : wait_for_leaf(s);
	if (turn == 0 && !start_tls(s, &err))
		return end_with(s, ENDER_GATEWAY, &err);
	return turn;
}

int
stage_present_advance(struct session *s)
{
	struct err err = {0};
	int turn = s->client.tls ? 0 : begin_tls(s);
	if (turn != 0)
		return turn;
	side_pull(&s->client);
	switch (tls_state(s->client.tls)) {
	case TLS_OPEN:
	case TLS_ENDED:
		return open_up(s);
	case TLS_FAILED:
		side_push(&s->client); /* the alert */
		if (s->visit && s->visit->signing && s->visit->signing->err.code) {
			err = s->visit->signing->err;
			return end_with(s, ENDER_GATEWAY, &err);
		}
		stat_add(STAT_CLIENT_REFUSED, 1);
		return end_with(s, ENDER_CLIENT, &s->client.err);
	case TLS_WANTS_SIGNATURE:
		s->again = edge_sign(s) || s->again;
		break;
	case TLS_SHAKING:
	case TLS_WANTS_IDENTITY:
	case TLS_WANTS_VERDICT:
		break;
	}
	if (s->client.io.failed)
		return end_with(s, ENDER_CLIENT, NULL);
	if (!s->expired)
		return TURN_WAIT;
	(void)err_set(&err, ERR_GATE_CLIENT_SLOW, "no TLS handshake in time");
	return end_with(s, ENDER_CLIENT, &err);
}
