// SPDX-License-Identifier: Apache-2.0
/*
 * cert_read: Certificate and TBSCertificate (RFC 5280 §4.1), straight down.
 */

#include "pki/cert_priv.h"
#include "pki/digest.h"

void
cert_note(struct cert *c, const char *fault)
{
	if (c->fault[0] == 0)
		(void)text_format(c->fault, sizeof c->fault, "%s", fault);
}

static void
read_version(struct cert *c, struct read *tbs)
{
	c->version = 1;
	if (!der_is(tbs, DER_EXPLICIT + 0))
		return;
	struct read v = der_take(tbs, DER_EXPLICIT + 0);
	c->version = 1 + der_count(&v, DER_INTEGER, 2);
	if (!read_done(&v))
		der_refuse(tbs);
	if (c->version == 1)
		cert_note(c, "version 1 written although it is the default");
}

/* RFC 5280 §4.1.2.2: positive, at most 20 octets. Encodings that are not minimal are
 * what it forbids too, but old roots have them; they are noted, not unreadable. */
static void
read_serial(struct cert *c, struct read *tbs)
{
	c->serial = der_take(tbs, DER_INTEGER).left;
	if (tbs->bad)
		return;
	if (c->serial.n == 0) {
		der_refuse(tbs);
		return;
	}
	bool is_zero = true;
	for (size_t i = 0; i < c->serial.n; i++)
		is_zero = is_zero && c->serial.p[i] == 0;
	if ((c->serial.p[0] & 0x80) != 0) {
		c->serial_fault = "negative serial number";
	} else if (is_zero) {
		c->serial_fault = "serial number 0";
	} else if (c->serial.n > 20) {
		c->serial_fault = "serial number over 20 octets";
	} else if (c->serial.n > 1 && c->serial.p[0] == 0 && c->serial.p[1] < 0x80) {
		c->serial_fault = "serial number not in its shortest form";
	}
}

static void
read_validity(struct cert *c, struct read *tbs)
{
	struct read v = der_take(tbs, DER_SEQUENCE);

	c->not_before = der_time(&v);
	c->not_after = der_time(&v);
	if (!read_done(&v))
		der_refuse(tbs);
	if (c->not_before > c->not_after)
		cert_note(c, "it ends before it begins");
}

struct ext_row {
	struct span oid;
	size_t at; /* of the struct cert_ext in struct cert */
};

#define EXT(oid, field)                                      \
	{                                                    \
		SPAN_INIT(oid), offsetof(struct cert, field) \
	}

/* Extensions we process; any other that is critical condemns the certificate. */
static const struct ext_row exts[] = {
	EXT("\x55\x1d\x0e", ski),
	EXT("\x55\x1d\x0f", usage),
	EXT("\x55\x1d\x11", san),
	EXT("\x55\x1d\x13", basic),
	EXT("\x55\x1d\x1e", names),
	EXT("\x55\x1d\x1f", crl_points),
	EXT("\x55\x1d\x20", policies),
	EXT("\x55\x1d\x21", mappings),
	EXT("\x55\x1d\x23", aki),
	EXT("\x55\x1d\x24", policy_limits),
	EXT("\x55\x1d\x25", eku),
	EXT("\x55\x1d\x36", inhibit_any),
	EXT("\x2b\x06\x01\x05\x05\x07\x01\x01", aia),
	EXT("\x2b\x06\x01\x05\x05\x07\x01\x18", tls_feature),
	EXT("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02", scts),
};

static struct cert_ext *
find_ext(struct cert *c, struct span oid)
{
	for (size_t i = 0; i < COUNT_OF(exts); i++) {
		if (span_eq(oid, exts[i].oid))
			return (struct cert_ext *)(void *)((uint8_t *)c + exts[i].at);
	}
	return NULL;
}

static void
read_extension(struct cert *c, struct read *list, struct span *oid)
{
	struct read e = der_take(list, DER_SEQUENCE);

	*oid = der_take(&e, DER_OID).left;
	bool critical = der_flag(&e);
	struct span value = der_take(&e, DER_OCTETS).left;
	if (!read_done(&e)) {
		der_refuse(list);
		return;
	}
	struct cert_ext *x = find_ext(c, *oid);
	if (x) {
		*x = (struct cert_ext){
			.value = value, .critical = critical, .present = true};
	} else if (critical) {
		c->has_unknown_critical = true;
	}
}

static void
read_extensions(struct cert *c, struct read *tbs)
{
	struct span seen[CERT_EXTS];
	size_t n = 0;
	struct read outer = der_take(tbs, DER_EXPLICIT + 3);
	struct read list = der_take(&outer, DER_SEQUENCE);

	if (!read_more(&list))
		cert_note(c, "an empty list of extensions");
	while (read_more(&list)) {
		if (n == CERT_EXTS) {
			der_refuse(tbs);
			return;
		}
		read_extension(c, &list, &seen[n]);
		for (size_t i = 0; i < n; i++) {
			if (span_eq(seen[i], seen[n]))
				cert_note(c, "an extension twice");
		}
		n++;
	}
	if (list.bad || !read_done(&outer))
		der_refuse(tbs);
	if (c->version != 3)
		cert_note(c, "extensions in a certificate that is not version 3");
}

/* IMPLICIT issuerUniqueID and subjectUniqueID: allowed by grammar, used by nobody. */
static void
skip_unique_ids(struct read *tbs)
{
	bool present = false;
	(void)der_maybe(tbs, DER_CHOICE + 1, &present);
	(void)der_maybe(tbs, DER_CHOICE + 2, &present);
}

static bool
read_tbs(struct cert *c)
{
	struct read whole = read_from(c->tbs);
	struct read tbs = der_take(&whole, DER_SEQUENCE);

	read_version(c, &tbs);
	read_serial(c, &tbs);
	struct span algo = der_take_whole(&tbs, DER_SEQUENCE);
	if (!span_eq(algo, c->algo))
		cert_note(c, "two different signature methods, inside and outside");
	c->issuer = der_take_whole(&tbs, DER_SEQUENCE);
	read_validity(c, &tbs);
	c->subject = der_take_whole(&tbs, DER_SEQUENCE);
	c->spki = der_take_whole(&tbs, DER_SEQUENCE);
	skip_unique_ids(&tbs);
	if (der_is(&tbs, DER_EXPLICIT + 3))
		read_extensions(c, &tbs);
	if (!read_done(&tbs))
		return false;
	struct read spki = read_from(c->spki);
	return cert_read_spki(c, der_take(&spki, DER_SEQUENCE));
}

bool
cert_read(struct cert *c, struct err *err)
{
	struct read r = read_from(c->der);
	struct read outer = der_take(&r, DER_SEQUENCE);
	unsigned unused = 0;

	c->path_len = -1;
	c->tbs = der_take_whole(&outer, DER_SEQUENCE);
	c->algo = der_take_whole(&outer, DER_SEQUENCE);
	c->signature = der_bits(&outer, &unused);
	if (!read_done(&outer) || !read_done(&r) || unused != 0) {
		return err_set(err, ERR_PKI_CERT, "%zu octets that are no certificate",
			c->der.n);
	}
	if (!read_tbs(c)) {
		return err_set(err, ERR_PKI_CERT,
			"a certificate of %zu octets with a malformed body", c->der.n);
	}
	c->sig = cert_sigalg_find(c->algo);
	digest_sha256(c->der, c->sha256);
	digest_sha256(c->spki, c->spki_sha256);
	cert_read_extensions(c);
	return true;
}
