// SPDX-License-Identifier: Apache-2.0
#include "pki/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"

struct kind_row {
	const char *name;
	const char *type;  /* OpenSSL's */
	const char *group; /* EC only */
	unsigned bits;
};

static const struct kind_row kinds[] = {
	[KEY_OTHER] = {"other", NULL, NULL, 0},
	[KEY_P256] = {"p256", "EC", "P-256", 256},
	[KEY_P384] = {"p384", "EC", "P-384", 384},
	[KEY_RSA2048] = {"rsa2048", "RSA", NULL, 2048},
	[KEY_RSA3072] = {"rsa3072", "RSA", NULL, 3072},
	[KEY_RSA4096] = {"rsa4096", "RSA", NULL, 4096},
	[KEY_ED25519] = {"ed25519", "ED25519", NULL, 256},
};

const char *
key_kind_name(enum key_kind kind)
{
	return kinds[kind].name;
}

enum key_kind
key_kind_find(struct span name)
{
	for (size_t i = 1; i < COUNT_OF(kinds); i++) {
		if (span_eq_nocase(name, span_str(kinds[i].name)))
			return (enum key_kind)i;
	}
	return KEY_OTHER;
}

static bool
has_group(const EVP_PKEY *key, const char *group)
{
	char name[32];
	size_t n = 0;

	if (EVP_PKEY_get_group_name(key, name, sizeof name, &n) != 1)
		return false;
	/* OpenSSL calls P-256 by its older name. */
	int nid = EC_curve_nist2nid(group);
	return nid != NID_undef && OBJ_txt2nid(name) == nid;
}

enum key_kind
key_kind_of(const EVP_PKEY *key)
{
	unsigned bits = (unsigned)EVP_PKEY_get_bits(key);

	for (size_t i = 1; i < COUNT_OF(kinds); i++) {
		const struct kind_row *k = &kinds[i];
		if (!EVP_PKEY_is_a(key, k->type))
			continue;
		if (k->group ? has_group(key, k->group)
			     : k->bits == bits || i == KEY_ED25519)
			return (enum key_kind)i;
	}
	return KEY_OTHER;
}

EVP_PKEY *
key_new(enum key_kind kind, struct err *err)
{
	const struct kind_row *k = &kinds[kind];
	EVP_PKEY *key = NULL;

	must(kind != KEY_OTHER);
	if (k->group) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, k->type, k->group);
	} else if (kind == KEY_ED25519) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, k->type);
	} else {
		key = EVP_PKEY_Q_keygen(NULL, NULL, k->type, (size_t)k->bits);
	}
	if (!key)
		ossl_err(err, ERR_PKI_KEY, "generating %s", k->name);
	return key;
}

/* Answers OpenSSL's question for a passphrase from a span; never a terminal. */
struct asked {
	struct span passphrase;
	bool was_asked;
};

static int
answer_passphrase(char *dst, int size, int writing, void *arg)
{
	struct asked *a = arg;

	(void)writing;
	a->was_asked = true;
	if (a->passphrase.n == 0 || size < 0 || a->passphrase.n > (size_t)size)
		return -1;
	for (size_t i = 0; i < a->passphrase.n; i++)
		dst[i] = (char)a->passphrase.p[i];
	return (int)a->passphrase.n;
}

EVP_PKEY *
key_from_pem(struct span pem, struct span passphrase, struct err *err)
{
	struct asked asked = {.passphrase = passphrase};

	if (pem.n > KEY_FILE_MAX) {
		err_set(err, ERR_PKI_KEY, "%zu octets are too many for a key", pem.n);
		return NULL;
	}
	AUTO(BIO) *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = bio
		? PEM_read_bio_PrivateKey(bio, NULL, answer_passphrase, &asked)
		: NULL;
	if (key)
		return key;
	if (asked.was_asked) {
		ERR_clear_error();
		err_set(err, ERR_PKI_PASSPHRASE, "the key is encrypted and %s",
			passphrase.n ? "the passphrase does not open it"
				     : "no passphrase was given");
	} else {
		ossl_err(err, ERR_PKI_KEY, "no private key in PEM form");
	}
	return NULL;
}

EVP_PKEY *
key_load(const char *path, struct span passphrase, struct err *err)
{
	struct span text = {0};

	if (!file_is_private(path, err) || !file_read(path, KEY_FILE_MAX, &text, err))
		return NULL;
	EVP_PKEY *key = key_from_pem(text, passphrase, err);
	if (!key)
		err_within(err, "%s", path);
	secret_wipe((void *)(uintptr_t)text.p, text.n);
	mem_free((void *)(uintptr_t)text.p);
	return key;
}

EVP_PKEY *
key_from_der(struct span der, struct err *err)
{
	const uint8_t *p = der.p;

	if (der.n > KEY_FILE_MAX) {
		err_set(err, ERR_PKI_KEY, "%zu octets are too many for a key", der.n);
		return NULL;
	}
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
	if (!key)
		ossl_err(err, ERR_PKI_KEY, "no private key in DER form");
	return key;
}

EVP_PKEY *
key_from_pkcs8(struct span der, struct span passphrase, struct err *err)
{
	struct asked asked = {.passphrase = passphrase};
	struct err plain = {0};
	EVP_PKEY *key = key_from_der(der, &plain);

	if (key || der.n > KEY_FILE_MAX) {
		*err = plain;
		return key;
	}
	AUTO(BIO) *bio = BIO_new_mem_buf(der.p, (int)der.n);
	key = bio ? d2i_PKCS8PrivateKey_bio(bio, NULL, answer_passphrase, &asked)
		  : NULL;
	ERR_clear_error();
	if (!key && asked.was_asked) {
		err_set(err, ERR_PKI_PASSPHRASE, "the key is encrypted and %s",
			passphrase.n ? "the passphrase does not open it"
				     : "no passphrase was given");
	} else if (!key) {
		*err = plain;
	}
	return key;
}

bool
key_save(const char *path, const EVP_PKEY *key, struct span passphrase, struct err *err)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_secmem());
	const EVP_CIPHER *cipher = passphrase.n ? EVP_aes_256_cbc() : NULL;
	char *p = NULL;

	if (passphrase.n > 1024) {
		return err_set(
			err, ERR_PKI_PASSPHRASE, "a passphrase over 1024 octets");
	}
	if (!bio ||
		PEM_write_bio_PKCS8PrivateKey(bio, key, cipher,
			(const char *)passphrase.p, (int)passphrase.n, NULL, NULL) != 1)
		return ossl_err(err, ERR_PKI_KEY, "encoding a key for %s", path);
	long n = BIO_get_mem_data(bio, &p);
	return n > 0 && file_replace(path, span_of(p, (size_t)n), 0400, err);
}

/* Copies what i2d_…() made into our memory, so that one kind of free fits all. */
static struct span
take_octets(const uint8_t *p, int n)
{
	uint8_t *copy = mem_alloc((size_t)n);

	for (size_t i = 0; i < (size_t)n; i++)
		copy[i] = p[i];
	return (struct span){copy, (size_t)n};
}

bool
key_to_der(const EVP_PKEY *key, struct span *der, struct err *err)
{
	AUTO(PKCS8_PRIV_KEY_INFO) *info = EVP_PKEY2PKCS8(key);
	AUTO_OCTETS *p = NULL;
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &p) : -1;

	if (n <= 0)
		return ossl_err(err, ERR_PKI_KEY, "encoding a private key");
	*der = take_octets(p, n);
	secret_wipe(p, (size_t)n);
	return true;
}

/*
 * The public half as octets, kept with the key: OpenSSL 3.0 takes 150 µs to encode it,
 * which a mint would pay twice. Freed with the key.
 */
struct public_half {
	struct span spki; /* owned */
	uint8_t id[KEY_ID];
	uint8_t ski[KEY_SKI];
};

/* NOLINTBEGIN(readability-function-size): OpenSSL prescribes the signature. */
static void
free_public(void *parent, void *p, CRYPTO_EX_DATA *data, int index, long l, void *arg)
{
	struct public_half *half = p;

	(void)parent, (void)data, (void)index, (void)l, (void)arg;
	if (!half)
		return;
	mem_free((void *)(uintptr_t)half->spki.p);
	mem_free(half);
}
/* NOLINTEND(readability-function-size) */

static int
public_index(void)
{
	static int number = -1;

	if (number < 0) {
		number = CRYPTO_get_ex_new_index(
			CRYPTO_EX_INDEX_EVP_PKEY, 0, NULL, NULL, NULL, free_public);
	}
	return number;
}

static struct public_half *
make_public(const EVP_PKEY *key)
{
	X509_PUBKEY *pub = NULL;
	const unsigned char *bits = NULL;
	AUTO_OCTETS *p = NULL;
	int n_bits = 0;

	/* X509_PUBKEY_set() wants it writable and only reads it. */
	int n = X509_PUBKEY_set(&pub, (EVP_PKEY *)(uintptr_t)key) == 1
		? i2d_X509_PUBKEY(pub, &p)
		: -1;
	if (n <= 0 || X509_PUBKEY_get0_param(NULL, &bits, &n_bits, NULL, pub) != 1 ||
		n_bits <= 0) {
		X509_PUBKEY_free(pub);
		return NULL;
	}
	struct public_half *half = mem_alloc(sizeof *half);
	half->spki = take_octets(p, n);
	SHA256(p, (size_t)n, half->id);
	SHA1(bits, (size_t)n_bits, half->ski);
	X509_PUBKEY_free(pub);
	return half;
}

static const struct public_half *
get_public(const EVP_PKEY *key, struct err *err)
{
	int index = public_index();
	struct public_half *half = EVP_PKEY_get_ex_data(key, index);

	if (half)
		return half;
	half = make_public(key);
	if (!half ||
		EVP_PKEY_set_ex_data((EVP_PKEY *)(uintptr_t)key, index, half) != 1) {
		free_public(NULL, half, NULL, index, 0, NULL);
		ossl_err(err, ERR_PKI_KEY, "encoding a public key");
		return NULL;
	}
	return half;
}

bool
key_spki(const EVP_PKEY *key, struct span *der, struct err *err)
{
	const struct public_half *half = get_public(key, err);

	if (!half)
		return false;
	*der = take_octets(half->spki.p, (int)half->spki.n); /* came from an int */
	return true;
}

bool
key_id(const EVP_PKEY *key, uint8_t id[KEY_ID], struct err *err)
{
	const struct public_half *half = get_public(key, err);

	for (size_t i = 0; half && i < KEY_ID; i++)
		id[i] = half->id[i];
	return half != NULL;
}

bool
key_ski(const EVP_PKEY *key, uint8_t ski[KEY_SKI], struct err *err)
{
	const struct public_half *half = get_public(key, err);

	for (size_t i = 0; half && i < KEY_SKI; i++)
		ski[i] = half->ski[i];
	return half != NULL;
}

enum key_family
key_pkey_family(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return KEY_FAMILY_RSA;
	if (EVP_PKEY_is_a(key, "EC"))
		return KEY_FAMILY_EC;
	if (EVP_PKEY_is_a(key, "ED25519"))
		return KEY_FAMILY_ED25519;
	return EVP_PKEY_is_a(key, "DSA") ? KEY_FAMILY_DSA : KEY_FAMILY_OTHER;
}
