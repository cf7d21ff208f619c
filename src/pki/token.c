// SPDX-License-Identifier: Apache-2.0
/* token: finding a key and using it; modules and sessions are in token_slot.c. */
#include "pki/token.h"

#include <openssl/ec.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "pki/token_priv.h"

enum {
	INPUT_MOST = 128,   /* a hash in its DigestInfo */
	RAW_ECDSA = 2 * 66, /* r and s of P-521 */
};

struct token {
	struct token_slot *slot; /* the box's */
	CK_OBJECT_HANDLE object;
	unsigned session_number; /* of the session that object was found in */
	EVP_PKEY *pub;           /* owned */
	enum key_family family;
	bool asks_always; /* a PIN for every operation */
	uint8_t id[TOKEN_URI_NAME];
	size_t n_id;
	char label[TOKEN_URI_NAME + 1];
};

/* ---- finding ---- */

static bool
find_object(struct token *t, struct err *err)
{
	const struct token_slot *s = t->slot;
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE want[3] = {{CKA_CLASS, &class, sizeof(class)}};
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n_want = 1;
	CK_ULONG n = 0;

	if (t->n_id > 0)
		want[n_want++] = (CK_ATTRIBUTE){CKA_ID, t->id, t->n_id};
	if (t->label[0])
		want[n_want++] = (CK_ATTRIBUTE){CKA_LABEL, t->label, strlen(t->label)};
	CK_RV rv = s->module->f->C_FindObjectsInit(s->session, want, n_want);
	if (rv == CKR_OK) {
		rv = s->module->f->C_FindObjects(s->session, found, 2, &n);
		(void)s->module->f->C_FindObjectsFinal(s->session);
	}
	if (rv != CKR_OK)
		return token_fail(err, "looking for the key", rv);
	if (n != 1) {
		return err_set(err, ERR_PKI_TOKEN, "%s",
			n == 0 ? "the token has no such private key, or wants a PIN"
			       : "several private keys have this name");
	}
	t->object = found[0];
	t->session_number = s->session_number;
	return true;
}

static bool
read_flag(const struct token *t, CK_ATTRIBUTE_TYPE type)
{
	const struct token_slot *s = t->slot;
	CK_BBOOL flag = CK_FALSE;
	CK_ATTRIBUTE a = {type, &flag, sizeof(flag)};

	return s->module->f->C_GetAttributeValue(s->session, t->object, &a, 1) ==
		CKR_OK &&
		flag == CK_TRUE;
}

struct token *
token_open(struct token_box *b, const struct token_uri *uri, struct span pin,
	struct err *err)
{
	struct token_slot *slot = token_slot_open(b, uri, pin, err);

	if (!slot)
		return NULL;

	struct token *t = mem_alloc(sizeof(*t));

	t->slot = slot;
	must(uri->id.n <= sizeof(t->id)); /* token_uri_parse() bounds both */
	must(span_copy(t->label, sizeof(t->label), uri->object));
	if (uri->id.n > 0)
		memcpy(t->id, uri->id.p, uri->id.n);
	t->n_id = uri->id.n;
	if (find_object(t, err))
		t->pub = token_read_public(slot, t->object, err);
	if (!t->pub) {
		token_free(t);
		return NULL;
	}
	t->family = key_pkey_family(t->pub);
	t->asks_always = read_flag(t, CKA_ALWAYS_AUTHENTICATE);
	return t;
}

void
token_free(struct token *t)
{
	if (!t)
		return;
	EVP_PKEY_free(t->pub);
	mem_free(t);
}

EVP_PKEY *
token_public(const struct token *t)
{
	return t->pub;
}

/* ---- using ---- */

/* One operation: what for, with what, into where. */
struct task {
	CK_MECHANISM mechanism;
	CK_RSA_PKCS_PSS_PARAMS pss;
	bool decrypts;
	uint8_t input[INPUT_MOST];
	struct span in; /* input[], or the caller's */
	uint8_t *out;
	CK_ULONG n_out;
};

static CK_RV
attempt(const struct token *t, struct task *k)
{
	const CK_FUNCTION_LIST *f = t->slot->module->f;
	CK_SESSION_HANDLE session = t->slot->session;
	CK_BYTE *in = (CK_BYTE *)(uintptr_t)k->in.p;
	const char *pin = t->slot->pin;
	CK_RV rv = k->decrypts ? f->C_DecryptInit(session, &k->mechanism, t->object)
			       : f->C_SignInit(session, &k->mechanism, t->object);

	if (rv == CKR_OK && t->asks_always) {
		rv = f->C_Login(session, CKU_CONTEXT_SPECIFIC,
			(CK_UTF8CHAR_PTR)(uintptr_t)pin, strlen(pin));
	}
	if (rv != CKR_OK)
		return rv;
	return k->decrypts ? f->C_Decrypt(session, in, k->in.n, k->out, &k->n_out)
			   : f->C_Sign(session, in, k->in.n, k->out, &k->n_out);
}

static bool
is_lost(CK_RV rv)
{
	return rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED ||
		rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_DEVICE_REMOVED ||
		rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_OBJECT_HANDLE_INVALID ||
		rv == CKR_KEY_HANDLE_INVALID;
}

/* Keys of one token share its session: another may have opened a new one. */
static bool
find_again(struct token *t, struct err *err)
{
	if (t->session_number == t->slot->session_number &&
		!token_slot_again(t->slot, err))
		return false;
	return find_object(t, err);
}

static bool
perform(struct token *t, struct task *k, struct err *err)
{
	CK_ULONG room = k->n_out;
	CK_RV rv = CKR_SESSION_HANDLE_INVALID;

	if (t->session_number == t->slot->session_number)
		rv = attempt(t, k);
	if (is_lost(rv)) {
		if (!find_again(t, err))
			return false;
		k->n_out = room;
		rv = attempt(t, k);
	}
	return rv == CKR_OK ||
		token_fail(err, k->decrypts ? "decrypting" : "signing", rv);
}

/* ---- what each kind of signature is made of ---- */

/* RFC 8017 §9.2 note 1: what stands before a hash in EMSA-PKCS1-v1_5. */
// clang-format off
static const struct {
	enum key_hash hash;
	uint8_t n; /* octets of the hash */
	uint8_t head[19];
	uint8_t n_head;
	CK_MECHANISM_TYPE mechanism;
	CK_RSA_PKCS_MGF_TYPE mgf;
} hashes[] = {
	{KEY_MD5SHA1, 36, {0}, 0, 0, 0},
	{KEY_SHA1, 20, {0x30, 0x21, 0x30, 9, 6, 5, 0x2b, 14, 3, 2, 26, 5, 0, 4, 20}, 15,
		CKM_SHA_1, CKG_MGF1_SHA1},
	{KEY_SHA224, 28, {0x30, 0x2d, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4, 5, 0, 4, 28}, 19,
		CKM_SHA224, CKG_MGF1_SHA224},
	{KEY_SHA256, 32, {0x30, 0x31, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 32}, 19,
		CKM_SHA256, CKG_MGF1_SHA256},
	{KEY_SHA384, 48, {0x30, 0x41, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0, 4, 48}, 19,
		CKM_SHA384, CKG_MGF1_SHA384},
	{KEY_SHA512, 64, {0x30, 0x51, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3, 5, 0, 4, 64}, 19,
		CKM_SHA512, CKG_MGF1_SHA512},
};
// clang-format on

static bool
prepare_rsa(const struct key_job *job, struct task *k)
{
	size_t i = 0;

	while (i < COUNT_OF(hashes) && hashes[i].hash != job->hash)
		i++;
	if (i == COUNT_OF(hashes) || job->input.n != hashes[i].n)
		return false;
	if (job->padding == KEY_PSS) {
		k->pss = (CK_RSA_PKCS_PSS_PARAMS){
			hashes[i].mechanism, hashes[i].mgf, hashes[i].n};
		k->mechanism =
			(CK_MECHANISM){CKM_RSA_PKCS_PSS, &k->pss, sizeof(k->pss)};
		k->in = job->input;
		return hashes[i].mechanism != 0;
	}
	memcpy(k->input, hashes[i].head, hashes[i].n_head);
	memcpy(k->input + hashes[i].n_head, job->input.p, job->input.n); /* <= 83 */
	k->in = span_of(k->input, hashes[i].n_head + job->input.n);
	k->mechanism = (CK_MECHANISM){CKM_RSA_PKCS, NULL, 0};
	return true;
}

/* A hash longer than the order counts by its leftmost bits (FIPS 186-5 §6.4.1); tokens
 * differ in whether they do that themselves. */
static bool
prepare_ec(const struct token *t, const struct key_job *job, struct task *k)
{
	size_t order = ((size_t)EVP_PKEY_get_bits(t->pub) + 7) / 8;

	k->in = span_first(job->input, order);
	k->mechanism = (CK_MECHANISM){CKM_ECDSA, NULL, 0};
	return job->hash != KEY_HASH_NONE && job->input.n > 0;
}

static bool
prepare(const struct token *t, const struct key_job *job, struct task *k)
{
	if (t->family == KEY_FAMILY_RSA)
		return prepare_rsa(job, k);
	if (t->family == KEY_FAMILY_EC)
		return prepare_ec(t, job, k);
	k->in = job->input;
	k->mechanism = (CK_MECHANISM){CKM_EDDSA, NULL, 0};
	return job->hash == KEY_HASH_NONE;
}

/* r and s side by side become a SEQUENCE of two INTEGERs. */
static bool
write_ecdsa(struct span raw, uint8_t *dst, size_t *n)
{
	AUTO(BIGNUM) *r = BN_bin2bn(raw.p, (int)(raw.n / 2), NULL);
	AUTO(BIGNUM) *s = BN_bin2bn(raw.p + raw.n / 2, (int)(raw.n / 2), NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t *at = dst;
	int size = 0;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		(void)KEEP(r); /* sig owns them now */
		(void)KEEP(s);
		size = i2d_ECDSA_SIG(sig, &at); /* at most 142 of KEY_SIGNATURE_MAX */
	}
	ECDSA_SIG_free(sig);
	*n = size > 0 ? (size_t)size : 0;
	return size > 0;
}

bool
token_sign(struct token *t, const struct key_job *job, uint8_t *dst, size_t *n,
	struct err *err)
{
	uint8_t raw[RAW_ECDSA];
	bool is_ec = t->family == KEY_FAMILY_EC;
	struct task k = {.out = is_ec ? raw : dst,
		.n_out = is_ec ? sizeof(raw) : KEY_SIGNATURE_MAX};

	if (!prepare(t, job, &k)) {
		return err_set(err, ERR_PKI_TOKEN,
			"the hash does not fit the kind of key or its length");
	}
	if (!perform(t, &k, err))
		return false;
	*n = k.n_out;
	if (!is_ec)
		return true;
	return (k.n_out % 2 == 0 && write_ecdsa(span_of(raw, k.n_out), dst, n)) ||
		err_set(err, ERR_PKI_TOKEN, "signing: what came is no signature");
}

/* NOLINTBEGIN(readability-non-const-parameter): the module writes to it */
bool
token_raw(struct token *t, struct span input, uint8_t *dst, size_t *n, struct err *err)
{
	struct task k = {.mechanism = {CKM_RSA_X_509, NULL, 0},
		.decrypts = true,
		.in = input,
		.out = dst,
		.n_out = KEY_SIGNATURE_MAX};

	if (t->family != KEY_FAMILY_RSA ||
		input.n != (size_t)EVP_PKEY_get_size(t->pub)) {
		return err_set(err, ERR_PKI_TOKEN,
			"%zu octets are not the modulus' length", input.n);
	}
	if (!perform(t, &k, err))
		return false;
	*n = k.n_out;
	return true;
}
/* NOLINTEND(readability-non-const-parameter) */
