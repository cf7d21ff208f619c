// SPDX-License-Identifier: Apache-2.0
/*
 * authority_import: an issuing CA made elsewhere, as PEM or PKCS#12.
 */
#include <openssl/err.h>

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

/* PKCS#12 keeps no order; ours is by who issued whom. Takes what it finds from
 * `above`. */
static void
sort_above(X509 *first, STACK_OF(X509) * above, STACK_OF(X509) * sorted)
{
	X509 *below = first;

	for (int i = 0; i < sk_X509_num(above); i++) {
		X509 *x = sk_X509_value(above, i);
		if (X509_cmp(x, below) == 0 || X509_check_issued(x, below) != X509_V_OK)
			continue;
		(void)sk_X509_delete(above, i);
		if (sk_X509_push(sorted, x) <= 0) {
			X509_free(x);
			return;
		}
		below = x;
		i = -1; /* what comes above it may stand anywhere */
	}
}

static bool
take_pkcs12(struct brought *b, X509 *first, STACK_OF(X509) * above, struct err *err)
{
	AUTO_CERTS *sorted = sk_X509_new_null();

	if (!b->key)
		return err_set(err, ERR_PKI_AUTHORITY, "PKCS#12 without a private key");
	if (!first || !sorted) {
		return err_set(err, ERR_PKI_AUTHORITY,
			"PKCS#12 without a certificate of its private key");
	}
	sort_above(first, above, sorted);
	return chain_from_x509(&b->chain, first, sorted, err);
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
	if (ok == 1)
		return take_pkcs12(b, first, above, err);
	if (ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_UNSUPPORTED) {
		return ossl_err(err, ERR_PKI_AUTHORITY,
			"PKCS#12 in ciphers of the last century (RC2-40): make it "
			"again "
			"with AES");
	}
	return ossl_err(err, ERR_PKI_PASSPHRASE, "opening PKCS#12");
}

/* Of two keys nobody can say which one is meant. */
static size_t
count_keys(struct span pem)
{
	struct span line;
	size_t n = 0;

	while (span_cut(&pem, '\n', &line)) {
		line = span_trim(line);
		n += span_starts(line, SPAN("-----BEGIN ")) &&
			span_ends(line, SPAN("PRIVATE KEY-----"));
	}
	return n;
}

static EVP_PKEY *
read_key(const struct authority_bundle *from, struct err *err)
{
	struct span text = from->key.n > 0 ? from->key : from->bundle;

	if (text.n > 0 && text.p[0] == 0x30)
		return key_from_pkcs8(text, from->passphrase, err);
	if (count_keys(text) > 1) {
		err_set(err, ERR_PKI_AUTHORITY,
			"%zu private keys: leave only that of the issuing certificate",
			count_keys(text));
		return NULL;
	}
	return key_from_pem(text, from->passphrase, err);
}

static bool
is_certificate(struct span der)
{
	const uint8_t *p = der.p;
	AUTO(X509) *x = d2i_X509(NULL, &p, (long)der.n); /* under KEY_FILE_MAX */

	ERR_clear_error();
	return x != NULL;
}

static bool
read_bundle(const struct authority_bundle *from, struct brought *b, struct err *err)
{
	if (from->bundle.n > KEY_FILE_MAX || from->key.n > KEY_FILE_MAX) {
		return err_set(err, ERR_PKI_AUTHORITY, "over %d octets", KEY_FILE_MAX);
	}
	if (from->bundle.n > 0 && from->bundle.p[0] == 0x30 &&
		!(from->key.n > 0 && is_certificate(from->bundle)))
		return read_pkcs12(from, b, err);
	if (!chain_add_text(&b->chain, from->bundle, err))
		return false;
	b->key = read_key(from, err);
	return b->key != NULL;
}

static bool
is_self_signed(X509 *x)
{
	bool is =
		X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0 &&
		X509_verify(x, X509_get0_pubkey(x)) == 1;

	ERR_clear_error();
	return is;
}

static bool
read_root(const struct authority_bundle *from, struct brought *b, struct err *err)
{
	struct chain of_root = {0};

	if (!chain_add_text(&of_root, from->root, err))
		return false;
	AUTO_CERTS *list = chain_to_x509(&of_root, 0, err);
	chain_fini(&of_root);
	b->root = list ? sk_X509_shift(list) : NULL;
	return b->root != NULL;
}

static bool
has_root(STACK_OF(X509) * list)
{
	for (int i = 0; i < sk_X509_num(list); i++) {
		if (is_self_signed(sk_X509_value(list, i)))
			return true;
	}
	return false;
}

/* The root is the last of the list, or came by itself. An authority that is its own
 * root stays in the list: it issues. */
static bool
part_root(const struct authority_bundle *from, struct brought *b, struct err *err)
{
	if (from->root.n > 0)
		return read_root(from, b, err);
	AUTO_CERTS *list = chain_to_x509(&b->chain, 0, err);
	if (!list)
		return false;
	AUTO(X509) *last = sk_X509_pop(list);
	if (!is_self_signed(last)) {
		return err_set(err, ERR_PKI_AUTHORITY, "%s",
			has_root(list)
				? "the certificates are in the wrong order: the "
				  "issuing "
				  "one comes first, the root last"
				: "the root is not among the certificates: give it by "
				  "itself");
	}
	b->root = KEEP(last);
	if (sk_X509_num(list) == 0)
		return true;
	chain_fini(&b->chain);
	return chain_from_x509(&b->chain, NULL, list, err);
}

static bool
lint_begun(const struct brought *b, const STACK_OF(X509) * list, struct err *err)
{
	for (int i = 0; i < sk_X509_num(list); i++) {
		if (!authority_lint_begun(sk_X509_value(list, i), "node.crt", err))
			return false;
	}
	return authority_lint_begun(b->root, "the root", err);
}

static bool
lint(struct brought *b, struct err *err)
{
	AUTO_CERTS *list = chain_to_x509(&b->chain, 0, err);

	if (!list || !authority_lint_pair(b->root, &b->chain, err) ||
		!authority_lint_root(b->root, "the root", err) ||
		!lint_begun(b, list, err))
		return false;
	X509 *first = sk_X509_value(list, 0);
	if (X509_check_private_key(first, b->key) != 1) {
		return ossl_err(err, ERR_PKI_AUTHORITY,
			"the key is not the first certificate's");
	}
	if (key_kind_of(b->key) == KEY_OTHER) {
		return err_set(err, ERR_PKI_AUTHORITY,
			"its key is of no kind that signs leafs");
	}
	const struct authority trial = {.root = b->root,
		.node = first,
		.key = b->key,
		.chain = b->chain,
		.not_before = mint_get_time(X509_get0_notBefore(first)),
		.not_after = mint_get_time(X509_get0_notAfter(first))};
	return authority_trial(&trial, err);
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
		authority_save_key(
			dir, "node.key", b.key, from->node_passphrase, err) &&
		save_chain(dir, &b.chain, err) &&
		authority_save_cert(dir, "root.crt", b.root, err);
	fini(&b);
	return ok;
}
