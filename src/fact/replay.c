// SPDX-License-Identifier: Apache-2.0
#include "fact/replay.h"

static struct span
text_of(const struct event_view *e, enum event_field f, struct arena *a)
{
	const struct event_value *v = &e->v[f];
	return v->set ? arena_copy(a, v->s) : (struct span){0};
}

static struct value
alpn_of(const struct event_view *e, struct arena *a)
{
	struct span rest = text_of(e, EVENT_ALPN_OFFERED, a);
	struct span name;
	struct value *items = arena_alloc(a, (rest.n + 1) * sizeof(*items));
	size_t n = 0;
	while (span_cut(&rest, ',', &name))
		items[n++] = value_string(name);
	return n > 0 ? value_array(items, n) : value_missing();
}

static void
replay_cert(struct client_cert *c, const struct event_view *e, struct arena *a)
{
	struct span verdict = text_of(e, EVENT_CLIENT_CERT_VERDICT, a);
	*c = (struct client_cert){
		.presented = verdict.n > 0,
		.verified = span_eq(verdict, SPAN("good")) ||
			span_eq(verdict, SPAN("revoked")),
		.revoked = span_eq(verdict, SPAN("revoked")),
	};
	c->text[CLIENT_CERT_SUBJECT] = text_of(e, EVENT_CLIENT_CERT, a);
	c->text[CLIENT_CERT_SERIAL] = text_of(e, EVENT_CLIENT_CERT_SERIAL, a);
	c->text[CLIENT_CERT_SHA256] = text_of(e, EVENT_CLIENT_CERT_SHA256, a);
}

/* As far as there is something that only this phase could tell. */
static enum phase
reached(const struct facts *f)
{
	if (f->tls_version.n > 0)
		return PHASE_HANDSHAKE;
	if (f->origin_verdict.n > 0 || f->origin_ip.family != IP_NONE)
		return PHASE_PEER;
	return f->host.n > 0 ? PHASE_HELLO : PHASE_ACCEPT;
}

static void
replay_client(struct facts *f, const struct event_view *e)
{
	if (e->v[EVENT_CLIENT].set)
		f->client.ip = e->v[EVENT_CLIENT].ip;
	if (e->v[EVENT_CLIENT_PORT].set)
		f->client.port = (uint16_t)e->v[EVENT_CLIENT_PORT].i;
	if (e->v[EVENT_PORT].set)
		f->port = (uint16_t)e->v[EVENT_PORT].i;
}

void
replay_session(
	struct facts *f, struct replay *r, const struct event_view *e, struct arena *a)
{
	*f = (struct facts){
		.apps = f->apps, .geo = f->geo, .categories = f->categories};
	replay_client(f, e);
	(void)!addr_parse(text_of(e, EVENT_LISTENER, a), &f->server);
	f->host = text_of(e, EVENT_HOST, a);
	f->sni = text_of(e, EVENT_SNI, a);
	f->connect_host = f->host;
	f->ja3 = text_of(e, EVENT_JA3, a);
	f->ja4 = text_of(e, EVENT_JA4, a);
	f->tls = f->ja4.n > 0;
	f->alpn = alpn_of(e, a);
	if (e->v[EVENT_ORIGIN_IP].set)
		f->origin_ip = e->v[EVENT_ORIGIN_IP].ip;
	f->origin_verdict = text_of(e, EVENT_ORIGIN_VERDICT, a);
	f->tls_version = text_of(e, EVENT_CLIENT_TLS, a);
	f->tls_cipher = text_of(e, EVENT_CLIENT_CIPHER, a);
	replay_cert(&r->cert, e, a);
	f->cert = &r->cert;
	categories_find(f->categories, f->host, &f->category, a);
	f->base.reached = reached(f);
}

static void
add(struct http_head *head, struct span name, struct span value)
{
	struct err ignored = {0};
	if (value.n > 0)
		(void)!http_add(&head->fields, name, value, &ignored);
}

static struct span
authority_of(const struct facts *f, struct span host, struct arena *a)
{
	bool usual = f->port == 0 || f->port == (f->tls ? 443 : 80);
	return usual ? host
		     : arena_format(a, "%.*s:%u", SPAN_ARG(host), (unsigned)f->port);
}

static struct span
target_of(const struct event_view *e, struct arena *a)
{
	struct span path = text_of(e, EVENT_PATH, a);
	struct span query = text_of(e, EVENT_QUERY, a);
	size_t room = path.n + query.n + 2;
	struct text t = text_to(arena_alloc(a, room), room);
	text_put(&t, path);
	if (query.n > 0) {
		text_put(&t, SPAN("?"));
		text_put(&t, query);
	}
	return text_span(&t);
}

static void
replay_response(struct facts *f, struct replay *r, const struct facts_wanted *wanted,
	const struct event_view *e, struct arena *a)
{
	enum event_field status =
		e->v[EVENT_ORIGIN_STATUS].set ? EVENT_ORIGIN_STATUS : EVENT_STATUS;
	f->base.reached = PHASE_REQUEST;
	if (!e->v[status].set)
		return;
	http_response_make(&r->response, a, (unsigned)e->v[status].i);
	add(&r->response, SPAN("Content-Type"), text_of(e, EVENT_RESPONSE_TYPE, a));
	facts_take_response(f, &r->response, wanted, a);
	f->base.reached = PHASE_RESPONSE;
}

bool
replay_request(struct facts *f, struct replay *r, const struct facts_wanted *wanted,
	const struct event_view *e, struct arena *a)
{
	struct span method = text_of(e, EVENT_METHOD, a);
	struct span host = text_of(e, EVENT_HOST, a);
	if (method.n == 0 || !e->v[EVENT_PATH].set)
		return false;
	replay_client(f, e);
	f->tls = !span_eq(text_of(e, EVENT_SCHEME, a), SPAN("http"));
	if (e->v[EVENT_REQUEST].set)
		f->request_id = (uint64_t)e->v[EVENT_REQUEST].i;
	http_request_make(&r->request, a, http_method_find(method),
		authority_of(f, host, a), target_of(e, a));
	r->request.method_name = method;
	r->request.version = span_eq(text_of(e, EVENT_CLIENT_HTTP, a), SPAN("HTTP/2"))
		? HTTP_2
		: HTTP_1_1;
	add(&r->request, SPAN("User-Agent"), text_of(e, EVENT_USER_AGENT, a));
	add(&r->request, SPAN("Referer"), text_of(e, EVENT_REFERER, a));
	add(&r->request, SPAN("Content-Type"), text_of(e, EVENT_REQUEST_TYPE, a));
	facts_take_request(f, &r->request, wanted, a);
	replay_response(f, r, wanted, e, a);
	return true;
}
