// SPDX-License-Identifier: Apache-2.0
#include "gate/facts.h"

#include "http/url.h"
#include "rule/policy.h"

struct facts_wanted
facts_wanted(const struct policy *p)
{
	return (struct facts_wanted){
		.headers = policy_reads(p, "http.request.headers"),
		.names = policy_reads(p, "http.request.headers.names"),
		.full_uri = policy_reads(p, "http.request.full_uri"),
		.response_headers = policy_reads(p, "http.response.headers"),
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
}

/* Whether an earlier field has the same name: only the first of them makes a pair. */
static bool
is_repeat(const struct http_fields *fields, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++) {
		if (span_eq_nocase(fields->v[k].name, fields->v[i].name))
			return true;
	}
	return false;
}

static struct value
values_of(const struct http_fields *fields, struct span name, struct arena *a)
{
	size_t n = http_get_all(fields, name, NULL, 0);
	struct span *spans = arena_alloc(a, n * sizeof(*spans));
	struct value *items = arena_alloc(a, n * sizeof(*items));
	(void)http_get_all(fields, name, spans, n);
	for (size_t i = 0; i < n; i++)
		items[i] = value_string(spans[i]);
	return value_array(items, n);
}

/* Map(Array(String)), names in lower case. */
static struct value
headers_value(const struct http_fields *fields, struct arena *a)
{
	struct value_pair *pairs = arena_alloc(a, (fields->n + 1) * sizeof(*pairs));
	size_t n = 0;
	for (uint32_t i = 0; i < fields->n; i++) {
		if (is_repeat(fields, i))
			continue;
		pairs[n].key = lower_copy(a, fields->v[i].name);
		pairs[n].v = values_of(fields, fields->v[i].name, a);
		n++;
	}
	return value_map(pairs, n);
}

static struct value
names_value(const struct http_fields *fields, struct arena *a)
{
	struct value *items = arena_alloc(a, (fields->n + 1) * sizeof(*items));
	for (uint32_t i = 0; i < fields->n; i++)
		items[i] = value_string(fields->v[i].name);
	return value_array(items, fields->n);
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
	if (wanted->headers)
		f->headers = headers_value(&head->fields, a);
	if (wanted->names)
		f->names = names_value(&head->fields, a);
	if (wanted->full_uri) {
		f->full_uri = arena_format(a, "%.*s://%.*s%.*s", SPAN_ARG(f->scheme),
			SPAN_ARG(head->authority), SPAN_ARG(head->path));
	}
}

void
facts_take_response(struct facts *f, const struct http_head *head,
	const struct facts_wanted *wanted, struct arena *a)
{
	f->response = head;
	if (wanted->response_headers)
		f->response_headers = headers_value(&head->fields, a);
}
