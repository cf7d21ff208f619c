// SPDX-License-Identifier: Apache-2.0
/*
 * remote_provider: keys elsewhere, as OpenSSL sees them.
 *
 * A key here is an ordinary public key and a handle. Import, match and questions go to
 * the public key, so every parameter libssl may ask for is right without our knowing
 * the list. Nothing can be exported, not even the public half: that is what makes
 * OpenSSL's own provider give up on the key and use ours to sign.
 *
 * The names must carry the names of the OIDs: libssl asks EVP_PKEY_is_a(key,
 * "id-ecPublicKey") to find the certificate's slot.
 *
 * Signing runs on a fibre with 32 KiB of stack and no guard page: nothing here may put
 * more than 1 KiB there.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/mem.h"
#include "tls/remote_priv.h"

enum {
	PREMASTER = 48,  /* RFC 5246 §7.4.7.1 */
	PADDING_TLS = 7, /* the default provider's RSA_PKCS1_WITH_TLS_PADDING */
};

#define DISPATCH(id, f)                 \
	{                               \
		id, (void (*)(void))(f) \
	}
#define DISPATCH_END    \
	{               \
		0, NULL \
	}

/* ---- keys ---- */

struct pair {
	const char *type;
	EVP_PKEY *public;             /* owned; in the default library context */
	const struct remote_key *key; /* borrowed; NULL: public half only */
};

static void *
pair_new(const char *type)
{
	struct pair *k = mem_alloc(sizeof(*k));

	k->type = type;
	return k;
}

static void *
new_rsa(void *provider)
{
	(void)provider;
	return pair_new("RSA");
}

static void *
new_ec(void *provider)
{
	(void)provider;
	return pair_new("EC");
}

static void *
new_ed25519(void *provider)
{
	(void)provider;
	return pair_new("ED25519");
}

static void
free_pair(void *key)
{
	struct pair *k = key;

	if (!k)
		return;
	EVP_PKEY_free(k->public);
	mem_free(k);
}

static int
has(const void *key, int selection)
{
	const struct pair *k = key;

	if (!k || !k->public)
		return 0;
	return !(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || k->key != NULL;
}

static int
match(const void *a, const void *b, int selection)
{
	const struct pair *x = a;
	const struct pair *y = b;

	if (selection & OSSL_KEYMGMT_SELECT_KEYPAIR)
		return EVP_PKEY_eq(x->public, y->public) == 1;
	return EVP_PKEY_parameters_eq(x->public, y->public) == 1;
}

static int
import(void *key, int selection, const OSSL_PARAM params[])
{
	struct pair *k = key;
	const OSSL_PARAM *handle = OSSL_PARAM_locate_const(params, REMOTE_HANDLE);
	const void *p = NULL;
	size_t n = 0;

	(void)selection;
	if (handle && OSSL_PARAM_get_octet_ptr(handle, &p, &n) != 1)
		return 0;
	k->key = p;
	OSSL_PARAM *copy = OSSL_PARAM_dup(params);
	AUTO(EVP_PKEY_CTX) *c = EVP_PKEY_CTX_new_from_name(NULL, k->type, NULL);
	int ok = copy && c && EVP_PKEY_fromdata_init(c) == 1 &&
		EVP_PKEY_fromdata(c, &k->public, EVP_PKEY_PUBLIC_KEY, copy) == 1;
	OSSL_PARAM_free(copy);
	return ok;
}

static const OSSL_PARAM *
import_types(int selection)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_octet_ptr(REMOTE_HANDLE, NULL, 0), OSSL_PARAM_END};

	(void)selection;
	return types;
}

static int
get_params(void *key, OSSL_PARAM params[])
{
	const struct pair *k = key;

	return EVP_PKEY_get_params(k->public, params);
}

static const OSSL_PARAM *
gettable_params(void *provider)
{
	static const OSSL_PARAM some[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)provider;
	return some;
}

static const char *
ec_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

#define KEYS_COMMON                                                           \
	DISPATCH(OSSL_FUNC_KEYMGMT_FREE, free_pair),                          \
		DISPATCH(OSSL_FUNC_KEYMGMT_HAS, has),                         \
		DISPATCH(OSSL_FUNC_KEYMGMT_MATCH, match),                     \
		DISPATCH(OSSL_FUNC_KEYMGMT_IMPORT, import),                   \
		DISPATCH(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_types),       \
		DISPATCH(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),           \
		DISPATCH(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_params), \
		DISPATCH_END

static const OSSL_DISPATCH rsa_keys[] = {
	DISPATCH(OSSL_FUNC_KEYMGMT_NEW, new_rsa), KEYS_COMMON};
static const OSSL_DISPATCH ed25519_keys[] = {
	DISPATCH(OSSL_FUNC_KEYMGMT_NEW, new_ed25519), KEYS_COMMON};
static const OSSL_DISPATCH ec_keys[] = {DISPATCH(OSSL_FUNC_KEYMGMT_NEW, new_ec),
	DISPATCH(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation), KEYS_COMMON};

/* ---- signatures ---- */

struct signer {
	const struct pair *key; /* borrowed: libcrypto keeps it while it signs */
	const EVP_MD *hash;     /* NULL for Ed25519 */
	bool pss;
};

static void *
signer_new(void *provider, const char *properties)
{
	(void)provider;
	(void)properties;
	return mem_alloc(sizeof(struct signer));
}

static void
signer_free(void *signer)
{
	mem_free(signer);
}

static int
set_pad_mode(struct signer *s, const OSSL_PARAM *p)
{
	int mode = 0;

	if (p->data_type == OSSL_PARAM_UTF8_STRING) {
		mode = strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0
			? RSA_PKCS1_PSS_PADDING
			: RSA_PKCS1_PADDING;
	} else if (OSSL_PARAM_get_int(p, &mode) != 1) {
		return 0;
	}
	s->pss = mode == RSA_PKCS1_PSS_PADDING;
	return mode == RSA_PKCS1_PADDING || s->pss;
}

/* The key protocol has one salt length: the hash's (RFC 8446 §4.2.3 asks for it too).
 */
static int
is_salt_of_digest(const OSSL_PARAM *p)
{
	int n = 0;

	if (p->data_type == OSSL_PARAM_UTF8_STRING)
		return strcmp(p->data, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0;
	return OSSL_PARAM_get_int(p, &n) == 1 && n == RSA_PSS_SALTLEN_DIGEST;
}

static int
signer_set(void *signer, const OSSL_PARAM params[])
{
	struct signer *s = signer;
	const OSSL_PARAM *pad = NULL;
	const OSSL_PARAM *salt = NULL;

	if (!params)
		return 1;
	pad = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	salt = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	return (!pad || set_pad_mode(s, pad)) && (!salt || is_salt_of_digest(salt));
}

static const OSSL_PARAM *
signer_settable(void *signer, void *provider)
{
	static const OSSL_PARAM some[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)signer;
	(void)provider;
	return some;
}

/* Also called to ask whether a hash is supported, so it does next to nothing. */
static int
sign_init(void *signer, const char *hash, void *key, const OSSL_PARAM params[])
{
	struct signer *s = signer;

	if (key)
		s->key = key;
	s->pss = false;
	s->hash = hash && hash[0] ? EVP_get_digestbyname(hash) : NULL;
	return s->key && signer_set(signer, params);
}

/* The operation in the key protocol, or 0 when it has none. */
static int
operation_of(const struct signer *s)
{
	static const struct {
		int hash;
		int low; /* three bits */
	} rows[] = {{NID_sha1, 3}, {NID_sha224, 4}, {NID_sha256, 5}, {NID_sha384, 6},
		{NID_sha512, 7}};

	if (strcmp(s->key->type, "ED25519") == 0)
		return REMOTE_ED25519;
	int high = strcmp(s->key->type, "EC") == 0 ? 0x10 : (s->pss ? 0x30 : 0);
	for (size_t i = 0; s->hash && i < COUNT_OF(rows); i++) {
		if (EVP_MD_get_type(s->hash) == rows[i].hash)
			return s->pss && rows[i].low < 5 ? 0 : high + rows[i].low;
	}
	return 0;
}

// NOLINTBEGIN(readability-function-size,readability-non-const-parameter): OpenSSL's
// signature
static LOCALS_STAY int
sign(void *signer, unsigned char *sig, size_t *sig_n, size_t sig_cap,
	const unsigned char *tbs, size_t tbs_n)
{
	const struct signer *s = signer;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!sig) {
		*sig_n = (size_t)EVP_PKEY_get_size(s->key->public); /* never negative */
		return 1;
	}
	struct remote_ask ask = {
		.key = s->key->key,
		.op = (enum remote_op)operation_of(s),
		.input = span_of(tbs, tbs_n),
		.public = s->key->public,
		.answer = sig,
		.cap = sig_cap,
	};
	if (!ask.key || ask.op == 0)
		return 0;
	if (ask.op != REMOTE_ED25519) {
		if (EVP_Digest(tbs, tbs_n, digest, &n, s->hash, NULL) != 1)
			return 0;
		ask.input = span_of(digest, n);
	}
	if (!remote_wait(&ask))
		return 0;
	*sig_n = ask.n;
	return 1;
}
// NOLINTEND(readability-function-size,readability-non-const-parameter)

static const OSSL_DISPATCH signatures[] = {
	DISPATCH(OSSL_FUNC_SIGNATURE_NEWCTX, signer_new),
	DISPATCH(OSSL_FUNC_SIGNATURE_FREECTX, signer_free),
	DISPATCH(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, sign_init),
	DISPATCH(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign),
	DISPATCH(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signer_set),
	DISPATCH(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signer_settable),
	DISPATCH_END,
};

/* ---- RSA key exchange ---- */

struct decrypter {
	const struct pair *key; /* borrowed */
	bool tls;               /* TLS padding was asked for: nothing else is done */
	unsigned version;       /* the client's, which the secret must begin with */
};

static void *
decrypter_new(void *provider)
{
	(void)provider;
	return mem_alloc(sizeof(struct decrypter));
}

static int
decrypter_set(void *decrypter, const OSSL_PARAM params[])
{
	struct decrypter *d = decrypter;
	const OSSL_PARAM *p = NULL;
	int mode = 0;

	if (!params)
		return 1;
	p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE);
	if (p && OSSL_PARAM_get_int(p, &mode) != 1)
		return 0;
	if (p)
		d->tls = mode == PADDING_TLS;
	p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION);
	return !p || OSSL_PARAM_get_uint(p, &d->version) == 1;
}

static const OSSL_PARAM *
decrypter_settable(void *decrypter, void *provider)
{
	static const OSSL_PARAM some[] = {
		OSSL_PARAM_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL),
		OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, NULL),
		OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, NULL),
		OSSL_PARAM_END,
	};

	(void)decrypter;
	(void)provider;
	return some;
}

static int
decrypt_init(void *decrypter, void *key, const OSSL_PARAM params[])
{
	struct decrypter *d = decrypter;

	if (key)
		d->key = key;
	return d->key && d->key->key && d->key->key->rsa_decrypt &&
		decrypter_set(decrypter, params);
}

/* 0xff where x is 0, else 0; no branch. */
static uint8_t
mask_of_zero(uint8_t x)
{
	return (uint8_t)(((uint32_t)x - 1) >>
		24); /* borrows through all bits, or not */
}

/*
 * RFC 5246 §7.4.7.1: whether the padding was good must not be visible, not even in
 * time, or the server decrypts for anybody who asks often enough (Bleichenbacher). All
 * octets are looked at, and either the secret or one drawn before comes out.
 *
 *      00 02 | non-zero octets … | 00 | version, 46 octets
 */
static void
unpad(const uint8_t *em, size_t k, unsigned version, uint8_t secret[PREMASTER])
{
	const uint8_t *tail = em + k - PREMASTER;
	uint8_t bad = em[0] | (em[1] ^ 2) | tail[-1];

	for (const uint8_t *p = em + 2; p < tail - 1; p++)
		bad |= mask_of_zero(*p);
	bad |= tail[0] ^ (uint8_t)(version >> 8);
	bad |= tail[1] ^ (uint8_t)version; /* its low octet */
	uint8_t good = mask_of_zero(bad);
	for (size_t i = 0; i < PREMASTER; i++)
		secret[i] = (uint8_t)((tail[i] & good) | (secret[i] & ~good));
}

// NOLINTBEGIN(readability-function-size): OpenSSL's signature
static LOCALS_STAY int
decrypt(void *decrypter, unsigned char *out, size_t *out_n, size_t out_cap,
	const unsigned char *in, size_t in_n)
{
	const struct decrypter *d = decrypter;
	uint8_t em[REMOTE_ANSWER_MAX];
	uint8_t secret[PREMASTER];
	size_t k = (size_t)EVP_PKEY_get_size(d->key->public); /* never negative */

	*out_n = PREMASTER;
	if (!out)
		return 1;
	if (!d->tls || out_cap < PREMASTER || in_n != k || k > sizeof(em) ||
		RAND_priv_bytes(secret, PREMASTER) != 1)
		return 0;
	struct remote_ask ask = {
		.key = d->key->key,
		.op = REMOTE_RSA_DECRYPT,
		.input = span_of(in, in_n),
		.public = d->key->public,
		.answer = em,
		.cap = k,
	};
	bool answered = remote_wait(&ask);
	if (answered) {
		unpad(em, k, d->version, secret);
		memcpy(out, secret, PREMASTER); /* out_cap is at least that */
	}
	secret_wipe(em, sizeof(em));
	secret_wipe(secret, sizeof(secret));
	return answered; /* a key server's refusal may be seen; the padding never */
}
// NOLINTEND(readability-function-size)

static const OSSL_DISPATCH decryption[] = {
	DISPATCH(OSSL_FUNC_ASYM_CIPHER_NEWCTX, decrypter_new),
	DISPATCH(OSSL_FUNC_ASYM_CIPHER_FREECTX, signer_free),
	DISPATCH(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, decrypt_init),
	DISPATCH(OSSL_FUNC_ASYM_CIPHER_DECRYPT, decrypt),
	DISPATCH(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, decrypter_set),
	DISPATCH(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, decrypter_settable),
	DISPATCH_END,
};

/* ---- the provider ---- */

#define RSA_NAMES     "RSA:rsaEncryption:1.2.840.113549.1.1.1"
#define EC_NAMES      "EC:id-ecPublicKey:1.2.840.10045.2.1"
#define ED25519_NAMES "ED25519:1.3.101.112"
#define PROPERTIES    "provider=sekisho-remote"

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_store)
{
	static const OSSL_ALGORITHM keys[] = {{RSA_NAMES, PROPERTIES, rsa_keys, NULL},
		{EC_NAMES, PROPERTIES, ec_keys, NULL},
		{ED25519_NAMES, PROPERTIES, ed25519_keys, NULL},
		{NULL, NULL, NULL, NULL}};
	static const OSSL_ALGORITHM signs[] = {
		{RSA_NAMES, PROPERTIES, signatures, NULL},
		{"ECDSA", PROPERTIES, signatures, NULL},
		{ED25519_NAMES, PROPERTIES, signatures, NULL},
		{NULL, NULL, NULL, NULL}};
	static const OSSL_ALGORITHM ciphers[] = {
		{RSA_NAMES, PROPERTIES, decryption, NULL}, {NULL, NULL, NULL, NULL}};

	(void)provider;
	*no_store = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return keys;
	case OSSL_OP_SIGNATURE:
		return signs;
	case OSSL_OP_ASYM_CIPHER:
		return ciphers;
	default: /* nothing else can be done with a key elsewhere */
		return NULL;
	}
}

int
remote_provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
	const OSSL_DISPATCH **out, void **provider)
{
	static const OSSL_DISPATCH ours[] = {
		DISPATCH(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query), DISPATCH_END};
	static char unused; /* a provider without a context counts as failed */

	(void)core;
	(void)in;
	*out = ours;
	*provider = &unused;
	return 1;
}
