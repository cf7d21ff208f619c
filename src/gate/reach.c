// SPDX-License-Identifier: Apache-2.0
#include "gate/reach.h"

#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "gate/session.h"
#include "gate/worker.h"
#include "tls/hello_memo.h"

static struct lane *
lane_of(struct reach *r)
{
	return CONTAINER_OF(r, struct lane, reach);
}

static void
resolved(struct resolve *q)
{
	lane_wake(lane_of(CONTAINER_OF(q, struct reach, resolve)));
}

static void
time_passed(struct timer *t)
{
	lane_wake(lane_of(CONTAINER_OF(t, struct reach, timer)));
}

/* The step that begins takes no longer; a step that waits is asked when it has. */
static void
set_deadline(struct reach *r, uint64_t ms)
{
	r->deadline = clock_now() + ms;
	r->timer.fired = time_passed;
	timer_set(&r->s->w->loop, &r->timer, r->deadline);
}

static void
gathered(struct evidence_wait *wait)
{
	lane_wake(lane_of(CONTAINER_OF(wait, struct reach, evidence)));
}

static void
dialled(struct dial *d)
{
	lane_wake(lane_of(CONTAINER_OF(d, struct reach, dial)));
}

/* Asked for every address at every attempt, so a name that resolves to another address
 * the second time gains nothing. */
static bool
may_dial(struct dial *d, const struct addr *to, struct err *err)
{
	struct reach *r = CONTAINER_OF(d, struct reach, dial);
	return gateway_address_allowed(r->to.g, r->s->w->settings, to, err);
}

static uint64_t
lap(struct reach *r)
{
	uint64_t now = clock_us();
	uint64_t took = now - r->since_us;
	r->since_us = now;
	return took;
}

static enum reach_turn
fail(struct reach *r)
{
	r->state = REACH_BROKEN;
	return REACH_FAILED;
}

/* The name has been answered, one way or the other. */
static void
leave_resolving(struct reach *r)
{
	const struct dial_to to = {
		.ips = r->resolve.ips, .n = r->resolve.n, .port = r->to.port};
	r->times.resolve_us = lap(r);
	if (r->resolve.n == 0) {
		(void)err_set(&r->err, r->resolve.code, "%.*s: %s",
			SPAN_ARG(r->to.host),
			r->resolve.why ? r->resolve.why : "no address");
		r->state = REACH_BROKEN;
		return;
	}
	r->state = REACH_DIALLING;
	r->dial = (struct dial){.done = dialled, .allowed = may_dial};
	dial_start(&r->dial, &r->s->w->loop, &to, r->deadline);
}

void
reach_start(struct reach *r, struct session *s, const struct target *to, bool fresh)
{
	must(reach_is_idle(r));
	*r = (struct reach){.s = s, .to = *to, .since_us = clock_us()};
	r->up = fresh || to->hello.n > 0 || !to->g->upstream.reuse
		? NULL
		: upstream_take(s->w, to);
	if (r->up) {
		r->up->user = lane_of(r);
		r->state = REACH_READY;
		return;
	}
	r->fresh = true;
	set_deadline(r, target_connect_ms(to));
	r->resolve.done = resolved;
	r->state = REACH_RESOLVING;
	if (resolve_start(s->w->resolver, &r->resolve, to->host))
		leave_resolving(r);
}

bool
reach_is_idle(const struct reach *r)
{
	return r->state == REACH_IDLE;
}

static enum reach_turn
advance_resolving(struct reach *r)
{
	/* done() has been called when there is an answer of either kind. */
	if (r->resolve.n == 0 && r->resolve.code == ERR_NONE) {
		if (clock_now() < r->deadline)
			return REACH_WAIT;
		(void)err_set(&r->err, ERR_NET_NAME_FAILED,
			"no answer about %.*s in time", SPAN_ARG(r->to.host));
		return fail(r);
	}
	leave_resolving(r);
	return r->state == REACH_BROKEN ? REACH_FAILED : REACH_WAIT;
}

static struct resume_key
resume_key(const struct worker *w, const struct target *to)
{
	return (struct resume_key){
		.host = to->sni.n > 0 ? to->sni : to->host, /* what was verified */
		.port = to->port,
		.policy = profile_policy(
			worker_to_origins(&w->gateways[to->g->index], to->manner)),
		.alpn = to->alpn,
	};
}

/* Who we showed ourselves as, and whom we trusted, is part of a session. */
static bool
may_resume(const struct target *to)
{
	return !to->identity && !to->trust;
}

/* How we look to the origin: the ClientHello that waits to be sent. */
static void
note_prints(struct hello_memo *memo, struct upstream *up)
{
	struct hello_prints prints;
	struct hello_peek peek = {0};
	struct hello hello = {0};
	struct err ignored = {0};

	if (hello_peek(&peek, buf_peek(&up->side.io.out), &hello, &ignored) ==
		HELLO_READY) {
		hello_memo_prints(memo, &hello, &prints);
		memcpy(up->ja3, prints.ja3, sizeof(up->ja3)); /* the same types */
		memcpy(up->ja4, prints.ja4, sizeof(up->ja4));
	}
	hello_peek_fini(&peek);
}

static bool
start_tls(struct reach *r)
{
	struct worker *w = r->s->w;
	const struct worker_gateway *wg = &w->gateways[r->to.g->index];
	struct side *side = &r->up->side;
	const struct resume_key key = resume_key(w, &r->to);
	const struct tls_client_spec spec = {
		.profile = worker_to_origins(wg, r->to.manner),
		.host = r->to.sni,
		.alpn = r->to.alpn,
		.session = may_resume(&r->to) ? resume_get(&w->resumes, &key) : NULL,
		.identity = r->to.identity,
		.scts = r->to.g->logs != NULL,
		.wire_in = &side->io.in,
		.wire_out = &side->io.out,
	};
	side->tls = tls_client_new(&spec, &r->err);
	if (!side->tls)
		return false;
	set_deadline(r, target_handshake_ms(&r->to));
	side_pull(side);
	note_prints(r->s->w->prints, r->up);
	side_push(side);
	return true;
}

static enum reach_turn
advance_dialling(struct reach *r)
{
	if (r->dial.fd < 0 && r->dial.err.code == ERR_NONE)
		return REACH_WAIT;
	r->times.dial_us = lap(r);
	if (r->dial.fd < 0) {
		r->err = r->dial.err;
		return fail(r);
	}
	r->up = upstream_new(r->s->w, &r->to, r->dial.fd);
	r->up->user = lane_of(r);
	r->up->peer = r->dial.peer;
	if (r->to.hello.n > 0) {
		r->up->bound = true;
		must(buf_put(&r->up->side.io.out, r->to.hello)); /* it is empty */
	}
	r->state = r->to.tls ? REACH_SHAKING : REACH_READY;
	if (r->to.tls && !start_tls(r))
		return fail(r);
	return r->state == REACH_READY ? REACH_DONE : REACH_WAIT;
}

/* How hard this connection's certificates are asked after. */
static enum trust_revocation
revocation_wanted(const struct reach *r)
{
	return (enum trust_revocation)(
		r->to.has_revocation ? r->to.revocation : r->to.g->upstream.revocation);
}

static void
judge_version(struct reach *r)
{
	struct tls_facts facts;
	char text[64];

	tls_facts(r->up->side.tls, &facts);
	int least = r->to.manner.min_version ? r->to.manner.min_version
					     : r->to.g->upstream.min_version;
	if (facts.version >= least)
		return;
	(void)text_format(text, sizeof(text), "it speaks %s", facts.version_name);
	verdict_add(&r->up->verdict, VERDICT_OLD_TLS, text);
}

/* Judges, and as long as that leads on, lets what is missing be fetched. */
static enum evidence_turn
judge_chain(struct reach *r, const struct chain *chain)
{
	struct evidence *e = &r->s->w->evidence;
	struct upstream *up = r->up;
	struct trust_ask ask = {
		.chain = chain,
		.host = r->to.sni.n > 0 ? r->to.sni : r->to.host,
		.now = clock_wall(),
		.options = trust_options_default(),
		.staple = tls_peer_staple(up->side.tls),
		.tls_scts = tls_peer_scts(up->side.tls),
		.revoke = e->revoke,
		.lists = r->to.g->lists,
	};
	const struct evidence_ask more = {
		.g = r->to.g, .trust = &ask, .verdict = &up->verdict};
	enum evidence_turn turn = EVIDENCE_AGAIN;

	ask.options.revocation = revocation_wanted(r);
	ask.options.ct = (enum trust_ct)r->to.g->upstream.ct;
	for (; turn == EVIDENCE_AGAIN && r->judged < EVIDENCE_ROUNDS; r->judged++) {
		verdict_fini(&up->verdict);
		trust_check(target_trust(&r->to), &ask, &up->verdict);
		judge_version(r);
		turn = evidence_gather(e, &more, &r->evidence);
	}
	return turn;
}

/* The chain is judged before an octet of plaintext moves, whoever asked. */
static enum reach_turn
judge(struct reach *r)
{
	struct chain chain = {0};
	bool ok = tls_peer_chain(r->up->side.tls, &chain, &r->err);
	enum evidence_turn turn = ok ? judge_chain(r, &chain) : EVIDENCE_NOTHING;

	chain_fini(&chain);
	r->times.verify_us += lap(r);
	if (!ok)
		return fail(r);
	r->state = turn == EVIDENCE_WAIT ? REACH_GATHERING : REACH_READY;
	return turn == EVIDENCE_WAIT ? REACH_WAIT : REACH_DONE;
}

static enum reach_turn
advance_gathering(struct reach *r)
{
	if (r->evidence.pending > 0)
		return REACH_WAIT;
	r->times.fetch_us += lap(r);
	return judge(r);
}

/* RFC 8446 §6.2: either side says so by this alert. */
static bool
disagrees_on_version(const struct tls *tls)
{
	struct tls_facts facts;

	tls_facts(tls, &facts);
	return facts.alert_received == TLS_ALERT_PROTOCOL_VERSION ||
		facts.alert_sent == TLS_ALERT_PROTOCOL_VERSION;
}

static enum reach_turn
advance_shaking(struct reach *r)
{
	struct side *side = &r->up->side;
	side_pull(side);
	side_push(side);
	switch (tls_state(side->tls)) {
	case TLS_WANTS_VERDICT:
		r->times.tls_us = lap(r);
		r->evidence.done = gathered;
		return judge(r);
	case TLS_FAILED:
	case TLS_ENDED:
		r->err = side->err;
		r->old_tls = disagrees_on_version(side->tls);
		return fail(r);
	case TLS_SHAKING:
	case TLS_WANTS_IDENTITY:
	case TLS_WANTS_SIGNATURE:
	case TLS_OPEN:
		break;
	}
	if (side->io.failed) {
		(void)err_errno(&r->err, ERR_NET_RESET, side->io.failed,
			"during the handshake");
		return fail(r);
	}
	if (clock_now() >= r->deadline) {
		(void)err_set(
			&r->err, ERR_GATE_ORIGIN_SLOW, "no TLS handshake in time");
		return fail(r);
	}
	return REACH_WAIT;
}

enum reach_turn
reach_advance(struct reach *r)
{
	switch (r->state) {
	case REACH_RESOLVING:
		return advance_resolving(r);
	case REACH_DIALLING:
		return advance_dialling(r);
	case REACH_SHAKING:
		return advance_shaking(r);
	case REACH_GATHERING:
		return advance_gathering(r);
	case REACH_READY:
		return REACH_DONE;
	case REACH_IDLE:
	case REACH_BROKEN:
		break;
	}
	return REACH_FAILED;
}

struct upstream *
reach_take(struct reach *r)
{
	struct upstream *up = r->up;
	must(r->state == REACH_READY);
	timer_stop(&r->s->w->loop, &r->timer);
	r->up = NULL;
	r->state = REACH_IDLE;
	return up;
}

void
reach_cancel(struct reach *r)
{
	if (r->state == REACH_RESOLVING)
		resolve_cancel(&r->resolve);
	if (r->state == REACH_DIALLING)
		dial_cancel(&r->dial);
	evidence_cancel(&r->evidence);
	if (r->s)
		timer_stop(&r->s->w->loop, &r->timer);
	upstream_free(r->up);
	r->up = NULL;
	r->state = REACH_IDLE;
}

void
reach_keep_session(struct worker *w, const struct target *to, struct upstream *up)
{
	const struct resume_key key = resume_key(w, to);
	const struct verdict *v = &up->verdict;
	/* A resumed handshake brings neither staple nor timestamps, and some
	 * certificates need one or the other. */
	bool needs_more = v->n_path > 0 &&
		(v->path[0]->must_staple || tls_peer_scts(up->side.tls).n > 0);
	if (may_resume(to) && !needs_more)
		resume_put(&w->resumes, &key, up->side.tls);
}
