// SPDX-License-Identifier: Apache-2.0
/*
 * forge: certificates of every sort, right and wrong, for tests.
 *
 *	struct forged root = forge(&(struct forge){.cn = "R", .ca = true});
 *	struct forged leaf = forge(&(struct forge){.by = &root, .san =
 *"DNS:a.example"});
 *
 * Everything made is freed by forge_end().
 */
#pragma once

#include <openssl/conf.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "pki/key.h"
#include "pki/trust.h"
#include "tests/test.h"

enum { FORGE_DAY = 86400, FORGE_MAX = 256 };

struct forged {
	X509 *x;
	EVP_PKEY *key;
};

struct forge {
	const struct forged *by; /* NULL: self-signed */
	const char *cn;          /* NULL: empty subject */
	const char *issuer_cn;   /* written instead of by's name */
	const EVP_PKEY *key;     /* reuse this one */
	const char *kind;        /* key_kind_find() name; default p256 */
	int64_t from_days;       /* from now; default −1 */
	int64_t to_days;         /* default 30 */
	bool ca;
	bool no_basic;
	bool soft_basic;      /* not critical */
	const char *path_len; /* ",pathlen:0" */
	const char *san;      /* extension text of OpenSSL's configuration */
	const char *usage;
	const char *eku;
	const char *names;   /* name constraints */
	const char *more[4]; /* "OID or name" and value pairs, e.g.
				"tlsfeature","status_request" */
	bool no_ids;         /* neither SKI nor AKI */
	bool version1;
	const EVP_MD *md;
	bool break_signature;
};

static struct forged forge_all[FORGE_MAX];
static size_t forge_n;

static inline void
forge_ext(X509 *x, const struct forged *by, const char *name, const char *value)
{
	X509V3_CTX with;
	X509V3_set_ctx(&with, by ? by->x : x, x, NULL, NULL, 0);
	CONF *none = NCONF_new(NULL); /* some extensions want one to look into */
	X509V3_set_nconf(&with, none);
	X509_EXTENSION *e = X509V3_EXT_nconf(none, &with, name, value);
	NCONF_free(none);
	if (!e) {
		print_error("no extension %s = %s\n", name, value);
		_fail(__FILE__, __LINE__);
		return;
	}
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

static inline void
forge_name(X509_NAME *n, const char *cn)
{
	if (cn)
		X509_NAME_add_entry_by_txt(
			n, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
}

static inline void
forge_exts(X509 *x, const struct forge *f)
{
	char basic[64];
	(void)text_format(basic, sizeof basic, "%sCA:%s%s",
		f->soft_basic ? "" : "critical,", f->ca ? "TRUE" : "FALSE",
		f->path_len ? f->path_len : "");
	if (!f->no_basic)
		forge_ext(x, f->by, "basicConstraints", basic);
	if (f->usage)
		forge_ext(x, f->by, "keyUsage", f->usage);
	else if (f->ca)
		forge_ext(x, f->by, "keyUsage", "critical,keyCertSign,cRLSign");
	if (f->eku)
		forge_ext(x, f->by, "extendedKeyUsage", f->eku);
	if (f->san)
		forge_ext(x, f->by, "subjectAltName", f->san);
	if (f->names)
		forge_ext(x, f->by, "nameConstraints", f->names);
	if (!f->no_ids) {
		forge_ext(x, f->by, "subjectKeyIdentifier", "hash");
		if (!f->by || X509_get0_subject_key_id(f->by->x))
			forge_ext(x, f->by, "authorityKeyIdentifier", "keyid:always");
	}
	for (size_t i = 0; i + 1 < COUNT_OF(f->more) && f->more[i]; i += 2)
		forge_ext(x, f->by, f->more[i], f->more[i + 1]);
}

static inline struct forged
forge(const struct forge *f)
{
	struct err err = {0};
	struct forged made = {.x = X509_new()};
	int64_t from = f->from_days ? f->from_days : -1;
	int64_t to = f->to_days ? f->to_days : 30;
	static long serial = 1000;

	CHECK(forge_n < FORGE_MAX);
	if (f->key) {
		made.key = (EVP_PKEY *)(uintptr_t)f->key;
		EVP_PKEY_up_ref(made.key);
	} else {
		made.key = key_new(
			f->kind ? key_kind_find(span_str(f->kind)) : KEY_P256, &err);
	}
	ASN1_INTEGER_set(X509_get_serialNumber(made.x), ++serial);
	X509_set_version(made.x, f->version1 ? X509_VERSION_1 : X509_VERSION_3);
	X509_NAME *n = X509_NAME_new();
	forge_name(n, f->cn);
	X509_set_subject_name(made.x, n);
	X509_NAME_free(n);
	n = X509_NAME_new();
	if (f->issuer_cn)
		forge_name(n, f->issuer_cn);
	X509_set_issuer_name(made.x,
		f->issuer_cn    ? n
			: f->by ? X509_get_subject_name(f->by->x)
				: X509_get_subject_name(made.x));
	X509_NAME_free(n);
	ASN1_TIME_set(
		X509_getm_notBefore(made.x), (time_t)(clock_wall() + from * FORGE_DAY));
	ASN1_TIME_set(
		X509_getm_notAfter(made.x), (time_t)(clock_wall() + to * FORGE_DAY));
	X509_set_pubkey(made.x, made.key);
	if (!f->version1)
		forge_exts(made.x, f);
	EVP_PKEY *signer = f->by ? f->by->key : made.key;
	bool eddsa = EVP_PKEY_is_a(signer, "ED25519");
	CHECK(X509_sign(made.x, signer,
		      eddsa           ? NULL
			      : f->md ? f->md
				      : EVP_sha256()) > 0);
	if (f->break_signature) {
		const ASN1_BIT_STRING *sig = NULL;
		X509_get0_signature(&sig, NULL, made.x);
		((ASN1_BIT_STRING *)(uintptr_t)sig)->data[sig->length - 1] ^= 1;
	}
	forge_all[forge_n++] = made;
	return made;
}

static inline void
forge_end(void)
{
	while (forge_n > 0) {
		forge_n--;
		X509_free(forge_all[forge_n].x);
		EVP_PKEY_free(forge_all[forge_n].key);
	}
	cert_cache_limit(1024 * 1024);
}

static inline struct span
forge_der(const struct forged *f)
{
	uint8_t *p = NULL;
	int n = i2d_X509(f->x, &p);
	return span_of(p, n > 0 ? (size_t)n : 0); /* OPENSSL_free() */
}

static inline void
forge_add(struct chain *c, const struct forged *f)
{
	struct err err = {0};
	struct span der = forge_der(f);
	CHECK_OK(chain_add(c, der, &err), &err);
	OPENSSL_free((void *)(uintptr_t)der.p);
}

/* Up to eight of each, NULL at the end. */
struct forge_ask {
	const struct forged *sent[10];
	const struct forged *roots[6];
	const char *host;
	int64_t days;                     /* from now */
	const struct trust_options *with; /* or the default */
	struct revoke *revoke;
	struct revoke *lists;
	struct span staple;
	bool as_system;   /* the roots count as the system's */
	uint32_t *faults; /* out, or NULL */
	unsigned *signatures;
};

static inline enum verdict_class
forge_verdict(const struct forge_ask *a)
{
	struct chain sent = {0};
	struct chain roots = {0};
	struct err err = {0};
	struct verdict v = {0};

	for (size_t i = 0; a->sent[i]; i++)
		forge_add(&sent, a->sent[i]);
	for (size_t i = 0; a->roots[i]; i++)
		forge_add(&roots, a->roots[i]);
	struct trust *t = a->as_system ? trust_new_public(&roots, &err)
				       : trust_new_chain(&roots, &err);
	CHECK_OK(t != NULL, &err);
	struct trust_ask ask = {
		.chain = &sent,
		.host = span_str(a->host),
		.now = clock_wall() + a->days * FORGE_DAY,
		.options = a->with ? *a->with : trust_options_default(),
		.revoke = a->revoke,
		.lists = a->lists,
		.staple = a->staple,
	};
	trust_check(t, &ask, &v);
	if (a->faults)
		*a->faults = v.faults;
	if (a->signatures)
		*a->signatures = v.signatures;
	enum verdict_class class = v.class;
	if (class == VERDICT_GOOD)
		CHECK_INT(v.faults, 0);
	verdict_fini(&v);
	trust_free(t);
	chain_fini(&sent);
	chain_fini(&roots);
	return class;
}

#define CHECK_VERDICT(want, ...) \
	CHECK_STR(verdict_id(forge_verdict(&(struct forge_ask){__VA_ARGS__})), want)
