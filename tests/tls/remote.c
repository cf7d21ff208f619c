// SPDX-License-Identifier: Apache-2.0
#include "tls/remote.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/tls/pair.h"

enum {
	WIRE = 65536,
	FIBRE_STACK = 32768, /* what OpenSSL gives each */
	STACK_LIMIT = 16384, /* what we promise to use of it at most */
	PAINT = 0xa5,
	MANY = 200,
};

/* ---- painted stacks: how deep does a handshake go? ---- */

static struct {
	uint8_t *p[64];
	size_t n;
} stacks;

static void *
painting_malloc(size_t n, const char *file, int line)
{
	void *p = malloc(n);

	(void)file;
	(void)line;
	if (p && n == FIBRE_STACK && stacks.n < COUNT_OF(stacks.p)) {
		memset(p, PAINT, n);
		stacks.p[stacks.n++] = p;
	}
	return p;
}

static void *
plain_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(p, n);
}

static void
plain_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	for (size_t i = 0; i < stacks.n; i++) {
		if (stacks.p[i] == p)
			stacks.p[i] = stacks.p[--stacks.n];
	}
	free(p);
}

static size_t
deepest(void)
{
	size_t most = 0;

	for (size_t i = 0; i < stacks.n; i++) {
		size_t clean = 0;
		while (clean < FIBRE_STACK && stacks.p[i][clean] == PAINT)
			clean++;
		if (FIBRE_STACK - clean > most)
			most = FIBRE_STACK - clean;
	}
	return most;
}

/* ---- a key server in this process ---- */

struct desk {
	struct remote_owner owner;
	struct remote_ask *ask; /* the newest */
	size_t asked;
};

static void
note(struct remote_owner *o, struct remote_ask *ask)
{
	struct desk *d = CONTAINER_OF(o, struct desk, owner);

	d->ask = ask;
	d->asked++;
}

static const EVP_MD *
hash_of(enum remote_op op)
{
	switch (op & 7) {
	case 5:
		return EVP_sha256();
	case 6:
		return EVP_sha384();
	default:
		return EVP_sha512();
	}
}

static size_t
sign(EVP_PKEY *key, const struct remote_ask *ask, uint8_t *out, size_t n)
{
	AUTO(EVP_PKEY_CTX) *c = EVP_PKEY_CTX_new(key, NULL);
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();
	struct span in = ask->input;

	if (ask->op == REMOTE_ED25519) {
		CHECK(EVP_DigestSignInit(md, NULL, NULL, NULL, key) == 1);
		CHECK(EVP_DigestSign(md, out, &n, in.p, in.n) == 1);
		return n;
	}
	if (ask->op == REMOTE_RSA_DECRYPT) {
		CHECK(EVP_PKEY_decrypt_init(c) == 1);
		CHECK(EVP_PKEY_CTX_set_rsa_padding(c, RSA_NO_PADDING) == 1);
		CHECK(EVP_PKEY_decrypt(c, out, &n, in.p, in.n) == 1);
		return n;
	}
	CHECK(EVP_PKEY_sign_init(c) == 1);
	if (ask->op >= REMOTE_PSS_SHA256) {
		CHECK(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1);
		CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) == 1);
	}
	CHECK(EVP_PKEY_CTX_set_signature_md(c, hash_of(ask->op)) == 1);
	CHECK(EVP_PKEY_sign(c, out, &n, in.p, in.n) == 1);
	return n;
}

static void
answer(struct desk *d, EVP_PKEY *key)
{
	uint8_t out[REMOTE_ANSWER_MAX];
	size_t n = sign(key, d->ask, out, sizeof(out));

	remote_answer(d->ask, span_of(out, n));
}

/* A site: the key at the desk, its public half here. */
struct site {
	struct remote_key where;
	EVP_PKEY *key; /* the desk's */
	struct identity *id;
};

static void
site_init(struct site *s, enum key_kind kind)
{
	struct err err = {0};

	*s = (struct site){.where = {.rsa_decrypt = true}};
	s->key = key_new(kind, &err);
	CHECK_OK(s->key != NULL, &err);
	AUTO(X509) *leaf = pair_leaf(s->key);
	AUTO(EVP_PKEY) *elsewhere = remote_key_new(leaf, &s->where, &err);
	CHECK_OK(elsewhere != NULL, &err);
	s->id = pair_identity_of(leaf, elsewhere);
}

static void
site_fini(struct site *s)
{
	identity_put(s->id);
	EVP_PKEY_free(s->key);
}

static struct profile *
profile(enum profile_role role, uint16_t version, const char *ciphers, bool rsa)
{
	return pair_profile((struct profile_spec){.role = role,
		.min_version = version,
		.max_version = version,
		.ciphers = ciphers,
		.insecure_rsa_key_exchange = rsa,
		.client_cert =
			role == PROFILE_SERVER ? CLIENT_CERT_ASK : CLIENT_CERT_OFF});
}

/* Every way a server key is used, and the operation it must come to. */
static const struct way {
	enum key_kind kind;
	uint16_t version;
	const char *ciphers;
	enum remote_op op;
} ways[] = {
	{KEY_P256, TLS_1_3, NULL, REMOTE_ECDSA_SHA256},
	{KEY_P384, TLS_1_3, NULL, REMOTE_ECDSA_SHA384},
	{KEY_RSA2048, TLS_1_3, NULL, REMOTE_PSS_SHA256},
	{KEY_ED25519, TLS_1_3, NULL, REMOTE_ED25519},
	{KEY_P256, TLS_1_2, NULL, REMOTE_ECDSA_SHA256},
	{KEY_RSA2048, TLS_1_2, NULL, REMOTE_PSS_SHA256},
	{KEY_ED25519, TLS_1_2, NULL, REMOTE_ED25519},
	{KEY_RSA2048, TLS_1_2, "AES128-GCM-SHA256", REMOTE_RSA_DECRYPT},
};

struct meeting {
	struct site site;
	struct profile *cp;
	struct profile *sp;
	struct desk desk;
	struct pair p;
};

/* Up to the pause. */
static void
meet(struct meeting *m, const struct way *way)
{
	*m = (struct meeting){.desk = {.owner = {.asked = note}}};
	site_init(&m->site, way->kind);
	m->cp = profile(
		PROFILE_CLIENT, way->version, way->ciphers, way->ciphers != NULL);
	m->sp = profile(
		PROFILE_SERVER, way->version, way->ciphers, way->ciphers != NULL);
	pair_init(&m->p, WIRE);
	pair_client(&m->p, (struct tls_client_spec){.profile = m->cp});
	pair_server(&m->p,
		(struct tls_server_spec){.profile = m->sp,
			.identity = m->site.id,
			.owner = &m->desk.owner});
	pair_run(&m->p);
	CHECK_INT(tls_state(m->p.server), TLS_WANTS_SIGNATURE);
	CHECK_INT(m->desk.asked, 1);
	CHECK_INT(m->desk.ask->op, way->op);
	CHECK(m->desk.ask->key == &m->site.where);
}

static void
part(struct meeting *m)
{
	pair_fini(&m->p);
	profile_put(m->cp);
	profile_put(m->sp);
	site_fini(&m->site);
}

/* First: OpenSSL takes memory functions before it has used any. */
static void
a_handshake_stays_within_half_of_its_stack(void)
{
	CHECK(CRYPTO_set_mem_functions(painting_malloc, plain_realloc, plain_free) ==
		1);
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct meeting m;
		meet(&m, &ways[i]);
		answer(&m.desk, m.site.key);
		pair_open(&m.p);
		part(&m);
	}
	print_message("# deepest stack: %zu octets of %d\n", deepest(), STACK_LIMIT);
	CHECK(stacks.n > 0);
	CHECK(deepest() > 1000 && deepest() <= STACK_LIMIT);
}

static void
every_kind_of_key_opens_with_a_signature_from_elsewhere(void)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct meeting m;
		meet(&m, &ways[i]);
		/* Asking again changes nothing: the answer is not there. */
		CHECK_INT(
			tls_advance(m.p.server, &m.p.server_err), TLS_WANTS_SIGNATURE);
		CHECK_INT(m.desk.asked, 1);
		answer(&m.desk, m.site.key);
		pair_open(&m.p);
		pair_talk(&m.p);
		CHECK_INT(m.desk.asked, 1);
		part(&m);
	}
}

static void
a_refusal_ends_the_handshake_with_an_alert(void)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct meeting m;
		struct tls_facts f;
		meet(&m, &ways[i]);
		remote_refuse(m.desk.ask);
		pair_run(&m.p);
		CHECK_INT(tls_state(m.p.server), TLS_FAILED);
		CHECK_INT(m.p.server_err.code, ERR_TLS_REMOTE);
		CHECK_INT(tls_state(m.p.client), TLS_FAILED);
		CHECK_INT(m.p.client_err.code, ERR_TLS_ALERT);
		tls_facts(m.p.client, &f);
		CHECK(f.alert_received == 80 || f.alert_received == 51);
		part(&m);
	}
}

static void
a_wrong_signature_never_leaves_this_process(void)
{
	for (size_t i = 0; i + 1 < COUNT_OF(ways); i++) { /* the last one decrypts */
		struct meeting m;
		uint8_t out[REMOTE_ANSWER_MAX];
		meet(&m, &ways[i]);
		size_t n = sign(m.site.key, m.desk.ask, out, sizeof(out));
		out[n - 1] ^= 1;
		remote_answer(m.desk.ask, span_of(out, n));
		pair_run(&m.p);
		CHECK_INT(tls_state(m.p.server), TLS_FAILED);
		CHECK_INT(m.p.server_err.code, ERR_TLS_REMOTE_LIED);
		part(&m);
	}
}

/* The vault's answers are not checked where a signature made here would not be; the
 * client, which checks, refuses what is wrong. */
static void
only_curves_of_our_own_are_believed(void)
{
	for (size_t i = 0; i + 1 < COUNT_OF(ways); i++) {
		struct meeting m;
		uint8_t out[REMOTE_ANSWER_MAX];
		meet(&m, &ways[i]);
		bool believed = EVP_PKEY_is_a(m.site.key, "EC") == 1;
		size_t n = sign(m.site.key, m.desk.ask, out, sizeof(out));
		out[n - 1] ^= 1;
		remote_answer_near(m.desk.ask, span_of(out, n));
		pair_run(&m.p);
		CHECK_INT(tls_state(m.p.client), TLS_FAILED);
		CHECK_INT(tls_state(m.p.server), TLS_FAILED);
		CHECK(believed != (m.p.server_err.code == ERR_TLS_REMOTE_LIED));
		part(&m);
	}
}

static void
answers_of_impossible_length_are_refused(void)
{
	static const size_t lengths[] = {
		0, 1, 63, REMOTE_ANSWER_MAX, REMOTE_ANSWER_MAX + 1};
	static const uint8_t zeros[REMOTE_ANSWER_MAX + 1];

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		for (size_t k = 0; k < COUNT_OF(lengths); k++) {
			struct meeting m;
			meet(&m, &ways[i]);
			remote_answer(m.desk.ask, span_of(zeros, lengths[k]));
			/* A second answer comes too late. */
			remote_answer(m.desk.ask, span_of(zeros, 64));
			pair_run(&m.p);
			CHECK_INT(m.p.server_err.code, ERR_TLS_REMOTE_LIED);
			part(&m);
		}
	}
}

/* What RSA key exchange reveals about a bad padding: nothing but a failed Finished. */
static void
bad_padding_looks_like_any_other_secret(void)
{
	static const uint8_t zeros[256];
	struct meeting m;
	struct tls_facts f;

	meet(&m, &ways[COUNT_OF(ways) - 1]);
	remote_answer(m.desk.ask, span_of(zeros, sizeof(zeros)));
	pair_run(&m.p);
	CHECK_INT(tls_state(m.p.server), TLS_FAILED);
	CHECK_INT(m.p.server_err.code, ERR_TLS_HANDSHAKE);
	tls_facts(m.p.server, &f);
	CHECK_STR(tls_alert_name(f.alert_sent), "bad_record_mac");
	part(&m);
}

static void
decryption_is_refused_unless_it_is_allowed(void)
{
	const struct way *rsa = &ways[COUNT_OF(ways) - 1];
	struct meeting m;

	meet(&m, rsa);
	m.site.where.rsa_decrypt = false;
	struct pair second;
	pair_init(&second, WIRE);
	pair_client(&second, (struct tls_client_spec){.profile = m.cp});
	pair_server(&second,
		(struct tls_server_spec){.profile = m.sp,
			.identity = m.site.id,
			.owner = &m.desk.owner});
	pair_run(&second);
	CHECK_INT(tls_state(second.server), TLS_FAILED);
	CHECK_INT(m.desk.asked, 1);
	pair_fini(&second);
	part(&m);
}

static void
an_engine_may_be_freed_while_it_waits(void)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct meeting m;
		meet(&m, &ways[i]);
		tls_free(m.p.server);
		m.p.server = NULL;
		CHECK_INT(m.desk.asked, 1);
		part(&m);
	}
}

static void
a_client_signs_with_a_key_elsewhere_too(void)
{
	static const uint16_t versions[] = {TLS_1_2, TLS_1_3};

	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct meeting m = {.desk = {.owner = {.asked = note}}};
		struct identity *id = pair_identity(KEY_P256);
		site_init(&m.site, KEY_RSA2048);
		m.cp = profile(PROFILE_CLIENT, versions[v], NULL, false);
		m.sp = profile(PROFILE_SERVER, versions[v], NULL, false);
		pair_init(&m.p, WIRE);
		pair_client(&m.p,
			(struct tls_client_spec){.profile = m.cp,
				.identity = m.site.id,
				.owner = &m.desk.owner});
		pair_server(&m.p,
			(struct tls_server_spec){.profile = m.sp, .identity = id});
		pair_run(&m.p);
		CHECK_INT(tls_state(m.p.client), TLS_WANTS_SIGNATURE);
		answer(&m.desk, m.site.key);
		pair_open(&m.p);
		CHECK(tls_has_peer(m.p.server));
		pair_talk(&m.p);
		part(&m);
		identity_put(id);
	}
}

/* Many wait at once and are answered in another order than they asked. */
static void
many_handshakes_wait_side_by_side(void)
{
	struct site site;
	struct profile *cp = profile(PROFILE_CLIENT, TLS_1_3, NULL, false);
	struct profile *sp = profile(PROFILE_SERVER, TLS_1_3, NULL, false);
	struct pair *p = mem_array(MANY, sizeof(*p));
	struct desk *d = mem_array(MANY, sizeof(*d));

	site_init(&site, KEY_P256);
	for (size_t i = 0; i < MANY; i++) {
		d[i].owner.asked = note;
		pair_init(&p[i], WIRE);
		pair_client(&p[i], (struct tls_client_spec){.profile = cp});
		pair_server(&p[i],
			(struct tls_server_spec){.profile = sp,
				.identity = site.id,
				.owner = &d[i].owner});
		pair_run(&p[i]);
		CHECK_INT(tls_state(p[i].server), TLS_WANTS_SIGNATURE);
	}
	for (size_t k = 0; k < MANY; k++) {
		size_t i = (k * 77) % MANY; /* each once: 77 and 200 share no factor */
		if (i % 10 == 0)
			remote_refuse(d[i].ask);
		else
			answer(&d[i], site.key);
		pair_run(&p[i]);
		CHECK_INT(tls_state(p[i].client),
			i % 10 == 0 ? TLS_FAILED : TLS_WANTS_VERDICT);
	}
	for (size_t i = 0; i < MANY; i++)
		pair_fini(&p[i]);
	mem_free(p);
	mem_free(d);
	site_fini(&site);
	profile_put(cp);
	profile_put(sp);
}

static void
more_than_may_wait_fail_at_once(void)
{
	struct meeting first;
	struct meeting second = {.desk = {.owner = {.asked = note}}};
	struct err err = {0};

	remote_end();
	CHECK_OK(remote_setup(1, &err), &err);
	meet(&first, &ways[0]);
	pair_init(&second.p, WIRE);
	pair_client(&second.p, (struct tls_client_spec){.profile = first.cp});
	pair_server(&second.p,
		(struct tls_server_spec){.profile = first.sp,
			.identity = first.site.id,
			.owner = &second.desk.owner});
	pair_run(&second.p);
	CHECK_INT(tls_state(second.p.server), TLS_FAILED);
	CHECK_INT(second.p.server_err.code, ERR_TLS_REMOTE);
	pair_fini(&second.p);
	answer(&first.desk, first.site.key);
	pair_open(&first.p);
	part(&first);
	remote_end();
}

static void
ordinary_keys_stay_ordinary(void)
{
	struct err err = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);

	CHECK_OK(key != NULL, &err);
	CHECK(EVP_PKEY_get0_provider(key) != NULL);
	CHECK_STR(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), "default");
}

static void
the_private_half_cannot_be_taken_out(void)
{
	struct site site;
	uint8_t *der = NULL;

	site_init(&site, KEY_P256);
	CHECK(i2d_PrivateKey(site.id->key, &der) <= 0);
	CHECK(X509_check_private_key(site.id->leaf, site.id->key) == 1);
	AUTO(X509) *other = pair_leaf(site.key);
	struct err err = {0};
	AUTO(EVP_PKEY) *stranger = key_new(KEY_P256, &err);
	CHECK(X509_set_pubkey(other, stranger) == 1);
	CHECK(X509_check_private_key(other, site.id->key) != 1);
	site_fini(&site);
}

static void
the_world_can_be_put_away(void)
{
	remote_end();
	struct err err = {0};
	CHECK_OK(remote_setup(10, &err), &err);
	struct meeting m;
	meet(&m, &ways[0]);
	answer(&m.desk, m.site.key);
	pair_open(&m.p);
	part(&m);
	remote_end();
}

TESTS(a_handshake_stays_within_half_of_its_stack,
	every_kind_of_key_opens_with_a_signature_from_elsewhere,
	a_refusal_ends_the_handshake_with_an_alert,
	a_wrong_signature_never_leaves_this_process,
	only_curves_of_our_own_are_believed, answers_of_impossible_length_are_refused,
	bad_padding_looks_like_any_other_secret,
	decryption_is_refused_unless_it_is_allowed,
	an_engine_may_be_freed_while_it_waits, a_client_signs_with_a_key_elsewhere_too,
	many_handshakes_wait_side_by_side, more_than_may_wait_fail_at_once,
	ordinary_keys_stay_ordinary, the_private_half_cannot_be_taken_out,
	the_world_can_be_put_away)
