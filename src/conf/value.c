// SPDX-License-Identifier: Apache-2.0
#include "conf/value.h"

#include "base/text.h"

/* Takes the digits off the front; '_' may separate them. */
static bool
take_number(struct span *s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; i < s->n && (ascii_is_digit(s->p[i]) || (s->p[i] == '_' && i > 0));
		i++) {
		if (s->p[i] == '_') {
			if (i + 1 == s->n || !ascii_is_digit(s->p[i + 1]))
				return false;
			continue;
		}
		uint64_t digit = (uint64_t)(s->p[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (i == 0)
		return false;
	*s = span_from(*s, i);
	*out = v;
	return true;
}

bool
conf_read_int(struct span s, uint64_t *out)
{
	uint64_t v;
	if (!take_number(&s, &v) || s.n > 0)
		return false;
	*out = v;
	return true;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static bool
take_unit(struct span s, const struct unit *units, size_t n, uint64_t *factor)
{
	for (size_t i = 0; i < n; i++) {
		if (span_eq(s, span_str(units[i].name))) {
			*factor = units[i].factor;
			return true;
		}
	}
	return false;
}

/* The last of each size is the one we print. */
static const struct unit sizes[] = {
	{"", 1},
	{"B", 1},
	{"b", 1},
	{"kB", 1024},
	{"KiB", 1024},
	{"K", 1024},
	{"k", 1024},
	{"MB", 1ull << 20},
	{"MiB", 1ull << 20},
	{"M", 1ull << 20},
	{"m", 1ull << 20},
	{"GB", 1ull << 30},
	{"GiB", 1ull << 30},
	{"G", 1ull << 30},
	{"g", 1ull << 30},
};

bool
conf_read_size(struct span s, uint64_t *out)
{
	uint64_t v;
	uint64_t factor;
	if (!take_number(&s, &v) || !take_unit(s, sizes, COUNT_OF(sizes), &factor))
		return false;
	if (v > UINT64_MAX / factor)
		return false;
	*out = v * factor;
	return true;
}

static const struct unit durations[] = {
	{"w", 7ull * 24 * 3600 * 1000},
	{"d", 24ull * 3600 * 1000},
	{"h", 3600ull * 1000},
	{"min", 60ull * 1000},
	{"s", 1000},
	{"ms", 1},
};

bool
conf_read_duration(struct span s, uint64_t *ms)
{
	uint64_t sum = 0;

	if (span_eq(s, SPAN("0"))) {
		*ms = 0;
		return true;
	}
	if (s.n == 0)
		return false;
	while (s.n > 0) {
		uint64_t v;
		uint64_t factor;
		size_t n = 0;
		if (!take_number(&s, &v))
			return false;
		while (n < s.n && ascii_is_alpha(s.p[n]))
			n++;
		if (!take_unit(
			    span_first(s, n), durations, COUNT_OF(durations), &factor))
			return false;
		if (v > (UINT64_MAX - sum) / factor)
			return false;
		sum += v * factor;
		s = span_from(s, n);
	}
	*ms = sum;
	return true;
}

bool
conf_read_percent(struct span s, uint64_t *out)
{
	uint64_t v;
	if (!take_number(&s, &v) || !span_eq(s, SPAN("%")) || v > 100)
		return false;
	*out = v;
	return true;
}

bool
conf_read_flag(struct span s, bool *out)
{
	static const char *const words[] = {"on", "yes", "true", "off", "no", "false"};
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (span_eq(s, span_str(words[i]))) {
			*out = i < 3;
			return true;
		}
	}
	return false;
}

static bool
is_host(struct span s)
{
	if (s.n == 0 || s.n > 253)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool inner = c == '-' || c == '.';
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '_' && !inner)
			return false;
		if (inner && (i == 0 || s.p[i - 1] == '.'))
			return false;
	}
	return true;
}

/* Separates "[host]" or "host" from what is behind it. */
static bool
split_host(struct span s, struct conf_address *out, struct span *behind)
{
	if (s.n > 0 && s.p[0] == '[') {
		size_t end = span_chr(s, ']');
		if (end == s.n)
			return false;
		out->host = span_slice(s, 1, end);
		*behind = span_from(s, end + 1);
		return ip_parse(out->host, &out->ip) && out->ip.family == IP_V6;
	}
	size_t colon = span_chr(s, ':');
	bool bare_v6 =
		span_chr(span_from(s, colon + 1), ':') < span_from(s, colon + 1).n;
	out->host = bare_v6 ? s : span_first(s, colon);
	*behind = span_from(s, out->host.n);
	if (ip_parse(out->host, &out->ip))
		return true;
	out->ip = (struct ip){0};
	return !bare_v6 && (is_host(out->host) || (out->host.n == 0 && behind->n > 0));
}

bool
conf_read_address(struct span s, struct conf_address *out)
{
	struct conf_address a = {0};
	struct span behind;
	uint64_t port = 0;

	if (!split_host(s, &a, &behind))
		return false;
	if (behind.n > 0) {
		if (behind.p[0] != ':' ||
			!text_u64(span_from(behind, 1), 65535, &port) || port == 0)
			return false;
		a.port = (uint16_t)port; /* at most 65535 */
	}
	*out = a;
	return true;
}

bool
conf_is_name(struct span s)
{
	if (s.n == 0 || s.n > 64 || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_' &&
			c != '.' && c != '/')
			return false;
	}
	return true;
}

const char *
conf_size_text(char dst[CONF_VALUE_TEXT], uint64_t n)
{
	const struct unit *best = &sizes[0];
	for (size_t i = 0; i < COUNT_OF(sizes) && n > 0; i++) {
		if (sizes[i].factor > 1 && n % sizes[i].factor == 0)
			best = &sizes[i];
	}
	text_format(dst, CONF_VALUE_TEXT, "%llu%s",
		(unsigned long long)(n / best->factor), best->name);
	return dst;
}

const char *
conf_duration_text(char dst[CONF_VALUE_TEXT], uint64_t ms)
{
	struct text t = text_to(dst, CONF_VALUE_TEXT);
	if (ms == 0)
		text_add(&t, "0");
	for (size_t i = 0; i < COUNT_OF(durations); i++) {
		uint64_t n = ms / durations[i].factor;
		if (n > 0) {
			text_add(
				&t, "%llu%s", (unsigned long long)n, durations[i].name);
		}
		ms %= durations[i].factor;
	}
	return dst;
}
