// SPDX-License-Identifier: Apache-2.0
#include "pki/client_ca.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/client_name.h"
#include "pki/revoke.h"
#include "pki/signer.h"
#include "pki/trust.h"
#include "tests/test.h"

static char dir[64];
static struct client_ca *ca;

static void
set_up(void)
{
	struct err err = {0};

	if (ca)
		return;
	text_format(dir, sizeof(dir), "/tmp/sekisho-clients-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	CHECK_OK(client_ca_make(
			 dir, &(struct client_ca_wish){.organisation = "Ex"}, &err),
		&err);
	ca = client_ca_load(dir, true, (struct span){0}, &err);
	CHECK_OK(ca != NULL, &err);
}

static struct cert *
issue(const struct client_wish *like, enum key_kind kind)
{
	struct client_wish wish = *like;
	struct err err = {0};
	struct span der = {0};
	AUTO(EVP_PKEY) *key = key_new(kind, &err);

	wish.key = key;
	CHECK_OK(client_ca_issue(ca, &wish, &der, &err), &err);
	struct cert *c = cert_parse(der, &err);
	CHECK_OK(c != NULL, &err);
	mem_free((void *)(uintptr_t)der.p);
	return c;
}

static enum verdict_class
judge(const struct cert *c, struct revoke *revoke)
{
	struct err err = {0};
	struct chain roots = {0};
	struct chain chain = {0};
	struct verdict v = {0};
	struct trust_ask ask = {.chain = &chain,
		.now = clock_wall(),
		.revoke = revoke,
		.options = trust_options_default()};

	CHECK_OK(chain_from_x509(&roots, ca->crt, NULL, &err), &err);
	CHECK_OK(chain_add(&chain, c->der, &err), &err);
	struct trust *t = trust_new_chain(&roots, &err);
	ask.options.use = TRUST_CLIENT;
	ask.options.revocation = revoke ? TRUST_REVOCATION_HARD : TRUST_REVOCATION_SOFT;
	trust_check(t, &ask, &v);
	enum verdict_class class = v.class;
	verdict_fini(&v);
	chain_fini(&roots);
	chain_fini(&chain);
	trust_free(t);
	return class;
}

static void
every_kind_of_key_gets_a_certificate_that_is_good_for_clients(void)
{
	static const enum key_kind kinds[] = {
		KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};
	const struct client_wish wish = {
		.subject = SPAN("CN=alice,O=Ex"), .valid_s = CLIENT_VALID_S};

	set_up();
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct cert *c = issue(&wish, kinds[i]);
		CHECK_INT(judge(c, NULL), VERDICT_GOOD);
		CHECK_INT(c->ekus, CERT_EKU_CLIENT);
		CHECK_INT(c->key_usage, CERT_DIGITAL_SIGNATURE);
		CHECK(!c->is_ca);
		cert_put(c);
	}
}

static void
validity_is_from_an_hour_to_ten_years_and_ends_with_the_authority(void)
{
	struct err err = {0};
	struct span der = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);
	struct client_wish wish = {.subject = SPAN("CN=a"), .key = key};
	static const int64_t bad[] = {0, -1, 3599, CLIENT_VALID_MAX_S + 1};

	set_up();
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		wish.valid_s = bad[i];
		CHECK(!client_ca_issue(ca, &wish, &der, &err));
		CHECK_INT(err.code, ERR_PKI_CLIENT);
	}
	wish.valid_s = CLIENT_VALID_MIN_S;
	struct cert *c = issue(&wish, KEY_P256);
	CHECK(c->not_after <= clock_wall() + 3600 &&
		c->not_after > clock_wall() + 3500);
	cert_put(c);
	wish.valid_s = CLIENT_VALID_MAX_S;
	c = issue(&wish, KEY_P256);
	CHECK_INT(c->not_after, ca->not_after);
	cert_put(c);
}

static void
names_become_structure_value_by_value(void)
{
	static const struct span sans[] = {SPAN_INIT("email:a@ex.example"),
		SPAN_INIT("dns:*.dev.example"), SPAN_INIT("uri:spiffe://ex/a"),
		SPAN_INIT("ip:2001:db8::1")};
	const struct client_wish wish = {.subject = SPAN("CN=Smith\\, Al\\3dan,OU=x y"),
		.sans = sans,
		.n_sans = COUNT_OF(sans),
		.valid_s = 7200,
		.crl_url = "http://c.example/c.crl",
		.ocsp_url = "http://c.example/o",
		.issuer_url = "http://c.example/ca"};
	char text[CLIENT_TEXT];
	struct cert_san san;

	set_up();
	struct cert *c = issue(&wish, KEY_P256);
	CHECK(client_name_text(c->subject, text));
	CHECK_STR(text, "CN=Smith\\, Al\\=an,OU=x y");
	struct read it = cert_sans(c);
	for (size_t i = 0; i < COUNT_OF(sans); i++) {
		static const unsigned tags[] = {0x81, 0x82, 0x86, 0x87};
		CHECK(cert_next_san(&it, &san));
		CHECK(client_san_text(tags[i], san.value, text));
		CHECK(span_eq(span_str(text), sans[i]));
	}
	CHECK_SPAN(c->crl, "http://c.example/c.crl");
	CHECK_SPAN(c->ocsp, "http://c.example/o");
	CHECK_SPAN(c->ca_issuers, "http://c.example/ca");
	cert_put(c);
}

static void
what_is_no_name_is_refused(void)
{
	static const char *const subjects[] = {"CN=", "CN", "XX=a", "CN=a+O=b",
		"CN=a\\", "CN=a\\zz", "CN=\xff", "CN=a;b", "C=DEU", ",", "CN=a,", "=",
		"CN=a\\00b"};
	static const char *const sans[] = {"", "alice", "email:", "email:a", "email:a@",
		"email:a b@c.example", "email:a@b@c.example", "dns:", "dns:a b",
		"dns:*.*.example", "uri:", "uri:x", "uri::x", "uri:1a:b",
		"ip:", "ip:1.2.3", "EMAIL:a@b.example"};
	struct err err = {0};
	AUTO(GENERAL_NAMES) *names = GENERAL_NAMES_new();

	for (size_t i = 0; i < COUNT_OF(subjects); i++) {
		AUTO(X509_NAME) *n = client_name_parse(span_str(subjects[i]), &err);
		if (span_eq(span_str(subjects[i]), SPAN("CN=a,"))) {
			CHECK(n != NULL); /* nothing stands behind the comma */
			continue;
		}
		CHECK(n == NULL && err.code == ERR_PKI_CLIENT);
	}
	for (size_t i = 0; i < COUNT_OF(sans); i++) {
		CHECK(!client_name_add_san(names, span_str(sans[i]), &err));
		CHECK_INT(err.code, ERR_PKI_CLIENT);
	}
	CHECK_INT(sk_GENERAL_NAME_num(names), 0);
}

static void
a_template_cannot_be_left_by_what_is_filled_in(void)
{
	const struct client_words words = {
		.name = SPAN("a,O=Evil"), .id = SPAN("0123")};
	char text[CLIENT_TEXT];
	struct err err = {0};

	CHECK_OK(client_fill_subject(text, SPAN("CN={name},O=Ex"), &words, &err), &err);
	CHECK_STR(text, "CN=a\\,O\\=Evil,O=Ex");
	AUTO(X509_NAME) *n = client_name_parse(span_str(text), &err);
	CHECK_INT(X509_NAME_entry_count(n), 2);
	CHECK_OK(client_fill_san(text, SPAN("uri:urn:uuid:{id}"), &words, &err), &err);
	CHECK_STR(text, "uri:urn:uuid:0123");
	CHECK(!client_fill_san(text, SPAN("email:{label}@x"), &words, &err));
	CHECK(!client_fill_san(text, SPAN("{nobody}"), &words, &err));
	CHECK(!client_fill_san(text, SPAN("{name"), &words, &err));
}

static void
a_list_names_the_revoked_with_their_reason(void)
{
	const struct client_wish wish = {
		.subject = SPAN("CN=a"), .valid_s = 90 * 86400};
	struct err err = {0};
	struct span der = {0};

	set_up();
	struct cert *gone = issue(&wish, KEY_P256);
	struct cert *good = issue(&wish, KEY_P256);
	const struct client_revoked revoked = {.serial = gone->serial,
		.at = clock_wall(),
		.reason = CLIENT_KEY_COMPROMISE};
	const struct client_crl_plan plan = {
		.revoked = &revoked, .n_revoked = 1, .number = 7, .now = clock_wall()};
	CHECK_OK(client_ca_crl(ca, &plan, &der, &err), &err);
	const unsigned char *p = der.p;
	AUTO(X509_CRL) *crl = d2i_X509_CRL(NULL, &p, (long)der.n);
	CHECK(crl && X509_CRL_verify(crl, X509_get0_pubkey(ca->crt)) == 1);
	AUTO(ASN1_INTEGER) *number =
		X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	CHECK_INT(ASN1_INTEGER_get(number), 7);
	struct revoke *r = revoke_new(1 << 20);
	CHECK_OK(revoke_add_crl(r, der, &err), &err);
	CHECK_INT(judge(gone, r), VERDICT_REVOKED);
	CHECK_INT(judge(good, r), VERDICT_GOOD);
	struct revoke_list list;
	struct cert *issuers[] = {good, cert_from_x509(ca->crt, &err)};
	CHECK_OK(revoke_read_crl(der, issuers, 2, &list, &err), &err);
	CHECK(list.issuer == issuers[1] && list.n == 1);
	CHECK_INT(list.next_update - list.this_update, CLIENT_CA_CRL_DAYS * 86400);
	CHECK_OK(revoke_read_crl(der, issuers, 1, &list, &err), &err);
	CHECK(list.issuer == NULL); /* nobody here has signed it */
	CHECK(!revoke_read_crl(span_first(der, der.n - 1), issuers, 2, &list, &err));
	cert_put(issuers[1]);
	revoke_free(r);
	mem_free((void *)(uintptr_t)der.p);
	cert_put(gone);
	cert_put(good);
}

static void
a_renewed_certificate_has_the_same_names_and_key_and_another_number(void)
{
	static const struct span sans[] = {SPAN_INIT("email:a@ex.example")};
	struct client_wish wish = {.subject = SPAN("CN=a,O=b"),
		.sans = sans,
		.n_sans = 1,
		.valid_s = 7200};
	struct err err = {0};
	struct span der = {0};

	set_up();
	struct cert *old = issue(&wish, KEY_P256);
	wish.valid_s = 86400;
	CHECK_OK(client_ca_reissue(ca, old->der, &wish, &der, &err), &err);
	struct cert *c = cert_parse(der, &err);
	CHECK(span_eq(c->subject, old->subject));
	CHECK(span_eq(c->san.value, old->san.value));
	CHECK(span_eq(c->spki, old->spki));
	CHECK(!span_eq(c->serial, old->serial) && c->not_after > old->not_after);
	CHECK_INT(judge(c, NULL), VERDICT_GOOD);
	cert_put(c);
	cert_put(old);
	mem_free((void *)(uintptr_t)der.p);
}

/* Opens the file as a program would; gives the common name, or "" when it cannot. */
static void
open_pkcs12(struct span file, const char *pass, char name[64])
{
	const unsigned char *p = file.p;
	AUTO(PKCS12) *p12 = d2i_PKCS12(NULL, &p, (long)file.n);
	AUTO(EVP_PKEY) *key = NULL;
	AUTO(X509) *x = NULL;
	STACK_OF(X509) *rest = NULL;

	name[0] = 0;
	if (PKCS12_parse(p12, pass, &key, &x, &rest) == 1 &&
		X509_check_private_key(x, key) == 1 && sk_X509_num(rest) == 1) {
		X509_NAME_get_text_by_NID(
			X509_get_subject_name(x), NID_commonName, name, 64);
	}
	sk_X509_pop_free(rest, X509_free);
}

static void
pkcs12_opens_with_its_passphrase_only(void)
{
	struct client_wish wish = {.subject = SPAN("CN=alice"), .valid_s = 7200};
	static const enum client_form forms[] = {CLIENT_PKCS12, CLIENT_PKCS12_LEGACY};
	struct err err = {0};
	struct span der = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);
	AUTO(EVP_PKEY) *other = key_new(KEY_P256, &err);

	set_up();
	wish.key = key;
	CHECK_OK(client_ca_issue(ca, &wish, &der, &err), &err);
	struct client_bundle from = {.der = der,
		.key = key,
		.name = "alice",
		.passphrase = SPAN("g\303\244heim")};
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct span file = {0};
		char name[64];
		CHECK_OK(client_export(ca, forms[i], &from, &file, &err), &err);
		open_pkcs12(file, "g\303\244heim", name);
		CHECK_STR(name, "alice");
		open_pkcs12(file, "wrong", name);
		CHECK_STR(name, "");
		mem_free((void *)(uintptr_t)file.p);
	}
	struct span out = {0};
	from.passphrase = (struct span){0};
	CHECK(!client_export(ca, CLIENT_PKCS12, &from, &out, &err));
	CHECK_INT(err.code, ERR_PKI_PASSPHRASE);
	from.passphrase = SPAN("x");
	from.key = other;
	CHECK(!client_export(ca, CLIENT_APPLE, &from, &out, &err));
	CHECK_INT(err.code, ERR_PKI_CLIENT);
	mem_free((void *)(uintptr_t)der.p);
}

static void
an_apple_profile_holds_identity_and_authority(void)
{
	struct client_wish wish = {.subject = SPAN("CN=a"), .valid_s = 7200};
	struct err err = {0};
	struct span der = {0};
	struct span file = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);

	set_up();
	wish.key = key;
	CHECK_OK(client_ca_issue(ca, &wish, &der, &err), &err);
	const struct client_bundle from = {
		.der = der, .key = key, .name = "<a&b>", .passphrase = SPAN("x")};
	CHECK_OK(client_export(ca, CLIENT_APPLE, &from, &file, &err), &err);
	CHECK(span_find(file, SPAN("com.apple.security.pkcs12")) < file.n);
	CHECK(span_find(file, SPAN("com.apple.security.root")) < file.n);
	CHECK(span_find(file, SPAN("&lt;a&amp;b&gt;")) < file.n);
	mem_free((void *)(uintptr_t)file.p);
	mem_free((void *)(uintptr_t)der.p);
}

static void
nothing_is_overwritten_and_a_passphrase_is_needed_where_it_was_given(void)
{
	char locked[96];
	struct err err = {0};
	const struct client_ca_wish wish = {.passphrase = SPAN("secret")};

	set_up();
	CHECK(!client_ca_make(dir, &wish, &err));
	CHECK_INT(err.code, ERR_PKI_CLIENT_CA);
	text_format(locked, sizeof(locked), "%s/locked", dir);
	CHECK_OK(client_ca_make(locked, &wish, &err), &err);
	CHECK(client_ca_load(locked, true, (struct span){0}, &err) == NULL);
	CHECK_INT(err.code, ERR_PKI_PASSPHRASE);
	struct client_ca *c = client_ca_load(locked, true, SPAN("secret"), &err);
	CHECK_OK(c != NULL, &err);
	client_ca_free(c);
	c = client_ca_load(locked, false, (struct span){0}, &err);
	CHECK(c && !c->key);
	client_ca_free(c);
	client_ca_free(ca);
	ca = NULL;
}

/* The authority's own key, as if it were far away; it may lie. */
struct far_key {
	struct client_signer signer;
	struct key *key;
	unsigned asked;
	bool lies;
};

static bool
sign_far_away(struct client_signer *s, const struct key_job *job, uint8_t *dst,
	size_t *n, struct err *err)
{
	struct far_key *f = CONTAINER_OF(s, struct far_key, signer);
	struct signer *with = signer_new(f->key, err);
	bool ok = with && signer_sign(with, job, dst, n, err);

	f->asked++;
	if (ok && f->lies)
		dst[*n / 2] ^= 1;
	signer_free(with);
	return ok;
}

/* More than 64 KiB of a list: its lengths take a third octet. */
static void
check_long_list(const struct client_ca *far)
{
	static const struct client_revoked one = {
		.serial = SPAN_INIT("12345678901234567")};
	static struct client_revoked many[3000];
	struct client_crl_plan plan = {
		.revoked = many, .n_revoked = COUNT_OF(many), .number = 1};
	struct err err = {0};
	struct span der = {0};

	plan.now = clock_wall();
	for (size_t i = 0; i < COUNT_OF(many); i++) {
		many[i] = one;
		many[i].at = plan.now;
	}
	CHECK_OK(client_ca_crl(far, &plan, &der, &err), &err);
	CHECK(der.n > UINT16_MAX);
	const unsigned char *p = der.p;
	AUTO(X509_CRL) *crl = d2i_X509_CRL(NULL, &p, (long)der.n);
	CHECK(crl && X509_CRL_verify(crl, X509_get0_pubkey(far->crt)) == 1);
	mem_free((void *)(uintptr_t)der.p);
}

static void
play_far_away(enum key_kind kind, size_t number)
{
	char place[96];
	struct err err = {0};
	struct span der = {0};
	EVP_PKEY *real = key_new(kind, &err);
	struct far_key f = {.signer.sign = sign_far_away, .key = key_wrap(real)};
	const struct client_ca_wish made = {.public = real, .signer = &f.signer};
	struct client_wish wish = {
		.subject = SPAN("CN=a"), .key = real, .valid_s = CLIENT_VALID_S};

	text_format(place, sizeof(place), "%s/far%zu", dir, number);
	CHECK_OK(client_ca_make(place, &made, &err), &err);
	struct client_ca *far = client_ca_load_elsewhere(place, &f.signer, &err);
	CHECK_OK(far != NULL, &err);
	CHECK(X509_verify(far->crt, real) == 1);
	CHECK_OK(client_ca_issue(far, &wish, &der, &err), &err);
	const unsigned char *p = der.p;
	AUTO(X509) *x = d2i_X509(NULL, &p, (long)der.n);
	CHECK(x && X509_verify(x, real) == 1);
	CHECK_INT(f.asked, 3); /* its own, the one for OCSP, and this */
	check_long_list(far);
	mem_free((void *)(uintptr_t)der.p);

	f.lies = true;
	der = (struct span){0};
	CHECK(!client_ca_issue(far, &wish, &der, &err));
	CHECK_INT(err.code, ERR_TLS_REMOTE_LIED);
	CHECK(!der.p);
	client_ca_free(far);
	key_free(f.key);
}

static void
a_key_elsewhere_signs_what_a_stand_in_built(void)
{
	static const enum key_kind kinds[] = {
		KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};

	set_up();
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		play_far_away(kinds[i], i);
}

TESTS(every_kind_of_key_gets_a_certificate_that_is_good_for_clients,
	validity_is_from_an_hour_to_ten_years_and_ends_with_the_authority,
	names_become_structure_value_by_value, what_is_no_name_is_refused,
	a_template_cannot_be_left_by_what_is_filled_in,
	a_list_names_the_revoked_with_their_reason,
	a_key_elsewhere_signs_what_a_stand_in_built,
	a_renewed_certificate_has_the_same_names_and_key_and_another_number,
	pkcs12_opens_with_its_passphrase_only,
	an_apple_profile_holds_identity_and_authority,
	nothing_is_overwritten_and_a_passphrase_is_needed_where_it_was_given)
