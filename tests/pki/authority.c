// SPDX-License-Identifier: Apache-2.0
/*
 * Trust rubric 35, 38 and 39: the authority, and what clients think of its leafs.
 */
#include "pki/authority.h"

#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "pki/export.h"
#include "pki/leaf.h"
#include "pki/revoke.h"
#include "tests/pki/forge.h"

static char dir[64];

static const char *
in_dir(const char *file)
{
	static char path[128];
	(void)text_format(path, sizeof path, "%s/%s", dir, file);
	return path;
}

static void
begin(void)
{
	(void)text_format(dir, sizeof dir, "/tmp/sekisho-ca-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
}

static void
end(void)
{
	static const char *const files[] = {"root.crt", "root.key", "node.crt",
		"node.key", "previous.crt", "previous.key", "next.key"};
	for (size_t i = 0; i < COUNT_OF(files); i++)
		(void)unlink(in_dir(files[i]));
	(void)rmdir(dir);
}

static struct authority *
make(const struct authority_wish *wish)
{
	struct err err = {0};
	CHECK_OK(authority_init(dir, wish, &err), &err);
	struct authority *a = authority_load(dir, true, (struct span){0}, &err);
	CHECK_OK(a != NULL, &err);
	return a;
}

static struct forged
mint(const struct authority *a, const struct leaf_facts *f)
{
	struct err err = {0};
	struct span der = {0};
	struct forged made = {.key = key_new(f->kind, &err)};

	CHECK_OK(leaf_mint(a, f, made.key, &der, &err), &err);
	const uint8_t *p = der.p;
	made.x = d2i_X509(NULL, &p, (long)der.n);
	CHECK(made.x != NULL);
	mem_free((void *)(uintptr_t)der.p);
	forge_all[forge_n++] = made;
	return made;
}

/* As curl, git and Python 3.13 see it. */
static void
check_openssl_strict(
	const struct authority *a, const struct forged *leaf, const char *host)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ask = X509_STORE_CTX_new();
	STACK_OF(X509) *rest = sk_X509_new_null();

	X509_STORE_add_cert(store, a->root);
	sk_X509_push(rest, a->node);
	X509_STORE_CTX_init(ask, store, leaf->x, rest);
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ask);
	X509_VERIFY_PARAM_set_flags(
		p, X509_V_FLAG_X509_STRICT | X509_V_FLAG_POLICY_CHECK);
	X509_VERIFY_PARAM_set_auth_level(p, 2);
	X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set1_host(p, host, 0);
	if (X509_verify_cert(ask) != 1)
		print_error("%s\n",
			X509_verify_cert_error_string(X509_STORE_CTX_get_error(ask)));
	CHECK_INT(X509_STORE_CTX_get_error(ask), X509_V_OK);
	sk_X509_free(rest);
	X509_STORE_CTX_free(ask);
	X509_STORE_free(store);
}

static void
check_39_leafs_pass_openssl_strict_and_our_own_lint(void)
{
	static const enum key_kind kinds[] = {
		KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};
	static const enum key_kind leafs[] = {KEY_P256, KEY_RSA2048};
	struct trust_options strict = trust_options_default();
	const struct span names[] = {SPAN("a.example"), SPAN("*.b.example")};

	strict.strict = true;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		begin();
		struct authority *a =
			make(&(struct authority_wish){.node = "n", .kind = kinds[i]});
		for (size_t k = 0; k < COUNT_OF(leafs); k++) {
			struct leaf_facts f = {
				.kind = leafs[k], .names = names, .n_names = 2};
			struct forged leaf = mint(a, &f);
			struct forged node = {.x = a->node};
			struct forged root = {.x = a->root};
			check_openssl_strict(a, &leaf, "a.example");
			CHECK_VERDICT("good", .sent = {&leaf, &node}, .roots = {&root},
				.host = "x.b.example", .with = &strict);
		}
		forge_end();
		authority_free(a);
		end();
	}
}

static void
check_35_every_root_is_its_own(void)
{
	begin();
	struct authority *a = make(&(struct authority_wish){.node = "n"});
	struct stat st;
	CHECK(stat(in_dir("root.key"), &st) == 0 && (st.st_mode & 0777) == 0400);
	CHECK(stat(in_dir("node.key"), &st) == 0 && (st.st_mode & 0777) == 0400);
	uint8_t first[KEY_ID];
	for (size_t i = 0; i < sizeof first; i++)
		first[i] = a->id[i];
	authority_free(a);
	struct err err = {0};
	CHECK(!authority_init(dir, &(struct authority_wish){.node = "n"}, &err));
	CHECK_INT(err.code, ERR_PKI_AUTHORITY); /* never overwritten */
	end();
	begin();
	a = make(&(struct authority_wish){.node = "n"});
	CHECK(!span_eq(span_of(first, sizeof first), span_of(a->id, sizeof a->id)));
	authority_free(a);
	end();
}

static void
check_36_a_key_others_can_read_is_not_used(void)
{
	begin();
	struct err err = {0};
	authority_free(make(&(struct authority_wish){.node = "n"}));
	CHECK(chmod(in_dir("node.key"), 0440) == 0);
	CHECK(authority_load(dir, true, (struct span){0}, &err) == NULL);
	CHECK_INT(err.code, ERR_FILE_NOT_PRIVATE);
	struct authority *a = authority_load(dir, false, (struct span){0}, &err);
	CHECK(a && !a->key); /* without keys it is all the same */
	authority_free(a);
	end();
}

/* The root stays at home; a node asks, gets its certificate, and later another. */
static void
check_38_a_node_lives_without_the_roots_key(void)
{
	begin();
	struct err err = {0};
	struct authority_wish wish = {
		.name = "Home", .root_only = true, .passphrase = SPAN("secret")};
	CHECK_OK(authority_init(dir, &wish, &err), &err);
	struct authority *home = authority_load(dir, false, (struct span){0}, &err);
	CHECK(home && !home->node);
	CHECK(authority_load(dir, true, (struct span){0}, &err) == NULL);
	char home_dir[64];
	(void)text_format(home_dir, sizeof home_dir, "%s", dir);

	begin();
	for (int turn = 0; turn < 2; turn++) {
		struct span csr = {0};
		struct span crt = {0};
		struct span root = {0};
		wish.node = turn ? "gw1b" : "gw1";
		CHECK_OK(authority_request(dir, &wish, &csr, &err), &err);
		CHECK(!authority_request(dir, &wish, &crt, &err)); /* one at a time */
		CHECK_OK(authority_sign(home_dir, csr, &wish, &crt, &err), &err);
		CHECK_OK(authority_root_pem(home, &root, &err), &err);
		CHECK_OK(authority_adopt(dir,
				 &(struct authority_answer){.node = crt, .root = root},
				 &err),
			&err);
		struct authority *a = authority_load(dir, true, (struct span){0}, &err);
		CHECK_OK(a != NULL, &err);
		CHECK_INT(authority_state(a, clock_wall()), AUTHORITY_IN_USE);
		authority_free(a);
		mem_free((void *)(uintptr_t)csr.p);
		mem_free((void *)(uintptr_t)crt.p);
		mem_free((void *)(uintptr_t)root.p);
	}
	CHECK(access(in_dir("previous.key"), F_OK) == 0);
	CHECK(access(in_dir("root.key"), F_OK) != 0);
	authority_free(home);
	end();
	(void)text_format(dir, sizeof dir, "%s", home_dir);
	end();
}

static void
rotation_changes_the_node_and_not_the_root(void)
{
	begin();
	struct err err = {0};
	struct authority *a = make(&(struct authority_wish){.node = "n"});
	CHECK_OK(authority_rotate(dir,
			 &(struct authority_wish){.node = "n", .node_days = 30}, &err),
		&err);
	struct authority *b = authority_load(dir, true, (struct span){0}, &err);
	CHECK_OK(b != NULL, &err);
	CHECK(X509_cmp(a->root, b->root) == 0 && X509_cmp(a->node, b->node) != 0);
	CHECK_INT(authority_state(b, clock_wall()), AUTHORITY_RENEW);
	CHECK_INT(authority_state(b, clock_wall() + 31 * FORGE_DAY), AUTHORITY_EXPIRED);
	CHECK_INT(authority_state(b, clock_wall() - 31 * FORGE_DAY), AUTHORITY_PENDING);
	authority_free(a);
	authority_free(b);
	end();
}

static void
a_prepared_node_is_pending_then_available_then_in_use(void)
{
	begin();
	struct err err = {0};
	struct authority *a = make(&(struct authority_wish){.node = "n"});
	int64_t now = clock_wall();
	CHECK_INT(authority_next(dir, now), AUTHORITY_NEXT_NONE);
	const struct authority_wish later = {
		.node = "n", .from_days = 7, .node_passphrase = SPAN("secret")};
	CHECK_OK(authority_prepare(dir, &later, &err), &err);
	CHECK_INT(authority_next(dir, now), AUTHORITY_NEXT_PENDING);
	CHECK_INT(authority_next(dir, now + 8 * FORGE_DAY), AUTHORITY_NEXT_AVAILABLE);
	CHECK(!authority_prepare(dir, &later, &err)); /* one at a time */
	CHECK(!authority_activate(dir, SPAN("secret"), &err));
	CHECK(strstr(err.text, "pending until"));
	struct authority *same = authority_load(dir, true, (struct span){0}, &err);
	CHECK(same && X509_cmp(same->node, a->node) == 0); /* nothing has changed yet */

	clock_fake(clock_now(), (now + 8 * FORGE_DAY) * 1000);
	CHECK(!authority_activate(dir, SPAN("wrong"), &err));
	CHECK_OK(authority_activate(dir, SPAN("secret"), &err), &err);
	CHECK_INT(authority_next(dir, clock_wall()), AUTHORITY_NEXT_NONE);
	CHECK(!authority_load(dir, true, (struct span){0}, &err)); /* encrypted */
	CHECK_INT(err.code, ERR_PKI_PASSPHRASE);
	struct authority *b = authority_load(dir, true, SPAN("secret"), &err);
	CHECK_OK(b != NULL, &err);
	CHECK(X509_cmp(b->node, a->node) != 0 && X509_cmp(b->root, a->root) == 0);
	clock_real();
	authority_free(a);
	authority_free(b);
	authority_free(same);
	end();
}

/* Once files have begun to move, nothing may want room on the disk any more: who fails
 * then has neither the old node CA nor the new one. */
static void
what_cannot_be_written_leaves_an_authority_that_works(void)
{
	begin();
	struct err err = {0};
	struct authority *a = make(&(struct authority_wish){.node = "n"});
	CHECK_OK(authority_prepare(dir, &(struct authority_wish){.node = "n"}, &err),
		&err);
	CHECK(mkdir(in_dir("node.crt.sekisho-new"), 0700) == 0); /* in the way */
	(void)!authority_activate(dir, (struct span){0}, &err);
	struct authority *b = authority_load(dir, true, (struct span){0}, &err);
	CHECK_OK(b != NULL, &err);
	CHECK(rmdir(in_dir("node.crt.sekisho-new")) == 0);
	authority_free(a);
	authority_free(b);
	end();
}

static void
a_request_without_its_certificate_is_inactive(void)
{
	begin();
	struct err err = {0};
	struct span csr = {0};
	const struct authority_wish wish = {.node = "n"};
	CHECK_OK(authority_request(dir, &wish, &csr, &err), &err);
	CHECK_INT(authority_next(dir, clock_wall()), AUTHORITY_NEXT_INACTIVE);
	mem_free((void *)(uintptr_t)csr.p);
	end();
}

static void
save(const char *file, const struct forged *f)
{
	struct err err = {0};
	struct cert *c = cert_from_x509(f->x, &err);
	static char pem[8192];
	struct text t = text_to(pem, sizeof pem);

	cert_pem(c, &t);
	CHECK_OK(file_replace(in_dir(file), text_span(&t), 0644, &err), &err);
	cert_put(c);
}

static void
an_unfit_authority_is_refused_with_the_fault_named(void)
{
	struct forged ok = forge(&(struct forge){.cn = "R", .ca = true});
	const struct {
		struct forged node;
		const char *says;
	} rows[] = {
		{forge(&(struct forge){.cn = "N", .by = &ok}), "not an authority"},
		{forge(&(struct forge){.cn = "N",
			 .by = &ok,
			 .ca = true,
			 .usage = "critical,cRLSign"}),
			"sign certificates"},
		{forge(&(struct forge){
			 .cn = "N", .by = &ok, .ca = true, .soft_basic = true}),
			"not critical"},
		{forge(&(struct forge){.cn = "N",
			 .by = &ok,
			 .ca = true,
			 .from_days = -9,
			 .to_days = -2}),
			"expired"},
		{forge(&(struct forge){
			 .cn = "N", .by = &ok, .ca = true, .no_ids = true}),
			"subjectKeyIdentifier"},
		{forge(&(struct forge){
			 .cn = "N", .by = &ok, .ca = true, .eku = "clientAuth"}),
			"excludes servers"},
		{forge(&(struct forge){.cn = "N", .ca = true, .issuer_cn = "R"}),
			"another key"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		begin();
		struct err err = {0};
		save("root.crt", &ok);
		save("node.crt", &rows[i].node);
		CHECK(authority_load(dir, false, (struct span){0}, &err) == NULL);
		CHECK_INT(err.code, ERR_PKI_AUTHORITY);
		if (span_find(span_str(err.text), span_str(rows[i].says)) ==
			span_str(err.text).n)
			print_error("%s\n", err.text);
		CHECK(span_find(span_str(err.text), span_str(rows[i].says)) <
			span_str(err.text).n);
		end();
	}
	forge_end();
}

static void
lab_constraints_bind_the_leafs(void)
{
	static const char *const permitted[] = {"lab.example", NULL};
	begin();
	struct authority *a =
		make(&(struct authority_wish){.node = "n", .permitted = permitted});
	const struct span in = SPAN("a.lab.example");
	const struct span out = SPAN("a.example");
	struct forged node = {.x = a->node};
	struct forged root = {.x = a->root};
	struct forged inside = mint(
		a, &(struct leaf_facts){.kind = KEY_P256, .names = &in, .n_names = 1});
	struct forged outside = mint(
		a, &(struct leaf_facts){.kind = KEY_P256, .names = &out, .n_names = 1});
	CHECK_VERDICT("good", .sent = {&inside, &node}, .roots = {&root},
		.host = "a.lab.example");
	CHECK_VERDICT("ca-violation", .sent = {&outside, &node}, .roots = {&root},
		.host = "a.example");
	forge_end();
	authority_free(a);
	end();
}

static void
its_empty_crl_makes_a_hard_verdict_good(void)
{
	struct err err = {0};
	struct authority *a =
		authority_ephemeral(&(struct authority_wish){.node = "n"}, &err);
	struct trust_options hard = trust_options_default();
	struct span crl = {0};
	const struct span name = SPAN("a.example");
	struct forged node = {.x = a->node};
	struct forged leaf = mint(a,
		&(struct leaf_facts){.kind = KEY_P256, .names = &name, .n_names = 1});

	hard.revocation = TRUST_REVOCATION_HARD;
	CHECK_OK(authority_crl(a, clock_wall(), &crl, &err), &err);
	struct revoke *r = revoke_new(1024 * 1024);
	CHECK_OK(revoke_add_crl(r, crl, &err), &err);
	CHECK_VERDICT("good", .sent = {&leaf}, .roots = {&node}, .host = "a.example",
		.with = &hard, .revoke = r);
	revoke_free(r);
	mem_free((void *)(uintptr_t)crl.p);
	authority_free(a);
	forge_end();
}

static void
every_export_holds_the_root_and_no_key(void)
{
	struct err err = {0};
	struct authority *a = authority_ephemeral(
		&(struct authority_wish){.name = "A & <B>", .node = "n"}, &err);

	for (size_t i = 0; i < EXPORT_FORMS; i++) {
		struct span out = {0};
		CHECK_OK(export_root(a, (enum export_form)i, NULL, &out, &err), &err);
		CHECK(out.n > 50);
		CHECK(span_find(out, SPAN("PRIVATE")) == out.n);
		CHECK(i != EXPORT_APPLE || span_find(out, SPAN("<B>")) == out.n);
		CHECK_INT(export_find(span_str(export_name((enum export_form)i))), i);
		mem_free((void *)(uintptr_t)out.p);
	}
	struct span p12 = {0};
	CHECK(export_root(a, EXPORT_PKCS12, "pass", &p12, &err));
	const uint8_t *p = p12.p;
	AUTO(PKCS12) *read = d2i_PKCS12(NULL, &p, (long)p12.n);
	AUTO_CERTS *certs = NULL;
	EVP_PKEY *key = NULL;
	X509 *own = NULL;
	CHECK(read && PKCS12_parse(read, "pass", &key, &own, &certs) == 1);
	CHECK(!key && !own && sk_X509_num(certs) == 1);
	CHECK_INT(X509_cmp(sk_X509_value(certs, 0), a->root), 0);
	mem_free((void *)(uintptr_t)p12.p);
	authority_free(a);
}

static struct span
pem_of(const struct forged *const *f, bool with_key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;

	for (size_t i = 0; f[i]; i++)
		PEM_write_bio_X509(bio, f[i]->x);
	if (with_key)
		PEM_write_bio_PKCS8PrivateKey(
			bio, f[0]->key, EVP_aes_256_cbc(), "word", 4, NULL, NULL);
	long n = BIO_get_mem_data(bio, &p);
	struct span out = {(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	BIO_free(bio);
	return out;
}

static void
check_import(const char *says, const struct authority_bundle *from)
{
	struct err err = {0};

	begin();
	bool ok = authority_import(dir, from, &err);
	if (says) {
		CHECK(!ok);
		CHECK(span_find(span_str(err.text), span_str(says)) <
			span_str(err.text).n);
		CHECK(access(in_dir("node.key"), F_OK) != 0);
	} else {
		CHECK_OK(ok, &err);
		struct authority *a = authority_load(dir, true, (struct span){0}, &err);
		CHECK_OK(a != NULL, &err);
		const struct span name = SPAN("a.example");
		struct forged leaf = mint(a,
			&(struct leaf_facts){
				.kind = KEY_P256, .names = &name, .n_names = 1});
		check_openssl_strict(a, &leaf, "a.example");
		authority_free(a);
	}
	end();
	mem_free((void *)(uintptr_t)from->bundle.p);
}

static void
an_authority_from_elsewhere_is_taken_in_or_refused_whole(void)
{
	struct forged top = forge(&(struct forge){.cn = "T", .ca = true});
	struct forged ca = forge(&(struct forge){.cn = "I", .ca = true, .by = &top});
	struct forged no = forge(&(struct forge){.cn = "N", .by = &top});
	const struct forged *whole[] = {&ca, &top, NULL};
	const struct forged *alone[] = {&ca, NULL};
	const struct forged *unfit[] = {&no, &top, NULL};
	const struct forged *only_top[] = {&top, NULL};
	struct span root = pem_of(only_top, false);
	struct span word = SPAN("word");

	check_import(NULL,
		&(struct authority_bundle){
			.bundle = pem_of(whole, true), .passphrase = word});
	check_import(NULL,
		&(struct authority_bundle){.bundle = pem_of(alone, true),
			.root = root,
			.passphrase = word});
	check_import("root is not among",
		&(struct authority_bundle){
			.bundle = pem_of(alone, true), .passphrase = word});
	check_import("not an authority",
		&(struct authority_bundle){
			.bundle = pem_of(unfit, true), .passphrase = word});
	check_import("passphrase",
		&(struct authority_bundle){.bundle = pem_of(whole, true)});
	check_import("no private key",
		&(struct authority_bundle){.bundle = pem_of(whole, false)});

	STACK_OF(X509) *above = sk_X509_new_null();
	sk_X509_push(above, top.x);
	AUTO(PKCS12) *p12 =
		PKCS12_create("word", "n", ca.key, ca.x, above, 0, 0, 0, 0, 0);
	sk_X509_free(above);
	uint8_t *der = NULL;
	int n = i2d_PKCS12(p12, &der);
	struct span octets = {
		(const uint8_t *)mem_cstr(span_of(der, (size_t)n)), (size_t)n};
	OPENSSL_free(der);
	check_import(
		NULL, &(struct authority_bundle){.bundle = octets, .passphrase = word});
	mem_free((void *)(uintptr_t)root.p);
	forge_end();
}

TESTS(a_prepared_node_is_pending_then_available_then_in_use,
	what_cannot_be_written_leaves_an_authority_that_works,
	a_request_without_its_certificate_is_inactive,
	check_39_leafs_pass_openssl_strict_and_our_own_lint,
	check_35_every_root_is_its_own, check_36_a_key_others_can_read_is_not_used,
	check_38_a_node_lives_without_the_roots_key,
	rotation_changes_the_node_and_not_the_root,
	an_unfit_authority_is_refused_with_the_fault_named,
	lab_constraints_bind_the_leafs, its_empty_crl_makes_a_hard_verdict_good,
	every_export_holds_the_root_and_no_key,
	an_authority_from_elsewhere_is_taken_in_or_refused_whole)
