// SPDX-License-Identifier: Apache-2.0
/*
 * authority_node: a fleet's nodes ask the root for their CA, renew it, and sign CRLs.
 */
#include <openssl/pem.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "pki/authority_priv.h"

enum { CRL_DAYS = 7, CSR_MAX = 64 * 1024 };

static bool
take_memory(BIO *bio, struct span *out)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	if (n <= 0)
		return false;
	*out = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	return true;
}

static bool
write_request(const struct authority_wish *wish, EVP_PKEY *key, struct span *csr,
	struct err *err)
{
	AUTO(X509_REQ) *req = X509_REQ_new();
	AUTO(X509_NAME) *name = X509_NAME_new();
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());

	if (!req || !name || !bio ||
		!mint_name_add(name, NID_commonName,
			span_str(wish->node ? wish->node : "node")) ||
		X509_REQ_set_subject_name(req, name) != 1 ||
		X509_REQ_set_pubkey(req, key) != 1 ||
		X509_REQ_sign(req, key,
			key_kind_of(key) == KEY_ED25519 ? NULL : EVP_sha256()) <= 0 ||
		PEM_write_bio_X509_REQ(bio, req) != 1 || !take_memory(bio, csr))
		return ossl_err(err, ERR_PKI_AUTHORITY, "making a request");
	return true;
}

bool
authority_request(const char *dir, const struct authority_wish *wish, struct span *csr,
	struct err *err)
{
	if (!file_mkdir(dir, 0700, err))
		return false;
	if (authority_has(dir, "next.key")) {
		return err_set(err, ERR_PKI_AUTHORITY,
			"%s/next.key exists: a request is pending already", dir);
	}
	AUTO(EVP_PKEY) *key = key_new(wish->kind ? wish->kind : KEY_P256, err);
	return key && write_request(wish, key, csr, err) &&
		authority_save_key(dir, "next.key", key, wish->node_passphrase, err);
}

static EVP_PKEY *
read_request(struct span csr, struct err *err)
{
	AUTO(BIO) *bio = csr.n <= CSR_MAX ? BIO_new_mem_buf(csr.p, (int)csr.n) : NULL;
	AUTO(X509_REQ) *req =
		bio ? PEM_read_bio_X509_REQ(bio, NULL, ossl_no_passphrase, NULL) : NULL;
	AUTO(EVP_PKEY) *key = req ? X509_REQ_get_pubkey(req) : NULL;

	if (!key || X509_REQ_verify(req, key) != 1) {
		ossl_err(err, ERR_PKI_AUTHORITY,
			"no request (PKCS#10), or not signed by its key");
		return NULL;
	}
	if (key_kind_of(key) == KEY_OTHER) {
		err_set(err, ERR_PKI_AUTHORITY,
			"the request's key is of no kind we accept");
		return NULL;
	}
	return KEEP(key);
}

/* Only the key is taken from a request; names and dates are the signer's to say. */
bool
authority_sign(const char *dir, struct span csr, const struct authority_wish *wish,
	struct span *certificate, struct err *err)
{
	AUTO(EVP_PKEY) *key = read_request(csr, err);
	if (!key)
		return false;
	AUTO(X509) *root = authority_load_cert(dir, "root.crt", err);
	if (!root || !authority_lint_root(root, "root.crt", err))
		return false;
	AUTO(EVP_PKEY) *root_key =
		authority_load_key(dir, "root.key", wish->passphrase, err);
	if (!root_key)
		return false;
	if (X509_check_private_key(root, root_key) != 1)
		return ossl_err(err, ERR_PKI_AUTHORITY, "root.key is not root.crt's");
	struct authority_node from = {root, root_key, key};
	AUTO(X509) *node = authority_make_node(wish, &from, err);
	return node && authority_pem(node, certificate, err);
}

bool
authority_rename(const char *dir, const char *from, const char *to, struct err *err)
{
	char a[AUTHORITY_PATH];
	char b[AUTHORITY_PATH];

	if (!authority_has(dir, from))
		return true;
	if (!authority_path(a, dir, from, err) || !authority_path(b, dir, to, err))
		return false;
	return rename(a, b) == 0 || err_set(err, ERR_FILE_WRITE, "%s to %s", a, b);
}

static X509 *
read_cert(struct span pem, struct err *err)
{
	struct chain chain = {0};

	if (!chain_add_text(&chain, pem, err))
		return NULL;
	AUTO_CERTS *list = chain_to_x509(&chain, 0, err);
	chain_fini(&chain);
	return list ? sk_X509_shift(list) : NULL;
}

/* The new pair takes the place of the old one, which stays as previous.*: both chains
 * end in the same root, so clients notice nothing. */
bool
authority_install_next(const char *dir, const X509 *node, struct err *err)
{
	/* Written before anything moves: then there may be no room any more. */
	return authority_save_cert(dir, "next.crt", node, err) &&
		authority_rename(dir, "node.key", "previous.key", err) &&
		authority_rename(dir, "node.crt", "previous.crt", err) &&
		authority_rename(dir, "next.key", "node.key", err) &&
		authority_rename(dir, "next.crt", "node.crt", err);
}

/* While the old node CA is in use, its root must stay root.crt. */
static bool
check_same_root(const char *dir, const X509 *root, struct err *err)
{
	if (!authority_has(dir, "node.crt"))
		return true;
	AUTO(X509) *have = authority_load_cert(dir, "root.crt", err);
	if (!have)
		return false;
	return X509_cmp(have, root) == 0 ||
		err_set(err, ERR_PKI_AUTHORITY,
			"its first day has not come and its root is another one than "
			"that in use: adopt it on its first day");
}

/* Of a root that is left, and worth nothing below the next one. */
static bool
replace_cross(const char *dir, const X509 *root, X509 *cross, struct err *err)
{
	if (cross) {
		return authority_lint_cross(root, cross, err) &&
			authority_save_cert(dir, "cross.crt", cross, err);
	}
	AUTO(X509) *have = authority_has(dir, "cross.crt")
		? authority_load_cert(dir, "cross.crt", err)
		: NULL;
	struct err other = {0};
	return !have || authority_lint_cross(root, have, &other) ||
		authority_rename(dir, "cross.crt", "previous-cross.crt", err);
}

static bool
adopt(const char *dir, X509 *const certs[3], struct err *err)
{
	X509 *node = certs[0];
	X509 *root = certs[1];
	bool waits = mint_get_time(X509_get0_notBefore(node)) > clock_wall();

	if (waits && !check_same_root(dir, root, err))
		return false;
	return replace_cross(dir, root, certs[2], err) &&
		authority_save_cert(dir, "root.crt", root, err) &&
		authority_save_cert(dir, "next.crt", node, err) &&
		(waits || authority_install_next(dir, node, err));
}

bool
authority_adopt(const char *dir, const struct authority_answer *answer, struct err *err)
{
	AUTO(X509) *node = read_cert(answer->node, err);
	AUTO(X509) *root = node ? read_cert(answer->root, err) : NULL;
	AUTO(X509) *cross = NULL;
	struct chain chain = {0};

	if (!root || !chain_from_x509(&chain, node, NULL, err))
		return false;
	bool ok = authority_lint_root(root, "root.crt", err) &&
		authority_lint_pair(root, &chain, err);
	chain_fini(&chain);
	if (ok && answer->cross.n > 0)
		ok = (cross = read_cert(answer->cross, err)) != NULL;
	if (!ok)
		return false;
	AUTO(EVP_PKEY) *key =
		authority_load_key(dir, "next.key", answer->passphrase, err);
	if (!key)
		return false;
	if (X509_check_private_key(node, key) != 1) {
		return ossl_err(err, ERR_PKI_AUTHORITY,
			"the certificate does not answer this node's request");
	}
	return adopt(dir, (X509 *const[3]){node, root, cross}, err);
}

bool
authority_signs_lists(const struct authority *a)
{
	return a->node && (X509_get_key_usage(a->node) & KU_CRL_SIGN) != 0;
}

/* RFC 5280 §5.2.3: the number must grow; the hour does. */
bool
authority_crl(const struct authority *a, int64_t now, struct span *der, struct err *err)
{
	if (!a->key)
		return err_set(err, ERR_PKI_AUTHORITY, "it was loaded without keys");
	const struct mint_crl_plan plan = {.issuer = a->node,
		.signer = a->key,
		.md = key_kind_of(a->key) == KEY_ED25519 ? NULL : EVP_sha256(),
		.number = (uint64_t)(now / 3600), /* times are after 1970 */
		.this_update = now - 3600,
		.next_update = now + (int64_t)(int64_t)CRL_DAYS * AUTHORITY_DAY_S};
	AUTO(X509_CRL) *crl = mint_crl_begin(&plan, err);
	return crl && mint_crl_finish(crl, &plan, der, err);
}
