// SPDX-License-Identifier: Apache-2.0
#include "keyless/keys.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/key.h"
#include "pki/token.h"
#include "tests/pki/softhsm.h"
#include "tests/test.h"

struct place {
	char dir[64];
	char path[128];
};

static void
place_make(struct place *p)
{
	text_format(p->dir, sizeof(p->dir), "/tmp/sekisho-keys-XXXXXX");
	CHECK(mkdtemp(p->dir) != NULL);
}

static const char *
path_of(struct place *p, const char *name)
{
	text_format(p->path, sizeof(p->path), "%s/%s", p->dir, name);
	return p->path;
}

static void
place_drop(struct place *p, const char *const *names)
{
	for (; *names; names++)
		(void)unlink(path_of(p, *names));
	CHECK(rmdir(p->dir) == 0);
}

static void
write_key(struct place *p, const char *name, enum key_kind kind, struct span passphrase)
{
	struct err err = {0};
	EVP_PKEY *key = key_new(kind, &err);

	CHECK_OK(key != NULL, &err);
	CHECK_OK(key_save(path_of(p, name), key, passphrase, &err), &err);
	EVP_PKEY_free(key);
}

static void
a_directory_is_loaded_and_followed(void)
{
	struct place p;
	struct keys k;
	struct err err = {0};
	struct wire_msg by_id = {.cert_id = SPAN("a")};

	place_make(&p);
	write_key(&p, "a.pem", KEY_P256, (struct span){0});
	write_key(&p, "b.key", KEY_ED25519, (struct span){0});
	CHECK_OK(file_replace(path_of(&p, "cert.pem"),
			 SPAN("-----BEGIN CERTIFICATE-----"), 0644, &err),
		&err);
	CHECK_OK(file_replace(path_of(&p, "a.key.bak"), SPAN("x"), 0644, &err), &err);
	keys_init(&k);
	CHECK_OK(keys_add_dir(&k, p.dir, &err), &err);
	CHECK_INT(k.n, 2);
	struct keys_entry *a = keys_find(&k, &by_id);
	CHECK(a && a->type == WIRE_KEY_EC && a->bits == 256);
	CHECK_INT(keys_reload(&k), 0);
	CHECK(keys_find(&k, &by_id) == a);

	write_key(&p, "c.pem", KEY_P384, (struct span){0});
	(void)unlink(path_of(&p, "b.key"));
	CHECK_INT(keys_reload(&k), 2);
	CHECK_INT(k.n, 2);

	(void)unlink(path_of(&p, "a.pem"));
	write_key(&p, "a.pem", KEY_RSA2048, (struct span){0});
	CHECK_INT(keys_reload(&k), 1);
	CHECK_INT(keys_find(&k, &by_id)->type, WIRE_KEY_RSA);
	keys_fini(&k);
	place_drop(&p,
		(const char *const[]){"a.pem", "c.pem", "cert.pem", "a.key.bak", NULL});
}

static void
a_file_gone_bad_leaves_the_key_it_was(void)
{
	struct place p;
	struct keys k;
	struct err err = {0};

	place_make(&p);
	write_key(&p, "a.pem", KEY_P256, (struct span){0});
	keys_init(&k);
	CHECK_OK(keys_add_dir(&k, p.dir, &err), &err);
	CHECK_OK(file_replace(path_of(&p, "a.pem"),
			 SPAN("-----BEGIN PRIVATE KEY-----\nAAAA\n"), 0400, &err),
		&err);
	CHECK_INT(keys_reload(&k), 0);
	CHECK_INT(k.n, 1);
	keys_fini(&k);
	/* The first load does not forgive it. */
	CHECK(!keys_add_dir(&k, p.dir, &err));
	keys_fini(&k);
	place_drop(&p, (const char *const[]){"a.pem", NULL});
}

static void
the_same_key_in_two_files_is_there_once_and_survives_either(void)
{
	struct place p;
	struct keys k;
	struct err err = {0};
	struct span text = {0};

	place_make(&p);
	write_key(&p, "a.pem", KEY_P256, (struct span){0});
	CHECK_OK(file_read(path_of(&p, "a.pem"), 65536, &text, &err), &err);
	CHECK_OK(file_replace(path_of(&p, "b.key"), text, 0400, &err), &err);
	mem_free((void *)(uintptr_t)text.p);
	keys_init(&k);
	CHECK_OK(keys_add_dir(&k, p.dir, &err), &err);
	CHECK_INT(k.n, 1);
	CHECK_INT(keys_reload(&k), 0);
	struct keys_entry *e = CONTAINER_OF(list_first(&k.all), struct keys_entry, all);
	CHECK(unlink(e->source) == 0);
	(void)keys_reload(&k);
	(void)keys_reload(&k);
	CHECK_INT(k.n, 1); /* from the other file now */
	keys_fini(&k);
	place_drop(&p, (const char *const[]){"a.pem", "b.key", NULL});
}

static void
a_mode_put_right_is_noticed(void)
{
	struct place p;
	struct keys k;
	struct err err = {0};

	place_make(&p);
	keys_init(&k);
	CHECK_OK(keys_add_dir(&k, p.dir, &err), &err);
	write_key(&p, "a.pem", KEY_P256, (struct span){0});
	CHECK(chmod(path_of(&p, "a.pem"), 0444) == 0);
	CHECK_INT(keys_reload(&k), 0);
	CHECK_INT(keys_reload(&k), 0);
	CHECK(chmod(path_of(&p, "a.pem"), 0400) == 0);
	CHECK_INT(keys_reload(&k), 1);
	CHECK_INT(k.n, 1);
	keys_fini(&k);
	place_drop(&p, (const char *const[]){"a.pem", NULL});
}

static void
a_key_others_can_read_is_refused(void)
{
	struct place p;
	struct keys k;
	struct err err = {0};

	place_make(&p);
	write_key(&p, "a.pem", KEY_P256, (struct span){0});
	CHECK(chmod(path_of(&p, "a.pem"), 0440) == 0);
	keys_init(&k);
	CHECK(!keys_add_file(&k, path_of(&p, "a.pem"), &err));
	CHECK_INT(k.n, 0);
	keys_fini(&k);
	place_drop(&p, (const char *const[]){"a.pem", NULL});
}

static void
an_encrypted_key_opens_with_its_passphrase_only(void)
{
	struct place p;
	struct keys k;
	struct err err = {0};

	place_make(&p);
	write_key(&p, "a.pem", KEY_P256, SPAN("open sesame"));
	keys_init(&k);
	CHECK(!keys_add_file(&k, path_of(&p, "a.pem"), &err));
	k.passphrase = mem_cstr(SPAN("wrong"));
	CHECK(!keys_add_file(&k, path_of(&p, "a.pem"), &err));
	keys_fini(&k);
	k.passphrase = mem_cstr(SPAN("open sesame"));
	CHECK_OK(keys_add_file(&k, path_of(&p, "a.pem"), &err), &err);
	keys_fini(&k);
	place_drop(&p, (const char *const[]){"a.pem", NULL});
}

static void
the_same_key_twice_and_unfit_keys_are_refused(void)
{
	struct keys k;
	struct err err = {0};
	EVP_PKEY *pkey = key_new(KEY_P256, &err);

	keys_init(&k);
	CHECK(EVP_PKEY_up_ref(pkey) == 1);
	CHECK_OK(keys_add(&k, key_wrap(pkey), "a", "test", &err), &err);
	CHECK(!keys_add(&k, key_wrap(pkey), "b", "test", &err));
	CHECK_INT(err.code, ERR_KEYLESS_KEY);

	CHECK(!keys_add(&k,
		key_wrap(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024)), "c",
		"test", &err));
	CHECK(!keys_add(&k, key_wrap(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1")),
		"d", "test", &err));
	CHECK_OK(keys_add(&k, key_wrap(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521")),
			 "e", "test", &err),
		&err);
	CHECK_INT(k.n, 2);
	keys_fini(&k);
}

static void
a_server_name_finds_a_key_only_through_the_operators_map(void)
{
	struct keys k;
	struct err err = {0};
	struct wire_msg by_name = {.name = SPAN("Shop.Example")};

	keys_init(&k);
	CHECK_OK(keys_add(&k, key_wrap(key_new(KEY_P256, &err)), "a", "test", &err),
		&err);
	struct keys_entry *e = keys_find(&k, &(struct wire_msg){.cert_id = SPAN("a")});
	CHECK(!keys_find(&k, &by_name));
	CHECK_OK(keys_name(&k, SPAN("shop.example"), span_of(e->ski, WIRE_SKI), &err),
		&err);
	CHECK(keys_find(&k, &by_name) == e);
	CHECK(!keys_name(&k, SPAN("shop.example"), span_of(e->ski, WIRE_SKI), &err));
	CHECK(!keys_name(&k, SPAN("b.example"), SPAN("01234567890123456789"), &err));
	keys_fini(&k);
}

static void
a_key_in_a_token_is_found_and_signs_like_others(void)
{
	struct softhsm h;
	struct err err = {0};
	struct keys k;
	struct token_uri uri;
	uint8_t out[KEYS_RESULT_MAX];
	static const uint8_t digest[32] = "what is signed";
	size_t n = 0;

	if (!softhsm_open(&h))
		return;
	EVP_PKEY *made = key_new(KEY_P256, &err);
	softhsm_import(&h, made, "ec", "01");
	struct token_box *b = token_box_new(SOFTHSM_MODULE);
	CHECK_OK(token_uri_parse(SPAN("pkcs11:token=lab;object=ec"), &uri, &err), &err);
	keys_init(&k);
	CHECK_OK(keys_add_token(&k, token_open(b, &uri, SPAN("1234"), &err), &err),
		&err);
	CHECK(!keys_add_token(&k, token_open(b, &uri, SPAN("1234"), &err), &err));
	uint8_t ski[WIRE_SKI];
	CHECK_OK(key_ski(made, ski, &err), &err);
	struct keys_entry *e = keys_by_ski(&k, span_of(ski, WIRE_SKI));
	CHECK(e && e->type == WIRE_KEY_EC && e->has_digest && e->bits == 256);
	struct span hash = span_of(digest, 32);
	CHECK_INT(keys_perform(e, WIRE_ECDSA_SHA256, hash, out, &n), WIRE_OK);
	CHECK(keys_verify(made, WIRE_ECDSA_SHA256, hash, span_of(out, n)));
	CHECK_INT(keys_perform(e, WIRE_PSS_SHA256, hash, out, &n), WIRE_CRYPTO);
	keys_fini(&k);
	token_box_free(b);
	EVP_PKEY_free(made);
	softhsm_close(&h);
}

static void
every_job_has_the_operation_that_does_it(void)
{
	static const struct {
		enum key_kind kind;
		struct key_job job;
		uint8_t op;
	} rows[] = {
		{KEY_RSA2048, {KEY_MD5SHA1, KEY_PKCS1, {0}}, WIRE_RSA_MD5SHA1},
		{KEY_RSA2048, {KEY_SHA256, KEY_PKCS1, {0}}, WIRE_RSA_SHA256},
		{KEY_RSA2048, {KEY_SHA512, KEY_PKCS1, {0}}, WIRE_RSA_SHA512},
		{KEY_RSA2048, {KEY_SHA384, KEY_PSS, {0}}, WIRE_PSS_SHA384},
		{KEY_RSA2048, {KEY_SHA1, KEY_PSS, {0}}, WIRE_NO_OP},
		{KEY_RSA2048, {KEY_HASH_NONE, KEY_PKCS1, {0}}, WIRE_NO_OP},
		{KEY_P256, {KEY_SHA256, KEY_PKCS1, {0}}, WIRE_ECDSA_SHA256},
		{KEY_P384, {KEY_SHA384, KEY_PKCS1, {0}}, WIRE_ECDSA_SHA384},
		{KEY_P384, {KEY_HASH_NONE, KEY_PKCS1, {0}}, WIRE_NO_OP},
		{KEY_ED25519, {KEY_HASH_NONE, KEY_PKCS1, {0}}, WIRE_ED25519},
		{KEY_ED25519, {KEY_SHA256, KEY_PKCS1, {0}}, WIRE_NO_OP},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err err = {0};
		EVP_PKEY *key = key_new(rows[i].kind, &err);

		CHECK_INT(keys_op_for(key, &rows[i].job), rows[i].op);
		EVP_PKEY_free(key);
	}
}

TESTS(a_directory_is_loaded_and_followed, a_file_gone_bad_leaves_the_key_it_was,
	the_same_key_in_two_files_is_there_once_and_survives_either,
	a_mode_put_right_is_noticed, a_key_others_can_read_is_refused,
	an_encrypted_key_opens_with_its_passphrase_only,
	the_same_key_twice_and_unfit_keys_are_refused,
	a_server_name_finds_a_key_only_through_the_operators_map,
	a_key_in_a_token_is_found_and_signs_like_others,
	every_job_has_the_operation_that_does_it)
