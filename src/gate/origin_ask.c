// SPDX-License-Identifier: Apache-2.0
#include "gate/origin_ask.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "gate/edge.h"
#include "gate/proxy_hello.h"
#include "gate/worker.h"
#include "http/h1_write.h"
#include "http/url.h"

enum {
	ARENA = 512 * 1024, /* both heads, each of 64 KiB at most, and copies */
};

/* ---- the end ---- */

static void
close_side(struct origin_ask *a)
{
	if (a->h2)
		h2_fini(a->h2);
	mem_free(a->h2);
	a->h2 = NULL;
	verdict_fini(&a->verdict);
	a->verdict = (struct verdict){0};
	side_close(&a->side, false);
}

static void
stop(struct origin_ask *a)
{
	switch (a->state) {
	case ORIGIN_ASK_IDLE:
		break;
	case ORIGIN_ASK_RESOLVING:
		resolve_cancel(&a->resolve);
		break;
	case ORIGIN_ASK_DIALLING:
		dial_cancel(&a->dial);
		break;
	case ORIGIN_ASK_SHAKING:
	case ORIGIN_ASK_GATHERING:
	case ORIGIN_ASK_TALKING:
		evidence_cancel(&a->evidence);
		close_side(a);
		break;
	}
	if (a->w)
		timer_stop(&a->w->loop, &a->timer);
	a->state = ORIGIN_ASK_IDLE;
}

static void
tell(struct hook *h)
{
	struct origin_ask *a = CONTAINER_OF(h, struct origin_ask, finished);
	a->done(a);
}

/* The result is told from a hook of the turn: never from inside what found it. */
static void
finish(struct origin_ask *a, bool ok)
{
	stop(a);
	a->ok = ok;
	loop_soon(&a->w->loop, &a->finished);
}

/* As err says already. */
static void
fail(struct origin_ask *a)
{
	finish(a, false);
}

static void
fail_with(struct origin_ask *a, enum err_code code, const char *why)
{
	(void)err_set(
		&a->err, code, "%.*s:%u: %s", SPAN_ARG(a->to.host), a->to.port, why);
	fail(a);
}

static void
too_late(struct timer *t)
{
	fail_with(CONTAINER_OF(t, struct origin_ask, timer), ERR_GATE_ORIGIN_SLOW,
		"not in time");
}

/* ---- the answer ---- */

static bool
take_head(struct origin_ask *a)
{
	const struct http_body *body = &a->response.body;

	if (body->kind != BODY_LENGTH || body->length <= a->body.limit)
		return true;
	fail_with(a, ERR_GATE_FETCH, "the answer is larger than allowed");
	return false;
}

static bool
take_body(struct origin_ask *a, struct span body)
{
	if (buf_put(&a->body, body))
		return true;
	fail_with(a, ERR_GATE_FETCH, "the answer is larger than allowed");
	return false;
}

/* False: it waits, or is over. */
static bool
read_h1(struct origin_ask *a)
{
	struct span body = {0};

	switch (h1_read(&a->reader, side_in(&a->side), &a->response, &body, &a->err)) {
	case H1_HEAD:
		return take_head(a);
	case H1_BODY:
		if (!take_body(a, body))
			return false;
		h1_took(&a->reader, side_in(&a->side), body.n);
		return true;
	case H1_INFORM:
	case H1_TRAILERS:
		return true;
	case H1_END:
		finish(a, true);
		return false;
	case H1_MORE:
		if (!a->side.ended || a->reader.eof)
			return false;
		h1_eof(&a->reader);
		return true;
	case H1_FAILED:
		fail(a);
		return false;
	case H1_CLOSED:
	case H1_TUNNEL:
		break;
	}
	fail_with(a, ERR_GATE_ORIGIN_GONE, "no whole answer");
	return false;
}

/* The stream's head dies with its connection, the answer does not. */
static bool
keep_head(struct origin_ask *a, const struct http_head *head)
{
	if (http_head_copy(&a->response, head, &a->arena, &a->err))
		return take_head(a);
	fail(a);
	return false;
}

/* One step of our one stream. False: it waits, or is over. */
static bool
step_h2(struct origin_ask *a, struct h2_stream *x)
{
	struct http_head *head = NULL;
	struct span body = {0};

	switch (h2_step(x, &head, &body, &a->err)) {
	case H2_HEAD:
		return keep_head(a, head);
	case H2_BODY:
		if (!take_body(a, body))
			return false;
		h2_took(x, body.n);
		return true;
	case H2_INFORM:
	case H2_TRAILERS:
		return true;
	case H2_END:
		finish(a, true);
		return false;
	case H2_FAILED:
		fail(a);
		return false;
	case H2_MORE:
		break;
	}
	return false;
}

/* False: it waits, or is over. */
static bool
read_h2(struct origin_ask *a)
{
	size_t n = buf_len(side_in(&a->side));
	bool goes_on = h2_read(a->h2, side_in(&a->side), &a->err);
	struct h2_stream *x;

	if (side_eof(&a->side))
		h2_eof(a->h2);
	while (a->state == ORIGIN_ASK_TALKING && (x = h2_ready(a->h2)) != NULL) {
		while (step_h2(a, x))
			;
	}
	if (a->state == ORIGIN_ASK_TALKING && !goes_on) {
		if (a->err.code == ERR_NONE) {
			fail_with(a, ERR_GATE_ORIGIN_GONE, "no whole answer");
		} else {
			fail(a);
		}
	}
	return a->state == ORIGIN_ASK_TALKING && n > 0;
}

static void
talk(struct origin_ask *a)
{
	do {
		side_pull(&a->side);
	} while (a->h2 ? read_h2(a) : read_h1(a));
	if (a->state != ORIGIN_ASK_TALKING)
		return;
	if (a->h2)
		h2_flush(a->h2);
	side_push(&a->side);
	if (side_eof(&a->side))
		fail_with(a, ERR_GATE_ORIGIN_GONE, "the connection broke");
}

/* ---- the question ---- */

static bool
chose_h2(const struct origin_ask *a)
{
	struct tls_facts facts;

	if (!a->side.tls)
		return span_eq(a->to.alpn, SPAN("\x02h2"));
	tls_facts(a->side.tls, &facts);
	return span_eq(facts.alpn, SPAN("h2"));
}

static bool
ask_in_h2(struct origin_ask *a)
{
	struct h2_config config;

	h2_config_init(&config, H2_CLIENT);
	a->h2 = mem_alloc(sizeof(*a->h2));
	h2_init(a->h2, &config, side_out(&a->side));
	struct h2_stream *x = h2_request(a->h2, &a->request, &a->user, &a->err);
	if (!x || h2_write_end(x, NULL, &a->err) != H2_WROTE)
		return false;
	h2_flush(a->h2);
	return true;
}

static bool
ask_in_h1(struct origin_ask *a)
{
	struct h1_writer writer;

	h1_reader_init(&a->reader, H1_RESPONSES, NULL);
	h1_next_response(&a->reader, a->request.method, false);
	h1_writer_init(&writer);
	a->request.close = true;
	return h1_write_head(&writer, &a->request, side_out(&a->side), &a->err) ==
		H1_WROTE &&
		h1_write_end(&writer, NULL, side_out(&a->side), &a->err) == H1_WROTE;
}

static void
start_talking(struct origin_ask *a)
{
	a->state = ORIGIN_ASK_TALKING;
	if (chose_h2(a) ? ask_in_h2(a) : ask_in_h1(a)) {
		talk(a);
		return;
	}
	if (a->err.code == ERR_NONE)
		(void)err_set(&a->err, ERR_GATE_FETCH, "it cannot be asked");
	fail(a);
}

/* ---- whom we speak with ---- */

/* Judges, and as long as that leads on, lets what is missing be fetched. */
static enum evidence_turn
judge_chain(struct origin_ask *a, const struct chain *chain)
{
	const struct gateway *g = a->to.g;
	struct evidence *e = &a->w->evidence;
	struct trust_ask ask = {
		.chain = chain,
		.host = a->to.sni.n > 0 ? a->to.sni : a->to.host,
		.now = clock_wall(),
		.options = trust_options_default(),
		.staple = tls_peer_staple(a->side.tls),
		.tls_scts = tls_peer_scts(a->side.tls),
		.revoke = e->revoke,
		.lists = g->lists,
	};
	const struct evidence_ask more = {
		.g = g, .trust = &ask, .verdict = &a->verdict};
	enum evidence_turn turn = EVIDENCE_AGAIN;

	ask.options.revocation = (enum trust_revocation)g->upstream.revocation;
	ask.options.ct = (enum trust_ct)g->upstream.ct;
	for (; turn == EVIDENCE_AGAIN && a->judged < EVIDENCE_ROUNDS; a->judged++) {
		verdict_fini(&a->verdict);
		trust_check(target_trust(&a->to), &ask, &a->verdict);
		turn = evidence_gather(e, &more, &a->evidence);
	}
	return turn;
}

static bool
is_accepted(const struct origin_ask *a)
{
	const struct verdict *v = &a->verdict;

	return v->class == VERDICT_GOOD ||
		(!untrusted_is_hopeless(v) &&
			untrusted_choose(&a->to.g->untrusted, v) == UNTRUSTED_ALLOW);
}

static void
judge(struct origin_ask *a)
{
	struct chain chain = {0};
	bool ok = tls_peer_chain(a->side.tls, &chain, &a->err);
	enum evidence_turn turn = ok ? judge_chain(a, &chain) : EVIDENCE_NOTHING;

	chain_fini(&chain);
	if (!ok) {
		fail(a);
	} else if (turn == EVIDENCE_WAIT) {
		a->state = ORIGIN_ASK_GATHERING;
	} else if (is_accepted(a)) {
		tls_accept(a->side.tls);
		start_talking(a);
	} else {
		fail_with(a, ERR_GATE_UNTRUSTED, a->verdict.text);
	}
}

static void
gathered(struct evidence_wait *wait)
{
	judge(CONTAINER_OF(wait, struct origin_ask, evidence));
}

static void
shake(struct origin_ask *a)
{
	side_pull(&a->side);
	side_push(&a->side);
	switch (tls_state(a->side.tls)) {
	case TLS_WANTS_VERDICT:
		judge(a);
		return;
	case TLS_FAILED:
	case TLS_ENDED:
		a->err = a->side.err;
		fail(a);
		return;
	case TLS_SHAKING:
	case TLS_WANTS_IDENTITY:
	case TLS_WANTS_SIGNATURE:
	case TLS_OPEN:
		break;
	}
	if (a->side.io.failed)
		fail_with(a, ERR_NET_RESET, "during the handshake");
}

static void
moved(struct io *io)
{
	struct origin_ask *a = CONTAINER_OF(io, struct origin_ask, side.io);

	if (a->state == ORIGIN_ASK_SHAKING) {
		shake(a);
	} else if (a->state == ORIGIN_ASK_TALKING) {
		talk(a);
	}
}

static bool
start_tls(struct origin_ask *a)
{
	const struct worker_gateway *wg = &a->w->gateways[a->to.g->index];
	const struct tls_client_spec spec = {
		.profile = worker_to_origins(wg, (struct manner){0}),
		.host = a->to.sni,
		.alpn = a->to.alpn,
		.identity = a->to.identity,
		.wire_in = &a->side.io.in,
		.wire_out = &a->side.io.out,
	};

	a->side.tls = tls_client_new(&spec, &a->err);
	return a->side.tls != NULL;
}

/* ---- the way there ---- */

static void
dialled(struct dial *d)
{
	struct origin_ask *a = CONTAINER_OF(d, struct origin_ask, dial);

	if (d->fd < 0) {
		a->err = d->err;
		fail(a);
		return;
	}
	side_open(&a->side, &a->w->loop, d->fd, moved);
	a->state = ORIGIN_ASK_SHAKING;
	must(buf_put(&a->side.io.out, a->to.hello)); /* it is empty */
	if (!a->to.tls) {
		start_talking(a);
	} else if (start_tls(a)) {
		shake(a);
	} else {
		fail(a);
	}
}

static bool
may_dial(struct dial *d, const struct addr *to, struct err *err)
{
	struct origin_ask *a = CONTAINER_OF(d, struct origin_ask, dial);
	return gateway_address_allowed(a->to.g, a->w->settings, to, err);
}

static void
start_dialling(struct origin_ask *a)
{
	const struct dial_to to = {
		.ips = a->resolve.ips, .n = a->resolve.n, .port = a->to.port};

	if (a->resolve.n == 0) {
		a->state = ORIGIN_ASK_IDLE;
		fail_with(a, a->resolve.code,
			a->resolve.why ? a->resolve.why : "no address");
		return;
	}
	a->state = ORIGIN_ASK_DIALLING;
	a->dial = (struct dial){.done = dialled, .allowed = may_dial};
	dial_start(&a->dial, &a->w->loop, &to, a->deadline_ms);
}

static void
resolved(struct resolve *q)
{
	start_dialling(CONTAINER_OF(q, struct origin_ask, resolve));
}

/* A PROXY header that is about nobody: the connection is our own. */
static struct span
hello_for(const struct site *site)
{
	switch ((enum site_hello)site->balance.hello) {
	case HELLO_V1:
		return proxy_hello_own(1);
	case HELLO_V2:
		return proxy_hello_own(2);
	case HELLO_NONE:
		break;
	}
	return (struct span){0};
}

void
origin_ask_start(
	struct origin_ask *a, struct worker *w, const struct origin_ask_for *what)
{
	must(a->state == ORIGIN_ASK_IDLE && !a->w);
	*a = (struct origin_ask){.done = a->done, .w = w};
	a->deadline_ms = what->deadline_ms;
	a->finished.run = tell;
	a->timer.fired = too_late;
	a->evidence.done = gathered;
	a->resolve.done = resolved;
	arena_init(&a->arena, ARENA);
	buf_init(&a->body, what->limit);
	http_head_init(&a->response, &a->arena);
	a->to = edge_target(what->g, what->site, what->origin, false);
	a->to.hello = hello_for(what->site);
	if (!http_head_copy(&a->request, what->request, &a->arena, &a->err)) {
		fail(a);
		return;
	}
	a->request.scheme = a->to.tls ? SPAN("https") : SPAN("http");
	timer_set(&w->loop, &a->timer, a->deadline_ms);
	a->state = ORIGIN_ASK_RESOLVING;
	if (resolve_start(w->resolver, &a->resolve, a->to.host))
		start_dialling(a);
}

void
origin_ask_cancel(struct origin_ask *a)
{
	stop(a);
	if (!a->w)
		return;
	loop_unhook(&a->finished);
	arena_fini(&a->arena);
	buf_fini(&a->body);
	a->w = NULL;
}
