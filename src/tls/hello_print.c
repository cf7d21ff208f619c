// SPDX-License-Identifier: Apache-2.0
/*
 * hello_print: fingerprints of a ClientHello, and the digests that rules ask for.
 *
 * All are computed only when asked: most policies look at none of them. MD5 and SHA-1
 * are what the definitions say; nothing here protects anything.
 */
#include "tls/hello.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/read.h"
#include "base/text.h"
#include "pki/digest.h"

enum {
	EXT_SERVER_NAME = 0,
	EXT_ALPN = 16,
	JA4_PART = 12, /* hex digits kept of each digest */
	JA4_COUNT_MAX = 99,
	SINK_PIECE = 512,
	SHORT_LIST = 64,
};

/* Where the text of a fingerprint goes: to a text, or by pieces into a digest. A call
 * of the formatter or of OpenSSL per value would cost more than the digest itself. */
struct sink {
	struct text *text; /* or NULL */
	enum digest kind;  /* that was begun, without one */
	size_t n;
	uint8_t piece[SINK_PIECE];
};

static void
sink_flush(struct sink *out)
{
	struct span s = span_of(out->piece, out->n);

	if (out->text) {
		text_put(out->text, s);
	} else {
		digest_add(out->kind, s);
	}
	out->n = 0;
}

static void
sink_octet(struct sink *out, char c)
{
	if (out->n == sizeof(out->piece))
		sink_flush(out);
	out->piece[out->n++] = (uint8_t)c; /* ASCII */
}

static void
sink_decimal(struct sink *out, uint32_t v)
{
	char digits[10];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	while (n > 0)
		sink_octet(out, digits[--n]);
}

/* Four digits. */
static void
sink_hex(struct sink *out, uint16_t v)
{
	for (int shift = 12; shift >= 0; shift -= 4)
		sink_octet(out, "0123456789abcdef"[(v >> shift) & 0xf]);
}

static void
ja3_number(struct sink *out, uint32_t v, bool more)
{
	if (more)
		sink_octet(out, '-');
	sink_decimal(out, v);
}

static void
ja3_list(struct sink *out, struct span list, size_t bytes)
{
	struct read r = read_from(list);
	bool more = false;

	sink_octet(out, ',');
	while (read_more(&r)) {
		uint32_t v = read_be(&r, bytes);
		if (bytes == 2 && hello_is_grease((uint16_t)v)) /* two octets */
			continue;
		ja3_number(out, v, more);
		more = true;
	}
}

static void
ja3_extensions(struct sink *out, struct span extensions)
{
	struct read r = read_from(extensions);
	bool more = false;

	sink_octet(out, ',');
	while (read_more(&r)) {
		uint32_t type = read_be(&r, 2);
		read_vec(&r, 2);
		if (hello_is_grease((uint16_t)type)) /* two octets */
			continue;
		ja3_number(out, type, more);
		more = true;
	}
}

static void
ja3_walk(struct sink *out, const struct hello *h)
{
	ja3_number(out, h->legacy_version, false);
	ja3_list(out, h->ciphers, 2);
	ja3_extensions(out, h->extensions);
	ja3_list(out, h->groups, 2);
	ja3_list(out, h->points, 1);
	sink_flush(out);
}

void
hello_ja3_text(const struct hello *h, struct text *t)
{
	struct sink out = {.text = t};

	ja3_walk(&out, h);
}

/* Ends the digest and writes the first `digits` hex digits of it. */
static void
digest_hex(enum digest kind, char *dst, size_t digits)
{
	uint8_t sum[DIGEST_SHA256_SIZE];
	struct text t = text_to(dst, digits + 1);

	(void)digest_end(kind, sum);
	text_put_hex(&t, span_of(sum, digits / 2), false);
}

const char *
hello_ja3(const struct hello *h, char dst[HELLO_JA3])
{
	struct sink out = {.kind = DIGEST_MD5};

	dst[0] = '\0';
	/* Without MD5 (a FIPS provider) there is no JA3; it reads as empty. */
	if (digest_begin(out.kind)) {
		ja3_walk(&out, h);
		digest_hex(out.kind, dst, HELLO_JA3 - 1);
	}
	return dst;
}

/* ---- JA4 ---- */

/* Values of 2 octets without GREASE, in the client's order or sorted. */
struct values {
	uint16_t *v; /* owned */
	size_t n;
};

static void
add_value(struct values *vs, uint16_t v)
{
	if (!hello_is_grease(v))
		vs->v[vs->n++] = v;
}

static struct values
values_of(struct span list)
{
	struct values vs = {.v = mem_array(list.n / 2 + 1, sizeof(uint16_t))};

	for (size_t i = 0; i + 1 < list.n; i += 2)
		add_value(&vs, (uint16_t)((list.p[i] << 8) | list.p[i + 1]));
	return vs;
}

static struct values
extension_types(const struct hello *h)
{
	struct values vs = {.v = mem_array(h->n_extensions + 1u, sizeof(uint16_t))};
	struct read r = read_from(h->extensions);

	while (read_more(&r)) {
		add_value(&vs, (uint16_t)read_be(&r, 2)); /* two octets */
		read_vec(&r, 2);
	}
	return vs;
}

static int
by_value(const void *a, const void *b)
{
	const uint16_t *x = a;
	const uint16_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* Lists are short, and mostly in order in part. */
static void
sort(struct values *vs)
{
	if (vs->n > SHORT_LIST) {
		qsort(vs->v, vs->n, sizeof(uint16_t), by_value);
		return;
	}
	for (size_t i = 1; i < vs->n; i++) {
		uint16_t v = vs->v[i];
		size_t at = i;
		for (; at > 0 && vs->v[at - 1] > v; at--)
			vs->v[at] = vs->v[at - 1];
		vs->v[at] = v;
	}
}

/* "002f,0035" */
static void
put_values(struct sink *out, const struct values *vs)
{
	for (size_t i = 0; i < vs->n; i++) {
		if (i > 0)
			sink_octet(out, ',');
		sink_hex(out, vs->v[i]);
	}
}

static struct values
without_name_and_alpn(const struct values *all)
{
	struct values some = {.v = mem_array(all->n + 1, sizeof(uint16_t))};

	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i] != EXT_SERVER_NAME && all->v[i] != EXT_ALPN)
			some.v[some.n++] = all->v[i];
	}
	return some;
}

/* The digest of a sorted list, with another list behind "_" in its own order. */
static void
put_part(struct text *t, struct values *sorted, const struct values *behind)
{
	char hex[JA4_PART + 1] = "000000000000";
	struct sink out = {.kind = DIGEST_SHA256};

	sort(sorted);
	if (sorted->n > 0 && digest_begin(out.kind)) {
		put_values(&out, sorted);
		if (behind && behind->n > 0) {
			sink_octet(&out, '_');
			put_values(&out, behind);
		}
		sink_flush(&out);
		digest_hex(out.kind, hex, JA4_PART);
	}
	text_put(t, SPAN("_"));
	text_put(t, span_of(hex, JA4_PART));
}

static const char *
version_text(uint16_t v)
{
	switch (v) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	default: /* drafts and nonsense */
		return "00";
	}
}

/* First and last character of the first protocol; of its hex form when one of them is
 * neither letter nor digit. */
static void
put_alpn(struct text *t, const struct hello *h)
{
	struct span rest = h->alpn;
	struct span name;

	if (!hello_next_alpn(&rest, &name)) {
		text_put(t, SPAN("00"));
		return;
	}
	uint8_t first = name.p[0];
	uint8_t last = name.p[name.n - 1];
	bool plain = (ascii_is_alpha(first) || ascii_is_digit(first)) &&
		(ascii_is_alpha(last) || ascii_is_digit(last));
	if (plain) {
		text_add(t, "%c%c", first, last);
	} else {
		text_add(t, "%x%x", first >> 4, last & 0xf);
	}
}

static size_t
at_most_99(size_t n)
{
	return n > JA4_COUNT_MAX ? JA4_COUNT_MAX : n;
}

const char *
hello_ja4(const struct hello *h, char dst[HELLO_JA4])
{
	struct text t = text_to(dst, HELLO_JA4);
	struct values ciphers = values_of(h->ciphers);
	struct values sigalgs = values_of(h->sigalgs);
	struct values types = extension_types(h);
	struct values some = without_name_and_alpn(&types);

	text_add(&t, "t%s%c%02zu%02zu", version_text(h->version_max),
		h->has_sni ? 'd' : 'i', at_most_99(ciphers.n), at_most_99(types.n));
	put_alpn(&t, h);
	put_part(&t, &ciphers, NULL);
	put_part(&t, &some, &sigalgs);

	mem_free(ciphers.v);
	mem_free(sigalgs.v);
	mem_free(types.v);
	mem_free(some.v);
	return dst;
}

/* ---- digests of the rule language ---- */

static const char *
end_base64(char dst[HELLO_SHA1])
{
	uint8_t sum[DIGEST_SHA1_SIZE];
	struct text t = text_to(dst, HELLO_SHA1);

	text_put_base64(&t, span_of(sum, digest_end(DIGEST_SHA1, sum)));
	return dst;
}

const char *
hello_ciphers_sha1(const struct hello *h, char dst[HELLO_SHA1])
{
	dst[0] = '\0';
	if (digest_begin(DIGEST_SHA1)) {
		digest_add(DIGEST_SHA1, h->ciphers);
		end_base64(dst);
	}
	return dst;
}

static void
digest_types(struct span extensions, bool little_endian)
{
	struct read r = read_from(extensions);

	while (read_more(&r)) {
		struct span type = read_bytes(&r, 2);
		uint8_t turned[2] = {0};
		if (type.n == 2) {
			turned[0] = type.p[little_endian ? 1 : 0];
			turned[1] = type.p[little_endian ? 0 : 1];
		}
		digest_add(DIGEST_SHA1, span_of(turned, sizeof(turned)));
		read_vec(&r, 2);
	}
}

const char *
hello_extensions_sha1(const struct hello *h, bool little_endian, char dst[HELLO_SHA1])
{
	dst[0] = '\0';
	if (digest_begin(DIGEST_SHA1)) {
		digest_types(h->extensions, little_endian);
		end_base64(dst);
	}
	return dst;
}
