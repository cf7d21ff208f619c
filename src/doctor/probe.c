// SPDX-License-Identifier: Apache-2.0
#include "doctor/probe.h"

#include <string.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/text.h"

enum { WIRE = 64 * 1024, TURN_MS = 100, HTTPS = 443 };

struct probes {
	struct loop loop;
	struct resolver *resolver;
	struct profile *profile;
	uint64_t deadline_ms;
	size_t left;
};

static void
finish(struct probe *p, enum probe_end end)
{
	if (p->over)
		return;
	p->over = true;
	p->end = end;
	p->all->left--;
	if (p->open)
		io_shut(&p->io);
}

/* ---- HTTP heads, as text for people ---- */

/* "HTTP/1.1 200 OK": the number, or 0. */
static int
status_of(struct span head)
{
	struct span line;
	uint64_t status = 0;
	if (!span_starts(head, SPAN("HTTP/")) || !span_cut(&head, '\n', &line))
		return 0;
	struct span rest = span_from(line, span_chr(line, ' ') + 1);
	return text_u64(span_first(rest, 3), 599, &status) ? (int)status : 0;
}

/* Keeps the head of what came; whether it is whole. */
static bool
take_head(struct probe *p, struct span s)
{
	size_t end = span_find(s, SPAN("\r\n\r\n"));
	struct text t = text_to(p->head, sizeof(p->head));
	struct span line;
	struct span rest = span_first(s, end);
	p->status = status_of(s);
	while (span_cut(&rest, '\n', &line)) {
		text_put_safe(&t, span_trim(line));
		text_add(&t, "\n");
	}
	return end < s.n;
}

struct span
probe_field(const struct probe *p, struct span name)
{
	struct span rest = span_str(p->head);
	struct span line;
	while (span_cut(&rest, '\n', &line)) {
		size_t colon = span_chr(line, ':');
		if (colon < line.n && span_eq_nocase(span_first(line, colon), name))
			return span_trim(span_from(line, colon + 1));
	}
	return SPAN("");
}

/* ---- TLS ---- */

static void
take_facts(struct probe *p)
{
	struct tls_facts f;
	struct err err = {0};

	tls_facts(p->tls, &f);
	p->alert = f.alert_received;
	text_format(p->version, sizeof(p->version), "%s", f.version_name);
	text_format(p->cipher, sizeof(p->cipher), "%s", f.cipher);
	text_format(p->group, sizeof(p->group), "%s", f.group);
	struct text t = text_to(p->alpn, sizeof(p->alpn));
	text_put_safe(&t, f.alpn);
	if (p->chain.n == 0 && tls_has_peer(p->tls) &&
		!tls_peer_chain(p->tls, &p->chain, &err))
		p->err = err;
	p->staple = tls_peer_staple(p->tls).n > 0;
}

static bool
start_tls(struct probe *p)
{
	struct ip ip;
	struct span host = span_str(p->host);
	struct tls_client_spec spec = {
		.profile = p->all->profile,
		.host = ip_parse(host, &ip) ? SPAN("") : host,
		.alpn = p->talks ? SPAN("\x08http/1.1") : SPAN("\2h2\x08http/1.1"),
		.wire_in = &p->io.in,
		.wire_out = &p->io.out,
	};
	p->tls = tls_client_new(&spec, &p->err);
	return p->tls != NULL;
}

static void
ask_head(struct probe *p)
{
	bool usual = p->port == HTTPS;
	char port[8];
	text_format(port, sizeof(port), ":%u", p->port);
	if (!text_to_buf(&p->plain_out,
		    "HEAD / HTTP/1.1\r\nHost: %s%s\r\nUser-Agent: sekisho-doctor\r\n"
		    "Accept: */*\r\nConnection: close\r\n\r\n",
		    p->host, usual ? "" : port))
		finish(p, PROBE_SHOWN);
}

static void
talk(struct probe *p)
{
	while (tls_write(p->tls, &p->plain_out) + tls_read(p->tls, &p->plain_in) > 0)
		;
	bool whole = take_head(p, buf_peek(&p->plain_in));
	enum tls_state state = tls_state(p->tls);
	if (whole || buf_full(&p->plain_in) || state == TLS_ENDED ||
		state == TLS_FAILED)
		finish(p, PROBE_SHOWN);
}

static void
shown(struct probe *p)
{
	take_facts(p);
	tls_accept(p->tls);
	if (!p->talks) {
		finish(p, PROBE_SHOWN);
		return;
	}
	ask_head(p);
}

/* A proxy's or a filter's answer in clear, where a handshake was due. */
static bool
is_plain(struct probe *p)
{
	if (p->io.n_in > 0 && !p->tls &&
		span_starts(buf_peek(&p->io.in), SPAN("HTTP/"))) {
		if (take_head(p, buf_peek(&p->io.in)) || p->io.eof ||
			buf_full(&p->io.in))
			finish(p, PROBE_PLAIN);
		return true;
	}
	return false;
}

static void
advance_tls(struct probe *p)
{
	struct err err = {0};
	bool shaking = tls_state(p->tls) == TLS_SHAKING;
	struct span first = buf_peek(&p->io.in);
	struct chain *chain = &p->chain;

	if (shaking && chain->n == 0 && span_starts(first, SPAN("HTTP/"))) {
		(void)take_head(p, first);
		finish(p, PROBE_PLAIN);
		return;
	}
	if (p->io.eof)
		tls_wire_ended(p->tls);
	enum tls_state state = tls_advance(p->tls, &err);
	if (state == TLS_WANTS_VERDICT) {
		shown(p);
		state = p->over ? state : tls_advance(p->tls, &err);
	}
	if (state == TLS_FAILED && chain->n == 0) {
		take_facts(p);
		p->err = err;
		finish(p, PROBE_HANDSHAKE);
	} else if (!p->over && chain->n > 0) {
		talk(p);
	}
}

/* ---- the way there ---- */

static void
ask_proxy(struct probe *p)
{
	bool v6 = strchr(p->host, ':') != NULL;
	const char *open = v6 ? "[" : "";
	const char *shut = v6 ? "]" : "";
	const char *auth = p->proxy.auth;
	if (!text_to_buf(&p->io.out,
		    "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n%s%s%s\r\n", open,
		    p->host, shut, p->port, open, p->host, shut, p->port,
		    auth[0] ? "Proxy-Authorization: Basic " : "", auth,
		    auth[0] ? "\r\n" : ""))
		finish(p, PROBE_PROXY);
}

static void
hear_proxy(struct probe *p)
{
	struct span s = buf_peek(&p->io.in);
	bool whole = take_head(p, s);

	if (!whole && !p->io.eof && !p->io.failed && !buf_full(&p->io.in))
		return;
	if (!whole || p->status < 200 || p->status > 299) {
		finish(p, PROBE_PROXY);
		return;
	}
	buf_drop(&p->io.in, span_find(s, SPAN("\r\n\r\n")) + 4);
	p->head[0] = 0;
	p->status = 0;
	p->tunnel = true;
}

static bool
is_tunnelled(const struct probe *p)
{
	return !p->proxy.host[0] || p->tunnel;
}

/* The connection ended before the probe did. */
static void
take_loss(struct probe *p)
{
	if (!p->err.code) {
		(void)err_set(&p->err, ERR_NET_ENDED, "%s",
			p->io.failed ? strerror(p->io.failed)
				     : "closed in the handshake");
	}
	finish(p, p->chain.n > 0 ? PROBE_SHOWN : PROBE_HANDSHAKE);
}

static void
advance(struct probe *p)
{
	if (!is_tunnelled(p))
		hear_proxy(p);
	if (p->over || !is_tunnelled(p) || is_plain(p))
		return;
	if (!p->tls && !start_tls(p)) {
		finish(p, PROBE_HANDSHAKE);
	} else if (p->tls) {
		advance_tls(p);
	}
}

static void
moved(struct io *io)
{
	struct probe *p = CONTAINER_OF(io, struct probe, io);

	if (!p->over)
		advance(p);
	if (!p->over && (io->failed || io->eof))
		take_loss(p);
}

static void
dialled(struct dial *d)
{
	struct probe *p = CONTAINER_OF(d, struct probe, dial);

	if (d->fd < 0) {
		p->err = d->err;
		finish(p, PROBE_NO_ROUTE);
		return;
	}
	p->io.moved = moved;
	io_open(&p->io, &p->all->loop, d->fd, WIRE, WIRE);
	p->open = true;
	if (p->proxy.host[0]) {
		ask_proxy(p);
	} else {
		moved(&p->io); /* a client speaks first */
	}
	io_touch(&p->io);
}

static void
go(struct probe *p)
{
	const struct dial_to to = {.ips = p->resolve.ips,
		.n = p->resolve.n,
		.port = p->proxy.host[0] ? p->proxy.port : p->port};

	if (to.n == 0) {
		(void)err_set(&p->err, p->resolve.code, "%s",
			p->resolve.why ? p->resolve.why : "no address");
		finish(p, PROBE_NO_NAME);
		return;
	}
	p->dial = (struct dial){.done = dialled};
	dial_start(&p->dial, &p->all->loop, &to, p->all->deadline_ms);
}

static void
resolved(struct resolve *q)
{
	go(CONTAINER_OF(q, struct probe, resolve));
}

static void
start(struct probe *p, struct probes *all)
{
	const char *name = p->proxy.host[0] ? p->proxy.host : p->host;

	p->all = all;
	p->end = PROBE_LATE;
	p->alert = TLS_NO_ALERT;
	p->over = false;
	buf_init(&p->plain_in, PROBE_HEAD);
	buf_init(&p->plain_out, PROBE_HEAD);
	p->resolve = (struct resolve){.done = resolved};
	if (resolve_start(all->resolver, &p->resolve, span_str(name)))
		go(p);
}

static void
stop(struct probe *p)
{
	if (!p->over && p->tls)
		take_facts(p);
	p->over = true;
	resolve_cancel(&p->resolve);
	dial_cancel(&p->dial);
	tls_free(p->tls);
	p->tls = NULL;
	if (p->open)
		io_close(&p->io);
	p->open = false;
	buf_fini(&p->plain_in);
	buf_fini(&p->plain_out);
}

/* ---- all of them ---- */

static bool
prepare(struct probes *all, struct err *err)
{
	const struct resolve_options options = {0};

	if (!loop_init(&all->loop, err))
		return false;
	all->resolver = resolve_open(&all->loop, &options, err);
	all->profile = profile_new(&(struct profile_spec){.role = PROFILE_CLIENT,
					   .insecure_rsa_key_exchange = true,
					   .insecure_cbc = true},
		err);
	if (all->resolver && all->profile)
		return true;
	resolve_close(all->resolver);
	profile_put(all->profile);
	loop_fini(&all->loop);
	return false;
}

bool
probe_all(struct probe *const *list, size_t n, uint64_t deadline_ms, struct err *err)
{
	struct probes all = {.deadline_ms = deadline_ms, .left = n};

	if (!prepare(&all, err))
		return false;
	for (size_t i = 0; i < n; i++)
		start(list[i], &all);
	while (all.left > 0 && clock_tick() < deadline_ms)
		loop_turn(&all.loop, TURN_MS);
	for (size_t i = 0; i < n; i++)
		stop(list[i]);
	loop_turn(&all.loop, 0);
	resolve_close(all.resolver);
	profile_put(all.profile);
	loop_fini(&all.loop);
	return true;
}

void
probe_fini(struct probe *p)
{
	chain_fini(&p->chain);
}
