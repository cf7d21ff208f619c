// SPDX-License-Identifier: Apache-2.0
/*
 * authority_import: an issuing CA made elsewhere, as PEM or PKCS#12.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "pki/authority_priv.h"

enum { PASSPHRASE_MAX = 1024 };

/* What was brought; key and root are found among the certificates or beside them. */
struct brought {
	struct chain chain; /* issuing certificate first, root not included */
	X509 *root;         /* owned */
	EVP_PKEY *key;      /* owned */
};

static void
fini(struct brought *b)
{
	chain_fini(&b->chain);
	X509_free(b->root);
	EVP_PKEY_free(b->key);
}

static bool
read_pkcs12(const struct authority_bundle *from, struct brought *b, struct err *err)
{
	char passphrase[PASSPHRASE_MAX + 1];
	const uint8_t *p = from->bundle.p;
	AUTO(PKCS12) *p12 =
		d2i_PKCS12(NULL, &p, (long)from->bundle.n); /* under KEY_FILE_MAX */
	AUTO(X509) *first = NULL;
	AUTO_CERTS *above = NULL;

	if (!p12 || !span_copy(passphrase, sizeof passphrase, from->passphrase))
		return ossl_err(err, ERR_PKI_AUTHORITY, "neither PEM nor PKCS#12");
	int ok = PKCS12_parse(p12, passphrase, &b->key, &first, &above);
	secret_wipe(passphrase, sizeof passphrase);
	if (ok != 1)
		return ossl_err(err, ERR_PKI_PASSPHRASE, "opening PKCS#12");
	if (!b->key || !first) {
		return err_set(
			err, ERR_PKI_AUTHORITY, "PKCS#12 without key and certificate");
	}
	return chain_from_x509(&b->chain, first, above, err);
}

static bool
read_bundle(const struct authority_bundle *from, struct brought *b, struct err *err)
{
	if (from->bundle.n > KEY_FILE_MAX)
		return err_set(err, ERR_PKI_AUTHORITY, "%zu octets", from->bundle.n);
	if (from->bundle.n > 0 && from->bundle.p[0] == 0x30)
		return read_pkcs12(from, b, err);
	if (!chain_add_text(&b->chain, from->bundle, err))
		return false;
	b->key = key_from_pem(
		from->key.n > 0 ? from->key : from->bundle, from->passphrase, err);
	return b->key != NULL;
}

static bool
is_self_signed(X509 *x)
{
	return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0 &&
		X509_verify(x, X509_get0_pubkey(x)) == 1;
}

/* The root is the last of the list, or came by itself. An authority that is its own
 * root stays in the list: it issues. */
static bool
part_root(const struct authority_bundle *from, struct brought *b, struct err *err)
{
	struct chain whole = b->chain;
	struct chain of_root = {0};

	if (from->root.n > 0) {
		if (!chain_add_text(&of_root, from->root, err))
			return false;
		AUTO_CERTS *list = chain_to_x509(&of_root, 0, err);
		chain_fini(&of_root);
		b->root = list ? sk_X509_shift(list) : NULL;
		return b->root != NULL;
	}
	AUTO_CERTS *list = chain_to_x509(&whole, 0, err);
	if (!list)
		return false;
	AUTO(X509) *last = sk_X509_pop(list);
	if (!is_self_signed(last)) {
		return ossl_err(err, ERR_PKI_AUTHORITY,
			"the root is not among the certificates: give it by itself");
	}
	b->root = KEEP(last);
	if (sk_X509_num(list) == 0)
		return true;
	chain_fini(&b->chain);
	return chain_from_x509(&b->chain, NULL, list, err);
}

static bool
lint(struct brought *b, struct err *err)
{
	AUTO_CERTS *list = chain_to_x509(&b->chain, 0, err);

	if (!list || !authority_lint_ca(b->root, "the root", err) ||
		!authority_lint_pair(b->root, &b->chain, err))
		return false;
	if (X509_check_private_key(sk_X509_value(list, 0), b->key) != 1) {
		return ossl_err(err, ERR_PKI_AUTHORITY,
			"the key is not the first certificate's");
	}
	return key_kind_of(b->key) != KEY_OTHER ||
		err_set(err, ERR_PKI_AUTHORITY,
			"its key is of no kind that signs leafs");
}

static bool
save_chain(const char *dir, const struct chain *chain, struct err *err)
{
	char path[AUTHORITY_PATH];
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	AUTO_CERTS *list = chain_to_x509(chain, 0, err);
	char *p = NULL;

	for (int i = 0; bio && list && i < sk_X509_num(list); i++) {
		struct span pem = {0};
		if (!authority_pem(sk_X509_value(list, i), &pem, err))
			return false;
		bool ok =
			BIO_write(bio, pem.p, (int)pem.n) == (int)pem.n; /* a few KiB */
		mem_free((void *)(uintptr_t)pem.p);
		if (!ok)
			return ossl_err(err, ERR_PKI_AUTHORITY, "encoding the chain");
	}
	long n = bio ? BIO_get_mem_data(bio, &p) : 0;
	return n > 0 && authority_path(path, dir, "node.crt", err) &&
		file_replace(path, span_of(p, (size_t)n), 0644, err);
}

bool
authority_import(const char *dir, const struct authority_bundle *from, struct err *err)
{
	struct brought b = {0};

	if (!file_mkdir(dir, 0700, err) || !authority_is_empty(dir, err))
		return false;
	bool ok = read_bundle(from, &b, err) && part_root(from, &b, err) &&
		lint(&b, err) &&
		authority_save_key(dir, "node.key", b.key, (struct span){0}, err) &&
		save_chain(dir, &b.chain, err) &&
		authority_save_cert(dir, "root.crt", b.root, err);
	fini(&b);
	return ok;
}
