// SPDX-License-Identifier: Apache-2.0
#include "pki/identity.h"
#include "tests/pki/forge.h"

static void
a_chain_and_its_key_make_an_identity(void)
{
	struct forged root = forge(&(struct forge){.cn = "R", .ca = true});
	struct forged leaf =
		forge(&(struct forge){.cn = "l", .by = &root, .san = "DNS:a.example"});
	struct chain chain = {0};
	struct chain back = {0};
	struct err err = {0};

	forge_add(&chain, &leaf);
	forge_add(&chain, &root);
	struct identity *id = identity_new(&chain, leaf.key, &err);
	CHECK_OK(id != NULL, &err);
	CHECK_INT(id->kind, KEY_P256);
	CHECK(X509_cmp(id->leaf, leaf.x) == 0 && sk_X509_num(id->rest) == 1);
	CHECK(id->not_after > id->not_before);
	CHECK_OK(identity_chain(id, &back, &err), &err);
	CHECK(back.n == 2 && span_eq(back.der[0], chain.der[0]));
	struct identity *again = identity_get(id);
	identity_put(id);
	CHECK_INT(again->refs, 1);
	identity_put(again);
	identity_put(NULL);
	chain_fini(&back);
	chain_fini(&chain);
	forge_end();
}

static void
a_key_of_another_is_refused(void)
{
	struct forged root = forge(&(struct forge){.cn = "R", .ca = true});
	struct forged leaf = forge(&(struct forge){.cn = "l", .by = &root});
	struct chain chain = {0};
	struct err err = {0};

	CHECK(identity_new(&chain, leaf.key, &err) == NULL);
	CHECK_INT(err.code, ERR_PKI_IDENTITY);
	forge_add(&chain, &leaf);
	CHECK(identity_new(&chain, root.key, &err) == NULL);
	CHECK_INT(err.code, ERR_PKI_IDENTITY);
	chain_fini(&chain);
	forge_end();
}

TESTS(a_chain_and_its_key_make_an_identity, a_key_of_another_is_refused)
