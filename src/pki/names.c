// SPDX-License-Identifier: Apache-2.0
/*
 * names: does a certificate name this host? (RFC 9525)
 *
 * Only subjectAltName counts. Names are compared as A-labels without case; a wildcard
 * is the whole leftmost label, stands for exactly one label, and never for a name
 * directly below a top-level domain.
 */
#include "pki/path_priv.h"

enum { LISTED = 6 };

static bool
is_label(struct span l)
{
	if (l.n == 0 || l.n > 63 || l.p[0] == '-' || l.p[l.n - 1] == '-')
		return false;
	for (size_t i = 0; i < l.n; i++) {
		if (!ascii_is_alpha(l.p[i]) && !ascii_is_digit(l.p[i]) && l.p[i] != '-')
			return false;
	}
	return true;
}

bool
names_is_dns(struct span name, bool wildcard)
{
	struct span rest = name;
	struct span label = {0};

	if (name.n == 0 || name.n > 253 || name.p[name.n - 1] == '.')
		return false;
	if (wildcard && span_starts(rest, SPAN("*.")))
		rest = span_from(rest, 2);
	if (rest.n == 0)
		return false;
	while (span_cut(&rest, '.', &label)) {
		if (!is_label(label))
			return false;
	}
	return true;
}

static struct span
trim_dot(struct span host)
{
	if (host.n > 1 && host.p[host.n - 1] == '.')
		return span_first(host, host.n - 1);
	return host;
}

/* The octets as sent, without brackets; RFC 3986 §3.2.2. */
static bool
read_address(struct span host, struct ip *ip)
{
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = span_slice(host, 1, host.n - 1);
	return ip_parse(host, ip);
}

/* What we are asked to reach may have underscores: such hosts exist behind wildcards.
 */
static bool
is_reference(struct span host)
{
	uint8_t copy[253];

	if (host.n == 0 || host.n > sizeof copy)
		return false;
	span_lower(copy, host);
	for (size_t i = 0; i < host.n; i++) {
		if (copy[i] == '_')
			copy[i] = 'u';
	}
	return names_is_dns((struct span){copy, host.n}, false);
}

bool
names_is_host(struct span host)
{
	struct ip ip;
	return read_address(host, &ip) || is_reference(trim_dot(host));
}

static size_t
count_labels(struct span name)
{
	size_t n = 1;
	for (size_t i = 0; i < name.n; i++)
		n += name.p[i] == '.';
	return n;
}

static bool
match_dns(struct span presented, struct span host, const struct suffixes *suffixes)
{
	if (!names_is_dns(presented, true))
		return false;
	if (!span_starts(presented, SPAN("*.")))
		return span_eq_nocase(presented, host);

	struct span parent = span_from(presented, 2);
	size_t dot = span_chr(host, '.');
	if (dot == 0 || dot == host.n || count_labels(parent) < 2)
		return false;
	return span_eq_nocase(parent, span_from(host, dot + 1)) &&
		!suffixes_has(suffixes, parent);
}

static bool
match_address(const struct cert *c, const struct ip *ip)
{
	struct read it = cert_sans(c);
	struct cert_san san;

	while (cert_next_san(&it, &san)) {
		struct ip named;
		if (san.kind == CERT_SAN_IP && ip_from_bytes(san.value, &named) &&
			ip_eq(&named, ip))
			return true;
	}
	return false;
}

bool
names_match(const struct cert *c, struct span host, const struct suffixes *suffixes)
{
	struct ip ip;

	if (read_address(host, &ip))
		return match_address(c, &ip);
	host = trim_dot(host);
	if (!is_reference(host))
		return false;
	struct read it = cert_sans(c);
	struct cert_san san;
	while (cert_next_san(&it, &san)) {
		if (san.kind == CERT_SAN_DNS && match_dns(san.value, host, suffixes))
			return true;
	}
	return false;
}

/* CA/Browser Forum BR §4.2.2, §7.1.4.2.1; RFC 6762 §3; RFC 8375; RFC 6761. */
bool
names_is_private(struct span host)
{
	static const struct span suffixes[] = {SPAN_INIT(".local"),
		SPAN_INIT(".internal"), SPAN_INIT(".home.arpa"),
		SPAN_INIT(".localhost"), SPAN_INIT(".test"), SPAN_INIT(".invalid"),
		SPAN_INIT(".onion.invalid"), SPAN_INIT(".lan"), SPAN_INIT(".corp"),
		SPAN_INIT(".home")};
	struct ip ip;

	if (read_address(host, &ip))
		return ip_kind(&ip) != IP_PUBLIC;
	host = trim_dot(host);
	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		struct span s = suffixes[i];
		if (host.n > s.n && span_eq_nocase(span_from(host, host.n - s.n), s))
			return true;
	}
	return span_chr(host, '.') == host.n;
}

void
names_list(const struct cert *c, struct text *t)
{
	struct read it = cert_sans(c);
	struct cert_san san;
	size_t n = 0;

	while (cert_next_san(&it, &san)) {
		if (n++ >= LISTED)
			continue;
		text_add(t, n > 1 ? ", " : "");
		cert_san_text(&san, t);
	}
	if (n == 0) {
		text_add(t, "no name");
	} else if (n > LISTED) {
		text_add(t, " and %zu more", n - LISTED);
	}
}
