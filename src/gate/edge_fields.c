// SPDX-License-Identifier: Apache-2.0
/*
 * edge_fields: what an origin is told of a client's certificate, in the dialects that
 * origins know.
 *
 * Whatever a client itself sends under any of these names is removed first, in every
 * dialect and on every listener: an application believes them.
 */
#include "base/log.h"
#include "base/text.h"
#include "gate/edge.h"
#include "gate/session.h"

/* To add a family: its prefix here, its fields below. '_' counts as '-'. */
static const struct span families[] = {
	SPAN_INIT("client-cert"),
	SPAN_INIT("cf-client-cert"),
	SPAN_INIT("cf-cert-"),
	SPAN_INIT("x-client-cert"),
	SPAN_INIT("x-ssl-"),
	SPAN_INIT("ssl-client-"),
	SPAN_INIT("x-forwarded-client-cert"),
};

void
edge_strip(struct http_fields *fields)
{
	for (size_t i = 0; i < COUNT_OF(families); i++)
		http_remove_prefix(fields, families[i]);
}

/* An empty text is not said. */
static bool
say(struct http_head *h, const char *name, struct span value, struct err *err)
{
	return value.n == 0 || http_add(&h->fields, span_str(name), value, err);
}

static struct span
truth(bool b)
{
	return b ? SPAN("true") : SPAN("false");
}

/* RFC 9440 §2: only what was verified is said. */
static bool
say_rfc9440(struct http_head *h, const struct client_cert *c, struct err *err)
{
	if (!c->verified || c->revoked)
		return true;
	return say(h, "Client-Cert", c->text[CLIENT_CERT_RFC9440], err) &&
		say(h, "Client-Cert-Chain", c->text[CLIENT_CERT_CHAIN_RFC9440], err);
}

struct row {
	const char *name;
	enum client_cert_text text;
};

static bool
say_rows(struct http_head *h, const struct client_cert *c, const struct row *rows,
	struct err *err)
{
	for (; rows->name; rows++) {
		if (!say(h, rows->name, c->text[rows->text], err))
			return false;
	}
	return true;
}

static bool
say_cloudflare(struct http_head *h, const struct client_cert *c, struct err *err)
{
	static const struct row rows[] = {
		{"Cf-Cert-Issuer-Dn", CLIENT_CERT_ISSUER},
		{"Cf-Cert-Subject-Dn", CLIENT_CERT_SUBJECT},
		{"Cf-Cert-Issuer-Dn-Rfc2253", CLIENT_CERT_ISSUER},
		{"Cf-Cert-Subject-Dn-Rfc2253", CLIENT_CERT_SUBJECT},
		{"Cf-Cert-Issuer-Dn-Legacy", CLIENT_CERT_ISSUER_LEGACY},
		{"Cf-Cert-Subject-Dn-Legacy", CLIENT_CERT_SUBJECT_LEGACY},
		{"Cf-Cert-Serial", CLIENT_CERT_SERIAL},
		{"Cf-Cert-Issuer-Serial", CLIENT_CERT_ISSUER_SERIAL},
		{"Cf-Cert-Fingerprint-Sha256", CLIENT_CERT_SHA256},
		{"Cf-Cert-Fingerprint-Sha1", CLIENT_CERT_SHA1},
		{"Cf-Cert-Not-Before", CLIENT_CERT_NOT_BEFORE},
		{"Cf-Cert-Not-After", CLIENT_CERT_NOT_AFTER},
		{"Cf-Cert-Ski", CLIENT_CERT_SKI},
		{"Cf-Cert-Issuer-Ski", CLIENT_CERT_ISSUER_SKI},
		{"Cf-Client-Cert-Sha256", CLIENT_CERT_SHA256},
		{NULL, 0},
	};
	struct span der = c->text[CLIENT_CERT_RFC9440]; /* between colons */

	return say(h, "Cf-Cert-Presented", truth(c->presented), err) &&
		say(h, "Cf-Cert-Verified", truth(c->verified), err) &&
		say(h, "Cf-Cert-Revoked", truth(c->revoked), err) &&
		say_rows(h, c, rows, err) &&
		(der.n < 2 ||
			say(h, "Cf-Client-Cert-Der-Base64",
				span_slice(der, 1, der.n - 1), err));
}

static bool
say_x_ssl(struct http_head *h, const struct client_cert *c, struct err *err)
{
	static const struct row rows[] = {
		{"X-SSL-Client-S-DN", CLIENT_CERT_SUBJECT},
		{"X-SSL-Client-I-DN", CLIENT_CERT_ISSUER},
		{"X-SSL-Client-Serial", CLIENT_CERT_SERIAL},
		{"X-SSL-Client-Fingerprint", CLIENT_CERT_SHA1},
		{"X-SSL-Client-Not-Before", CLIENT_CERT_NOT_BEFORE},
		{"X-SSL-Client-Not-After", CLIENT_CERT_NOT_AFTER},
		{NULL, 0},
	};
	struct span verify = SPAN("NONE");

	if (c->presented)
		verify = c->verified && !c->revoked ? SPAN("SUCCESS") : SPAN("FAILED");
	return say(h, "X-SSL-Client-Verify", verify, err) && say_rows(h, c, rows, err);
}

/* Hash and Subject, as Envoy writes them; a quote inside the name is escaped. */
static bool
say_xfcc(struct http_head *h, const struct client_cert *c, struct arena *a,
	struct err *err)
{
	struct span subject = c->text[CLIENT_CERT_SUBJECT];
	size_t cap = 2 * subject.n + 128;

	if (!c->verified || c->revoked || arena_room(a) < cap + 64)
		return true;
	struct text t = text_to(arena_alloc(a, cap), cap);
	text_add(&t, "Hash=%.*s;Subject=\"", SPAN_ARG(c->text[CLIENT_CERT_SHA256]));
	for (size_t i = 0; i < subject.n; i++) {
		bool special = subject.p[i] == '"' || subject.p[i] == '\\';
		text_add(&t, "%s%c", special ? "\\" : "", subject.p[i]);
	}
	text_add(&t, "\"");
	return say(h, "X-Forwarded-Client-Cert", text_span(&t), err);
}

bool
edge_tell_origin(struct session *s, struct err *err)
{
	const struct site_clients *clients = s->visit->name->clients;
	const struct client_cert *c = &s->visit->cert;
	struct http_head *h = &s->x->request;

	if (!clients)
		return true;
	switch ((enum site_cert_fields)clients->fields) {
	case SITE_CERT_RFC9440:
		return say_rfc9440(h, c, err);
	case SITE_CERT_CLOUDFLARE:
		return say_cloudflare(h, c, err);
	case SITE_CERT_X_SSL:
		return say_x_ssl(h, c, err);
	case SITE_CERT_XFCC:
		return say_xfcc(h, c, &s->x->arena, err);
	case SITE_CERT_NOTHING:
		break;
	}
	return true;
}

void
edge_tell_client(struct session *s, struct http_head *response)
{
	char value[80];
	struct err err = {0};
	const struct site *site = s->visit ? s->visit->name->site : NULL;

	if (!site || site->hsts_ms == 0)
		return;
	size_t n = text_format(value, sizeof(value), "max-age=%llu%s%s",
		(unsigned long long)(site->hsts_ms / 1000),
		site->hsts_subdomains ? "; includeSubDomains" : "",
		site->hsts_preload ? "; preload" : "");
	if (!http_set(&response->fields, SPAN("Strict-Transport-Security"),
		    span_of(value, n), &err))
		log_debug("edge.hsts", "why=\"%s\"", err.text);
}
