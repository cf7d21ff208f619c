// SPDX-License-Identifier: Apache-2.0
/* ask_tunnel: the connection to one key server, from name to broken, and again. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "keyless/ask_pool_priv.h"
#include "pki/trust.h"
#include "tls/engine.h"

enum {
	PORT = 2407,
	CONNECT_MS = 5000, /* from name to pong */
	PING_MS = 10000,   /* the reference closes after 30 s of silence */
	BACKOFF_LEAST_MS = 50,
	BACKOFF_MOST_MS = 10000,
	BACKOFF_HOPEFUL_MS = 800, /* below this, asks wait for it */
	WIRE_IN = 64 * 1024,
	WIRE_OUT = 64 * 1024,
	PLAIN_IN = WIRE_MESSAGE_MAX,
	PLAIN_OUT = 256 * 1024,
	P95_EVERY = 16, /* answers between two looks */
};

static void advance(struct tunnel *t);

static struct loop *
loop_of(const struct tunnel *t)
{
	return ask_pool_settings(t->pool)->loop;
}

/* ---- the end of a connection ---- */

static void
drop_connection(struct tunnel *t)
{
	resolve_cancel(&t->query);
	dial_cancel(&t->dial);
	timer_stop(loop_of(t), &t->again);
	timer_stop(loop_of(t), &t->due);
	loop_unhook(&t->flush);
	loop_unhook(&t->lost);
	if (io_is_open(&t->io))
		io_close(&t->io);
	tls_free(t->tls);
	t->tls = NULL;
	buf_wipe(&t->plain_in);
	buf_wipe(&t->plain_out);
}

/* Each time twice as long, and a part by chance so that edges do not come back at once.
 */
static uint32_t
next_backoff(struct tunnel *t)
{
	uint8_t chance = 0;
	uint32_t ms = t->backoff_ms;

	secret_random(&chance, 1);
	t->backoff_ms = ms * 2 < BACKOFF_MOST_MS ? ms * 2 : BACKOFF_MOST_MS;
	return ms / 2 + ms * chance / 512;
}

static void
lose(struct tunnel *t, const struct err *why)
{
	enum tunnel_state was = t->state;

	drop_connection(t);
	t->state = TUNNEL_DOWN;
	t->failures++;
	t->last = *why;
	t->lost_ms = clock_now();
	log_warn("keyless.lost", "server=%s:%u error=%s text=\"%s\"", t->host, t->port,
		err_id(why->code), why->text);
	timer_set(loop_of(t), &t->again, clock_now() + next_backoff(t));
	if (was >= TUNNEL_PROBING) {
		ask_link_fini(
			&t->link); /* asks may be sent anew from here: state is DOWN */
	}
	ask_pool_tunnel_lost(t->pool);
}

static void
lose_later(struct hook *h)
{
	struct tunnel *t = CONTAINER_OF(h, struct tunnel, lost);
	struct err why = t->lost_why;

	if (t->state != TUNNEL_DOWN)
		lose(t, &why);
}

void
ask_tunnel_give_up(struct tunnel *t, const struct err *why)
{
	t->lost_why = *why;
	loop_soon(loop_of(t), &t->lost);
}

bool
ask_tunnel_is_coming(const struct tunnel *t)
{
	return (t->state != TUNNEL_DOWN && t->state != TUNNEL_UP) ||
		(t->state == TUNNEL_DOWN && t->backoff_ms <= BACKOFF_HOPEFUL_MS);
}

/* ---- how fast it is ---- */

static int
compare_us(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return (*x > *y) - (*x < *y);
}

static void
measured(struct ask_link *l, uint64_t took_us)
{
	struct tunnel *t = CONTAINER_OF(l, struct tunnel, link);
	uint32_t us = took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;
	uint32_t sorted[TUNNEL_RECENT];
	size_t n = 0;

	t->recent_us[t->answers++ % TUNNEL_RECENT] = us;
	t->mean_us = t->mean_us ? t->mean_us - t->mean_us / 8 + us / 8 : us;
	t->slow = 0;
	if (t->answers % P95_EVERY != 0)
		return;
	n = t->answers < TUNNEL_RECENT ? (size_t)t->answers : TUNNEL_RECENT;
	memcpy(sorted, t->recent_us, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_us);
	t->p95_us = sorted[n * 95 / 100];
}

/* ---- pings ---- */

static void
send_ping(struct tunnel *t)
{
	struct err err = {0};

	if (t->ping.link)
		return; /* the one before is still under way */
	t->ping.want = (struct wire_msg){.op = WIRE_PING};
	t->answers_at_ping = t->answers;
	if (!ask_send(&t->link, &t->ping, &err))
		ask_tunnel_give_up(t, &err);
}

static void
ponged(struct ask *a)
{
	struct tunnel *t = CONTAINER_OF(a, struct tunnel, ping);

	if (t->state == TUNNEL_DOWN)
		return;
	if (!a->ok) {
		ask_tunnel_give_up(t, &a->err);
		return;
	}
	timer_set(loop_of(t), &t->again, clock_now() + PING_MS);
	if (t->state != TUNNEL_PROBING)
		return;
	t->state = TUNNEL_UP;
	t->backoff_ms = BACKOFF_LEAST_MS;
	log_info("keyless.up", "server=%s:%u", t->host, t->port);
	ask_pool_tunnel_up(t->pool);
}

/* ---- asks ---- */

static void
expire(struct timer *timer)
{
	struct tunnel *t = CONTAINER_OF(timer, struct tunnel, due);
	uint64_t next = ask_link_expire(&t->link, clock_now());

	if (next != UINT64_MAX && t->state != TUNNEL_DOWN)
		timer_set(loop_of(t), timer, next);
}

static void
flush(struct hook *h)
{
	struct tunnel *t = CONTAINER_OF(h, struct tunnel, flush);

	advance(t);
	if (t->state == TUNNEL_DOWN)
		return;
	io_touch(&t->io);
	if (t->state >= TUNNEL_PROBING && t->link.n > 0 && !timer_is_set(&t->due))
		timer_set(loop_of(t), &t->due, clock_now() + t->link.timeout_ms);
}

static void
wrote(struct ask_link *l)
{
	struct tunnel *t = CONTAINER_OF(l, struct tunnel, link);

	loop_soon(loop_of(t), &t->flush);
}

/* ---- bytes ---- */

static bool
judge(struct tunnel *t, struct err *err)
{
	struct chain *chain = mem_alloc(sizeof(*chain));
	struct trust_ask ask = {.chain = chain,
		.host = span_str(t->name),
		.now = clock_wall(),
		.options = trust_options_default()};
	struct verdict v = {0};

	ask.options.use = TRUST_SERVER;
	ask.options.private_names = true;
	chain_init(chain);
	bool ok = tls_peer_chain(t->tls, chain, err);
	if (ok) {
		trust_check(ask_pool_settings(t->pool)->trust, &ask, &v);
		ok = v.class == VERDICT_GOOD ||
			err_set(err, ERR_KEYLESS_SERVER, "%s: %s", verdict_id(v.class),
				v.text);
	}
	verdict_fini(&v);
	chain_fini(chain);
	mem_free(chain);
	return ok;
}

static void
begin_probing(struct tunnel *t)
{
	const struct ask_pool_spec *spec = ask_pool_settings(t->pool);

	buf_init(&t->plain_in, PLAIN_IN);
	buf_init(&t->plain_out, PLAIN_OUT);
	ask_link_init(&t->link, &t->plain_in, &t->plain_out, ASK_SLOTS_MAX);
	t->link.padded = !t->bare;
	t->link.timeout_ms = spec->timeout_ms;
	t->link.wrote = wrote;
	t->link.measured = measured;
	t->state = TUNNEL_PROBING;
	t->slow = 0;
	send_ping(t);
}

/* As far as bufs allow. */
static bool
exchange(struct tunnel *t, struct err *err)
{
	for (size_t n = 1; n > 0;) {
		n = tls_read(t->tls, &t->plain_in);
		if (!ask_link_advance(&t->link, err))
			return false;
		n += tls_write(t->tls, &t->plain_out);
	}
	return true;
}

static void
advance(struct tunnel *t)
{
	struct err err = {0};

	if (t->state < TUNNEL_SHAKING)
		return;
	enum tls_state state = tls_advance(t->tls, &err);
	if (state == TLS_WANTS_VERDICT) {
		if (!judge(t, &err)) {
			lose(t, &err);
			return;
		}
		tls_accept(t->tls);
		state = tls_advance(t->tls, &err);
	}
	if (state == TLS_OPEN && t->state == TUNNEL_SHAKING)
		begin_probing(t);
	/* Answers that came before the end still count. */
	if (t->state >= TUNNEL_PROBING && !exchange(t, &err)) {
		lose(t, &err);
		return;
	}
	if (state == TLS_ENDED)
		(void)err_set(&err, ERR_KEYLESS_BROKEN, "the key server closed");
	if (state == TLS_ENDED || state == TLS_FAILED)
		lose(t, &err);
}

static void
moved(struct io *io)
{
	struct tunnel *t = CONTAINER_OF(io, struct tunnel, io);
	struct err err = {0};

	if (io->failed) {
		(void)err_errno(&err, ERR_KEYLESS_BROKEN, io->failed, "the connection");
		lose(t, &err);
		return;
	}
	if (io->eof)
		tls_wire_ended(t->tls);
	advance(t);
}

/* ---- from name to bytes ---- */

/* Takes fd. */
static void
shake(struct tunnel *t, int fd)
{
	const struct ask_pool_spec *spec = ask_pool_settings(t->pool);
	struct err err = {0};
	struct ip ip;

	t->state = TUNNEL_SHAKING;
	io_open(&t->io, spec->loop, fd, WIRE_IN, WIRE_OUT);
	t->io.moved = moved;
	struct span name = span_str(t->name);
	t->tls = tls_client_new(
		&(struct tls_client_spec){.profile = spec->profile,
			.host = ip_parse(name, &ip) ? (struct span){0} : name,
			.identity = spec->identity,
			.wire_in = &t->io.in,
			.wire_out = &t->io.out},
		&err);
	if (!t->tls) {
		lose(t, &err);
		return;
	}
	advance(t);
	if (t->state != TUNNEL_DOWN)
		io_touch(&t->io);
}

static void
dialled(struct dial *d)
{
	struct tunnel *t = CONTAINER_OF(d, struct tunnel, dial);
	struct err err = d->err;

	if (d->fd < 0) {
		lose(t, &err);
	} else {
		shake(t, d->fd);
	}
}

static void
dial_here(struct tunnel *t)
{
	struct err err = {0};
	int fd = -1;

	if (dial_unix(span_str(t->host), &fd, &err)) {
		shake(t, fd);
	} else {
		lose(t, &err);
	}
}

static void
resolved(struct resolve *q)
{
	struct tunnel *t = CONTAINER_OF(q, struct tunnel, query);
	struct err err = {0};

	if (q->n == 0) {
		(void)err_set(&err, q->code, "%s: %s", t->host,
			q->why ? q->why : "no address");
		lose(t, &err);
		return;
	}
	t->state = TUNNEL_DIALLING;
	t->dial = (struct dial){.done = dialled};
	dial_start(&t->dial, loop_of(t),
		&(struct dial_to){.ips = q->ips, .n = q->n, .port = t->port},
		clock_now() + CONNECT_MS);
}

void
ask_tunnel_connect(struct tunnel *t)
{
	t->state = TUNNEL_RESOLVING;
	timer_set(loop_of(t), &t->again, clock_now() + CONNECT_MS);
	if (t->host[0] == '/') {
		dial_here(t);
		return;
	}
	t->query.done = resolved;
	if (resolve_start(
		    ask_pool_settings(t->pool)->resolver, &t->query, span_str(t->host)))
		resolved(&t->query);
}

static void
again(struct timer *timer)
{
	struct tunnel *t = CONTAINER_OF(timer, struct tunnel, again);
	struct err err = {0};

	switch (t->state) {
	case TUNNEL_DOWN:
		ask_tunnel_connect(t);
		return;
	case TUNNEL_UP:
		/* Answers tell as much as a pong would. */
		timer_set(loop_of(t), timer, clock_now() + PING_MS);
		if (t->answers == t->answers_at_ping)
			send_ping(t);
		t->answers_at_ping = t->answers;
		return;
	case TUNNEL_RESOLVING:
	case TUNNEL_DIALLING:
	case TUNNEL_SHAKING:
	case TUNNEL_PROBING:
		(void)err_set(&err, ERR_KEYLESS_LATE, "no connection within %d ms",
			(int)CONNECT_MS);
		lose(t, &err);
		return;
	}
}

void
ask_tunnel_init(struct tunnel *t, struct ask_pool *p, const struct ask_pool_server *s)
{
	struct span name = s->name.n > 0 ? s->name : s->host;

	*t = (struct tunnel){.pool = p,
		.port = s->port ? s->port : PORT,
		.bare = s->bare,
		.legacy_c = s->legacy_c,
		.plain_items = s->plain_items,
		.backoff_ms = BACKOFF_LEAST_MS,
		.flush.run = flush,
		.lost.run = lose_later,
		.again.fired = again,
		.due.fired = expire,
		.ping.done = ponged};
	must(span_copy(t->host, sizeof(t->host), s->host)); /* a checked setting */
	must(span_copy(t->name, sizeof(t->name), name));
	list_init(&t->flush.in);
	list_init(&t->lost.in);
	list_init(&t->query.in);
}

void
ask_tunnel_fini(struct tunnel *t)
{
	enum tunnel_state was = t->state;

	drop_connection(t);
	t->state = TUNNEL_DOWN;
	if (was >= TUNNEL_PROBING)
		ask_link_fini(&t->link);
	timer_stop(loop_of(t), &t->again);
}
