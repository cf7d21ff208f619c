// SPDX-License-Identifier: Apache-2.0
#include "keyless/server.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	PEERS_DEFAULT = 4096,
	HANDSHAKE_MS = 10000, /* until the certificate was judged */
	IDLE_MS = 30000,
	IDLE_LOCAL_MS = 3600 * 1000, /* over a Unix socket */
	LAST_CALLS_MS = 5000,        /* for requests under way, when idle */
	DRAIN_MS = 1000, /* while draining: for a first request, and for all to come */
	QUIET_MS = 250,  /* while draining: so long without a request is enough */
	LAST_WORDS_MS = 2000, /* for the peer to read what ends the connection */
	WIRE_IN = 64 * 1024,
	WIRE_OUT = 256 * 1024,
	PLAIN_OUT = 1100 * 1024, /* room for the answers of 1,024 calls */
};

struct profile *
server_profile(struct err *err)
{
	return profile_new(
		&(struct profile_spec){.role = PROFILE_SERVER,
			.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-"
				   "SHA384",
			.client_cert = CLIENT_CERT_REQUIRE},
		err);
}

/* ---- the end of a peer ---- */

static void
bury_peer(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct server_peer, corpse));
}

static void
drop_peer(struct server_peer *p)
{
	struct server *s = p->server;

	if (p->dead)
		return;
	p->dead = true;
	answer_seat_leave(&p->seat);
	timer_stop(s->spec.loop, &p->idle);
	io_close(&p->io);
	tls_free(p->tls);
	buf_wipe(&p->plain_in);
	buf_wipe(&p->plain_out);
	list_leave(&p->all);
	s->n_peers--;
	listen_release(&s->limit);
	p->corpse.bury = bury_peer;
	loop_bury(s->spec.loop, &p->corpse);
}

static void
refuse_peer(struct server_peer *p, const struct err *why)
{
	char from[ADDR_TEXT];

	p->server->metrics->refused_connections++;
	log_info("keyless.refused", "from=%s error=%s text=\"%s\"",
		addr_text(from, &p->from), err_id(why->code), why->text);
}

/* Says nothing more; what is in the bufs may still leave. */
static void
end_peer(struct server_peer *p)
{
	if (p->io.eof || p->io.failed) {
		drop_peer(p);
		return;
	}
	p->closing = true;
	io_shut(&p->io);
	io_touch(&p->io);
	timer_set(p->server->spec.loop, &p->idle, clock_now() + LAST_WORDS_MS);
}

/* ---- who is it? ---- */

static void
name_peer(struct server_peer *p, struct cert *c)
{
	struct text name = text_to(p->name, sizeof(p->name));
	struct text serial = text_to(p->serial, sizeof(p->serial));
	struct read sans = cert_sans(c);
	struct cert_san san;

	while (name.n == 0 && cert_next_san(&sans, &san)) {
		if (san.kind == CERT_SAN_DNS)
			text_put_safe(&name, san.value);
	}
	if (name.n == 0)
		cert_common_name(c->subject, &name);
	cert_serial_text(c, &serial);
}

static bool
matches(const char *rule, struct cert *c)
{
	struct span want = span_str(rule);
	struct read sans = cert_sans(c);
	struct cert_san san;
	char name[256];
	struct text t = text_to(name, sizeof(name));

	if (span_starts(want, SPAN("sha256:"))) {
		text_put_hex(&t, span_of(c->sha256, CERT_HASH), false);
		return span_eq_nocase(span_from(want, 7), text_span(&t));
	}
	while (cert_next_san(&sans, &san)) {
		if (san.kind == CERT_SAN_DNS && span_eq_nocase(san.value, want))
			return true;
	}
	cert_common_name(c->subject, &t);
	return span_eq_nocase(text_span(&t), want);
}

static struct answer_client *
find_client(struct server *s, struct cert *c)
{
	if (s->spec.n_policies == 0)
		return &s->any;
	for (size_t i = 0; i < s->spec.n_policies; i++) {
		if (matches(s->spec.policies[i].match, c))
			return &s->spec.policies[i].client;
	}
	return NULL;
}

static bool
check_chain(struct server_peer *p, const struct chain *chain, struct err *err)
{
	const struct server *s = p->server;
	struct trust_ask ask = {.chain = chain,
		.now = clock_wall(),
		.options = trust_options_default(),
		.revoke = s->spec.revoke};
	struct verdict v = {0};

	ask.options.use = TRUST_CLIENT;
	ask.options.private_names = true;
	if (s->spec.revoke)
		ask.options.revocation = TRUST_REVOCATION_SOFT;
	trust_check(s->spec.trust, &ask, &v);
	p->verdict = v.class;
	bool ok = v.class == VERDICT_GOOD;
	if (!ok) {
		(void)err_set(
			err, ERR_KEYLESS_CLIENT, "%s: %s", verdict_id(v.class), v.text);
	}
	verdict_fini(&v);
	return ok;
}

/* Finds the policy of a client whose chain is good. */
static bool
judge_chain(struct server_peer *p, const struct chain *chain, struct err *err)
{
	if (!check_chain(p, chain, err))
		return false;
	struct cert *c = cert_parse(chain->der[0], err);
	if (!c)
		return false;
	name_peer(p, c);
	struct answer_client *client = find_client(p->server, c);
	cert_put(c);
	if (!client) {
		return err_set(err, ERR_KEYLESS_CLIENT, "no policy names %s", p->name);
	}
	p->seat.link.client = client;
	return true;
}

static uint8_t alert_for(enum verdict_class class)
{
	switch ((int)class) {
	case VERDICT_UNKNOWN_ISSUER:
	case VERDICT_SELF_SIGNED:
	case VERDICT_INCOMPLETE:
		return TLS_ALERT_UNKNOWN_CA;
	case VERDICT_EXPIRED:
	case VERDICT_NOT_YET:
		return TLS_ALERT_CERTIFICATE_EXPIRED;
	case VERDICT_REVOKED:
		return TLS_ALERT_CERTIFICATE_REVOKED;
	case VERDICT_WRONG_USE:
		return TLS_ALERT_UNSUPPORTED_CERTIFICATE;
	default: /* whatever else is wrong with it; and the good one no policy names */
		return TLS_ALERT_BAD_CERTIFICATE;
	}
}

/* In the handshake, so that a bad certificate ends it with an alert. */
static uint8_t
judged(struct tls_judge *j, const struct chain *chain)
{
	struct server_peer *p = CONTAINER_OF(j, struct server_peer, judge);

	p->good = judge_chain(p, chain, &p->why);
	return p->good ? 0 : alert_for(p->verdict);
}

/* ---- bytes ---- */

/* As far as bufs allow. False: the peer broke the protocol and was told. */
static bool
exchange(struct server_peer *p)
{
	bool ok = true;

	for (size_t n = 1; n > 0 && ok;) {
		n = tls_read(p->tls, &p->plain_in);
		ok = answer_link_advance(&p->seat.link);
		n += tls_write(p->tls, &p->plain_out);
	}
	if (p->seat.link.n_calls > 0)
		answer_desk_wake(p->seat.desk);
	return ok;
}

/* A health check connects and says nothing: no news. */
static bool
only_looked(const struct server_peer *p)
{
	struct tls_facts facts;

	tls_facts(p->tls, &facts);
	return p->io.eof && facts.wire_in == 0;
}

/* An edge cannot be told to ask no more, so what it has sent already is waited for: not
 * long, and no longer when it goes on asking. */
static uint64_t
drain_at(const struct server_peer *p, uint64_t now)
{
	uint64_t since = p->server->drained_ms;
	uint64_t most = (p->opened_ms > since ? p->opened_ms : since) + DRAIN_MS;
	uint64_t at = now + QUIET_MS;

	if (p->seat.link.requests == 0 && at < p->opened_ms + DRAIN_MS)
		at = p->opened_ms + DRAIN_MS;
	return at < most ? at : most;
}

static void
set_idle(struct server_peer *p)
{
	struct server *s = p->server;
	uint32_t ms = s->spec.idle_ms;
	uint64_t now = clock_now();

	if (p->from.ip.family == IP_NONE && ms < IDLE_LOCAL_MS)
		ms = IDLE_LOCAL_MS;
	timer_set(s->spec.loop, &p->idle, s->draining ? drain_at(p, now) : now + ms);
}

/* Nothing is resumed, so each handshake was judged; one that was not never opens. */
static void
open_peer(struct server_peer *p)
{
	p->open = p->good;
	p->opened_ms = clock_now();
	if (p->open)
		set_idle(p);
}

static void
advance(struct server_peer *p)
{
	struct err err = {0};
	enum tls_state state = tls_advance(p->tls, &err);

	if (state == TLS_OPEN && !p->open)
		open_peer(p);
	if (state == TLS_FAILED) {
		if (!p->open && !only_looked(p))
			refuse_peer(p, p->why.code ? &p->why : &err);
		end_peer(p);
		return;
	}
	if (!p->open)
		return;
	bool ok = exchange(p);
	if ((!ok || state == TLS_ENDED) && buf_empty(&p->plain_out)) {
		(void)tls_end(p->tls);
		end_peer(p);
	}
}

static void
peer_moved(struct io *io)
{
	struct server_peer *p = CONTAINER_OF(io, struct server_peer, io);
	uint64_t before = p->seat.link.requests;

	if (io->failed) {
		drop_peer(p);
		return;
	}
	if (p->closing) {
		buf_drop(&io->in, buf_len(&io->in));
		if (io->eof)
			drop_peer(p);
		return;
	}
	if (io->eof)
		tls_wire_ended(p->tls);
	advance(p);
	if (!p->dead && !p->closing && p->seat.link.requests != before)
		set_idle(p);
}

static void
flush_peer(struct answer_seat *seat)
{
	struct server_peer *p = CONTAINER_OF(seat, struct server_peer, seat);

	if (!p->closing)
		advance(p);
	if (!p->dead)
		io_touch(&p->io);
}

/* Requests in flight are still answered: their own deadline is shorter than another
 * idle time. */
static void
peer_idle(struct timer *t)
{
	struct server_peer *p = CONTAINER_OF(t, struct server_peer, idle);

	if (p->closing || !p->open) {
		drop_peer(p);
		return;
	}
	if (p->seat.link.n_calls > 0 && !p->seat.link.ending) {
		p->seat.link.ending = true;
		timer_set(p->server->spec.loop, t, clock_now() + LAST_CALLS_MS);
		return;
	}
	(void)tls_end(p->tls);
	end_peer(p);
}

/* ---- the server ---- */

static void
count_and_tell(struct answer_door *d, const struct answer_audit *a)
{
	struct answer_desk *desk = CONTAINER_OF(d, struct answer_desk, door);
	struct server *s = CONTAINER_OF(desk, struct server, desk);
	const struct server_peer *p = NULL;

	metrics_count(s->metrics, a);
	if (a->call->link)
		p = CONTAINER_OF(a->call->link, struct server_peer, seat.link);
	if (s->audited)
		s->audited(s, a, p);
}

static bool
is_empty(const struct wire_mask *m)
{
	return (m->bits[0] | m->bits[1] | m->bits[2] | m->bits[3]) == 0;
}

void
server_open(struct server *s, const struct server_spec *spec)
{
	*s = (struct server){.spec = *spec, .any.name = "any"};
	if (s->spec.most == 0)
		s->spec.most = PEERS_DEFAULT;
	if (s->spec.handshake_ms == 0)
		s->spec.handshake_ms = HANDSHAKE_MS;
	if (s->spec.idle_ms == 0)
		s->spec.idle_ms = IDLE_MS;
	s->metrics = spec->metrics ? spec->metrics : &s->own;
	s->any.mask = is_empty(&spec->mask)
		? wire_mask_default()
		: wire_mask_and(spec->mask, wire_mask_public());
	answer_desk_open(&s->desk, spec->loop, spec->keys);
	s->desk.door.audited = count_and_tell;
	for (size_t i = 0; i < spec->n_policies; i++) {
		struct wire_mask *mask = &spec->policies[i].client.mask;

		*mask = wire_mask_and(*mask, wire_mask_public());
	}
	list_init(&s->peers);
	listen_limit_init(&s->limit, s->spec.most);
}

void
server_close(struct server *s)
{
	LIST_EACH (it, &s->peers)
		drop_peer(CONTAINER_OF(it, struct server_peer, all));
	answer_desk_close(&s->desk);
}

void
server_drain(struct server *s)
{
	s->draining = true;
	s->drained_ms = clock_now();
	LIST_EACH (it, &s->peers) {
		struct server_peer *p = CONTAINER_OF(it, struct server_peer, all);

		if (p->open && !p->closing)
			set_idle(p);
	}
}

void
server_accept(struct server *s, int fd, const struct addr *from)
{
	struct server_peer *p = mem_alloc(sizeof(*p));
	struct err err = {0};

	p->server = s;
	p->from = *from;
	p->idle.fired = peer_idle;
	p->judge.judged = judged;
	p->seat.flush = flush_peer;
	s->metrics->connections++;
	io_open(&p->io, s->spec.loop, fd, WIRE_IN, WIRE_OUT);
	p->io.moved = peer_moved;
	buf_init(&p->plain_in, WIRE_MESSAGE_MAX);
	buf_init(&p->plain_out, PLAIN_OUT);
	answer_link_init(
		&p->seat.link, &s->desk.door, NULL, &p->plain_in, &p->plain_out);
	answer_seat_take(&p->seat, &s->desk);
	list_push(&s->peers, &p->all);
	s->n_peers++;
	p->tls = tls_server_new(&(struct tls_server_spec){.profile = s->spec.profile,
					.identity = s->spec.identity,
					.judge = &p->judge,
					.wire_in = &p->io.in,
					.wire_out = &p->io.out},
		&err);
	if (!p->tls) {
		refuse_peer(p, &err);
		drop_peer(p);
		return;
	}
	timer_set(s->spec.loop, &p->idle, clock_now() + s->spec.handshake_ms);
}
