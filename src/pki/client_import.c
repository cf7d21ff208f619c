// SPDX-License-Identifier: Apache-2.0
#include "pki/client_import.h"

#include <openssl/pem.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/authority_priv.h"
#include "pki/cert.h"
#include "pki/mint_priv.h"
#include "pki/revoke.h"

enum { SERIAL_OCTETS = 20, SERIAL_ROOM = 2 * SERIAL_OCTETS + 1 };

/* ---- the authority ---- */

static bool
is_no_ca(const struct cert *c)
{
	return c->version != 3 || !c->basic.present || !c->is_ca;
}

static bool
may_not_sign(const struct cert *c)
{
	return c->usage.present && !(c->key_usage & CERT_KEY_CERT_SIGN);
}

static bool
may_not_list(const struct cert *c)
{
	return c->usage.present && !(c->key_usage & CERT_CRL_SIGN);
}

static bool
is_for_others(const struct cert *c)
{
	return c->eku.present && !(c->ekus & (CERT_EKU_CLIENT | CERT_EKU_ANY));
}

static bool
lacks_ski(const struct cert *c)
{
	return c->ski_key.n == 0;
}

static bool
is_nameless(const struct cert *c)
{
	return c->subject.n <= 2; /* an empty SEQUENCE */
}

static bool
is_unknown(const struct cert *c)
{
	return c->has_unknown_critical;
}

static bool
is_weak(const struct cert *c)
{
	return !c->sig || (c->sig->weak && !cert_names_eq(c->issuer, c->subject));
}

static bool
is_not_yet(const struct cert *c)
{
	return c->not_before > clock_wall();
}

static bool
is_over(const struct cert *c)
{
	return c->not_after < clock_wall() + CLIENT_VALID_MIN_S;
}

/* To add one: what would make its certificates or lists worthless; a row. */
static const struct {
	const char *fault;
	bool (*is_bad)(const struct cert *c);
} faults[] = {
	{"it is not an authority (version 3 with basicConstraints CA:TRUE)", is_no_ca},
	{"its keyUsage does not allow it to sign certificates", may_not_sign},
	{"its keyUsage does not allow it to sign revocation lists", may_not_list},
	{"its extendedKeyUsage is not for clients", is_for_others},
	{"it has no subject, so that nothing can name it as its issuer", is_nameless},
	{"it has no subjectKeyIdentifier", lacks_ski},
	{"it has a critical extension that is not known", is_unknown},
	{"its signature is of a kind that is weak or not known", is_weak},
	{"its first day has not come", is_not_yet},
	{"it has ended, or ends within the hour", is_over},
};

static bool
lint(const struct cert *c, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		if (faults[i].is_bad(c)) {
			return err_set(err, ERR_PKI_CLIENT_CA, "the certificate: %s",
				faults[i].fault);
		}
	}
	return true;
}

static bool
check_key(const X509 *x, const EVP_PKEY *key, struct err *err)
{
	if (key_kind_of(key) == KEY_OTHER) {
		return err_set(err, ERR_PKI_CLIENT_CA,
			"the key is of no kind that is used here");
	}
	return X509_check_private_key(x, key) == 1 ||
		ossl_err(err, ERR_PKI_CLIENT_CA, "the key is not the certificate's");
}

bool
client_import_is_ours(const struct client_ca *ca, struct cert *c, struct err *err)
{
	const X509 *x = cert_x509(c, err);
	EVP_PKEY *key = X509_get0_pubkey(ca->crt);

	if (!x)
		return false;
	return (key &&
		       X509_NAME_cmp(X509_get_issuer_name(x),
			       X509_get_subject_name(ca->crt)) == 0 &&
		       X509_verify((X509 *)(uintptr_t)x, key) == 1) ||
		ossl_err(err, ERR_PKI_CLIENT, "this authority has not signed it");
}

/* ---- its last list ---- */

static X509_CRL *
read_list(struct span text)
{
	const unsigned char *p = text.p;

	if (text.n > 0 && text.p[0] == 0x30) /* SEQUENCE: DER */
		return d2i_X509_CRL(NULL, &p, (long)text.n);
	AUTO(BIO) *bio = BIO_new_mem_buf(text.p, (int)text.n);
	return bio ? PEM_read_bio_X509_CRL(bio, NULL, ossl_no_passphrase, NULL) : NULL;
}

static bool
is_ours(X509_CRL *crl, const X509 *ca, struct err *err)
{
	EVP_PKEY *key = X509_get0_pubkey(ca);

	if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
		return err_set(err, ERR_PKI_CRL, "a list of changes is not enough");
	if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)) != 0 ||
		!key || X509_CRL_verify(crl, key) != 1) {
		return ossl_err(
			err, ERR_PKI_CRL, "the authority has not signed the list");
	}
	return true;
}

/* NULL with ERR_PKI_CRL unless it is a whole list of this authority. */
static X509_CRL *
load_list(struct span list, const X509 *ca, struct err *err)
{
	if (list.n > REVOKE_CRL_MAX) {
		err_set(err, ERR_PKI_CRL, "%zu octets", list.n);
		return NULL;
	}
	AUTO(X509_CRL) *crl = read_list(list);
	if (!crl) {
		ossl_err(err, ERR_PKI_CRL, "no revocation list");
		return NULL;
	}
	return is_ours(crl, ca, err) ? KEEP(crl) : NULL;
}

static bool
check_list(struct span list, const X509 *ca, struct err *err)
{
	X509_CRL *crl = list.n > 0 ? load_list(list, ca, err) : NULL;

	X509_CRL_free(crl);
	return list.n == 0 || crl != NULL;
}

bool
client_import_ca(const char *dir, const struct client_brought *b, struct err *err)
{
	struct cert *c = cert_from_text(b->certificate, err);
	const X509 *x = c && lint(c, err) ? cert_x509(c, err) : NULL;
	bool ok = x && check_key(x, b->key, err) && check_list(b->list, x, err) &&
		file_mkdir(dir, 0711, err) && client_ca_is_free(dir, err) &&
		authority_save_key(dir, "ca.key", b->key, b->passphrase, err) &&
		authority_save_cert(dir, "ca.crt", x, err);

	cert_put(c);
	return ok;
}

/* Reasons that ours do not know become "unspecified". */
static int
reason_of(X509_REVOKED *entry)
{
	ASN1_ENUMERATED *e =
		X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	int reason = e ? (int)ASN1_ENUMERATED_get(e) : CLIENT_UNSPECIFIED;

	ASN1_ENUMERATED_free(e);
	return client_reason_name(reason) ? reason : CLIENT_UNSPECIFIED;
}

static bool
add_entry(struct client_register *r, const struct client_ca *ca, X509_REVOKED *entry,
	struct err *err)
{
	const ASN1_INTEGER *number = X509_REVOKED_get0_serialNumber(entry);
	int n = ASN1_STRING_length(number);
	char serial[SERIAL_ROOM];
	struct text t = text_to(serial, sizeof(serial));

	if (n <= 0 || n > SERIAL_OCTETS ||
		ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER)
		return err_set(err, ERR_PKI_CRL, "a serial number of %d octets", n);
	text_put_hex(&t, span_of(ASN1_STRING_get0_data(number), (size_t)n), false);
	int64_t at = mint_get_time(X509_REVOKED_get0_revocationDate(entry));
	const struct client_record old = {.serial = text_span(&t),
		.name = text_span(&t),
		.label = SPAN("imported"),
		.created = clock_wall(),
		.not_before = at,
		.not_after = ca->not_after};
	const struct client_change change = {.serial = old.serial,
		.state = CLIENT_REVOKED,
		.reason = reason_of(entry),
		.at = at};
	return client_register_add(r, &old, err) &&
		client_register_change(r, &change, err);
}

static bool
take_number(struct client_register *r, X509_CRL *crl, struct err *err)
{
	AUTO(ASN1_INTEGER) *number =
		X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	uint64_t n = 0;
	char text[24];

	if (!number)
		return true;
	if (ASN1_INTEGER_get_uint64(&n, number) != 1 || n >= INT64_MAX - 1) {
		return ossl_err(
			err, ERR_PKI_CRL, "its number is too great to count on from");
	}
	size_t len = text_format(text, sizeof(text), "%llu", (unsigned long long)n);
	return client_register_set(r, "crl-number", span_of(text, len), err);
}

bool
client_import_list(struct client_register *r, const struct client_ca *ca,
	struct span list, size_t *n, struct err *err)
{
	AUTO(X509_CRL) *crl = load_list(list, ca->crt, err);
	if (!crl)
		return false;
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);
	int count = all ? sk_X509_REVOKED_num(all) : 0;
	for (int i = 0; i < count; i++) {
		if (!add_entry(r, ca, sk_X509_REVOKED_value(all, i), err))
			return false;
	}
	*n = (size_t)(count > 0 ? count : 0);
	return take_number(r, crl, err);
}
