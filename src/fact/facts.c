// SPDX-License-Identifier: Apache-2.0
#include "fact/facts.h"

#include "http/url.h"
#include "rule/policy.h"

struct facts_wanted
facts_wanted(const struct policy *p)
{
	return (struct facts_wanted){
		.made = facts_made_wanted(p),
		.ja3 = policy_reads(p, "cf.bot_management.ja3_hash"),
		.ja4 = policy_reads(p, "cf.bot_management.ja4"),
	};
}

static struct span
lower_copy(struct arena *a, struct span s)
{
	if (s.n == 0)
		return s;
	uint8_t *p = arena_alloc(a, s.n);
	span_lower(p, s);
	return span_of(p, s.n);
}

static struct value
alpn_value(const struct hello *h, struct arena *a)
{
	struct span rest = h->alpn;
	struct span name = {0};
	size_t n = 0;
	while (hello_next_alpn(&rest, &name))
		n++;
	if (n == 0)
		return value_missing();
	struct value *items = arena_alloc(a, n * sizeof(*items));
	rest = h->alpn;
	for (size_t i = 0; hello_next_alpn(&rest, &name); i++)
		items[i] = value_string(name);
	return value_array(items, n);
}

void
facts_take_hello(struct facts *f, const struct hello *h,
	const struct facts_wanted *wanted, struct arena *a)
{
	char ja3[HELLO_JA3];
	char ja4[HELLO_JA4];
	f->hello = h;
	f->tls = true;
	f->sni = lower_copy(a, h->host);
	f->host = f->sni.n > 0 ? f->sni : f->connect_host;
	f->alpn = alpn_value(h, a);
	if (wanted->ja3)
		f->ja3 = arena_copy(a, span_str(hello_ja3(h, ja3)));
	if (wanted->ja4)
		f->ja4 = arena_copy(a, span_str(hello_ja4(h, ja4)));
	categories_find(f->categories, f->host, &f->category, a);
	facts_make(f, PHASE_HELLO, wanted->made, a);
}

void
facts_take_request(struct facts *f, const struct http_head *head,
	const struct facts_wanted *wanted, struct arena *a)
{
	struct url_host host = {0};
	struct err err = {0};
	f->request = head;
	f->scheme = f->tls ? SPAN("https") : SPAN("http");
	(void)url_split(head->path, &f->path, &f->query);
	if (url_host_parse(head->authority, f->tls ? 443 : 80, a, &host, &err))
		f->host = host.name;
	categories_find(f->categories, f->host, &f->category, a);
	facts_make(f, PHASE_REQUEST, wanted->made, a);
}

void
facts_take_response(struct facts *f, const struct http_head *head,
	const struct facts_wanted *wanted, struct arena *a)
{
	f->response = head;
	facts_make(f, PHASE_RESPONSE, wanted->made, a);
}
