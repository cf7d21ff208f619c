// SPDX-License-Identifier: Apache-2.0
/* page_status: what the gateway says of itself, and its certificate to take away. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/negotiate.h"
#include "page/page_priv.h"

/* Octets of an Apple profile around the certificate. */
enum { PROFILE_FRAME = 4096 };

/* A UUID from the fingerprint: the same authority is the same profile (RFC 9562 §5.8).
 */
static void
put_uuid(struct text *t, struct span sha256, uint8_t kind)
{
	uint8_t raw[16] = {0};
	size_t n = 0;
	if (!text_unhex(span_first(sha256, 32), raw, sizeof(raw), &n))
		memset(raw, 0, sizeof(raw));
	raw[15] ^= kind;
	raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x80);
	raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(raw); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text_add(t, "-");
		text_put_hex(t, span_of(&raw[i], 1), true);
	}
}

/* The keys every payload has. */
static void
put_payload(struct text *t, const struct page_status *s, const char *type, uint8_t kind)
{
	text_add(t, "<key>PayloadType</key><string>%s</string>\n", type);
	text_add(t, "<key>PayloadVersion</key><integer>1</integer>\n");
	text_add(t, "<key>PayloadIdentifier</key><string>org.sekisho.ca.%u.", kind);
	put_uuid(t, s->root_sha256, kind);
	text_add(t, "</string>\n<key>PayloadUUID</key><string>");
	put_uuid(t, s->root_sha256, kind);
	text_add(t, "</string>\n<key>PayloadDisplayName</key><string>");
	page_put_html(t, s->root_name); /* the five entities are XML's too */
	text_add(t, "</string>\n");
}

/* Apple's Configuration Profile Reference: one payload of type security.root. */
static struct span
profile(struct arena *a, const struct page_status *s)
{
	size_t cap = s->root_der.n * 2 + s->root_name.n * 12 + PROFILE_FRAME;
	struct text t = text_to(arena_alloc(a, cap), cap);
	text_add(&t,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
		"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
		"<plist version=\"1.0\"><dict>\n");
	put_payload(&t, s, "Configuration", 1);
	text_add(&t, "<key>PayloadContent</key><array><dict>\n");
	put_payload(&t, s, "com.apple.security.root", 2);
	text_add(&t,
		"<key>PayloadCertificateFileName</key><string>sekisho.cer</string>\n"
		"<key>PayloadContent</key><data>");
	text_put_base64(&t, s->root_der);
	text_add(&t, "</data>\n</dict></array>\n</dict></plist>\n");
	return text_span(&t);
}

struct download {
	const char *path;
	const char *type;
	const char *file;
};

static const struct download downloads[] = {
	{"/ca.pem", "application/x-pem-file", "sekisho-ca.pem"},
	{"/ca.crt", "application/x-x509-ca-cert", "sekisho-ca.crt"},
	{"/ca.mobileconfig", "application/x-apple-aspen-config",
		"sekisho.mobileconfig"},
	{"/ca.crl", "application/pkix-crl", "sekisho.crl"},
};

/* In the order of the table. */
static struct span
content_of(size_t i, struct arena *a, const struct page_status *s)
{
	if (i == 2)
		return profile(a, s);
	return i == 0 ? s->root_pem : i == 1 ? s->root_der : s->crl;
}

static bool
make_download(struct page_answer *to, const struct download *d,
	const struct page_status *s, struct err *err)
{
	size_t i = (size_t)(d - downloads);
	struct span value =
		arena_format(to->arena, "attachment; filename=\"%s\"", d->file);
	to->body = content_of(i, to->arena, s);
	return page_begin(to, 200, span_str(d->type), err) &&
		http_add(
			&to->response->fields, SPAN("Content-Disposition"), value, err);
}

static void
put_status_text(struct text *t, const struct page_status *s)
{
	text_add(t, "sekisho %.*s\n", SPAN_ARG(s->version));
	if (s->root_name.n == 0)
		return;
	text_add(t, "CA: ");
	text_put_safe(t, s->root_name);
	text_add(t, "\nSHA-256: %.*s\n\n", SPAN_ARG(s->root_sha256));
	text_add(t, "/ca.pem  /ca.crt  /ca.mobileconfig\n");
}

static void
set_status(struct page_values *v, const struct page_status *s, char ip[IP_TEXT])
{
	v->topics[v->n_topics++] = SPAN("status");
	page_set(v, "root_name", s->root_name);
	page_set(v, "root_sha256", s->root_sha256);
	page_set(v, "not_after", page_day(s->not_after));
	page_set(v, "node_name", s->node_name);
	page_set(v, "gateway", s->gateway);
	page_set(v, "version", s->version);
	if (s->client.family != IP_NONE)
		page_set(v, "client", span_str(ip_text(ip, &s->client)));
}

static bool
make_front(struct page_answer *to, const struct page_status *s, struct err *err)
{
	char ip[IP_TEXT];
	struct page_values v = {.n = 0};
	const struct http_fields *asked = &to->request->fields;
	const char *language = page_choose_language(&v, page_style(to), asked);
	struct span accept = http_get_id(asked, HTTP_NAME_ACCEPT);
	bool html = negotiate_type(asked, SPAN("text/html")) > 0 &&
		span_find(accept, SPAN("html")) < accept.n;
	struct span type = html ? SPAN("text/html; charset=utf-8")
				: SPAN("text/plain; charset=utf-8");

	page_set(&v, "lang", span_str(language));
	page_set_style(&v, page_style(to), to->arena);
	set_status(&v, s, ip);
	if (!page_begin(to, 200, type, err) ||
		!http_add(&to->response->fields, SPAN("Content-Language"),
			span_str(language), err))
		return false;

	char *p = mem_alloc(PAGE_BODY);
	struct text t = text_to(p, PAGE_BODY);
	if (html) {
		page_render(&t, SPAN("status.html"), &v);
	} else {
		put_status_text(&t, s);
	}
	to->body = arena_copy(to->arena, text_span(&t));
	mem_free(p);
	return true;
}

bool
page_status_make(struct page_answer *to, const struct page_status *s, struct err *err)
{
	struct span path = to->request->path;
	struct page_facts lost = {.kind = PAGE_ERROR,
		.status = 404,
		.code = ERR_GATE_NOT_FOUND,
		.host = to->request->authority,
		.path = path,
		.wall_ms = clock_wall_ms()};
	bool ok = false;
	size_t i = 0;

	if (arena_room(to->arena) < PAGE_ROOM + s->root_der.n * 2)
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for the status page");
	path = span_first(path, span_chr(path, '?'));
	while (i < COUNT_OF(downloads) && !span_eq(path, span_str(downloads[i].path)))
		i++;
	if (i < COUNT_OF(downloads) && s->root_der.n > 0 &&
		(s->crl.n > 0 || !span_eq(path, SPAN("/ca.crl")))) {
		ok = make_download(to, &downloads[i], s, err);
	} else if (span_eq(path, SPAN("/"))) {
		ok = make_front(to, s, err);
	} else {
		return page_make(to, &lost, err);
	}
	to->response->body = (struct http_body){BODY_LENGTH, to->body.n};
	return ok;
}
