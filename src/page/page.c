// SPDX-License-Identifier: Apache-2.0
#include "page/page.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "event/event.h"
#include "http/header.h"
#include "http/negotiate.h"
#include "page/page_priv.h"

enum { URL_SHOWN = 300 };

/* How the page is told. */
enum form { FORM_TEXT, FORM_HTML, FORM_JSON, FORM_GRPC };

static const char *const kind_names[] = {
	[PAGE_BLOCKED] = "blocked",
	[PAGE_PROMPT] = "prompt",
	[PAGE_UNTRUSTED] = "untrusted",
	[PAGE_ERROR] = "error",
};

/* --- which form --- */

static bool
mentions(const struct http_fields *asked, const char *type)
{
	const struct http_field *f = NULL;
	while ((f = http_next_id(asked, HTTP_NAME_ACCEPT, f))) {
		if (span_find(f->value, span_str(type)) < f->value.n)
			return true;
	}
	return false;
}

/* Browsers name HTML, programs name JSON, and who takes anything (curl) reads text. */
static enum form
choose_form(const struct http_fields *asked)
{
	if (!asked)
		return FORM_TEXT;
	struct span type = header_media_type(http_get(asked, SPAN("content-type")));
	if (span_starts(type, SPAN("application/grpc")))
		return FORM_GRPC;
	unsigned html = negotiate_type(asked, SPAN("text/html"));
	unsigned json = negotiate_type(asked, SPAN("application/json"));
	unsigned problem = negotiate_type(asked, SPAN("application/problem+json"));
	json = problem > json ? problem : json;
	if (html > 0 && html >= json && mentions(asked, "text/html"))
		return FORM_HTML;
	if (json > 0 && mentions(asked, "json"))
		return FORM_JSON;
	return FORM_TEXT;
}

/* --- values --- */

bool
page_is_accent(struct span s)
{
	if (s.n != 4 && s.n != 7)
		return false;
	for (size_t i = 1; i < s.n; i++) {
		if (ascii_hex(s.p[i]) < 0)
			return false;
	}
	return s.p[0] == '#';
}

bool
page_is_link(struct span s)
{
	return span_starts(s, SPAN("https://")) || span_starts(s, SPAN("http://")) ||
		span_starts(s, SPAN("mailto:")) || span_starts(s, SPAN("tel:"));
}

/* On this very host. */
static bool
is_path(struct span s)
{
	return span_starts(s, SPAN("/")) && !span_starts(s, SPAN("//")) &&
		!span_starts(s, SPAN("/\\"));
}

static struct span
logo_url(const struct page_style *style, struct arena *a)
{
	bool known = span_eq(style->logo_type, SPAN("image/png")) ||
		span_eq(style->logo_type, SPAN("image/svg+xml"));
	if (!known || style->logo.n == 0 || style->logo.n > PAGE_LOGO)
		return (struct span){0};
	size_t cap = style->logo.n * 4 / 3 + 64;
	struct text t = text_to(arena_alloc(a, cap), cap);
	text_add(&t, "data:%.*s;base64,", SPAN_ARG(style->logo_type));
	text_put_base64(&t, style->logo);
	return text_span(&t);
}

void
page_set_style(struct page_values *v, const struct page_style *style, struct arena *a)
{
	char line[PAGE_LINE];
	page_set(v, "organisation",
		style->organisation.n > 0
			? style->organisation
			: arena_copy(a, page_sentence(v, SPAN("organisation"), line)));
	page_set(v, "contact", style->contact);
	if (page_is_link(style->contact_url))
		page_set(v, "contact_url", style->contact_url);
	page_set(v, "logo", logo_url(style, a));
	if (page_is_accent(style->accent))
		page_set(v, "accent", style->accent);
}

/* The last topics are the most general: what is wrong behind a site is told as that, in
 * the site's words; what is wrong with a request is first told as what it is. */
static void
set_site_topics(struct page_values *v, const struct page_facts *f, struct arena *a)
{
	const char *kind = kind_names[f->kind];
	const char *id = err_id(f->code);

	v->topics[v->n_topics++] = arena_format(a, "site.%s.%s", kind, id);
	if (f->kind == PAGE_ERROR && f->status < 500)
		v->topics[v->n_topics++] = arena_format(a, "%s.%s", kind, id);
	v->topics[v->n_topics++] = arena_format(a, "site.%s", kind);
	v->topics[v->n_topics++] = SPAN("site");
	v->topics[v->n_topics++] = span_str(kind);
}

/* "error.net.timeout", then "error". */
static void
set_topics(struct page_values *v, const struct page_facts *f, struct arena *a)
{
	const char *kind = kind_names[f->kind];
	struct span exact =
		f->kind == PAGE_UNTRUSTED ? f->verdict : span_str(err_id(f->code));
	/* With a way on, what people can do is another thing. */
	if (f->kind == PAGE_UNTRUSTED && f->continue_to.n > 0)
		v->topics[v->n_topics++] = SPAN("caution");
	v->topics[v->n_topics++] = arena_format(a, "%s.%.*s", kind, SPAN_ARG(exact));
	v->topics[v->n_topics++] = span_str(kind);
}

static struct span
reason_code(const struct page_facts *f, struct arena *a)
{
	if (f->kind == PAGE_UNTRUSTED && f->verdict.n > 0) {
		return arena_format(
			a, "%s.%.*s", err_id(f->code), SPAN_ARG(f->verdict));
	}
	return span_str(err_id(f->code));
}

static struct span
shown_time(struct arena *a, int64_t wall_ms)
{
	char text[CLOCK_TEXT];
	struct span s = span_str(clock_text(text, wall_ms));
	return arena_format(a, "%.*s %.*s UTC", SPAN_ARG(span_first(s, 10)),
		SPAN_ARG(span_slice(s, 11, 19)));
}

static void
set_request(struct page_values *v, const struct page_facts *f, struct arena *a)
{
	char ip[IP_TEXT];
	char id[EVENT_ID_TEXT];

	page_set(v, "host", f->host);
	if (f->path.n > 0) {
		page_set(v, "url",
			arena_format(a, "%.*s%.*s%s",
				SPAN_ARG(span_first(f->host, URL_SHOWN)),
				SPAN_ARG(span_first(f->path, URL_SHOWN)),
				f->path.n > URL_SHOWN ? "…" : ""));
	}
	if (f->client.family != IP_NONE)
		page_set(v, "client", arena_copy(a, span_str(ip_text(ip, &f->client))));
	if (f->request != 0) {
		page_set(v, "request",
			arena_copy(a, span_str(event_id_text(id, f->request))));
	}
	page_set(v, "time", shown_time(a, f->wall_ms));
}

static void
set_values(struct page_values *v, const struct page_style *style,
	const struct page_facts *f, struct arena *a)
{
	char is[24];
	struct span code = reason_code(f, a);

	if (f->at_site) {
		set_site_topics(v, f, a);
	} else {
		set_topics(v, f, a);
	}
	set_request(v, f, a);
	page_set_style(v, style, a);
	page_set(v, "kind", span_str(kind_names[f->kind]));
	text_format(is, sizeof(is), "is.%s", kind_names[f->kind]);
	page_set(v, (const char *)arena_cstr(a, span_str(is)), SPAN("yes"));
	page_set(v, "reason", f->reason);
	page_set(v, "code", code);
	if (page_is_link(style->reasons_url)) {
		page_set(v, "code_url",
			arena_format(a, "%.*s%.*s", SPAN_ARG(style->reasons_url),
				SPAN_ARG(code)));
	}
	if (is_path(f->continue_to) || page_is_link(f->continue_to))
		page_set(v, "continue", f->continue_to);
	if (f->at_site)
		return;
	page_set(v, "detail", f->detail);
	page_set(v, "rule", f->rule);
	v->chain = f->chain;
	v->n_chain = f->n_chain;
}

/* --- forms --- */

static void
put_safe_line(struct text *t, const struct page_values *v, const char *key)
{
	char line[PAGE_LINE];
	struct span s = page_sentence(v, span_str(key), line);
	if (s.n == 0)
		return;
	text_put_safe(t, s);
	text_add(t, "\n");
}

static void
put_labelled(
	struct text *t, const struct page_values *v, const char *key, const char *name)
{
	char line[PAGE_LINE];
	struct span value = page_get(v, span_str(name));
	if (value.n == 0)
		return;
	text_add(t, "%.*s: ", SPAN_ARG(page_sentence(v, span_str(key), line)));
	text_put_safe(t, value);
	text_add(t, "\n");
}

static void
put_text(struct text *t, const struct page_values *v)
{
	put_safe_line(t, v, "title");
	text_add(t, "\n");
	put_safe_line(t, v, "lead");
	struct span reason = page_get(v, SPAN("reason"));
	if (reason.n > 0) {
		text_add(t, "> ");
		text_put_safe(t, reason);
		text_add(t, "\n");
	}
	text_add(t, "\n");
	put_safe_line(t, v, "do.1");
	put_safe_line(t, v, "do.2");
	put_safe_line(t, v, "do.3");
	put_labelled(t, v, "ask", "contact");
	text_add(t, "\n");
	for (size_t i = 0; i < v->n_chain; i++) {
		text_add(t, "  %zu. ", i + 1);
		text_put_safe(t, v->chain[i].subject);
		text_add(t, " < ");
		text_put_safe(t, v->chain[i].issuer);
		text_add(t, " (%.*s)\n", SPAN_ARG(page_day(v->chain[i].not_after)));
	}
	put_labelled(t, v, "continue", "continue");
	put_labelled(t, v, "url", "url");
	put_labelled(t, v, "seen", "detail");
	put_labelled(t, v, "code", "code");
	put_labelled(t, v, "rule", "rule");
	put_labelled(t, v, "time", "time");
	put_labelled(t, v, "request", "request");
}

static void
json_value(struct json_out *j, const char *key, const struct page_values *v,
	const char *name)
{
	struct span value = page_get(v, span_str(name));
	if (value.n > 0)
		json_span(j, key, value);
}

static void
json_chain(struct json_out *j, const struct page_values *v)
{
	if (v->n_chain == 0)
		return;
	json_array(j, "chain");
	for (size_t i = 0; i < v->n_chain; i++) {
		const struct page_cert *c = &v->chain[i];
		json_object(j, NULL);
		json_span(j, "subject", c->subject);
		json_span(j, "issuer", c->issuer);
		json_span(j, "not_before", c->not_before);
		json_span(j, "not_after", c->not_after);
		json_span(j, "sha256", c->sha256);
		json_end(j);
	}
	json_end(j);
}

/* RFC 9457, with members of our own. */
static void
put_json(struct text *t, const struct page_values *v, unsigned status)
{
	char line[PAGE_LINE];
	struct json_out j;
	struct span type = page_get(v, SPAN("code_url"));

	json_init(&j, PAGE_BODY - 1);
	json_object(&j, NULL);
	json_span(&j, "type", type.n > 0 ? type : SPAN("about:blank"));
	json_span(&j, "title", page_sentence(v, SPAN("title"), line));
	json_uint(&j, "status", status);
	json_span(&j, "detail", page_sentence(v, SPAN("lead"), line));
	json_value(&j, "reason", v, "reason");
	json_value(&j, "code", v, "code");
	json_value(&j, "seen", v, "detail");
	json_value(&j, "rule", v, "rule");
	json_value(&j, "host", v, "host");
	json_value(&j, "continue", v, "continue");
	json_value(&j, "contact", v, "contact");
	json_value(&j, "request", v, "request");
	json_chain(&j, v);
	json_end(&j);
	text_put(t, json_text(&j));
	text_add(t, "\n");
	json_fini(&j);
}

static struct span
form_type(enum form form)
{
	switch (form) {
	case FORM_HTML:
		return SPAN("text/html; charset=utf-8");
	case FORM_JSON:
		return SPAN("application/problem+json");
	case FORM_GRPC:
		return SPAN("application/grpc");
	case FORM_TEXT:
		break;
	}
	return SPAN("text/plain; charset=utf-8");
}

/* --- heads --- */

const struct page_style *
page_style(const struct page_answer *to)
{
	static const struct page_style ours;
	return to && to->style ? to->style : &ours;
}

bool
page_begin(struct page_answer *to, unsigned status, struct span type, struct err *err)
{
	struct http_fields *f = &to->response->fields;
	http_response_make(to->response, to->arena, status);
	return http_add(f, SPAN("Content-Type"), type, err) &&
		http_add(f, SPAN("Cache-Control"), SPAN("no-store"), err) &&
		http_add(f, SPAN("X-Content-Type-Options"), SPAN("nosniff"), err) &&
		http_add(f, SPAN("Referrer-Policy"), SPAN("no-referrer"), err) &&
		http_add(f, SPAN("Content-Security-Policy"),
			SPAN("default-src 'none'; style-src 'unsafe-inline'; img-src "
			     "data:; "
			     "base-uri 'none'; form-action 'none'"),
			err);
}

/* The code, and why, as a gRPC client's people will read it: what is not printable
 * ASCII is written %XX, as the protocol asks. */
static struct span
grpc_message(const struct page_facts *f, struct arena *a)
{
	enum { REASON_SHOWN = 500 };
	struct span reason = span_first(f->reason, REASON_SHOWN);
	struct span code = reason_code(f, a);
	size_t room = code.n + 3 * reason.n + 3;
	struct text t = text_to(arena_alloc(a, room), room);
	text_put(&t, code);
	text_add(&t, reason.n > 0 ? ": " : "");
	for (size_t i = 0; i < reason.n; i++) {
		uint8_t c = reason.p[i];
		if (c >= ' ' && c <= '~' && c != '%') {
			text_put(&t, span_slice(reason, i, i + 1));
		} else {
			text_add(&t, "%%%02X", c);
		}
	}
	return text_span(&t);
}

/* A gRPC client reads a status of its own, in what is at once head and trailers. */
static bool
add_grpc(struct http_head *response, const struct page_facts *f, struct arena *a,
	struct err *err)
{
	bool denied = f->kind == PAGE_BLOCKED || f->kind == PAGE_PROMPT;
	return http_add(&response->fields, SPAN("Grpc-Status"),
		       denied ? SPAN("7") : SPAN("14"), err) &&
		http_add(&response->fields, SPAN("Grpc-Message"), grpc_message(f, a),
			err);
}

static bool
add_marks(struct http_head *response, const struct page_values *v, const char *language,
	struct err *err)
{
	struct http_fields *f = &response->fields;
	struct span id = page_get(v, SPAN("request"));
	return http_add(f, SPAN("Content-Language"), span_str(language), err) &&
		http_add(f, SPAN("Vary"), SPAN("Accept, Accept-Language"), err) &&
		http_add(f, SPAN("Sekisho-Reason"), page_get(v, SPAN("code")), err) &&
		(id.n == 0 || http_add(f, SPAN("Sekisho-Request"), id, err));
}

static struct span
compose(struct arena *a, enum form form, struct page_values *v, unsigned status)
{
	char *p = mem_alloc(PAGE_BODY);
	struct text t = text_to(p, PAGE_BODY);
	if (form == FORM_HTML) {
		page_render(&t, SPAN("page.html"), v);
	} else if (form == FORM_JSON) {
		put_json(&t, v, status);
	} else if (form == FORM_TEXT) {
		put_text(&t, v);
	}
	struct span body = text_span(&t);
	if (body.n < arena_room(a)) {
		body = arena_copy(a, body);
	} else {
		body = (struct span){0};
	}
	mem_free(p);
	return body;
}

bool
page_make(struct page_answer *to, const struct page_facts *facts, struct err *err)
{
	struct arena *a = to->arena;
	struct page_values v = {.n = 0};
	bool roomy = arena_room(a) >= PAGE_ROOM;
	const struct http_fields *asked = to->request ? &to->request->fields : NULL;
	enum form form = roomy ? choose_form(asked) : FORM_TEXT;
	const struct page_style *style = roomy ? page_style(to) : page_style(NULL);

	const char *language = page_choose_language(&v, style, asked);
	page_set(&v, "lang", span_str(language));
	set_values(&v, style, facts, a);
	unsigned status = form == FORM_GRPC ? 200 : facts->status;
	if (!page_begin(to, status, form_type(form), err) ||
		!add_marks(to->response, &v, language, err) ||
		(form == FORM_GRPC && !add_grpc(to->response, facts, a, err)))
		return false;
	to->body = compose(a, form, &v, facts->status);
	to->response->body = (struct http_body){BODY_LENGTH, to->body.n};
	return true;
}
