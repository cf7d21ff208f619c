// SPDX-License-Identifier: Apache-2.0
#include "page/consent.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/read.h"
#include "base/sha256.h"
#include "base/text.h"

static const struct span prefix = SPAN_INIT("/.well-known/sekisho/continue?");
static const struct span cookie_begin = SPAN_INIT("sekisho_consent");
static const struct span rule_cookie = SPAN_INIT("sekisho_consent=");
static const struct span about_cookie = SPAN_INIT("sekisho_consent_tls=");

enum { SEAL = 32 }; /* hex digits: 128 bits */

static struct span
cookie_of(const struct consent_scope *scope)
{
	return scope->about.n > 0 ? about_cookie : rule_cookie;
}

static void
make_seal(const struct consent_scope *scope, const char *kind, const char *numbers,
	char seal[SEAL + 1])
{
	char ip[IP_TEXT];
	uint8_t mac[SHA256_SIZE];
	const struct span parts[] = {
		span_str(kind),
		SPAN_INIT("\n"),
		scope->host,
		SPAN_INIT("\n"),
		span_str(ip_text(ip, &scope->client)),
		SPAN_INIT("\n"),
		span_str(numbers),
		SPAN_INIT("\n"),
		scope->about,
	};
	struct text t = text_to(seal, SEAL + 1);
	sha256_hmac(
		span_of(scope->secret, CONSENT_SECRET), parts, COUNT_OF(parts), mac);
	text_put_hex(&t, span_of(mac, SEAL / 2), false);
}

static bool
seal_is(const struct consent_scope *scope, const char *kind, const char *numbers,
	struct span given)
{
	char seal[SEAL + 1];
	make_seal(scope, kind, numbers, seal);
	return given.n == SEAL && secret_eq(given.p, seal, SEAL);
}

struct span
consent_link(struct arena *a, const struct consent_scope *scope, uint64_t for_s,
	struct span to)
{
	char numbers[64];
	char seal[SEAL + 1];
	text_format(numbers, sizeof(numbers), "for=%" PRIu64 "&until=%" PRId64, for_s,
		clock_wall() + CONSENT_LINK_S);
	make_seal(scope, "link", numbers, seal);
	return arena_format(a, "%.*s%s&seal=%s&to=%.*s", SPAN_ARG(prefix), numbers,
		seal, SPAN_ARG(to));
}

bool
consent_is_link(struct span path)
{
	return span_starts(path, prefix);
}

/* The value of "name=" at the front of *rest, up to the next '&'. */
static bool
take_part(struct span *rest, struct span name, struct span *value)
{
	struct span piece;
	if (!span_starts(*rest, name) || !span_cut(rest, '&', &piece))
		return false;
	*value = span_from(piece, name.n);
	return true;
}

/* Where to go on is a path of this host: "//other" and "/\other" would lead away. */
static bool
stays_here(struct span to)
{
	return to.n > 0 && to.p[0] == '/' &&
		(to.n == 1 || (to.p[1] != '/' && to.p[1] != '\\')) && http_is_value(to);
}

bool
consent_click(struct arena *a, const struct consent_scope *scope, struct span path,
	struct consent_click *out)
{
	char numbers[64];
	char cookie_numbers[32];
	char seal_text[SEAL + 1];
	struct span rest = span_from(path, prefix.n);
	struct span for_text;
	struct span until_text;
	struct span seal;
	uint64_t for_s = 0;
	uint64_t until = 0;
	int64_t now = clock_wall();
	if (!take_part(&rest, SPAN("for="), &for_text) ||
		!take_part(&rest, SPAN("until="), &until_text) ||
		!take_part(&rest, SPAN("seal="), &seal) ||
		!span_starts(rest, SPAN("to=")) ||
		!text_u64(for_text, CONSENT_MOST_S, &for_s) ||
		!text_u64(until_text, INT64_MAX, &until))
		return false;
	text_format(numbers, sizeof(numbers), "for=%" PRIu64 "&until=%" PRIu64, for_s,
		until);
	rest = span_from(rest, 3);
	if (!seal_is(scope, "link", numbers, seal) || (int64_t)until < now ||
		!stays_here(rest))
		return false;
	text_format(cookie_numbers, sizeof(cookie_numbers), "%" PRId64,
		now + (int64_t)for_s);
	make_seal(scope, "cookie", cookie_numbers, seal_text);
	out->to = rest;
	out->cookie = arena_format(a,
		"%.*s%s.%s; Path=/; Max-Age=%llu; HttpOnly; SameSite=Lax%s",
		SPAN_ARG(cookie_of(scope)), cookie_numbers, seal_text,
		(unsigned long long)for_s, scope->tls ? "; Secure" : "");
	return true;
}

static bool
is_ours(struct span pair)
{
	return span_starts(pair, rule_cookie) || span_starts(pair, about_cookie);
}

static bool
is_good(const struct consent_scope *scope, struct span pair)
{
	char numbers[32];
	uint64_t until = 0;
	struct span value = span_from(pair, cookie_of(scope).n);
	size_t dot = span_chr(value, '.');
	if (!text_u64(span_first(value, dot), INT64_MAX, &until))
		return false;
	text_format(numbers, sizeof(numbers), "%lld", (long long)until);
	return seal_is(scope, "cookie", numbers, span_from(value, dot + 1)) &&
		(int64_t)until >= clock_wall();
}

bool
consent_given(const struct consent_scope *scope, const struct http_fields *fields)
{
	const struct http_field *f = NULL;
	while ((f = http_next_id(fields, HTTP_NAME_COOKIE, f)) != NULL) {
		struct span rest = f->value;
		struct span pair;
		while (span_cut(&rest, ';', &pair)) {
			pair = span_trim(pair);
			if (span_starts(pair, cookie_of(scope)) && is_good(scope, pair))
				return true;
		}
	}
	return false;
}

static struct span
without_ours(struct arena *a, struct span value)
{
	uint8_t *kept = arena_alloc(a, value.n + 1);
	struct write w = write_to(kept, value.n + 1);
	struct span rest = value;
	struct span pair;
	while (span_cut(&rest, ';', &pair)) {
		pair = span_trim(pair);
		if (is_ours(pair))
			continue;
		write_span(&w, w.n > 0 ? SPAN("; ") : SPAN(""));
		write_span(&w, pair);
	}
	return w.bad ? value : write_done(&w);
}

void
consent_strip(struct http_head *request)
{
	struct http_fields *fields = &request->fields;
	for (uint32_t i = 0; i < fields->n; i++) {
		struct http_field *f = &fields->v[i];
		if (f->id != HTTP_NAME_COOKIE ||
			span_find(f->value, cookie_begin) == f->value.n)
			continue;
		f->value = without_ours(fields->arena, f->value);
	}
}
