// SPDX-License-Identifier: Apache-2.0
/*
 * key_visit: TLS to the client with a key that is elsewhere, plain TCP to the origin.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/key_edge_priv.h"
#include "tls/engine.h"

enum { WIRE = 64 * 1024, PLAIN = 64 * 1024, DIAL_MS = 5000 };

static void advance(struct visit *v);

static void
bury(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct visit, corpse));
}

static void
set_parked(struct visit *v, bool parked)
{
	if (v->parked == parked)
		return;
	v->parked = parked;
	v->edge->n_parked += parked ? 1 : UINT64_MAX;
}

void
key_visit_close(struct visit *v)
{
	if (v->dead)
		return;
	v->dead = true;
	set_parked(v, false);
	elsewhere_drop(&v->elsewhere); /* before the fibre is unwound */
	tls_free(v->tls);
	timer_stop(&v->edge->loop, &v->late);
	dial_cancel(&v->dial);
	io_close(&v->client);
	if (v->origin_open)
		io_close(&v->origin);
	list_leave(&v->all);
	listen_release(&v->edge->limit);
	v->corpse.bury = bury;
	loop_bury(&v->edge->loop, &v->corpse);
}

static void
fail(struct visit *v, const struct err *why)
{
	const struct err *told = v->elsewhere.err.code ? &v->elsewhere.err : why;

	if (!v->open) {
		v->edge->n_failed++;
		log_warn("keyless.handshake", "error=%s text=\"%s\"",
			err_id(told->code), told->text);
	}
	/* The alert first; then the client ends, or the deadline does. */
	io_shut(&v->client);
	io_touch(&v->client);
	if (v->client.eof || v->client.failed || v->client.shut)
		key_visit_close(v);
}

/* ---- the origin ---- */

static void
origin_moved(struct io *io)
{
	struct visit *v = CONTAINER_OF(io, struct visit, origin);

	if (io->failed) {
		key_visit_close(v);
		return;
	}
	advance(v);
	if (!v->dead)
		io_touch(&v->client);
}

static void
dialled(struct dial *d)
{
	struct visit *v = CONTAINER_OF(d, struct visit, dial);

	if (d->fd < 0) {
		log_warn("keyless.origin", "error=%s text=\"%s\"", err_id(d->err.code),
			d->err.text);
		key_visit_close(v);
		return;
	}
	io_open(&v->origin, &v->edge->loop, d->fd, PLAIN, PLAIN);
	v->origin.moved = origin_moved;
	v->origin_open = true;
	advance(v);
	if (v->dead)
		return;
	io_touch(&v->origin);
	io_touch(&v->client);
}

/* ---- the client ---- */

static void
opened(struct visit *v)
{
	struct tls_facts facts;
	struct edge *e = v->edge;

	tls_facts(v->tls, &facts);
	v->open = true;
	e->n_open++;
	e->n_resumed += facts.resumed ? 1 : 0;
	timer_stop(&e->loop, &v->late);
	v->dial = (struct dial){.done = dialled};
	dial_start(&v->dial, &e->loop,
		&(struct dial_to){.ips = &e->origin.ip, .n = 1, .port = e->origin.port},
		clock_now() + DIAL_MS);
}

/* Both ways as far as bufs allow; true when both have ended. */
static bool
relay(struct visit *v)
{
	while (tls_read(v->tls, &v->origin.out) + tls_write(v->tls, &v->origin.in) > 0)
		;
	if (tls_state(v->tls) == TLS_ENDED)
		io_shut(&v->origin);
	if (!v->origin.eof || !buf_empty(&v->origin.in))
		return false;
	if (tls_end(v->tls))
		io_shut(&v->client);
	return v->client.shut;
}

static void
advance(struct visit *v)
{
	struct err err = {0};
	enum tls_state state = tls_advance(v->tls, &err);

	set_parked(v, state == TLS_WANTS_SIGNATURE);
	if (state == TLS_FAILED) {
		fail(v, &err);
		return;
	}
	if (state == TLS_OPEN && !v->open)
		opened(v);
	if (v->origin_open && relay(v))
		key_visit_close(v);
}

static void
client_moved(struct io *io)
{
	struct visit *v = CONTAINER_OF(io, struct visit, client);

	if (io->failed || (io->shut && io->eof)) {
		key_visit_close(v);
		return;
	}
	if (io->eof && !v->open) { /* nobody to shake hands with any more */
		key_visit_close(v);
		return;
	}
	if (io->eof)
		tls_wire_ended(v->tls);
	if (io->shut || tls_state(v->tls) == TLS_FAILED) {
		buf_drop(&io->in, buf_len(&io->in));
		return;
	}
	advance(v);
	if (!v->dead && v->origin_open)
		io_touch(&v->origin);
}

static void
signature_came(struct elsewhere *e)
{
	struct visit *v = CONTAINER_OF(e, struct visit, elsewhere);

	advance(v);
	if (!v->dead)
		io_touch(&v->client);
}

static void
too_late(struct timer *t)
{
	key_visit_close(CONTAINER_OF(t, struct visit, late));
}

void
key_visit_open(struct edge *e, int fd, const struct addr *peer)
{
	struct visit *v = mem_alloc(sizeof(*v));
	struct err err = {0};

	v->edge = e;
	v->late.fired = too_late;
	list_push(&e->visits, &v->all);
	io_open(&v->client, &e->loop, fd, WIRE, WIRE);
	v->client.moved = client_moved;
	elsewhere_init(&v->elsewhere, signature_came);
	v->elsewhere.client_ip = peer->ip;
	v->tls = tls_server_new(&(struct tls_server_spec){.profile = e->profile,
					.identity = e->identity,
					.owner = &v->elsewhere.owner,
					.wire_in = &v->client.in,
					.wire_out = &v->client.out},
		&err);
	if (!v->tls) {
		log_error("keyless.edge", "error=%s text=\"%s\"", err_id(err.code),
			err.text);
		key_visit_close(v);
		return;
	}
	timer_set(&e->loop, &v->late, clock_now() + e->handshake_ms);
}
