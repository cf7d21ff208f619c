// SPDX-License-Identifier: Apache-2.0
/*
 * authority_cross: from one root to the next while clients still have only one of them.
 *
 *	old root ── signs ──> new root's key   (cross.crt, sent behind the new node CA)
 *	new root ── signs ──> old root's key   (cross-old.crt, for nodes not yet moved)
 *
 * A cross certificate has the name and key of a root and another's signature, so a leaf
 * below that root leads to both: clients with the old root go through it, those with
 * the new one never look at it.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/authority_priv.h"
#include "pki/cert.h"

enum { COMMON_NAME_MAX = 64, BACKDATE_S = 3600 };

static const int ca_usage[] = {5, 6, -1}; /* keyCertSign, cRLSign */

/* Replaces or adds the other's own extension: what is below it was made to fit. */
static bool
copy_extension(X509 *to, const X509 *from, int nid)
{
	int have = X509_get_ext_by_NID(to, nid, -1);
	int at = X509_get_ext_by_NID(from, nid, -1);

	if (at < 0)
		return true;
	if (have >= 0)
		X509_EXTENSION_free(X509_delete_ext(to, have));
	return X509_add_ext(to, X509_get_ext(from, at), -1) == 1;
}

static int64_t
later(const ASN1_TIME *a, const ASN1_TIME *b)
{
	int64_t x = mint_get_time(a);
	int64_t y = mint_get_time(b);
	return x > y ? x : y;
}

static int64_t
earlier(const ASN1_TIME *a, const ASN1_TIME *b)
{
	int64_t x = mint_get_time(a);
	int64_t y = mint_get_time(b);
	return x < y ? x : y;
}

/* The cross certificate and the other root's node CA come below it. */
static bool
check_room(X509 *root, X509 *other, struct err *err)
{
	long most = X509_get_pathlen(root);

	if (EVP_PKEY_eq(X509_get0_pubkey(root), X509_get0_pubkey(other)) == 1) {
		return err_set(err, ERR_PKI_AUTHORITY,
			"it is the same root: there is nothing to cross");
	}
	return most < 0 || most >= 2 ||
		err_set(err, ERR_PKI_AUTHORITY,
			"the signing root's path length %ld leaves no room for a root "
			"with node CAs below it",
			most);
}

X509 *
authority_make_cross(X509 *root, const EVP_PKEY *root_key, X509 *other, struct err *err)
{
	int64_t now = clock_wall() - BACKDATE_S;
	struct mint_plan plan = {
		.issuer = root,
		.signer = root_key,
		.subject_key = X509_get0_pubkey(other),
		.subject = X509_get_subject_name(other),
		.not_before =
			later(X509_get0_notBefore(root), X509_get0_notBefore(other)),
		.not_after =
			earlier(X509_get0_notAfter(root), X509_get0_notAfter(other)),
	};
	if (plan.not_before < now)
		plan.not_before = now;
	if (!check_room(root, other, err))
		return NULL;
	AUTO(X509) *x = mint_begin(&plan, err);
	if (!x)
		return NULL;
	if (!mint_add_basic(x, true, (int)X509_get_pathlen(other)) ||
		!mint_add_usage(x, ca_usage) ||
		!copy_extension(x, other, NID_subject_key_identifier) ||
		!copy_extension(x, other, NID_name_constraints)) {
		ossl_err(err, ERR_PKI_AUTHORITY, "building a cross certificate");
		return NULL;
	}
	return mint_sign(x, root_key, err) ? KEEP(x) : NULL;
}

bool
authority_cross_sign(const char *dir, struct span other_pem, struct span passphrase,
	struct span *pem, struct err *err)
{
	struct chain chain = {0};

	if (!chain_add_text(&chain, other_pem, err))
		return false;
	AUTO_CERTS *list = chain_to_x509(&chain, 0, err);
	chain_fini(&chain);
	X509 *other = list ? sk_X509_value(list, 0) : NULL;
	if (!other || !authority_lint_root(other, "the other root", err))
		return false;
	AUTO(X509) *root = authority_load_cert(dir, "root.crt", err);
	if (!root || !authority_lint_root(root, "root.crt", err))
		return false;
	AUTO(EVP_PKEY) *key = authority_load_key(dir, "root.key", passphrase, err);
	if (!key)
		return false;
	if (X509_check_private_key(root, key) != 1)
		return ossl_err(err, ERR_PKI_AUTHORITY, "root.key is not root.crt's");
	AUTO(X509) *cross = authority_make_cross(root, key, other, err);
	return cross && authority_pem(cross, pem, err);
}

/* ---- what is served */

bool
authority_lint_cross(const X509 *root, X509 *x, struct err *err)
{
	if (!authority_lint_ca(x, "cross.crt", err))
		return false;
	if (X509_NAME_cmp(X509_get_subject_name(root), X509_get_subject_name(x)) != 0 ||
		EVP_PKEY_eq(X509_get0_pubkey(root), X509_get0_pubkey(x)) != 1) {
		return ossl_err(err, ERR_PKI_AUTHORITY,
			"cross.crt: it is not of the name and key of root.crt");
	}
	return X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(x)) != 0 ||
		X509_verify(x, X509_get0_pubkey(root)) != 1 ||
		err_set(err, ERR_PKI_AUTHORITY,
			"cross.crt: it is root.crt itself, of use to nobody");
}

bool
authority_add_cross(struct authority *a, const char *dir, struct err *err)
{
	struct span der = {0};
	int64_t now = clock_wall();

	if (!authority_has(dir, "cross.crt"))
		return true;
	AUTO(X509) *x = authority_load_cert(dir, "cross.crt", err);
	if (!x)
		return false;
	/* Nobody needs it after its end, and before its begin nobody takes it. */
	if (mint_get_time(X509_get0_notAfter(x)) < now ||
		mint_get_time(X509_get0_notBefore(x)) > now)
		return true;
	if (!authority_lint_cross(a->root, x, err) || !mint_encode(x, &der, err))
		return false;
	bool ok = chain_add(&a->chain, der, err);
	mem_free((void *)(uintptr_t)der.p);
	return ok;
}

/* ---- a new root */

/* "G12" is 12; 0 when it is no such word. */
static unsigned
read_generation(struct span word)
{
	uint64_t n = 0;

	return word.n > 1 && word.p[0] == 'G' && text_u64(span_from(word, 1), 9999, &n)
		? (unsigned)n
		: 0;
}

/* "Example CA" becomes "Example CA G2", that one "Example CA G3". */
static bool
next_name(const X509 *old, char name[COMMON_NAME_MAX + 1], struct err *err)
{
	struct cert *c = cert_from_x509(old, err);
	char cn[256];
	struct text t = text_to(cn, sizeof cn);
	struct text out = text_to(name, COMMON_NAME_MAX + 1);
	unsigned number;

	if (!c)
		return false;
	cert_common_name(c->subject, &t);
	cert_put(c);
	struct span stem = text_span(&t);
	size_t at = span_rchr(stem, ' ');
	number = read_generation(span_from(stem, at < stem.n ? at + 1 : at));
	text_put(&out, number ? span_first(stem, at) : stem);
	text_add(&out, " G%u", number ? number + 1 : 2);
	return !out.cut ||
		err_set(err, ERR_PKI_AUTHORITY,
			"the new root needs a --name of its own");
}

/* Everything that the new root brings. */
struct turn {
	X509 *old; /* owned, as all here */
	EVP_PKEY *old_key;
	EVP_PKEY *key;
	X509 *root;
	EVP_PKEY *node_key;
	X509 *node;
	X509 *cross;     /* of the new root by the old one */
	X509 *cross_old; /* the reverse */
};

static void
turn_fini(struct turn *t)
{
	X509_free(t->old);
	EVP_PKEY_free(t->old_key);
	EVP_PKEY_free(t->key);
	X509_free(t->root);
	EVP_PKEY_free(t->node_key);
	X509_free(t->node);
	X509_free(t->cross);
	X509_free(t->cross_old);
}

static bool
turn_load(struct turn *t, const char *dir, struct span passphrase, struct err *err)
{
	if (authority_has(dir, "next.key")) {
		return err_set(err, ERR_PKI_AUTHORITY,
			"%s/next.key exists: put that node CA to use first", dir);
	}
	t->old = authority_load_cert(dir, "root.crt", err);
	if (!t->old || !authority_lint_root(t->old, "root.crt", err))
		return false;
	t->old_key = authority_load_key(dir, "root.key", passphrase, err);
	return t->old_key &&
		(X509_check_private_key(t->old, t->old_key) == 1 ||
			ossl_err(err, ERR_PKI_AUTHORITY, "root.key is not root.crt's"));
}

static bool
turn_make(struct turn *t, const struct authority_wish *wish, struct err *err)
{
	enum key_kind kind = wish->kind ? wish->kind : KEY_P256;

	t->key = key_new(kind, err);
	t->root = t->key ? authority_make_root(wish, t->key, err) : NULL;
	t->node_key = t->root ? key_new(kind, err) : NULL;
	if (!t->node_key)
		return false;
	if (X509_NAME_cmp(X509_get_subject_name(t->root),
		    X509_get_subject_name(t->old)) == 0) {
		return err_set(err, ERR_PKI_AUTHORITY,
			"the new root needs another --name than the old one's");
	}
	struct authority_node from = {t->root, t->key, t->node_key};
	t->node = authority_make_node(wish, &from, err);
	if (t->node)
		t->cross = authority_make_cross(t->old, t->old_key, t->root, err);
	if (t->cross)
		t->cross_old = authority_make_cross(t->root, t->key, t->old, err);
	return t->cross_old != NULL;
}

/* All of it is on disk before the first of the old files moves. */
static bool
turn_save(const struct turn *t, const char *dir, const struct authority_wish *wish,
	struct err *err)
{
	return authority_save_key(
		       dir, "next-root.key", t->key, wish->passphrase, err) &&
		authority_save_cert(dir, "next-root.crt", t->root, err) &&
		authority_save_key(
			dir, "next.key", t->node_key, wish->node_passphrase, err) &&
		authority_save_cert(dir, "next-cross.crt", t->cross, err) &&
		authority_save_cert(dir, "cross-old.crt", t->cross_old, err) &&
		authority_rename(dir, "root.key", "previous-root.key", err) &&
		authority_rename(dir, "root.crt", "previous-root.crt", err) &&
		authority_rename(dir, "next-root.key", "root.key", err) &&
		authority_rename(dir, "next-root.crt", "root.crt", err) &&
		authority_rename(dir, "next-cross.crt", "cross.crt", err) &&
		authority_install_next(dir, t->node, err);
}

bool
authority_rotate_root(
	const char *dir, const struct authority_wish *wish, struct err *err)
{
	char name[COMMON_NAME_MAX + 1];
	struct authority_wish with = *wish;
	struct turn t = {0};
	bool ok = turn_load(&t, dir, wish->passphrase, err);

	if (ok && !with.name) {
		ok = next_name(t.old, name, err);
		with.name = name;
	}
	ok = ok && turn_make(&t, &with, err) && turn_save(&t, dir, &with, err);
	turn_fini(&t);
	return ok;
}
