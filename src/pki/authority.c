// SPDX-License-Identifier: Apache-2.0
#include "pki/authority.h"

#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/authority_priv.h"

enum { MIRROR_DAYS = 3650, RENEW_DAYS = 90 };

bool
authority_path(
	char dst[AUTHORITY_PATH], const char *dir, const char *file, struct err *err)
{
	struct text t = text_to(dst, AUTHORITY_PATH);

	text_add(&t, "%s/%s", dir, file);
	return !t.cut || err_set(err, ERR_PKI_AUTHORITY, "the path is too long");
}

bool
authority_has(const char *dir, const char *file)
{
	char path[AUTHORITY_PATH];
	struct err ignored = {0};

	return authority_path(path, dir, file, &ignored) && access(path, F_OK) == 0;
}

bool
authority_pem(const X509 *x, struct span *pem, struct err *err)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *p = NULL;

	if (!bio || PEM_write_bio_X509(bio, x) != 1)
		return ossl_err(err, ERR_PKI_AUTHORITY, "encoding a certificate");
	long n = BIO_get_mem_data(bio, &p);
	*pem = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	return true;
}

bool
authority_save_cert(const char *dir, const char *file, const X509 *x, struct err *err)
{
	char path[AUTHORITY_PATH];
	struct span pem = {0};

	if (!authority_path(path, dir, file, err) || !authority_pem(x, &pem, err))
		return false;
	bool ok = file_replace(path, pem, 0644, err);
	mem_free((void *)(uintptr_t)pem.p);
	return ok;
}

bool
authority_save_key(const char *dir, const char *file, const EVP_PKEY *key,
	struct span passphrase, struct err *err)
{
	char path[AUTHORITY_PATH];

	return authority_path(path, dir, file, err) &&
		key_save(path, key, passphrase, err);
}

EVP_PKEY *
authority_load_key(
	const char *dir, const char *file, struct span passphrase, struct err *err)
{
	char path[AUTHORITY_PATH];

	return authority_path(path, dir, file, err) ? key_load(path, passphrase, err)
						    : NULL;
}

static bool
load_chain(const char *dir, const char *file, struct chain *out, struct err *err)
{
	char path[AUTHORITY_PATH];

	return authority_path(path, dir, file, err) && chain_load(out, path, err);
}

static X509 *
first_of(const struct chain *chain, struct err *err)
{
	AUTO_CERTS *list = chain_to_x509(chain, 0, err);
	return list ? sk_X509_shift(list) : NULL;
}

X509 *
authority_load_cert(const char *dir, const char *file, struct err *err)
{
	struct chain chain = {0};

	if (!load_chain(dir, file, &chain, err))
		return NULL;
	X509 *x = first_of(&chain, err);
	chain_fini(&chain);
	return x;
}

bool
authority_is_empty(const char *dir, struct err *err)
{
	static const char *const files[] = {
		"root.crt", "root.key", "node.crt", "node.key"};

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		if (authority_has(dir, files[i])) {
			return err_set(err, ERR_PKI_AUTHORITY,
				"%s/%s exists; nothing is overwritten", dir, files[i]);
		}
	}
	return true;
}

static bool
save_node(const char *dir, const struct authority_wish *wish, const X509 *root,
	const EVP_PKEY *root_key, struct err *err)
{
	AUTO(EVP_PKEY) *key = key_new(wish->kind ? wish->kind : KEY_P256, err);
	if (!key)
		return false;
	struct authority_node from = {root, root_key, key};
	AUTO(X509) *node = authority_make_node(wish, &from, err);
	return node &&
		authority_save_key(dir, "node.key", key, wish->node_passphrase, err) &&
		authority_save_cert(dir, "node.crt", node, err);
}

bool
authority_init(const char *dir, const struct authority_wish *wish, struct err *err)
{
	if (!file_mkdir(dir, 0700, err) || !authority_is_empty(dir, err))
		return false;
	AUTO(EVP_PKEY) *key = key_new(wish->kind ? wish->kind : KEY_P256, err);
	AUTO(X509) *root = key ? authority_make_root(wish, key, err) : NULL;
	if (!root || !authority_save_key(dir, "root.key", key, wish->passphrase, err) ||
		!authority_save_cert(dir, "root.crt", root, err))
		return false;
	return wish->root_only || save_node(dir, wish, root, key, err);
}

/* The CA of mirrors lives and dies with the vault: nobody can come to trust it. */
static bool
make_mirror(struct authority *a, struct err *err)
{
	const struct authority_wish wish = {
		.name = "sekisho: origin NOT trusted", .root_days = MIRROR_DAYS};

	a->mirror_key = key_new(KEY_P256, err);
	a->mirror =
		a->mirror_key ? authority_make_root(&wish, a->mirror_key, err) : NULL;
	return a->mirror != NULL;
}

static bool
take_dates(struct authority *a, struct err *err)
{
	const X509 *of = a->node ? a->node : a->root;

	a->not_before = mint_get_time(X509_get0_notBefore(of));
	a->not_after = mint_get_time(X509_get0_notAfter(of));
	return key_id(X509_get0_pubkey(of), a->id, err);
}

static bool
load_node(struct authority *a, const char *dir, struct err *err)
{
	if (!load_chain(dir, "node.crt", &a->chain, err) ||
		!authority_lint_pair(a->root, &a->chain, err))
		return false;
	a->node = first_of(&a->chain, err);
	if (!a->node || !authority_lint_begun(a->node, "node.crt", err))
		return false;
	/* A root that issues leafs itself is not sent: clients have it. */
	if (X509_cmp(a->node, a->root) == 0)
		chain_fini(&a->chain);
	return authority_add_cross(a, dir, err);
}

static bool
load_keys(struct authority *a, const char *dir, struct span passphrase, struct err *err)
{
	if (!a->node) {
		return err_set(err, ERR_PKI_AUTHORITY,
			"%s has a root but no node CA: make one with `sekisho ca node "
			"request`",
			dir);
	}
	a->key = authority_load_key(dir, "node.key", passphrase, err);
	if (!a->key)
		return false;
	if (X509_check_private_key(a->node, a->key) != 1) {
		return ossl_err(err, ERR_PKI_AUTHORITY,
			"%s: node.key is not the key of node.crt", dir);
	}
	return make_mirror(a, err) && take_dates(a, err) && authority_trial(a, err);
}

static struct authority *
load_all(struct authority *a, const char *dir, struct err *err)
{
	EVP_PKEY *pub = NULL;
	enum key_kind kind = KEY_OTHER;

	a->root = authority_load_cert(dir, "root.crt", err);
	if (!a->root || !authority_lint_root(a->root, "root.crt", err) ||
		!load_node(a, dir, err))
		return NULL;
	pub = X509_get0_pubkey(a->node);
	kind = pub ? key_kind_of(pub) : KEY_OTHER;
	if (kind == KEY_OTHER) {
		err_set(err, ERR_PKI_AUTHORITY, "%s: no kind of key we can ask for",
			dir);
		return NULL;
	}
	a->key = key_new(kind, err);
	return a->key && make_mirror(a, err) && take_dates(a, err) ? a : NULL;
}

struct authority *
authority_load_elsewhere(const char *dir, struct err *err)
{
	struct authority *a = mem_alloc(sizeof *a);

	if (load_all(a, dir, err))
		return a;
	authority_free(a);
	return NULL;
}

struct authority *
authority_load(const char *dir, bool with_keys, struct span passphrase, struct err *err)
{
	struct authority *a = mem_alloc(sizeof *a);
	bool ok;

	a->root = authority_load_cert(dir, "root.crt", err);
	ok = a->root && authority_lint_root(a->root, "root.crt", err);
	if (ok && authority_has(dir, "node.crt"))
		ok = load_node(a, dir, err);
	if (ok && with_keys)
		ok = load_keys(a, dir, passphrase, err);
	if (ok && take_dates(a, err))
		return a;
	authority_free(a);
	return NULL;
}

struct authority *
authority_ephemeral(const struct authority_wish *wish, struct err *err)
{
	AUTO(EVP_PKEY) *root_key = key_new(wish->kind ? wish->kind : KEY_P256, err);
	struct authority *a = mem_alloc(sizeof *a);
	bool ok = root_key != NULL;

	if (ok)
		a->key = key_new(wish->kind ? wish->kind : KEY_P256, err);
	a->root = a->key ? authority_make_root(wish, root_key, err) : NULL;
	if (a->root) {
		struct authority_node from = {a->root, root_key, a->key};
		a->node = authority_make_node(wish, &from, err);
	}
	ok = a->node && chain_from_x509(&a->chain, a->node, NULL, err) &&
		make_mirror(a, err) && take_dates(a, err);
	if (ok)
		return a;
	authority_free(a);
	return NULL;
}

void
authority_free(struct authority *a)
{
	if (!a)
		return;
	X509_free(a->root);
	X509_free(a->node);
	X509_free(a->mirror);
	EVP_PKEY_free(a->key);
	EVP_PKEY_free(a->mirror_key);
	chain_fini(&a->chain);
	mem_free(a->crl_url);
	mem_free(a);
}

bool
authority_key_is_private(const char *dir, struct err *err)
{
	char path[AUTHORITY_PATH];
	struct stat st;

	if (!authority_path(path, dir, "node.key", err))
		return false;
	return stat(path, &st) != 0 || !(st.st_mode & (S_IRWXG | S_IRWXO)) ||
		err_set(err, ERR_FILE_NOT_PRIVATE, "%s: mode is %04o", path,
			(unsigned)st.st_mode & 07777);
}

int64_t
authority_end(const struct authority *a)
{
	int64_t root_end = mint_get_time(X509_get0_notAfter(a->root));
	return a->not_after < root_end ? a->not_after : root_end;
}

int64_t
authority_days_left(const struct authority *a, int64_t now)
{
	int64_t left = authority_end(a) - now;

	return left >= 0 ? left / AUTHORITY_DAY_S : -((-left) / AUTHORITY_DAY_S) - 1;
}

enum authority_state
authority_state(const struct authority *a, int64_t now)
{
	int64_t days = authority_days_left(a, now);

	if (now < a->not_before)
		return AUTHORITY_PENDING;
	if (days < 0)
		return AUTHORITY_EXPIRED;
	return days <= RENEW_DAYS ? AUTHORITY_RENEW : AUTHORITY_IN_USE;
}

bool
authority_root_der(const struct authority *a, struct span *der, struct err *err)
{
	return mint_encode(a->root, der, err);
}

bool
authority_root_pem(const struct authority *a, struct span *pem, struct err *err)
{
	return authority_pem(a->root, pem, err);
}
