// SPDX-License-Identifier: Apache-2.0
/*
 * cert_ext: the contents of the extensions we know (RFC 5280 §4.2).
 *
 * What is malformed is noted as a fault of the certificate: it can still be shown, and
 * is never trusted. Policies and name constraints are read where they are used.
 */
#include "pki/cert_priv.h"

static struct read
open_ext(const struct cert_ext *x, unsigned tag)
{
	struct read whole = read_from(x->value);
	struct read inside = der_take(&whole, tag);

	if (!read_done(&whole) && read_more(&whole))
		der_refuse(&inside); /* something behind it */
	return inside;
}

static void
read_basic(struct cert *c)
{
	struct read r = open_ext(&c->basic, DER_SEQUENCE);

	c->is_ca = der_flag(&r);
	if (der_is(&r, DER_INTEGER)) {
		c->path_len = (int)der_count(&r, DER_INTEGER, 1000);
		if (!c->is_ca)
			cert_note(c, "a path length without being an authority");
	}
	if (!read_done(&r))
		cert_note(c, "malformed basicConstraints");
}

static void
read_usage(struct cert *c)
{
	struct read whole = read_from(c->usage.value);
	unsigned unused = 0;
	struct span bits = der_bits(&whole, &unused);

	if (!read_done(&whole) || bits.n > 2) {
		cert_note(c, "malformed keyUsage");
		return;
	}
	for (unsigned i = 0; i < 8 && bits.n > 0; i++) {
		if (bits.p[0] & (0x80u >> i))
			c->key_usage |= 1u << i;
	}
	if (c->key_usage == 0 && (bits.n < 2 || bits.p[1] == 0))
		cert_note(c, "keyUsage without any use");
}

static unsigned
eku_of(struct span oid)
{
	static const struct {
		struct span oid;
		unsigned eku;
	} rows[] = {
		{SPAN_INIT("\x55\x1d\x25\x00"), CERT_EKU_ANY},
		{SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x01"), CERT_EKU_SERVER},
		{SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x02"), CERT_EKU_CLIENT},
		{SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x09"), CERT_EKU_OCSP},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (span_eq(oid, rows[i].oid))
			return rows[i].eku;
	}
	return CERT_EKU_OTHER;
}

static void
read_eku(struct cert *c)
{
	struct read r = open_ext(&c->eku, DER_SEQUENCE);
	bool any = false;

	while (read_more(&r)) {
		struct span oid = der_take(&r, DER_OID).left;
		any = true;
		c->ekus |= eku_of(oid);
	}
	if (!read_done(&r) || !any)
		cert_note(c, "malformed extendedKeyUsage");
}

static void
read_ski(struct cert *c)
{
	struct read r = read_from(c->ski.value);

	c->ski_key = der_take(&r, DER_OCTETS).left;
	if (!read_done(&r) || c->ski_key.n == 0) {
		c->ski_key = (struct span){0};
		cert_note(c, "malformed subjectKeyIdentifier");
	}
	if (c->ski.critical)
		cert_note(c, "a critical subjectKeyIdentifier");
}

static void
read_aki(struct cert *c)
{
	struct read r = open_ext(&c->aki, DER_SEQUENCE);
	bool has_key = false;
	bool has_issuer = false;
	bool has_serial = false;

	struct span key = der_maybe(&r, DER_CHOICE + 0, &has_key);
	(void)der_maybe(&r, DER_EXPLICIT + 1, &has_issuer);
	(void)der_maybe(&r, DER_CHOICE + 2, &has_serial);
	if (!read_done(&r) || has_issuer != has_serial || (has_key && key.n == 0)) {
		cert_note(c, "malformed authorityKeyIdentifier");
	} else {
		c->aki_key = key;
	}
	if (c->aki.critical)
		cert_note(c, "a critical authorityKeyIdentifier");
}

static bool
is_http(struct span url)
{
	return url.n > 7 && url.n <= 2048 &&
		span_eq_nocase(span_first(url, 7), SPAN("http://"));
}

/* RFC 5280 §4.2.2.1. */
static void
read_aia(struct cert *c)
{
	static const struct span ocsp = SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x30\x01");
	static const struct span issuers =
		SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x30\x02");
	struct read r = open_ext(&c->aia, DER_SEQUENCE);
	bool any = false;

	while (read_more(&r)) {
		struct read d = der_take(&r, DER_SEQUENCE);
		struct span method = der_take(&d, DER_OID).left;
		struct der where = der_any(&d);
		any = true;
		if (!read_done(&d)) {
			der_refuse(&r);
		} else if (where.tag != DER_CHOICE + 6 || !is_http(where.value.left)) {
			continue;
		} else if (span_eq(method, ocsp) && c->ocsp.n == 0) {
			c->ocsp = where.value.left;
		} else if (span_eq(method, issuers) && c->ca_issuers.n == 0) {
			c->ca_issuers = where.value.left;
		}
	}
	if (!read_done(&r) || !any)
		cert_note(c, "malformed authorityInfoAccess");
	if (c->aia.critical)
		cert_note(c, "a critical authorityInfoAccess");
}

static void
read_full_name(struct cert *c, struct read names)
{
	while (read_more(&names)) {
		struct der n = der_any(&names);
		if (n.tag == DER_CHOICE + 6 && is_http(n.value.left) && c->crl.n == 0)
			c->crl = n.value.left;
	}
}

/* RFC 5280 §4.2.1.13; only whole-CRL points with a full name are of use to us. */
static void
read_crl_points(struct cert *c)
{
	struct read r = open_ext(&c->crl_points, DER_SEQUENCE);

	while (read_more(&r)) {
		struct read p = der_take(&r, DER_SEQUENCE);
		if (!der_is(&p, DER_EXPLICIT + 0))
			continue;
		struct read choice = der_take(&p, DER_EXPLICIT + 0);
		/* An indirect or partial list (reasons, cRLIssuer) is not whole. */
		if (der_is(&choice, DER_EXPLICIT + 0) && read_done(&p))
			read_full_name(c, der_take(&choice, DER_EXPLICIT + 0));
	}
	if (!read_done(&r))
		cert_note(c, "malformed cRLDistributionPoints");
}

/* RFC 7633: status_request is feature 5. */
static void
read_tls_feature(struct cert *c)
{
	struct read r = open_ext(&c->tls_feature, DER_SEQUENCE);

	while (read_more(&r)) {
		if (der_count(&r, DER_INTEGER, 65535) == 5)
			c->must_staple = true;
	}
	if (!read_done(&r))
		cert_note(c, "malformed TLS feature extension");
}

/* A name with octets no host name has, however it is read (CVE-2009-2408 and kin). */
static bool
is_clean_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	}
	return s.n > 0;
}

static bool
is_sound(const struct cert_san *san)
{
	switch (san->kind) {
	case CERT_SAN_DNS:
	case CERT_SAN_EMAIL:
	case CERT_SAN_URI:
		return is_clean_text(san->value);
	case CERT_SAN_IP:
		return san->value.n == 4 || san->value.n == 16;
	case CERT_SAN_DIR:
	case CERT_SAN_OTHER:
		break;
	}
	return true;
}

static void
read_san(struct cert *c)
{
	struct read it = cert_sans(c);
	struct cert_san san;
	bool any = false;

	while (cert_next_san(&it, &san)) {
		any = true;
		if (!is_sound(&san))
			cert_note(c, "a name that no host can have");
	}
	if (it.bad || !any)
		cert_note(c, "malformed subjectAltName");
}

struct read
cert_sans(const struct cert *c)
{
	if (!c->san.present)
		return (struct read){0};
	return open_ext(&c->san, DER_SEQUENCE);
}

bool
cert_next_san(struct read *it, struct cert_san *out)
{
	static const struct {
		unsigned tag;
		enum cert_san_kind kind;
	} kinds[] = {
		{DER_CHOICE + 2, CERT_SAN_DNS},
		{DER_CHOICE + 7, CERT_SAN_IP},
		{DER_CHOICE + 1, CERT_SAN_EMAIL},
		{DER_CHOICE + 6, CERT_SAN_URI},
		{DER_EXPLICIT + 4, CERT_SAN_DIR},
		{DER_EXPLICIT + 0, CERT_SAN_OTHER},
		{DER_EXPLICIT + 3, CERT_SAN_OTHER},
		{DER_EXPLICIT + 5, CERT_SAN_OTHER},
		{DER_CHOICE + 8, CERT_SAN_OTHER},
	};

	if (!read_more(it))
		return false;
	struct der d = der_any(it);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (d.tag == kinds[i].tag) {
			*out = (struct cert_san){kinds[i].kind, d.value.left};
			return !it->bad;
		}
	}
	der_refuse(it);
	return false;
}

void
cert_read_extensions(struct cert *c)
{
	static const struct {
		size_t at;
		void (*read)(struct cert *c);
	} readers[] = {
		{offsetof(struct cert, basic), read_basic},
		{offsetof(struct cert, usage), read_usage},
		{offsetof(struct cert, eku), read_eku},
		{offsetof(struct cert, ski), read_ski},
		{offsetof(struct cert, aki), read_aki},
		{offsetof(struct cert, aia), read_aia},
		{offsetof(struct cert, crl_points), read_crl_points},
		{offsetof(struct cert, tls_feature), read_tls_feature},
		{offsetof(struct cert, san), read_san},
	};

	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		const struct cert_ext *x =
			(const struct cert_ext *)(const void *)((uint8_t *)c +
				readers[i].at);
		if (x->present)
			readers[i].read(c);
	}
	if (c->policy_limits.present && !c->policy_limits.critical)
		cert_note(c, "policyConstraints that are not critical");
	if (c->inhibit_any.present && !c->inhibit_any.critical)
		cert_note(c, "inhibitAnyPolicy that is not critical");
}
