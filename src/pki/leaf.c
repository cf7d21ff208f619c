// SPDX-License-Identifier: Apache-2.0
#include "pki/leaf.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/read.h"
#include "pki/der_write.h"
#include "pki/leaf_priv.h"

enum {
	DAY_S = 86400,
	COMMON_NAME_MAX = 64,
	PAGE_LIFE_S = 2 * DAY_S,
	SERIAL_OCTETS = 16,
	FIXED_ROOM =
		8 * 1024, /* all of a leaf but its names, keys of 4096 bits included */
};

// clang-format off
/* Whole extensions that are the same in every leaf. */
static const struct span basic = SPAN_INIT("\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00");
static const struct span usage_ec = SPAN_INIT("\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x07\x80");
/* … and keyEncipherment, for old clients. */
static const struct span usage_rsa = SPAN_INIT("\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x05\xa0");
static const struct span server_auth = SPAN_INIT("\x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01");

/* How an authority signs. */
static const struct {
	enum key_family family;
	struct span algorithm; /* AlgorithmIdentifier */
	const EVP_MD *(*hash)(void);
} methods[] = {
	{KEY_FAMILY_EC, SPAN_INIT("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"), EVP_sha256},
	{KEY_FAMILY_RSA, SPAN_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"), EVP_sha256},
	{KEY_FAMILY_ED25519, SPAN_INIT("\x30\x05\x06\x03\x2b\x65\x70"), NULL},
};
// clang-format on

/* What one leaf is made from. */
struct plan {
	const X509 *issuer;
	EVP_PKEY *signer;
	const EVP_PKEY *key;
	int64_t not_before;
	int64_t not_after;
	size_t method; /* in methods[] */
};

static void
put_extension(struct der_write *w, struct span oid, bool critical, size_t mark)
{
	der_wrap(w, DER_OCTETS, mark);
	if (critical)
		der_element(w, DER_BOOLEAN, SPAN("\xff"));
	der_element(w, DER_OID, oid);
	der_wrap(w, DER_SEQUENCE, mark);
}

/* As structure, never from text: a host such as "a,DNS:b" stays one name. Critical when
 * there is no subject to name the holder (RFC 5280 §4.2.1.6). */
static void
put_names(struct der_write *w, const struct leaf_facts *f, bool critical)
{
	size_t mark = der_mark(w);

	for (size_t i = f->n_ips; i-- > 0;) {
		struct span ip = {f->ips[i].bytes, ip_size(&f->ips[i])};
		der_element(w, DER_CHOICE + 7, ip);
	}
	for (size_t i = f->n_names; i-- > 0;)
		der_element(w, DER_CHOICE + 2, f->names[i]);
	der_wrap(w, DER_SEQUENCE, mark);
	put_extension(w, SPAN("\x55\x1d\x11"), critical, mark);
}

static void
put_crl_url(struct der_write *w, const char *url)
{
	size_t mark = der_mark(w);

	der_element(w, DER_CHOICE + 6, span_str(url));
	der_wrap(w, DER_EXPLICIT + 0, mark); /* fullName */
	der_wrap(w, DER_EXPLICIT + 0, mark); /* distributionPoint */
	der_wrap(w, DER_SEQUENCE, mark);
	der_wrap(w, DER_SEQUENCE, mark);
	put_extension(w, SPAN("\x55\x1d\x1f"), false, mark);
}

/* The issuer's own identifier: verifiers compare the two. */
static void
put_key_identifiers(struct der_write *w, const struct plan *p, const uint8_t *ski)
{
	const ASN1_OCTET_STRING *of =
		X509_get0_subject_key_id((X509 *)(uintptr_t)p->issuer);
	size_t mark = der_mark(w);

	if (of) {
		int n = ASN1_STRING_length(of);
		der_element(w, DER_CHOICE + 0,
			span_of(ASN1_STRING_get0_data(of), n > 0 ? (size_t)n : 0));
		der_wrap(w, DER_SEQUENCE, mark);
		put_extension(w, SPAN("\x55\x1d\x23"), false, mark);
	}
	mark = der_mark(w);
	der_element(w, DER_OCTETS, span_of(ski, KEY_SKI));
	put_extension(w, SPAN("\x55\x1d\x0e"), false, mark);
}

/* CN for the people who still look there; never more than its 64 characters, and none
 * at all rather than a cut one. */
static struct span
choose_common_name(const struct leaf_facts *f, char text[IP_TEXT])
{
	struct span cn =
		f->n_names > 0 ? f->names[0] : span_str(ip_text(text, &f->ips[0]));
	return cn.n <= COMMON_NAME_MAX ? cn : (struct span){0};
}

static void
put_subject(struct der_write *w, struct span cn)
{
	size_t mark = der_mark(w);

	if (cn.n > 0) {
		der_element(w, DER_UTF8, cn);
		der_element(w, DER_OID, SPAN("\x55\x04\x03"));
		der_wrap(w, DER_SEQUENCE, mark);
		der_wrap(w, DER_SET, mark);
	}
	der_wrap(w, DER_SEQUENCE, mark);
}

/* RFC 5280 §4.1.2.2; CA/Browser Forum BR §7.1: random, positive, never zero, and always
 * of the same length. */
static void
put_serial(struct der_write *w)
{
	uint8_t octets[SERIAL_OCTETS];

	secret_random(octets, sizeof octets);
	octets[0] = (uint8_t)((octets[0] & 0x7f) | 0x40);
	der_element(w, DER_INTEGER, span_of(octets, sizeof octets));
}

static void
put_extensions(struct der_write *w, const struct authority *a,
	const struct leaf_facts *f, const struct plan *p, const uint8_t *ski)
{
	char text[IP_TEXT];
	size_t mark = der_mark(w);

	put_names(w, f, choose_common_name(f, text).n == 0);
	if (a->crl_url && f->purpose != LEAF_MIRROR)
		put_crl_url(w, a->crl_url);
	put_key_identifiers(w, p, ski);
	der_put(w, server_auth);
	der_put(w, f->kind == KEY_RSA2048 ? usage_rsa : usage_ec);
	der_put(w, basic);
	der_wrap(w, DER_SEQUENCE, mark);
	der_wrap(w, DER_EXPLICIT + 3, mark);
}

static bool
put_tbs(struct der_write *w, const struct authority *a, const struct leaf_facts *f,
	const struct plan *p, struct err *err)
{
	char text[IP_TEXT];
	size_t mark = der_mark(w);
	const uint8_t *issuer = NULL;
	size_t n = 0;
	uint8_t ski[KEY_SKI];
	struct span spki = {0};

	if (!key_ski(p->key, ski, err) || !key_spki(p->key, &spki, err))
		return false;
	put_extensions(w, a, f, p, ski);
	der_put(w, spki);
	mem_free((void *)(uintptr_t)spki.p);
	put_subject(w, choose_common_name(f, text));
	size_t dates = der_mark(w);
	der_put_time(w, p->not_after);
	der_put_time(w, p->not_before);
	der_wrap(w, DER_SEQUENCE, dates);
	if (X509_NAME_get0_der(X509_get_subject_name(p->issuer), &issuer, &n) != 1)
		return ossl_err(err, ERR_PKI_MINT, "the issuer's name");
	der_put(w, span_of(issuer, n));
	der_put(w, methods[p->method].algorithm);
	put_serial(w);
	der_put(w, SPAN("\xa0\x03\x02\x01\x02")); /* version 3 */
	der_wrap(w, DER_SEQUENCE, mark);
	return !w->bad || err_set(err, ERR_PKI_MINT, "more names than room");
}

/* The signature goes behind what was signed, so both move into a buffer of their own.
 */
static bool
sign(struct span tbs, const struct plan *p, struct span *der, struct err *err)
{
	uint8_t signature[KEY_SIGNATURE_MAX];
	size_t n = sizeof signature;
	size_t room = tbs.n + KEY_SIGNATURE_MAX + 64;
	const EVP_MD *hash = methods[p->method].hash ? methods[p->method].hash() : NULL;
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();

	if (!md || EVP_DigestSignInit(md, NULL, hash, NULL, p->signer) != 1 ||
		EVP_DigestSign(md, signature, &n, tbs.p, tbs.n) != 1)
		return ossl_err(err, ERR_PKI_MINT, "signing a leaf");
	uint8_t *mem = mem_alloc(room);
	struct der_write w = der_write_to(mem, room);
	size_t mark = der_mark(&w);
	der_put(&w, span_of(signature, n));
	der_put_octet(&w, 0);
	der_wrap(&w, DER_BITS, mark);
	der_put(&w, methods[p->method].algorithm);
	der_put(&w, tbs);
	der_wrap(&w, DER_SEQUENCE, mark);
	struct span whole = der_written(&w);
	for (size_t i = 0; i < whole.n; i++) /* to the front, for mem_free() */
		mem[i] = whole.p[i];
	*der = (struct span){mem, whole.n};
	return whole.n > 0 || ossl_err(err, ERR_PKI_MINT, "a leaf that does not fit");
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
set_dates(const struct authority *a, const struct leaf_facts *f, struct plan *plan,
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
	if (f->purpose == LEAF_PAGE) {
		plan->not_after = earlier(plan->not_after, now + PAGE_LIFE_S);
	} else if (f->not_after != 0) {
		plan->not_after = earlier(plan->not_after, f->not_after);
	}
	if (f->purpose != LEAF_MIRROR) {
		plan->not_before = later(plan->not_before, a->not_before);
		plan->not_after = earlier(plan->not_after, a->not_after);
	}
	if (plan->not_after <= now) {
		return err_set(err, ERR_PKI_MINT,
			"it would have ended already: the authority or the origin has");
	}
	return true;
}

static bool
choose_issuer(const struct authority *a, const struct leaf_facts *f, struct plan *plan,
	struct err *err)
{
	bool mirror = f->purpose == LEAF_MIRROR;

	plan->issuer = mirror ? a->mirror : a->node;
	plan->signer = mirror ? a->mirror_key : a->key;
	if (!plan->issuer || !plan->signer) {
		return err_set(
			err, ERR_PKI_MINT, "the authority was loaded without keys");
	}
	for (plan->method = 0; plan->method < COUNT_OF(methods); plan->method++) {
		if (key_pkey_family(plan->signer) == methods[plan->method].family)
			return true;
	}
	return err_set(err, ERR_PKI_MINT,
		"the authority's key is of no kind that signs leafs");
}

bool
leaf_mint(const struct authority *a, const struct leaf_facts *f, const EVP_PKEY *key,
	struct span *der, struct err *err)
{
	struct plan plan = {.key = key};
	size_t room = FIXED_ROOM;

	if (!leaf_facts_check(f, err) || !choose_issuer(a, f, &plan, err) ||
		!set_dates(a, f, &plan, err))
		return false;
	for (size_t i = 0; i < f->n_names; i++)
		room += f->names[i].n + 8;
	uint8_t *mem = mem_alloc(room + f->n_ips * 24);
	struct der_write w = der_write_to(mem, room + f->n_ips * 24);
	bool ok =
		put_tbs(&w, a, f, &plan, err) && sign(der_written(&w), &plan, der, err);
	mem_free(mem);
	return ok;
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
	if (w.bad) {
		return err_set(
			err, ERR_PKI_KEY, "leaf keys over %d octets", LEAFKEYS_WIRE);
	}
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
