// SPDX-License-Identifier: Apache-2.0
/* exchange_stored: a stored response on its way to a client, and Cache-Status. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/exchange_cache.h"
#include "gate/exchange_priv.h"

bool
exchange_stored_present(struct session *s, struct err *err)
{
	struct exchange *x = s->x;
	struct exchange_cache *c = x->cache;
	char length[24];
	struct cache_selection sel = cache_select(
		&c->request.fields, &c->stored, &c->hit.facts, c->hit.length);
	int64_t age = cache_age(&c->hit.facts, clock_wall_ms());

	http_response_make(&x->response, &x->arena, c->hit.facts.status);
	x->response.fields = c->stored.fields;
	if (!cache_present(&x->response, &sel, age, c->hit.length, err))
		return false;
	if (c->request.method == HTTP_HEAD && x->response.body.kind == BODY_LENGTH) {
		size_t n = text_format(
			length, sizeof(length), "%llu", (unsigned long long)sel.n);
		if (!http_set(&x->response.fields, SPAN("Content-Length"),
			    span_of(length, n), err))
			return false;
		x->response.body = (struct http_body){BODY_NONE, 0};
	}
	if (x->response.body.kind != BODY_LENGTH)
		sel.n = 0;
	cache_store_seek(c->store, &c->hit, sel.from, sel.n, &c->rest);
	exchange_stored_status(s);
	return true;
}

static void
put_hit(struct exchange_cache *c, struct text *t)
{
	text_add(t, "; hit; ttl=%lld",
		(long long)cache_left(&c->hit.facts, clock_wall_ms()));
}

static void
put_forward(struct exchange_cache *c, struct text *t)
{
	static const char *const names[] = {
		[FWD_NOT] = "bypass",
		[FWD_METHOD] = "method",
		[FWD_URI_MISS] = "uri-miss",
		[FWD_VARY_MISS] = "vary-miss",
		[FWD_STALE] = "stale",
		[FWD_REQUEST] = "request",
	};

	text_add(t, "; fwd=%s", names[c->fwd]);
	if (c->origin_status != 0)
		text_add(t, "; fwd-status=%u", c->origin_status);
	if (c->storing)
		text_add(t, "; stored");
}

void
exchange_stored_status(struct session *s)
{
	struct exchange_cache *c = s->x->cache;
	char value[128];
	struct text t = text_to(value, sizeof(value));
	struct err err = {0};

	/* Said to us, and not to who comes after us (edge-arch §2.3). */
	(void)http_remove(&s->x->response.fields, SPAN("surrogate-control"));
	if (!c->shows_status)
		return;
	text_add(&t, "sekisho");
	if (c->fwd == FWD_NOT) {
		put_hit(c, &t);
	} else {
		put_forward(c, &t);
	}
	if (c->waited)
		text_add(&t, "; collapsed");
	if (!http_add(
		    &s->x->response.fields, SPAN("Cache-Status"), text_span(&t), &err))
		log_debug("edge.cache-status", "why=\"%s\"", err.text);
}
