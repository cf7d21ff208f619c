// SPDX-License-Identifier: Apache-2.0
#include "pki/leaf.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/read.h"
#include "pki/leaf_priv.h"
#include "pki/mint_priv.h"

enum { DAY_S = 86400, COMMON_NAME_MAX = 64, PAGE_LIFE_S = 2 * DAY_S };

/* Built as structure, never from text: a host such as "a,DNS:b" must stay one name. */
static bool
push_name(GENERAL_NAMES *names, int kind, struct span value)
{
	AUTO(GENERAL_NAME) *name = GENERAL_NAME_new();
	AUTO(ASN1_OCTET_STRING) *octets = kind == GEN_DNS
		? (ASN1_OCTET_STRING *)ASN1_IA5STRING_new()
		: ASN1_OCTET_STRING_new();

	if (!name || !octets || value.n > 255 ||
		ASN1_STRING_set(octets, value.p, (int)value.n) != 1)
		return false;
	GENERAL_NAME_set0_value(name, kind, KEEP(octets));
	if (!sk_GENERAL_NAME_push(names, name))
		return false;
	(void)KEEP(name); /* names owns it now */
	return true;
}

/* RFC 5280 §4.2.1.6: critical when there is no subject to name the holder. */
static bool
add_names(X509 *x, const struct leaf_facts *f, bool critical)
{
	AUTO(GENERAL_NAMES) *names = sk_GENERAL_NAME_new_null();

	if (!names)
		return false;
	for (size_t i = 0; i < f->n_names; i++) {
		if (!push_name(names, GEN_DNS, f->names[i]))
			return false;
	}
	for (size_t i = 0; i < f->n_ips; i++) {
		struct span ip = {f->ips[i].bytes, ip_size(&f->ips[i])};
		if (!push_name(names, GEN_IPADD, ip))
			return false;
	}
	return mint_add(x, NID_subject_alt_name, names, critical);
}

static bool
add_server_auth(X509 *x)
{
	EXTENDED_KEY_USAGE *eku = sk_ASN1_OBJECT_new_null();
	bool ok = eku && sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_server_auth)) > 0 &&
		mint_add(x, NID_ext_key_usage, eku, false);

	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	return ok;
}

static bool
add_usage(X509 *x, enum key_kind kind)
{
	static const int ec[] = {0, -1}; /* digitalSignature */
	static const int rsa[] = {
		0, 2, -1}; /* … and keyEncipherment, for old clients */

	return mint_add_usage(x, kind == KEY_RSA2048 ? rsa : ec);
}

/* CN for the people who still look there; never more than its 64 characters, and none
 * at all rather than a cut one. */
static X509_NAME *
new_subject(const struct leaf_facts *f)
{
	AUTO(X509_NAME) *name = X509_NAME_new();
	char text[IP_TEXT];
	struct span cn = {0};

	if (f->n_names > 0)
		cn = f->names[0];
	else if (f->n_ips > 0)
		cn = span_str(ip_text(text, &f->ips[0]));
	if (cn.n > COMMON_NAME_MAX)
		cn = (struct span){0};
	if (!name || !mint_name_add(name, NID_commonName, cn))
		return NULL;
	return KEEP(name);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/*
 * Inside the issuer's dates, no longer than the origin's, never over LEAF_DAYS_MAX. A
 * mirror shows the origin's own dates, wrong as they may be: that is its purpose.
 */
static bool
set_dates(const struct authority *a, const struct leaf_facts *f, struct mint_plan *plan,
	struct err *err)
{
	int64_t now = clock_wall();
	unsigned days = f->days == 0 ? LEAF_DAYS : f->days;

	if (f->purpose == LEAF_MIRROR && f->not_before != 0 && f->not_after != 0) {
		plan->not_before = f->not_before;
		plan->not_after = f->not_after;
		return true;
	}
	if (days > LEAF_DAYS_MAX)
		days = LEAF_DAYS_MAX;
	plan->not_before = now - LEAF_BACKDATE_S;
	plan->not_after = plan->not_before + (int64_t)days * DAY_S - 1;
	if (f->purpose == LEAF_PAGE)
		plan->not_after = earlier(plan->not_after, now + PAGE_LIFE_S);
	else if (f->not_after != 0)
		plan->not_after = earlier(plan->not_after, f->not_after);
	if (f->purpose != LEAF_MIRROR) {
		plan->not_before = later(plan->not_before, a->not_before);
		plan->not_after = earlier(plan->not_after, a->not_after);
	}
	if (plan->not_after <= now)
		return err_set(err, ERR_PKI_MINT,
			"it would have ended already: the authority or the origin has");
	return true;
}

static bool
choose_issuer(const struct authority *a, const struct leaf_facts *f,
	struct mint_plan *plan, struct err *err)
{
	bool mirror = f->purpose == LEAF_MIRROR;

	plan->issuer = mirror ? a->mirror : a->node;
	plan->signer = mirror ? a->mirror_key : a->key;
	if (!plan->issuer || !plan->signer)
		return err_set(
			err, ERR_PKI_MINT, "the authority was loaded without keys");
	return true;
}

bool
leaf_mint(const struct authority *a, const struct leaf_facts *f, const EVP_PKEY *key,
	struct span *der, struct err *err)
{
	struct mint_plan plan = {.subject_key = key};

	if (!leaf_facts_check(f, err) || !choose_issuer(a, f, &plan, err) ||
		!set_dates(a, f, &plan, err))
		return false;
	AUTO(X509_NAME) *subject = new_subject(f);
	plan.subject = subject;
	AUTO(X509) *x = subject ? mint_begin(&plan, err) : NULL;
	if (!x)
		return ossl_err(err, ERR_PKI_MINT, "building a leaf");
	bool has_url = a->crl_url && f->purpose != LEAF_MIRROR;
	bool nameless = X509_NAME_entry_count(subject) == 0;
	if (!add_names(x, f, nameless) || !mint_add_basic(x, false, -1) ||
		!add_usage(x, f->kind) || !add_server_auth(x) ||
		(has_url && !mint_add_crl_url(x, a->crl_url)))
		return ossl_err(err, ERR_PKI_MINT, "adding extensions to a leaf");
	return mint_sign(x, plan.signer, err) && mint_encode(x, der, err);
}

bool
leafkeys_make(struct leafkeys *k, uint32_t number, struct err *err)
{
	AUTO(EVP_PKEY) *p256 = key_new(KEY_P256, err);
	AUTO(EVP_PKEY) *rsa = p256 ? key_new(KEY_RSA2048, err) : NULL;

	if (!rsa)
		return false;
	*k = (struct leafkeys){.born = clock_wall(), .number = number};
	k->p256 = KEEP(p256);
	k->rsa = KEEP(rsa);
	return true;
}

void
leafkeys_fini(struct leafkeys *k)
{
	EVP_PKEY_free(k->p256);
	EVP_PKEY_free(k->rsa);
	*k = (struct leafkeys){0};
}

EVP_PKEY *
leafkeys_get(const struct leafkeys *k, enum key_kind kind)
{
	return kind == KEY_RSA2048 ? k->rsa : k->p256;
}

static bool
write_key(struct write *w, const EVP_PKEY *key, struct err *err)
{
	struct span der = {0};

	if (!key_to_der(key, &der, err))
		return false;
	size_t mark = write_open(w, 2);
	write_span(w, der);
	write_close(w, mark, 2);
	secret_wipe((void *)(uintptr_t)der.p, der.n);
	mem_free((void *)(uintptr_t)der.p);
	return true;
}

bool
leafkeys_write(const struct leafkeys *k, uint8_t *dst, size_t *n, struct err *err)
{
	struct write w = write_to(dst, LEAFKEYS_WIRE);

	write_be(&w, k->number, 4);
	write_be64(&w, (uint64_t)k->born);
	if (!write_key(&w, k->p256, err) || !write_key(&w, k->rsa, err))
		return false;
	if (w.bad)
		return err_set(
			err, ERR_PKI_KEY, "leaf keys over %d octets", LEAFKEYS_WIRE);
	*n = w.n;
	return true;
}

bool
leafkeys_read(struct span wire, struct leafkeys *k, struct err *err)
{
	struct read r = read_from(wire);
	uint32_t number = read_be(&r, 4);
	int64_t born = (int64_t)read_be64(&r);
	struct span p256 = read_vec(&r, 2).left;
	struct span rsa = read_vec(&r, 2).left;

	if (!read_done(&r))
		return err_set(err, ERR_PKI_KEY, "malformed leaf keys");
	AUTO(EVP_PKEY) *ec_key = key_from_der(p256, err);
	AUTO(EVP_PKEY) *rsa_key = ec_key ? key_from_der(rsa, err) : NULL;
	if (!rsa_key)
		return false;
	if (key_kind_of(ec_key) != KEY_P256 || key_kind_of(rsa_key) != KEY_RSA2048)
		return err_set(err, ERR_PKI_KEY, "leaf keys of other kinds");
	*k = (struct leafkeys){.born = born, .number = number};
	k->p256 = KEEP(ec_key);
	k->rsa = KEEP(rsa_key);
	return true;
}
