// SPDX-License-Identifier: Apache-2.0
/*
 * authority_next: from one node CA to the next without a gap.
 *
 *	inactive   next.key waits for a certificate (a request is out)
 *	pending    next.crt is there, and its first day has not come
 *	available  next.crt could be used
 *	in use     it is node.crt; the one before stays as previous.*
 *
 * Both end in the same root, so clients notice nothing; they may have the new one long
 * before it signs.
 */
#include "base/clock.h"
#include "pki/authority_priv.h"

enum authority_next
authority_next(const char *dir, int64_t now)
{
	struct err ignored = {0};

	if (!authority_has(dir, "next.key"))
		return AUTHORITY_NEXT_NONE;
	AUTO(X509) *next = authority_has(dir, "next.crt")
		? authority_load_cert(dir, "next.crt", &ignored)
		: NULL;
	if (!next)
		return AUTHORITY_NEXT_INACTIVE;
	return mint_get_time(X509_get0_notBefore(next)) > now
		? AUTHORITY_NEXT_PENDING
		: AUTHORITY_NEXT_AVAILABLE;
}

const char *
authority_next_word(enum authority_next next)
{
	static const char *const words[] = {
		[AUTHORITY_NEXT_NONE] = "none",
		[AUTHORITY_NEXT_INACTIVE] = "inactive",
		[AUTHORITY_NEXT_PENDING] = "pending",
		[AUTHORITY_NEXT_AVAILABLE] = "available",
	};
	return words[next];
}

bool
authority_is_due(const char *dir, int64_t now, int64_t before_s)
{
	struct err ignored = {0};

	if (authority_next(dir, now) != AUTHORITY_NEXT_AVAILABLE)
		return false;
	AUTO(X509) *node = authority_load_cert(dir, "node.crt", &ignored);
	AUTO(X509) *next = authority_load_cert(dir, "next.crt", &ignored);
	if (!node || !next)
		return false;
	int64_t end = mint_get_time(X509_get0_notAfter(node));
	return end - now < before_s && end < mint_get_time(X509_get0_notAfter(next));
}

bool
authority_prepare(const char *dir, const struct authority_wish *wish, struct err *err)
{
	if (authority_has(dir, "next.key")) {
		return err_set(err, ERR_PKI_AUTHORITY,
			"%s/next.key exists: another one is being prepared", dir);
	}
	AUTO(X509) *root = authority_load_cert(dir, "root.crt", err);
	if (!root || !authority_lint_root(root, "root.crt", err))
		return false;
	AUTO(EVP_PKEY) *root_key =
		authority_load_key(dir, "root.key", wish->passphrase, err);
	AUTO(EVP_PKEY) *key =
		root_key ? key_new(wish->kind ? wish->kind : KEY_P256, err) : NULL;
	if (!key)
		return false;
	struct authority_node from = {root, root_key, key};
	AUTO(X509) *node = authority_make_node(wish, &from, err);
	return node &&
		authority_save_key(dir, "next.key", key, wish->node_passphrase, err) &&
		authority_save_cert(dir, "next.crt", node, err);
}

bool
authority_activate(const char *dir, struct span passphrase, struct err *err)
{
	char date[CLOCK_TEXT];
	AUTO(X509) *next = authority_load_cert(dir, "next.crt", err);
	AUTO(EVP_PKEY) *key =
		next ? authority_load_key(dir, "next.key", passphrase, err) : NULL;

	if (!key)
		return false;
	if (X509_check_private_key(next, key) != 1) {
		return ossl_err(
			err, ERR_PKI_AUTHORITY, "next.key is not the key of next.crt");
	}
	int64_t from = mint_get_time(X509_get0_notBefore(next));
	if (from > clock_wall()) {
		return err_set(err, ERR_PKI_AUTHORITY, "it is pending until %s",
			clock_text(date, from * 1000));
	}
	return authority_install_next(dir, next, err);
}

bool
authority_rotate(const char *dir, const struct authority_wish *wish, struct err *err)
{
	return authority_prepare(dir, wish, err) &&
		authority_activate(dir, wish->node_passphrase, err);
}
