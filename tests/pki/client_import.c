// SPDX-License-Identifier: Apache-2.0
#include "pki/client_import.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/pki/forge.h"

static char dir[64];

static void
set_up(void)
{
	(void)text_format(dir, sizeof(dir), "/tmp/sekisho-import-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static struct span
der_of(const struct forged *f)
{
	uint8_t *der = NULL;
	int n = i2d_X509(f->x, &der);

	CHECK(n > 0);
	return span_of(der, (size_t)n);
}

static bool
bring(const struct forged *f, EVP_PKEY *key, struct span list, struct err *err)
{
	struct client_brought b = {.certificate = der_of(f), .key = key, .list = list};
	bool ok = client_import_ca(dir, &b, err);

	OPENSSL_free((void *)(uintptr_t)b.certificate.p);
	return ok;
}

/* n certificates taken back; number < 0: none is said. */
static struct span
make_list(const struct forged *by, unsigned n, int64_t number, bool delta)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)clock_wall());
	ASN1_INTEGER *value = ASN1_INTEGER_new();
	uint8_t *der = NULL;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->x));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, now);
	for (unsigned i = 0; i < n; i++) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER_set(value, 100 + i);
		X509_REVOKED_set_serialNumber(r, value);
		X509_REVOKED_set_revocationDate(r, now);
		X509_CRL_add0_revoked(crl, r);
	}
	ASN1_INTEGER_set_int64(value, number);
	if (number >= 0)
		X509_CRL_add1_ext_i2d(crl, NID_crl_number, value, 0, 0);
	if (delta)
		X509_CRL_add1_ext_i2d(crl, NID_delta_crl, value, 1, 0);
	CHECK(X509_CRL_sign(crl, by->key, EVP_sha256()) > 0);
	int size = i2d_X509_CRL(crl, &der);
	CHECK(size > 0);
	X509_CRL_free(crl);
	ASN1_TIME_free(now);
	ASN1_INTEGER_free(value);
	return span_of(der, (size_t)size);
}

static void
what_could_not_do_the_work_is_refused_and_leaves_nothing(void)
{
	struct {
		struct forge plan;
		const char *said;
	} cases[] = {
		{{.cn = "C"}, "not an authority"},
		{{.cn = "C", .ca = true, .usage = "critical,cRLSign"},
			"sign certificates"},
		{{.cn = "C", .ca = true, .usage = "critical,keyCertSign"},
			"revocation lists"},
		{{.cn = "C", .ca = true, .eku = "serverAuth"}, "not for clients"},
		{{.ca = true}, "no subject"},
		{{.cn = "C", .ca = true, .no_ids = true}, "subjectKeyIdentifier"},
		{{.cn = "C", .ca = true, .more = {"1.2.3.4", "critical,ASN1:NULL"}},
			"critical extension"},
		{{.cn = "C", .ca = true, .from_days = 1}, "first day"},
		{{.cn = "C", .ca = true, .from_days = -9, .to_days = -1}, "has ended"},
	};

	set_up();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = {0};
		struct forged f = forge(&cases[i].plan);
		CHECK(!bring(&f, f.key, (struct span){0}, &err));
		CHECK_INT(err.code, ERR_PKI_CLIENT_CA);
		if (span_find(span_str(err.text), span_str(cases[i].said)) ==
			span_str(err.text).n)
			CHECK_STR(err.text, cases[i].said);
	}
	struct err err = {0};
	struct forged one = forge(&(struct forge){.cn = "C", .ca = true});
	struct forged two = forge(&(struct forge){.cn = "C", .ca = true});
	CHECK(!bring(&one, two.key, (struct span){0}, &err));
	struct span foreign = make_list(&two, 1, 3, false);
	CHECK(!bring(&one, one.key, foreign, &err));
	CHECK_INT(err.code, ERR_PKI_CRL);
	CHECK(!bring(&one, one.key, SPAN("no list"), &err));
	CHECK(rmdir(dir) == 0); /* empty */
	OPENSSL_free((void *)(uintptr_t)foreign.p);
	forge_end();
}

static void
open_desk(const struct forged *f, struct client_ca **ca, struct client_register **reg)
{
	struct err err = {0};

	CHECK_OK(bring(f, f->key, (struct span){0}, &err), &err);
	*ca = client_ca_load(dir, true, (struct span){0}, &err);
	CHECK_OK(*ca != NULL, &err);
	*reg = client_register_open(dir, true, &err);
	CHECK_OK(*reg != NULL, &err);
	CHECK_OK(client_register_begin(*reg, &err), &err);
}

static void
what_a_list_names_stays_revoked_and_its_number_is_counted_on(void)
{
	struct err err = {0};
	struct client_ca *ca = NULL;
	struct client_register *reg = NULL;
	struct client_record c;
	struct arena a;
	size_t n = 0;

	set_up();
	arena_init(&a, 65536);
	struct forged f = forge(&(struct forge){.cn = "C", .ca = true});
	open_desk(&f, &ca, &reg);
	struct span list = make_list(&f, 3, 41, false);
	struct span delta = make_list(&f, 3, 41, true);
	struct span great = make_list(&f, 0, INT64_MAX, false);
	CHECK(!client_import_list(reg, ca, delta, &n, &err));
	CHECK(!client_import_list(reg, ca, great, &n, &err));
	CHECK_OK(client_import_list(reg, ca, list, &n, &err), &err);
	CHECK_INT(n, 3);
	CHECK_OK(client_register_publish(reg, ca, true, &err), &err);
	CHECK_SPAN(client_register_get(reg, "crl-number", &a), "42");
	CHECK_OK(client_register_find(reg, SPAN("64"), &a, &c, &err), &err);
	CHECK(c.state == CLIENT_REVOKED && c.der.n == 0);
	for (size_t i = 0; i < list.n; i++) {
		struct err ignored = {0};
		CHECK(!client_import_list(reg, ca, span_first(list, i), &n, &ignored));
	}
	OPENSSL_free((void *)(uintptr_t)list.p);
	OPENSSL_free((void *)(uintptr_t)delta.p);
	OPENSSL_free((void *)(uintptr_t)great.p);
	client_register_close(reg);
	client_ca_free(ca);
	arena_fini(&a);
	CHECK(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
	forge_end();
}

TESTS(what_could_not_do_the_work_is_refused_and_leaves_nothing,
	what_a_list_names_stays_revoked_and_its_number_is_counted_on)
