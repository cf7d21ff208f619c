// SPDX-License-Identifier: Apache-2.0
#include "doctor/proxy.h"

#include <stdlib.h>

#include "base/ip.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/addr.h"

enum { PROXY_PORT = 80, USERINFO = 256 };

/* RFC 3986 §2.1 */
static bool
percent_decode(struct span s, uint8_t *dst, size_t cap, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		if (c == '%') {
			if (i + 2 >= s.n || ascii_hex(s.p[i + 1]) < 0 ||
				ascii_hex(s.p[i + 2]) < 0)
				return false;
			c = (uint8_t)(ascii_hex(s.p[i + 1]) << 4 |
				ascii_hex(s.p[i + 2]));
			i += 2;
		}
		if (*n == cap)
			return false;
		dst[(*n)++] = c;
	}
	return true;
}

/* Basic credentials (RFC 7617) of "user:password" as in the URL. */
static bool
put_credentials(struct span userinfo, struct proxy *out)
{
	uint8_t plain[USERINFO];
	size_t n = 0;
	struct text t = text_to(out->auth, sizeof(out->auth));
	if (!percent_decode(userinfo, plain, sizeof(plain), &n))
		return false;
	text_put_base64(&t, span_of(plain, n));
	secret_wipe(plain, sizeof(plain));
	return !t.cut;
}

static void
put_shown(struct proxy *out)
{
	struct text t = text_to(out->shown, sizeof(out->shown));
	text_add(&t, "http://%s", out->auth[0] ? "***@" : "");
	text_put_safe(&t, span_str(out->host));
	text_add(&t, ":%u", out->port);
}

bool
proxy_parse(struct span url, struct proxy *out, struct err *err)
{
	struct proxy p = {0};
	struct span host;
	size_t mark = span_find(url, SPAN("://"));
	struct span scheme = mark < url.n ? span_first(url, mark) : SPAN("http");

	if (!span_eq_nocase(scheme, SPAN("http"))) {
		return err_set(err, ERR_USAGE,
			"a proxy spoken to by %.*s is not supported",
			SPAN_ARG(span_first(scheme, 16)));
	}
	struct span rest = mark < url.n ? span_from(url, mark + 3) : url;
	rest = span_first(rest, span_chr(rest, '/'));
	size_t at = span_rchr(rest, '@');
	if (at < rest.n && !put_credentials(span_first(rest, at), &p)) {
		return err_set(
			err, ERR_USAGE, "the proxy's credentials cannot be read");
	}
	struct span place = at < rest.n ? span_from(rest, at + 1) : rest;
	if (!addr_split(place, PROXY_PORT, &host, &p.port) ||
		!span_copy(p.host, sizeof(p.host), host))
		return err_set(err, ERR_USAGE, "the proxy's address cannot be read");
	put_shown(&p);
	*out = p;
	return true;
}

static bool
ends_below(struct span host, struct span domain)
{
	return host.n > domain.n &&
		span_eq_nocase(span_from(host, host.n - domain.n), domain) &&
		host.p[host.n - domain.n - 1] == '.';
}

static bool
entry_covers(struct span entry, struct span host)
{
	struct ip_prefix prefix;
	struct ip ip;
	if (ip_prefix_parse(entry, &prefix) && ip_parse(host, &ip))
		return ip_in(&ip, &prefix);
	if (span_starts(entry, SPAN("*.")))
		entry = span_from(entry, 1);
	if (span_starts(entry, SPAN(".")))
		entry = span_from(entry, 1);
	return entry.n > 0 && (span_eq_nocase(entry, host) || ends_below(host, entry));
}

bool
proxy_excepts(struct span list, struct span host)
{
	struct span entry;
	while (span_cut(&list, ',', &entry)) {
		entry = span_trim(entry);
		if (span_eq(entry, SPAN("*")) || entry_covers(entry, host))
			return true;
	}
	return false;
}

bool
proxy_for(struct span host, struct proxy *out, struct err *err)
{
	static const char *const names[] = {
		"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
	const char *none = getenv("no_proxy");
	if (!none)
		none = getenv("NO_PROXY");
	*out = (struct proxy){0};
	if (none && proxy_excepts(span_str(none), host))
		return true;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *value = getenv(names[i]);
		if (!value || !value[0])
			continue;
		if (!proxy_parse(span_trim(span_str(value)), out, err))
			return err_within(err, "%s", names[i]);
		out->from = names[i];
		return true;
	}
	return true;
}
