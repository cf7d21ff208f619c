// SPDX-License-Identifier: Apache-2.0
#include "tls/profile.h"

#include <stdlib.h>

#include "base/text.h"
#include "tests/tls/pair.h"

enum { WIRE = 65536 };

static void
settings_that_cannot_be_are_refused(void)
{
	static const struct profile_spec bad[] = {
		{.role = PROFILE_SERVER, .min_version = 0x0301},
		{.role = PROFILE_SERVER,
			.min_version = TLS_1_3,
			.max_version = TLS_1_2},
		{.role = PROFILE_CLIENT, .ciphers = "NO-SUCH-CIPHER"},
		{.role = PROFILE_CLIENT, .suites = "TLS_NO_SUCH_SUITE"},
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err err = {0};
		CHECK(!profile_new(&bad[i], &err));
		CHECK_INT(err.code, ERR_TLS_PROFILE);
	}
}

static void
a_name_of_an_authority_must_be_a_name(void)
{
	static const uint8_t not_a_name[] = {0x30, 0x05, 0x01};
	struct span bad = span_of(not_a_name, sizeof(not_a_name));
	struct err err = {0};

	CHECK(!profile_new(&(struct profile_spec){.role = PROFILE_SERVER,
				   .client_cert = CLIENT_CERT_ASK,
				   .ca_names = &bad,
				   .n_ca_names = 1},
		&err));
	CHECK_INT(err.code, ERR_TLS_PROFILE);
}

static char agreed_group[32];

/* The engines of both profiles in one handshake; whether it came about. */
static bool
agree(struct profile_spec client, struct profile_spec server, enum key_kind kind,
	struct tls_facts *f)
{
	struct profile *cp = pair_profile(client);
	struct profile *sp = pair_profile(server);
	struct identity *id = pair_identity(kind);
	struct pair p;

	pair_init(&p, WIRE);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_run(&p);
	bool ok = tls_state(p.client) == TLS_WANTS_VERDICT;
	tls_facts(p.client, f);
	(void)text_format(agreed_group, sizeof(agreed_group), "%s", f->group);
	f->cipher = f->group = NULL; /* they die with the engine */
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
	return ok;
}

static const struct profile_spec plain_client = {.role = PROFILE_CLIENT};
static const struct profile_spec plain_server = {.role = PROFILE_SERVER};

static void
the_highest_common_version_is_spoken(void)
{
	struct profile_spec old_client = {
		.role = PROFILE_CLIENT, .max_version = TLS_1_2};
	struct profile_spec new_server = {
		.role = PROFILE_SERVER, .min_version = TLS_1_3};
	struct tls_facts f;

	CHECK(agree(plain_client, plain_server, KEY_P256, &f));
	CHECK_INT(f.version, TLS_1_3);
	CHECK(agree(old_client, plain_server, KEY_P256, &f));
	CHECK_INT(f.version, TLS_1_2);
	CHECK(!agree(old_client, new_server, KEY_P256, &f));
}

static void
weak_suites_need_their_dangerous_word(void)
{
	struct profile_spec cbc = {.role = PROFILE_CLIENT,
		.max_version = TLS_1_2,
		.ciphers = "ECDHE-RSA-AES128-SHA256"};
	struct profile_spec kx = {.role = PROFILE_CLIENT,
		.max_version = TLS_1_2,
		.ciphers = "AES128-GCM-SHA256"};
	struct profile_spec kx_cbc = {.role = PROFILE_CLIENT,
		.max_version = TLS_1_2,
		.ciphers = "AES128-SHA256"};
	struct profile_spec with_cbc = {.role = PROFILE_SERVER, .insecure_cbc = true};
	struct profile_spec with_kx = {
		.role = PROFILE_SERVER, .insecure_rsa_key_exchange = true};
	struct profile_spec with_both = {.role = PROFILE_SERVER,
		.insecure_rsa_key_exchange = true,
		.insecure_cbc = true};
	struct tls_facts f;

	CHECK(!agree(cbc, plain_server, KEY_RSA2048, &f));
	CHECK(agree(cbc, with_cbc, KEY_RSA2048, &f));
	CHECK(!agree(kx, plain_server, KEY_RSA2048, &f));
	CHECK(!agree(kx, with_cbc, KEY_RSA2048, &f));
	CHECK(agree(kx, with_kx, KEY_RSA2048, &f));
	CHECK(!agree(kx_cbc, with_kx, KEY_RSA2048, &f));
	CHECK(agree(kx_cbc, with_both, KEY_RSA2048, &f));
}

static void
levels_say_how_careful_a_side_is(void)
{
	struct profile_spec old = {.role = PROFILE_CLIENT, .max_version = TLS_1_2};
	struct profile_spec cbc = {.role = PROFILE_CLIENT,
		.max_version = TLS_1_2,
		.ciphers = "AES128-SHA256"};
	struct profile_spec modern = {.role = PROFILE_SERVER, .level = PROFILE_MODERN};
	struct profile_spec compat = {.role = PROFILE_SERVER, .level = PROFILE_COMPAT};
	struct tls_facts f;

	CHECK(agree(plain_client, modern, KEY_P256, &f) && f.version == TLS_1_3);
	CHECK(!agree(old, modern, KEY_P256, &f));
	CHECK(agree(old, plain_server, KEY_P256, &f));
	CHECK(!agree(cbc, plain_server, KEY_RSA2048, &f));
	CHECK(agree(cbc, compat, KEY_RSA2048, &f));
	CHECK(agree(plain_client, compat, KEY_P256, &f) && f.version == TLS_1_3);
}

/* What is older than TLS 1.2 is spoken only with its dangerous word. */
static void
old_versions_need_their_dangerous_word(void)
{
	struct profile_spec careless = {.role = PROFILE_SERVER,
		.insecure_old_versions = true,
		.max_version = TLS_1_1};
	struct profile_spec client = {
		.role = PROFILE_CLIENT, .insecure_old_versions = true};
	struct tls_facts f;

	CHECK(!agree(plain_client, careless, KEY_RSA2048, &f));
	CHECK(agree(client, careless, KEY_RSA2048, &f));
	CHECK_INT(f.version, TLS_1_1);
	CHECK(agree(client, plain_server, KEY_P256, &f) && f.version == TLS_1_3);
}

/* OpenSSL 3.5 and later; the same program may run with either. */
static void
check_47_the_hybrid_group_is_agreed_on_where_the_library_has_it(void)
{
	struct tls_facts f;

	CHECK(agree(plain_client, plain_server, KEY_P256, &f));
	bool hybrid = span_eq(span_str(agreed_group), SPAN("X25519MLKEM768"));
	CHECK_INT(hybrid, profile_has_hybrid());
	/* tools/debian13 says so, where it must be there. */
	CHECK(hybrid || !getenv("WANTS_HYBRID"));
	CHECK(hybrid || span_eq_nocase(span_str(agreed_group), SPAN("x25519")));
}

static void
references_are_counted(void)
{
	struct profile *p = pair_profile(plain_server);

	CHECK(profile_get(p) == p);
	profile_put(p);
	CHECK_INT(profile_role(p), PROFILE_SERVER);
	CHECK_INT(profile_client_cert(p), CLIENT_CERT_OFF);
	profile_put(p);
	profile_put(NULL);
}

TESTS(settings_that_cannot_be_are_refused, a_name_of_an_authority_must_be_a_name,
	the_highest_common_version_is_spoken, weak_suites_need_their_dangerous_word,
	levels_say_how_careful_a_side_is, old_versions_need_their_dangerous_word,
	check_47_the_hybrid_group_is_agreed_on_where_the_library_has_it,
	references_are_counted)
