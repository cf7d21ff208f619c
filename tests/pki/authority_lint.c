// SPDX-License-Identifier: Apache-2.0
/*
 * Authorities that people bring along: each fault has a sentence of its own, and
 * nothing of a faulty one is written.
 */
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "pki/authority.h"
#include "pki/leaf.h"
#include "tests/pki/forge.h"

enum { MOST = 4 };

static char dir[64];

static const char *
in_dir(const char *file)
{
	static char path[128];
	(void)text_format(path, sizeof path, "%s/%s", dir, file);
	return path;
}

static void
begin(void)
{
	(void)text_format(dir, sizeof dir, "/tmp/sekisho-lint-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
}

static void
end(void)
{
	static const char *const files[] = {"root.crt", "node.crt", "node.key"};
	for (size_t i = 0; i < COUNT_OF(files); i++)
		(void)unlink(in_dir(files[i]));
	(void)rmdir(dir);
}

/* What is brought: certificates in this order, and a key in PEM, DER or not at all. */
struct bring {
	const struct forged *certs[MOST];
	const EVP_PKEY *key;    /* default: of the first */
	const EVP_PKEY *second; /* one too many */
	const char *encrypt;    /* with this passphrase */
	const char *say;        /* the passphrase given */
	bool no_key;
};

static struct span
take(BIO *bio)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);
	struct span out = {(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	BIO_free(bio);
	return out;
}

static void
write_key(BIO *bio, const EVP_PKEY *key, const char *encrypt)
{
	CHECK(PEM_write_bio_PKCS8PrivateKey(bio, key,
		      encrypt ? EVP_aes_256_cbc() : NULL, encrypt,
		      encrypt ? (int)span_str(encrypt).n : 0, NULL, NULL) == 1);
}

static struct span
bundle_of(const struct bring *b)
{
	BIO *bio = BIO_new(BIO_s_mem());

	for (size_t i = 0; i < MOST && b->certs[i]; i++)
		PEM_write_bio_X509(bio, b->certs[i]->x);
	if (!b->no_key)
		write_key(bio, b->key ? b->key : b->certs[0]->key, b->encrypt);
	if (b->second)
		write_key(bio, b->second, NULL);
	return take(bio);
}

static bool
says(const struct err *err, const char *words)
{
	bool found =
		span_find(span_str(err->text), span_str(words)) < span_str(err->text).n;
	if (!found)
		print_error("\"%s\" is not in: %s\n", words, err->text);
	return found;
}

static void
check_refused(const struct authority_bundle *from, const char *words)
{
	struct err err = {0};

	begin();
	CHECK(!authority_import(dir, from, &err));
	CHECK(says(&err, words));
	CHECK(access(in_dir("node.key"), F_OK) != 0);
	CHECK(access(in_dir("node.crt"), F_OK) != 0);
	end();
}

static void
check_taken(const struct authority_bundle *from, struct span passphrase)
{
	struct err err = {0};

	begin();
	CHECK_OK(authority_import(dir, from, &err), &err);
	struct authority *a = authority_load(dir, true, passphrase, &err);
	CHECK_OK(a != NULL, &err);
	authority_free(a);
	end();
}

static void
refuse(const char *words, struct bring b)
{
	struct span octets = bundle_of(&b);
	check_refused(&(struct authority_bundle){.bundle = octets,
			      .passphrase = span_str(b.say)},
		words);
	mem_free((void *)(uintptr_t)octets.p);
}

#define REFUSED(words, ...) refuse(words, (struct bring){__VA_ARGS__})
#define FORGE(...)          forge(&(struct forge){__VA_ARGS__})
/* A node below `top` with one thing wrong. */
#define NODE(...)           FORGE(.cn = "N", .by = &top, .ca = true, __VA_ARGS__)

static void
what_a_certificate_lacks_is_named(void)
{
	struct forged top = FORGE(.cn = "T", .ca = true);
	EVP_PKEY *small = EVP_RSA_gen(1024);
	EVP_PKEY *odd = EVP_EC_gen("secp256k1");
	EVP_PKEY *tiny = EVP_EC_gen("P-192");
	const struct {
		const char *words;
		struct forged node;
	} rows[] = {
		{"version 3", NODE(.version1 = true)},
		{"a leaf, not an authority",
			FORGE(.cn = "N", .by = &top, .san = "DNS:a.example")},
		{"not an authority", FORGE(.cn = "N", .by = &top)},
		{"not an authority", NODE(.no_basic = true)},
		{"not critical", NODE(.soft_basic = true)},
		{"sign certificates", NODE(.usage = "critical,cRLSign")},
		{"no subject", FORGE(.by = &top, .ca = true)},
		{"no subjectKeyIdentifier", NODE(.no_ids = true)},
		{"critical extension that clients do not know",
			NODE(.more = {"1.2.3.4", "critical,DER:0500"})},
		{"key is too weak (RSA 1024)", NODE(.key = small)},
		{"key is too weak (EC P-192)", NODE(.key = tiny)},
		{"on a curve that no TLS client takes", NODE(.key = odd)},
		{"signature method is too weak (ecdsa-sha1)", NODE(.md = EVP_sha1())},
		{"not valid before 2", NODE(.from_days = 2)},
		{"expired (on 2", NODE(.from_days = -9, .to_days = -2)},
		{"excludes servers", NODE(.eku = "clientAuth")},
		{"its signature is another's", NODE(.break_signature = true)},
		{"names another key than its issuer's",
			FORGE(.cn = "N", .ca = true, .issuer_cn = "T")},
		{"clients would refuse its leafs",
			NODE(.more = {"nameConstraints",
				     "critical,DER:3006a10430028200"})},
		{"clients would refuse its leafs",
			NODE(.names = "critical,permitted;DNS:a.example,excluded;DNS:"
				      "example")},
		{"clients would refuse its leafs",
			NODE(.more = {"nameConstraints",
				     "critical,DER:"
				     "3015a0133011a40f300d310b3009060355040a0c02636"
				     "f"})},
		{"clients would refuse its leafs",
			NODE(.more = {"policyConstraints",
				     "critical,requireExplicitPolicy:0"})},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		REFUSED(rows[i].words, .certs = {&rows[i].node, &top});
	EVP_PKEY_free(small);
	EVP_PKEY_free(odd);
	EVP_PKEY_free(tiny);
	forge_end();
}

static void
what_does_not_belong_together_is_named(void)
{
	struct forged top = FORGE(.cn = "T", .ca = true);
	struct forged flat = FORGE(.cn = "F", .ca = true, .path_len = ",pathlen:0");
	struct forged old =
		FORGE(.cn = "O", .ca = true, .from_days = -9, .to_days = -2);
	struct forged mid = FORGE(.cn = "M", .by = &top, .ca = true);
	struct forged tight =
		FORGE(.cn = "P", .by = &top, .ca = true, .path_len = ",pathlen:0");
	struct forged low = FORGE(.cn = "L", .by = &mid, .ca = true);
	struct forged lower = FORGE(.cn = "L", .by = &tight, .ca = true);
	struct forged below = FORGE(.cn = "B", .by = &flat, .ca = true);
	struct forged late = FORGE(.cn = "N", .by = &old, .ca = true);

	REFUSED("wrong order", .certs = {&mid, &low, &top}, .key = low.key);
	REFUSED("wrong order", .certs = {&top, &mid}, .key = mid.key);
	REFUSED("root is not among", .certs = {&low, &mid});
	REFUSED("was not issued by", .certs = {&low, &top});
	REFUSED("allows 0 authorities below it, and there are 1",
		.certs = {&lower, &tight, &top});
	REFUSED("the root: its path length allows 0", .certs = {&below, &flat});
	REFUSED("the root: it has expired", .certs = {&late, &old});
	REFUSED("the key is not the first certificate's", .certs = {&mid, &top},
		.key = top.key);
	REFUSED("2 private keys", .certs = {&mid, &top}, .second = top.key);
	REFUSED("no private key", .certs = {&mid, &top}, .no_key = true);
	REFUSED("no passphrase was given", .certs = {&mid, &top}, .encrypt = "word");
	REFUSED("does not open it", .certs = {&mid, &top}, .encrypt = "word",
		.say = "sword");

	struct bring by_itself = {.certs = {&low}};
	struct span octets = bundle_of(&by_itself);
	struct span other = bundle_of(&(struct bring){.certs = {&mid}, .no_key = true});
	check_refused(&(struct authority_bundle){.bundle = octets, .root = other},
		"not self-signed");
	check_refused(&(struct authority_bundle){.bundle = other}, "no private key");
	check_refused(&(struct authority_bundle){.bundle = SPAN("hello\n")}, "");
	check_refused(
		&(struct authority_bundle){.bundle = SPAN("\x30\x03\x02\x01\x01")},
		"neither PEM nor PKCS#12");
	mem_free((void *)(uintptr_t)octets.p);
	mem_free((void *)(uintptr_t)other.p);
	forge_end();
}

static struct span
pkcs12_of(const struct forged *first, const struct forged *const *above, EVP_PKEY *key)
{
	STACK_OF(X509) *rest = sk_X509_new_null();
	for (size_t i = 0; above[i]; i++)
		sk_X509_push(rest, above[i]->x);
	AUTO(PKCS12) *p12 = PKCS12_create(
		"word", "n", key, first ? first->x : NULL, rest, 0, 0, 0, 0, 0);
	sk_X509_free(rest);
	AUTO_OCTETS *der = NULL;
	int n = i2d_PKCS12(p12, &der);
	CHECK(n > 0);
	return (struct span){
		(const uint8_t *)mem_cstr(span_of(der, (size_t)n)), (size_t)n};
}

static void
a_pkcs12_file_keeps_no_order_and_needs_its_word(void)
{
	struct forged top = FORGE(.cn = "T", .ca = true);
	struct forged mid = FORGE(.cn = "M", .by = &top, .ca = true);
	struct forged low = FORGE(.cn = "L", .by = &mid, .ca = true);
	const struct forged *const orders[][3] = {{&mid, &top}, {&top, &mid}};

	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		struct span p12 = pkcs12_of(&low, orders[i], low.key);
		check_taken(&(struct authority_bundle){.bundle = p12,
				    .passphrase = SPAN("word")},
			SPAN(""));
		check_refused(&(struct authority_bundle){.bundle = p12}, "PKCS#12");
		check_refused(&(struct authority_bundle){.bundle = p12,
				      .passphrase = SPAN("sword")},
			"PKCS#12");
		mem_free((void *)(uintptr_t)p12.p);
	}
	struct span bare = pkcs12_of(NULL, orders[0], NULL);
	check_refused(
		&(struct authority_bundle){.bundle = bare, .passphrase = SPAN("word")},
		"without a private key");
	mem_free((void *)(uintptr_t)bare.p);
	forge_end();
}

/* The key by itself, PKCS#8 in DER; the certificate in DER too. */
static void
der_is_as_good_as_pem_and_the_key_is_kept_as_asked(void)
{
	struct forged top = FORGE(.cn = "T", .ca = true);
	struct forged low = FORGE(.cn = "L", .by = &top, .ca = true);
	struct span crt = forge_der(&low);
	struct span root = forge_der(&top);

	for (int encrypted = 0; encrypted < 2; encrypted++) {
		BIO *bio = BIO_new(BIO_s_mem());
		CHECK(i2d_PKCS8PrivateKey_bio(bio, low.key,
			      encrypted ? EVP_aes_256_cbc() : NULL, "word",
			      encrypted ? 4 : 0, NULL, NULL) == 1);
		struct span key = take(bio);
		struct authority_bundle from = {
			.bundle = crt, .key = key, .root = root};
		if (encrypted)
			check_refused(&from, "no passphrase was given");
		from.passphrase = encrypted ? SPAN("word") : SPAN("");
		from.node_passphrase = SPAN("kept");
		check_taken(&from, SPAN("kept"));
		mem_free((void *)(uintptr_t)key.p);
	}
	OPENSSL_free((void *)(uintptr_t)crt.p);
	OPENSSL_free((void *)(uintptr_t)root.p);
	forge_end();
}

/* An authority that is its own root may issue, when its path length allows. */
static void
a_good_one_of_each_shape_is_taken(void)
{
	struct forged top = FORGE(.cn = "T", .ca = true);
	struct forged mid = FORGE(.cn = "M", .by = &top, .ca = true,
		.names = "critical,permitted;DNS:lab.example");
	struct forged low =
		FORGE(.cn = "L", .by = &mid, .ca = true, .path_len = ",pathlen:0");
	struct forged rsa = FORGE(.cn = "R", .by = &top, .ca = true, .kind = "rsa2048");
	const struct bring shapes[] = {
		{.certs = {&top}},
		{.certs = {&mid, &top}},
		{.certs = {&low, &mid, &top}},
		{.certs = {&rsa, &top}},
	};
	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		struct span octets = bundle_of(&shapes[i]);
		check_taken(&(struct authority_bundle){.bundle = octets}, SPAN(""));
		mem_free((void *)(uintptr_t)octets.p);
	}
	forge_end();
}

TESTS(what_a_certificate_lacks_is_named, what_does_not_belong_together_is_named,
	a_pkcs12_file_keeps_no_order_and_needs_its_word,
	der_is_as_good_as_pem_and_the_key_is_kept_as_asked,
	a_good_one_of_each_shape_is_taken)
