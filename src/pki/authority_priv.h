// SPDX-License-Identifier: Apache-2.0
/*
 * authority_priv: between the files of authority.
 */
#pragma once

#include "pki/authority.h"
#include "pki/mint_priv.h"

enum { AUTHORITY_PATH = 1024, AUTHORITY_DAY_S = 86400 };

/* dir/file, or ERR_PKI_AUTHORITY when that is too long. */
MUST_USE bool authority_path(
	char dst[AUTHORITY_PATH], const char *dir, const char *file, struct err *err);
/* Whether none of its files is there: nothing is ever overwritten. */
MUST_USE bool authority_is_empty(const char *dir, struct err *err);
MUST_USE bool authority_has(const char *dir, const char *file);

/* Self-signed; key is its own. NULL on failure. */
X509 *authority_make_root(
	const struct authority_wish *wish, const EVP_PKEY *key, struct err *err);

/* What a node CA is made from; borrowed. */
struct authority_node {
	const X509 *root;
	const EVP_PKEY *root_key;
	const EVP_PKEY *node_key; /* its public half */
};
X509 *authority_make_node(const struct authority_wish *wish,
	const struct authority_node *from, struct err *err);

/* next.* becomes node.*, which becomes previous.*. */
MUST_USE bool authority_install_next(
	const char *dir, const X509 *node, struct err *err);

/* Within dir; nothing is done when there is no `from`. */
MUST_USE bool authority_rename(
	const char *dir, const char *from, const char *to, struct err *err);

/* The name and key of `other`, signed by root; NULL on failure. */
X509 *authority_make_cross(
	X509 *root, const EVP_PKEY *root_key, X509 *other, struct err *err);
/* Whether x is a cross certificate of root. */
MUST_USE bool authority_lint_cross(const X509 *root, X509 *x, struct err *err);
/* Adds dir's cross certificate, if there is one and it is in its time, to what is sent
 * behind leafs. */
MUST_USE bool authority_add_cross(
	struct authority *a, const char *dir, struct err *err);

/* Writes a certificate as PEM, mode 0644. */
MUST_USE bool authority_save_cert(
	const char *dir, const char *file, const X509 *x, struct err *err);
MUST_USE bool authority_save_key(const char *dir, const char *file, const EVP_PKEY *key,
	struct span passphrase, struct err *err);
EVP_PKEY *authority_load_key(
	const char *dir, const char *file, struct span passphrase, struct err *err);
X509 *authority_load_cert(const char *dir, const char *file, struct err *err);
/* PEM in memory of ours, with a NUL behind it. */
MUST_USE bool authority_pem(const X509 *x, struct span *pem, struct err *err);

/* Whether a certificate may issue, below `root`; ERR_PKI_AUTHORITY names the fault. */
MUST_USE bool authority_lint_ca(const X509 *x, const char *what, struct err *err);
/* The same, and it is self-signed. */
MUST_USE bool authority_lint_root(X509 *x, const char *what, struct err *err);
/* Its first day has come: what is prepared may wait, what is used may not. */
MUST_USE bool authority_lint_begun(const X509 *x, const char *what, struct err *err);
/* Each of `node` may issue, and was issued by the next one, the last by root. */
MUST_USE bool authority_lint_pair(
	X509 *root, const struct chain *node, struct err *err);
/* Whether clients would take a leaf of it; needs root, node, key, chain and dates. */
MUST_USE bool authority_trial(const struct authority *a, struct err *err);
