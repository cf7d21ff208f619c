// SPDX-License-Identifier: Apache-2.0
/*
 * cert_text: certificates for people: names, numbers, JSON and PEM.
 */
#include <openssl/bn.h>

#include "base/clock.h"
#include "pki/cert_priv.h"

enum { TEXT_MAX = 1024, PEM_LINE = 64, SERIAL_TEXT = 256 };

static const struct {
	struct span oid;
	const char *shown;
	const char *json; /* cfssl's word, or NULL */
} attributes[] = {
	{SPAN_INIT("\x55\x04\x03"), "CN", "common_name"},
	{SPAN_INIT("\x55\x04\x0a"), "O", "organization"},
	{SPAN_INIT("\x55\x04\x0b"), "OU", "organizational_unit"},
	{SPAN_INIT("\x55\x04\x06"), "C", "country"},
	{SPAN_INIT("\x55\x04\x08"), "ST", "province"},
	{SPAN_INIT("\x55\x04\x07"), "L", "locality"},
	{SPAN_INIT("\x55\x04\x05"), "serialNumber", NULL},
	{SPAN_INIT("\x55\x04\x09"), "street", NULL},
	{SPAN_INIT("\x55\x04\x11"), "postalCode", NULL},
	{SPAN_INIT("\x55\x04\x0f"), "businessCategory", NULL},
	{SPAN_INIT("\x55\x04\x61"), "organizationIdentifier", NULL},
	{SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"), "emailAddress", NULL},
	{SPAN_INIT("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"), "DC", NULL},
	{SPAN_INIT("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"), "UID", NULL},
};

/* One attribute of a name. */
struct attribute {
	struct span oid;
	unsigned tag;
	struct span value;
};

struct name_walk {
	struct read rdns;
	struct read rdn;
};

static struct name_walk
walk_name(struct span name)
{
	struct read whole = read_from(name);
	return (struct name_walk){.rdns = der_take(&whole, DER_SEQUENCE)};
}

static bool
next_attribute(struct name_walk *w, struct attribute *out)
{
	if (!read_more(&w->rdn)) {
		if (!read_more(&w->rdns))
			return false;
		w->rdn = der_take(&w->rdns, DER_SET);
	}
	struct read a = der_take(&w->rdn, DER_SEQUENCE);
	out->oid = der_take(&a, DER_OID).left;
	struct der v = der_any(&a);
	out->tag = v.tag;
	out->value = v.value.left;
	return read_done(&a);
}

static void
put_oid(struct span oid, struct text *t)
{
	uint64_t arc = 0;
	bool first = true;

	for (size_t i = 0; i < oid.n; i++) {
		arc = arc << 7 | (oid.p[i] & 0x7f);
		if (oid.p[i] & 0x80)
			continue;
		if (first) {
			uint64_t top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
			text_add(t, "%llu.%llu", (unsigned long long)top,
				(unsigned long long)(arc - 40 * top));
		} else {
			text_add(t, ".%llu", (unsigned long long)arc);
		}
		first = false;
		arc = 0;
	}
}

static void
put_utf8(uint32_t c, struct text *t)
{
	uint8_t u[4];
	size_t n = 0;

	if (c < 0x80) {
		u[n++] = (uint8_t)c;
	} else if (c < 0x800) {
		u[n++] = (uint8_t)(0xc0 | c >> 6);
		u[n++] = (uint8_t)(0x80 | (c & 0x3f));
	} else {
		u[n++] = (uint8_t)(0xe0 | (c >> 12 & 0xf));
		u[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		u[n++] = (uint8_t)(0x80 | (c & 0x3f));
	}
	text_put_safe(t, (struct span){u, n});
}

static void
put_value(const struct attribute *a, struct text *t)
{
	struct read r = read_from(a->value);

	if (a->tag == DER_BMP) {
		while (read_more(&r))
			put_utf8(read_be(&r, 2), t);
	} else if (a->tag == DER_TELETEX) {
		while (read_more(&r)) /* in practice Latin-1 */
			put_utf8(read_be(&r, 1), t);
	} else {
		text_put_safe(t, a->value);
	}
}

void
cert_name_text(struct span name, struct text *t)
{
	struct name_walk w = walk_name(name);
	struct attribute a;
	bool first = true;

	while (next_attribute(&w, &a)) {
		const char *shown = NULL;
		for (size_t i = 0; i < COUNT_OF(attributes); i++) {
			if (span_eq(a.oid, attributes[i].oid))
				shown = attributes[i].shown;
		}
		text_add(t, first ? "" : ", ");
		if (shown) {
			text_add(t, "%s", shown);
		} else {
			put_oid(a.oid, t);
		}
		text_add(t, "=");
		put_value(&a, t);
		first = false;
	}
}

static bool
find_attribute(struct span name, struct span oid, struct attribute *out)
{
	struct name_walk w = walk_name(name);

	while (next_attribute(&w, out)) {
		if (span_eq(out->oid, oid))
			return true;
	}
	return false;
}

void
cert_common_name(struct span name, struct text *t)
{
	struct attribute a;

	if (find_attribute(name, attributes[0].oid, &a))
		put_value(&a, t);
}

/* Runs of white space count as one, ends as none (RFC 4518 §2.6.1, as far as ASCII). */
static int
next_folded(struct span *s, bool *started)
{
	bool blank = false;

	while (s->n > 0 && s->p[0] == ' ') {
		blank = true;
		*s = span_from(*s, 1);
	}
	if (s->n == 0)
		return -1;
	if (blank && *started) {
		/* Give the blank now and come back for the octet. */
		*s = (struct span){s->p - 1, s->n + 1};
		*started = false;
		return ' ';
	}
	uint8_t c = ascii_lower(s->p[0]);
	*s = span_from(*s, 1);
	*started = true;
	return c;
}

static bool
is_folded(unsigned tag)
{
	return tag == DER_PRINTABLE || tag == DER_UTF8 || tag == DER_IA5;
}

static bool
values_eq(const struct attribute *a, const struct attribute *b)
{
	if (!is_folded(a->tag) || !is_folded(b->tag))
		return a->tag == b->tag && span_eq(a->value, b->value);
	struct span x = a->value;
	struct span y = b->value;
	bool x_started = false;
	bool y_started = false;
	for (;;) {
		int cx = next_folded(&x, &x_started);
		int cy = next_folded(&y, &y_started);
		if (cx != cy)
			return false;
		if (cx < 0)
			return true;
	}
}

bool
cert_names_eq(struct span a, struct span b)
{
	if (span_eq(a, b))
		return true;
	struct name_walk x = walk_name(a);
	struct name_walk y = walk_name(b);
	struct attribute ax = {0};
	struct attribute ay = {0};
	for (;;) {
		bool more_x = next_attribute(&x, &ax);
		bool more_y = next_attribute(&y, &ay);
		if (!more_x || !more_y) {
			return more_x == more_y && read_done(&x.rdns) &&
				read_done(&y.rdns);
		}
		/* Relative names of several attributes must break at the same places.
		 */
		if (read_more(&x.rdn) != read_more(&y.rdn) ||
			!span_eq(ax.oid, ay.oid) || !values_eq(&ax, &ay))
			return false;
	}
}

bool
cert_name_within(struct span name, struct span base)
{
	struct name_walk x = walk_name(name);
	struct name_walk y = walk_name(base);
	struct attribute ax = {0};
	struct attribute ay = {0};

	while (next_attribute(&y, &ay)) {
		if (!next_attribute(&x, &ax) ||
			read_more(&x.rdn) != read_more(&y.rdn) ||
			!span_eq(ax.oid, ay.oid) || !values_eq(&ax, &ay))
			return false;
	}
	return read_done(&y.rdns);
}

bool
cert_name_next_email(struct span name, size_t skip, struct span *out)
{
	static const struct span email =
		SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01");
	struct name_walk w = walk_name(name);
	struct attribute a;

	while (next_attribute(&w, &a)) {
		if (!span_eq(a.oid, email))
			continue;
		if (skip-- == 0) {
			*out = a.value;
			return true;
		}
	}
	return false;
}

void
cert_serial_text(const struct cert *c, struct text *t)
{
	struct span s = c->serial;

	if (s.n > 1 && s.p[0] == 0)
		s = span_from(s, 1);
	text_put_hex(t, s, false);
}

void
cert_key_text(const struct cert *c, struct text *t)
{
	switch (c->family) {
	case KEY_FAMILY_RSA:
		text_add(t, "RSA %u", c->bits);
		return;
	case KEY_FAMILY_EC:
		text_add(t, "EC %s", c->curve ? c->curve : "with a curve of its own");
		return;
	case KEY_FAMILY_ED25519:
		text_add(t, "Ed25519");
		return;
	case KEY_FAMILY_DSA:
		text_add(t, "DSA");
		return;
	case KEY_FAMILY_OTHER:
		break;
	}
	text_add(t, "of an unknown kind");
}

void
cert_pem(const struct cert *c, struct text *t)
{
	text_add(t, "-----BEGIN CERTIFICATE-----\n");
	/* 48 octets are 64 characters, without padding but for the last line. */
	for (size_t at = 0; at < c->der.n; at += 48) {
		text_put_base64(t, span_slice(c->der, at, at + 48));
		text_add(t, "\n");
	}
	text_add(t, "-----END CERTIFICATE-----\n");
}

static void
put_name_json(struct json_out *j, const char *key, struct span name)
{
	char buf[TEXT_MAX];
	struct attribute a;

	json_object(j, key);
	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		if (!attributes[i].json || !find_attribute(name, attributes[i].oid, &a))
			continue;
		struct text t = text_to(buf, sizeof buf);
		put_value(&a, &t);
		json_span(j, attributes[i].json, text_span(&t));
	}
	json_array(j, "names");
	struct name_walk w = walk_name(name);
	while (next_attribute(&w, &a)) {
		struct text t = text_to(buf, sizeof buf);
		put_value(&a, &t);
		json_span(j, NULL, text_span(&t));
	}
	json_end(j);
	json_end(j);
}

static void
put_colons(struct json_out *j, const char *key, struct span octets)
{
	char buf[3 * 64 + 1];
	struct text t = text_to(buf, sizeof buf);

	for (size_t i = 0; i < octets.n && i < 64; i++) {
		text_add(&t, i ? ":" : "");
		text_put_hex(&t, span_slice(octets, i, i + 1), true);
	}
	json_span(j, key, text_span(&t));
}

void
cert_san_text(const struct cert_san *san, struct text *t)
{
	char buf[IP_TEXT];
	struct ip ip;

	if (san->kind == CERT_SAN_IP && ip_from_bytes(san->value, &ip)) {
		text_add(t, "%s", ip_text(buf, &ip));
	} else if (san->kind == CERT_SAN_DIR) {
		cert_name_text(san->value, t);
	} else if (san->kind == CERT_SAN_OTHER || san->kind == CERT_SAN_IP) {
		text_put_hex(t, span_first(san->value, 64), false);
	} else {
		text_put_safe(t, san->value);
	}
}

static void
put_sans(struct json_out *j, const struct cert *c)
{
	struct read it = cert_sans(c);
	struct cert_san san;
	char buf[TEXT_MAX];

	json_array(j, "sans");
	while (cert_next_san(&it, &san)) {
		struct text t = text_to(buf, sizeof buf);
		cert_san_text(&san, &t);
		json_span(j, NULL, text_span(&t));
	}
	json_end(j);
}

static void
put_serial(struct json_out *j, const struct cert *c)
{
	char buf[SERIAL_TEXT];
	AUTO(BIGNUM) *n = c->serial.n <= 64
		? BN_bin2bn(c->serial.p, (int)c->serial.n, NULL)
		: NULL;
	char *decimal = n ? BN_bn2dec(n) : NULL;

	json_str(j, "serial_number", decimal);
	OPENSSL_free(decimal);
	struct text t = text_to(buf, sizeof buf);
	cert_serial_text(c, &t);
	json_span(j, "serial", text_span(&t));
}

/* cfssl prints whole seconds. */
static void
put_time(struct json_out *j, const char *key, int64_t wall)
{
	char buf[CLOCK_TEXT];
	struct span s = span_str(clock_text(buf, wall * 1000));
	size_t dot = span_chr(s, '.');
	char out[CLOCK_TEXT];
	struct text t = text_to(out, sizeof out);

	text_put(&t, span_first(s, dot));
	text_add(&t, "Z");
	json_span(j, key, text_span(&t));
}

static void
put_usage(struct json_out *j, const struct cert *c)
{
	static const char *const words[] = {"digital_signature", "content_commitment",
		"key_encipherment", "data_encipherment", "key_agreement", "cert_sign",
		"crl_sign", "encipher_only"};
	static const struct {
		unsigned bit;
		const char *word;
	} uses[] = {{CERT_EKU_SERVER, "server_auth"}, {CERT_EKU_CLIENT, "client_auth"},
		{CERT_EKU_ANY, "any"}, {CERT_EKU_OCSP, "ocsp_signing"},
		{CERT_EKU_OTHER, "other"}};

	json_array(j, "key_usage");
	for (unsigned i = 0; i < COUNT_OF(words); i++) {
		if (c->key_usage & (1u << i))
			json_str(j, NULL, words[i]);
	}
	json_end(j);
	json_array(j, "ext_key_usage");
	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		if (c->ekus & uses[i].bit)
			json_str(j, NULL, uses[i].word);
	}
	json_end(j);
}

static void
put_extras(struct json_out *j, const struct cert *c)
{
	char buf[TEXT_MAX];
	struct text t = text_to(buf, sizeof buf);

	json_uint(j, "version", c->version);
	json_bool(j, "is_ca", c->is_ca);
	if (c->path_len >= 0)
		json_int(j, "path_len", c->path_len);
	cert_key_text(c, &t);
	json_span(j, "key", text_span(&t));
	put_usage(j, c);
	t = text_to(buf, sizeof buf);
	text_put_hex(&t, span_of(c->sha256, sizeof c->sha256), false);
	json_span(j, "sha256", text_span(&t));
	t = text_to(buf, sizeof buf);
	text_put_hex(&t, span_of(c->spki_sha256, sizeof c->spki_sha256), false);
	json_span(j, "spki_sha256", text_span(&t));
	if (c->ocsp.n > 0)
		json_span(j, "ocsp", c->ocsp);
	if (c->ca_issuers.n > 0)
		json_span(j, "ca_issuers", c->ca_issuers);
	if (c->crl.n > 0)
		json_span(j, "crl", c->crl);
	json_bool(j, "must_staple", c->must_staple);
	json_bool(j, "has_scts", c->scts.present);
	if (c->fault[0] || c->serial_fault)
		json_str(j, "fault", c->fault[0] ? c->fault : c->serial_fault);
}

void
cert_json_open(const struct cert *c, struct json_out *j, const char *key)
{
	size_t cap = c->der.n * 4 / 3 + c->der.n / 40 + 128;
	AUTO_OCTETS *pem = OPENSSL_malloc(cap);

	json_object(j, key);
	put_name_json(j, "subject", c->subject);
	put_name_json(j, "issuer", c->issuer);
	put_serial(j, c);
	put_sans(j, c);
	put_time(j, "not_before", c->not_before);
	put_time(j, "not_after", c->not_after);
	json_str(j, "sigalg", c->sig ? c->sig->cfssl : "Unknown");
	put_colons(j, "authority_key_id", c->aki_key);
	put_colons(j, "subject_key_id", c->ski_key);
	if (pem) {
		struct text t = text_to((char *)pem, cap);
		cert_pem(c, &t);
		json_span(j, "pem", text_span(&t));
	}
	put_extras(j, c);
}

void
cert_json(const struct cert *c, struct json_out *j, const char *key)
{
	cert_json_open(c, j, key);
	json_end(j);
}

static void
print_name(struct text *t, const char *word, struct span name)
{
	text_add(t, "  %-11s", word);
	cert_name_text(name, t);
	text_add(t, "\n");
}

static void
print_sans(const struct cert *c, struct text *t)
{
	struct read it = cert_sans(c);
	struct cert_san san;
	size_t n = 0;

	text_add(t, "  names      ");
	while (cert_next_san(&it, &san)) {
		if (n++ < 20) {
			text_add(t, n > 1 ? ", " : "");
			cert_san_text(&san, t);
		}
	}
	if (n > 20)
		text_add(t, " and %zu more", n - 20);
	text_add(t, n == 0 ? "none\n" : "\n");
}

void
cert_print(const struct cert *c, struct text *t)
{
	char buf[CLOCK_TEXT];

	print_name(t, "subject", c->subject);
	print_name(t, "issuer", c->issuer);
	print_sans(c, t);
	text_add(t, "  serial     ");
	cert_serial_text(c, t);
	text_add(t, "\n  valid      %.10s", clock_text(buf, c->not_before * 1000));
	text_add(t, " to %.10s", clock_text(buf, c->not_after * 1000));
	text_add(t, "\n  key        ");
	cert_key_text(c, t);
	text_add(t, "\n  signed     %s",
		c->sig ? c->sig->name : "with an unknown method");
	text_add(t, "\n  sha-256    ");
	text_put_hex(t, span_of(c->sha256, sizeof c->sha256), false);
	text_add(t, "\n");
	if (c->fault[0] || c->serial_fault) {
		text_add(t, "  fault      %s\n",
			c->fault[0] ? c->fault : c->serial_fault);
	}
}
