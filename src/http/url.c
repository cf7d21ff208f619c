// SPDX-License-Identifier: Apache-2.0
#include "http/url.h"

#include "base/text.h"
#include "http/msg.h"

enum {
	NAME_MOST = 253, /* RFC 1035 §2.3.4, without the root's dot */
	LABEL_MOST = 63,
	SLACK = 64, /* what aligning in an arena may cost */
};

/* An authority taken apart, before anything is kept. */
struct parts {
	struct span name; /* as sent, without brackets and final dot */
	struct ip ip;
	uint16_t port;
	bool has_port;
	bool has_end_dot;
};

static bool
is_name_octet(uint8_t c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

static bool
is_label(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_name_octet(s.p[i]))
			return false;
	}
	return s.n > 0 && s.n <= LABEL_MOST;
}

/* "127.1", "0x7f.1" and "2130706433" are addresses to some and names to others. */
static bool
looks_numeric(struct span label)
{
	bool hex = label.n >= 2 && label.p[0] == '0' && ascii_lower(label.p[1]) == 'x';

	for (size_t i = hex ? 2 : 0; i < label.n; i++) {
		if (hex ? ascii_hex(label.p[i]) < 0 : !ascii_is_digit(label.p[i]))
			return false;
	}
	return true;
}

bool
url_name_check(struct span s)
{
	struct span rest = s;
	struct span label = {0};

	if (s.n == 0 || s.n > NAME_MOST || s.p[s.n - 1] == '.')
		return false;
	while (span_cut(&rest, '.', &label)) {
		if (!is_label(label))
			return false;
	}
	return !looks_numeric(label);
}

static bool
split_port(struct span s, struct parts *out)
{
	uint64_t port = 0;

	if (s.n == 0)
		return true;
	if (s.p[0] != ':' || s.n < 2 || s.n > 6 || s.p[1] == '0')
		return false;
	if (!text_u64(span_from(s, 1), UINT16_MAX, &port))
		return false;
	out->port = (uint16_t)port;
	out->has_port = true;
	return true;
}

static bool
split_literal(struct span s, struct parts *out)
{
	size_t end = span_chr(s, ']');

	out->name = span_slice(s, 1, end);
	return end < s.n && span_chr(out->name, ':') < out->name.n &&
		ip_parse(out->name, &out->ip) && split_port(span_from(s, end + 1), out);
}

static bool
split_name(struct span s, struct parts *out)
{
	size_t colon = span_chr(s, ':');

	out->name = span_first(s, colon);
	if (!split_port(span_from(s, colon), out))
		return false;
	if (ip_parse(out->name, &out->ip))
		return true;
	if (out->name.n > 0 && out->name.p[out->name.n - 1] == '.') {
		out->name.n--;
		out->has_end_dot = true;
	}
	return url_name_check(out->name);
}

static bool
split_host(struct span s, struct parts *out, struct err *err)
{
	*out = (struct parts){0};
	bool ok =
		s.n > 0 && (s.p[0] == '[' ? split_literal(s, out) : split_name(s, out));
	if (!ok) {
		return err_set(err, ERR_HTTP_HOST, "\"%.*s\" is no host",
			SPAN_ARG(span_first(s, 100)));
	}
	return true;
}

bool
url_host_check(struct span s, struct err *err)
{
	struct parts parts;

	return split_host(s, &parts, err);
}

static bool
has_room(const struct arena *a, size_t n)
{
	size_t want = 0;

	return size_add(n, SLACK, &want) && want <= arena_room(a);
}

static struct span
keep_name(const struct parts *parts, struct arena *a)
{
	uint8_t lower[NAME_MOST];
	char text[IP_TEXT];

	if (parts->ip.family != IP_NONE)
		return arena_copy(a, span_str(ip_text(text, &parts->ip)));
	span_lower(lower, parts->name);
	return arena_copy(a, span_of(lower, parts->name.n));
}

bool
url_host_parse(struct span s, uint16_t default_port, struct arena *a,
	struct url_host *out, struct err *err)
{
	struct parts parts;

	if (!split_host(s, &parts, err))
		return false;
	if (!parts.has_port && default_port == 0) {
		return err_set(err, ERR_HTTP_HOST, "\"%.*s\" has no port",
			SPAN_ARG(span_first(s, 100)));
	}
	if (!has_room(a, NAME_MOST))
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for a host name");
	*out = (struct url_host){
		.name = keep_name(&parts, a),
		.ip = parts.ip,
		.port = parts.has_port ? parts.port : default_port,
		.has_port = parts.has_port,
		.has_end_dot = parts.has_end_dot,
	};
	return true;
}

bool
url_host_same(struct span a, struct span b, uint16_t default_port)
{
	struct err err;
	struct parts x;
	struct parts y;

	if (!split_host(a, &x, &err) || !split_host(b, &y, &err))
		return false;
	uint16_t x_port = x.has_port ? x.port : default_port;
	uint16_t y_port = y.has_port ? y.port : default_port;
	if (x_port != y_port || x.ip.family != y.ip.family)
		return false;
	return x.ip.family != IP_NONE ? ip_eq(&x.ip, &y.ip)
				      : span_eq_nocase(x.name, y.name);
}

static bool
is_visible(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '#')
			return false;
	}
	return s.n > 0;
}

static bool
parse_authority(struct span s, struct url_target *out, struct err *err)
{
	struct parts parts;

	if (!split_host(s, &parts, err))
		return false;
	if (!parts.has_port)
		return err_set(err, ERR_HTTP_TARGET, "CONNECT without a port");
	*out = (struct url_target){.form = URL_AUTHORITY, .authority = s};
	return true;
}

/* An empty path is "/", or "*" with OPTIONS (RFC 9112 §3.2.4). A query behind an empty
 * path would have to be rewritten: nobody sends it, so it is refused. */
static bool
parse_absolute(struct span s, unsigned method, struct url_target *out, struct err *err)
{
	size_t colon = span_find(s, SPAN("://"));
	struct span scheme = span_first(s, colon);

	if (colon == s.n ||
		(!span_eq_nocase(scheme, SPAN("http")) &&
			!span_eq_nocase(scheme, SPAN("https"))))
		return err_set(err, ERR_HTTP_TARGET, "neither a path nor an http URL");
	struct span rest = span_from(s, colon + 3);
	size_t slash = span_chr(rest, '/');
	struct span path = span_from(rest, slash);
	if (path.n == 0)
		path = method == HTTP_OPTIONS ? SPAN("*") : SPAN("/");
	if (!url_host_check(span_first(rest, slash), err))
		return false;
	*out = (struct url_target){URL_ABSOLUTE, scheme, span_first(rest, slash), path};
	return true;
}

bool
url_target_parse(
	struct span s, unsigned method, struct url_target *out, struct err *err)
{
	if (!is_visible(s))
		return err_set(err, ERR_HTTP_TARGET, "octets that no target has");
	if (method == HTTP_CONNECT)
		return parse_authority(s, out, err);
	if (s.p[0] == '/') {
		*out = (struct url_target){.form = URL_ORIGIN, .path = s};
		return true;
	}
	if (!span_eq(s, SPAN("*")))
		return parse_absolute(s, method, out, err);
	if (method != HTTP_OPTIONS)
		return err_set(err, ERR_HTTP_TARGET, "\"*\" with another than OPTIONS");
	*out = (struct url_target){.form = URL_ASTERISK, .path = s};
	return true;
}

bool
url_split(struct span target, struct span *path, struct span *query)
{
	size_t mark = span_chr(target, '?');

	*path = span_first(target, mark);
	*query = span_from(target, mark + 1);
	return mark < target.n;
}

bool
url_query_next(struct span *rest, struct span *key, struct span *value)
{
	struct span piece = {0};

	if (!span_cut(rest, '&', &piece))
		return false;
	size_t sign = span_chr(piece, '=');
	*key = span_first(piece, sign);
	*value = span_from(piece, sign + 1);
	return true;
}

/* One octet of s at *i, unescaped; steps over it. */
static uint8_t
unescape_one(struct span s, size_t *i, bool plus)
{
	uint8_t c = s.p[*i];
	int high = c == '%' && s.n - *i > 2 ? ascii_hex(s.p[*i + 1]) : -1;
	int low = high >= 0 ? ascii_hex(s.p[*i + 2]) : -1;

	if (low >= 0) {
		*i += 3;
		return (uint8_t)(high * 16 + low); /* both below 16 */
	}
	*i += 1;
	return plus && c == '+' ? ' ' : c;
}

bool
url_unescape(struct arena *a, struct span s, bool plus, struct span *out)
{
	if (!has_room(a, s.n))
		return false;
	uint8_t *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n;)
		p[n++] = unescape_one(s, &i, plus);
	*out = span_of(p, n);
	return true;
}
