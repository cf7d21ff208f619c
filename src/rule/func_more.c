// SPDX-License-Identifier: Apache-2.0
/*
 * func_more: functions on addresses and signatures, and the two that replace.
 */
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "rule/func_priv.h"
#include "rule/regex_priv.h"
#include "rule/scratch_priv.h"
#include "rule/wildcard_priv.h"

static struct value
network_of(struct ip ip, int64_t width)
{
	for (size_t i = 0; i < ip_size(&ip); i++) {
		int64_t kept = width - (int64_t)i * 8;
		if (kept <= 0) {
			ip.bytes[i] = 0;
		} else if (kept < 8) {
			ip.bytes[i] &= (uint8_t)(0xff00U >> kept);
		}
	}
	return value_ip(ip);
}

struct value
function_cidr(const struct call *c)
{
	bool v4 = c->args[0].ip.family == IP_V4;
	return network_of(c->args[0].ip, c->args[v4 ? 1 : 2].i);
}

struct value
function_cidr6(const struct call *c)
{
	if (c->args[0].ip.family == IP_V4)
		return c->args[0];
	return network_of(c->args[0].ip, c->args[1].i);
}

/* RFC 9562 §5.4; the seed is hashed, so that any length of it will do. */
struct value
function_uuidv4(const struct call *c)
{
	enum { LENGTH = 36 };
	uint8_t digest[SHA256_SIZE];
	char *dst = scratch_take(c->scratch, LENGTH + 1);
	if (dst == NULL)
		return value_missing();
	sha256_of(c->args[0].s, digest);
	digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x40);
	digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);

	static const uint8_t lengths[] = {4, 2, 2, 2, 6};
	struct text t = text_to(dst, LENGTH + 1);
	size_t at = 0;
	for (size_t i = 0; i < sizeof(lengths); i++) {
		text_add(&t, i == 0 ? "" : "-");
		text_put_hex(&t, span_of(digest + at, lengths[i]), false);
		at += lengths[i];
	}
	return value_string(text_span(&t));
}

enum { STAMP_DIGITS = 10, MAC_TEXT = 43, MAC_TEXT_MAX = 3 * 44 };

struct signed_text {
	struct span message;
	struct span stamp; /* ten digits */
	struct span mac;   /* as written */
};

/* A URL-safe MAC may hold the hyphen itself, so it is found by its length. */
static bool
split_signed(struct span s, uint64_t separator, bool url_safe, struct signed_text *out)
{
	size_t hyphen = span_rchr(s, '-');
	if (url_safe)
		hyphen = s.n > MAC_TEXT ? s.n - MAC_TEXT - 1 : s.n;
	if (hyphen >= s.n || s.p[hyphen] != '-' || hyphen < STAMP_DIGITS)
		return false;
	size_t stamp = hyphen - STAMP_DIGITS;
	if (separator > stamp)
		return false;
	out->message = span_first(s, stamp - (size_t)separator);
	out->stamp = span_slice(s, stamp, hyphen);
	out->mac = span_from(s, hyphen + 1);
	return true;
}

/* Only %HH: a plus sign stands for itself here. */
static size_t
unescape_percent(uint8_t *dst, struct span s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		int high = i + 2 < s.n ? ascii_hex(s.p[i + 1]) : -1;
		int low = i + 2 < s.n ? ascii_hex(s.p[i + 2]) : -1;
		if (s.p[i] == '%' && high >= 0 && low >= 0) {
			dst[n++] = (uint8_t)(high * 16 + low);
			i += 2;
		} else {
			dst[n++] = s.p[i];
		}
	}
	return n;
}

static bool
read_mac(struct span text, bool url_safe, uint8_t mac[SHA256_SIZE])
{
	uint8_t plain[MAC_TEXT_MAX];
	size_t n = 0;
	if (text.n > sizeof(plain))
		return false;
	if (!url_safe)
		text = span_of(plain, unescape_percent(plain, text));
	return text_unbase64(text, mac, SHA256_SIZE, &n) && n == SHA256_SIZE;
}

struct value
function_timed_hmac(const struct call *c)
{
	bool url_safe = c->n == 6;
	uint64_t separator = c->n > 4 ? (uint64_t)c->args[4].i : 0;
	struct signed_text text;
	uint8_t given[SHA256_SIZE];
	uint8_t right[SHA256_SIZE];
	uint64_t stamp;
	int64_t age;

	if (!split_signed(c->args[1].s, separator, url_safe, &text) ||
		!text_u64(text.stamp, INT64_MAX, &stamp) ||
		!read_mac(text.mac, url_safe, given))
		return value_bool(false);
	sha256_hmac(c->args[0].s, (struct span[]){text.message, text.stamp}, 2, right);
	bool same = secret_eq(given, right, sizeof(right));
	bool fresh = !__builtin_sub_overflow(c->args[3].i, (int64_t)stamp, &age) &&
		age <= c->args[2].i;
	return value_bool(same && fresh);
}

/* The reference at the front of s: its length, and which group; 0 when there is none.
 */
static size_t
reference(struct span s, size_t *group)
{
	if (s.n < 4 || s.p[0] != '$' || s.p[1] != '{' || s.p[3] != '}')
		return 0;
	if (s.p[2] < '1' || s.p[2] > '8')
		return 0;
	*group = (size_t)(s.p[2] - '0');
	return 4;
}

/* Writes the replacement, or counts its octets when dst is NULL; groups from 1 on. */
static size_t
expand(uint8_t *dst, struct span replacement, const struct span *groups)
{
	size_t n = 0;
	while (replacement.n > 0) {
		size_t group = 0;
		struct span piece = span_first(replacement, 1);
		size_t len = reference(replacement, &group);
		if (len > 0) {
			piece = groups[group];
		} else if (span_starts(replacement, SPAN("$$"))) {
			len = 2;
		}
		if (dst != NULL && piece.n > 0)
			memcpy(dst + n, piece.p, piece.n);
		n += piece.n;
		replacement = span_from(replacement, len > 0 ? len : 1);
	}
	return n;
}

/* head, the replacement, tail. */
static struct value
replace(const struct call *c, struct span head, struct span tail,
	const struct span *groups)
{
	struct span replacement = c->args[2].s;
	size_t middle = expand(NULL, replacement, groups);
	uint8_t *dst = scratch_take(c->scratch, head.n + middle + tail.n);
	if (dst == NULL)
		return value_missing();
	if (head.n > 0)
		memcpy(dst, head.p, head.n);
	expand(dst + head.n, replacement, groups);
	if (tail.n > 0)
		memcpy(dst + head.n + middle, tail.p, tail.n);
	return value_string(span_of(dst, head.n + middle + tail.n));
}

struct value
function_regex_replace(const struct call *c)
{
	struct span s = c->args[0].s;
	struct regex_spans found;
	struct span groups[REGEX_GROUPS_MAX] = {0};
	if (!regex_find(c->path->regex, s, &found))
		return c->args[0];
	for (size_t i = 0; i < REGEX_GROUPS_MAX; i++) {
		if (found.from[i] != SIZE_MAX)
			groups[i] = span_slice(s, found.from[i], found.to[i]);
	}
	return replace(
		c, span_first(s, found.from[0]), span_from(s, found.to[0]), groups);
}

struct value
function_wildcard_replace(const struct call *c)
{
	struct span groups[1 + WILDCARD_CAPTURES] = {0};
	if (!wildcard_matches(c->path->wildcard, c->args[0].s, groups + 1))
		return c->args[0];
	return replace(c, (struct span){0}, (struct span){0}, groups);
}
