// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "tests/tls/pair.h"
#include "tls/engine_priv.h"
#include "tls/profile_priv.h"

enum { WIRE = 65536, HOUR = 3600, OFTEN = 40 };

static const uint8_t secret[TICKETS_SECRET] = "one secret for the whole fleet.";
static const uint16_t versions[] = {TLS_1_2, TLS_1_3};

/* What one visit came to. */
struct seen {
	bool resumed;
	bool asked; /* the client was asked for a certificate, with one authority */
	uint8_t leaf[32];
};

struct world {
	struct tickets *tickets;
	struct profile *cp;
	struct profile *sp;
	struct resume_cache cache;
	struct resume_key key;
};

static void
world_init(struct world *w, uint16_t version)
{
	/* The name "CN=a", in DER. */
	static const struct span names[] = {
		SPAN_INIT("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61")};

	*w = (struct world){.tickets = tickets_new(secret, 18 * HOUR)};
	w->cp = pair_profile((struct profile_spec){.role = PROFILE_CLIENT,
		.min_version = version,
		.max_version = version});
	w->sp = pair_profile((struct profile_spec){.role = PROFILE_SERVER,
		.tickets = w->tickets,
		.session_timeout_s = HOUR,
		.client_cert = CLIENT_CERT_ASK,
		.ca_names = names,
		.n_ca_names = COUNT_OF(names)});
	resume_cache_init(&w->cache, 1 << 20);
	w->key = (struct resume_key){
		.host = SPAN("a.example"), .policy = profile_policy(w->cp)};
}

static void
world_fini(struct world *w)
{
	resume_cache_fini(&w->cache);
	profile_put(w->cp);
	profile_put(w->sp);
	tickets_free(w->tickets);
}

static struct seen
visit(struct world *w, struct identity *id, bool resume)
{
	struct pair p;
	struct tls_facts f;
	struct chain chain;
	struct err err = {0};
	struct seen seen = {0};
	unsigned n = 0;

	pair_init(&p, WIRE);
	pair_client(&p,
		(struct tls_client_spec){.profile = w->cp,
			.session = resume ? resume_get(&w->cache, &w->key) : NULL});
	pair_server(&p, (struct tls_server_spec){.profile = w->sp, .identity = id});
	pair_open(&p);
	pair_talk(&p);
	(void)resume_put(&w->cache, &w->key, p.client);
	tls_facts(p.client, &f);
	seen.resumed = f.resumed;
	seen.asked = sk_X509_NAME_num(SSL_get0_peer_CA_list(p.client->ssl)) == 1;
	chain_init(&chain);
	CHECK_OK(tls_peer_chain(p.client, &chain, &err), &err);
	CHECK_INT(chain.n, 1);
	CHECK(EVP_Digest(chain.der[0].p, chain.der[0].n, seen.leaf, &n, EVP_sha256(),
		      NULL) == 1);
	chain_fini(&chain);
	pair_fini(&p);
	return seen;
}

static size_t
count_dresses(const struct profile *p)
{
	size_t n = 0;

	for (size_t i = 0; p->dresses && i < PROFILE_DRESSES; i++)
		n += p->dresses[i].ctx != NULL;
	return n;
}

/* Who is shown often gets a context, and nobody can tell by the handshakes. */
static void
a_dressed_context_is_like_the_first(void)
{
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		struct identity *id = pair_identity(KEY_P256);
		world_init(&w, versions[v]);
		for (int i = 0; i < OFTEN; i++) {
			struct seen seen = visit(&w, id, false);
			CHECK(!seen.resumed && seen.asked);
			CHECK(memcmp(seen.leaf, id->sha256, 32) == 0);
			CHECK(count_dresses(w.sp) == 0 || i > OFTEN / 2);
		}
		CHECK_INT(count_dresses(w.sp), 1);
		CHECK_INT(id->refs, 2);
		world_fini(&w);
		CHECK_INT(id->refs, 1);
		identity_put(id);
	}
}

static void
what_is_shown_once_is_not_dressed(void)
{
	struct world w;

	world_init(&w, TLS_1_3);
	for (int i = 0; i < OFTEN; i++) {
		struct identity *id = pair_identity(KEY_P256);
		struct seen seen = visit(&w, id, false);
		CHECK(memcmp(seen.leaf, id->sha256, 32) == 0);
		identity_put(id);
	}
	CHECK_INT(count_dresses(w.sp), 0);
	world_fini(&w);
}

/* Sessions belong to the profile: what began in one context goes on in the other. */
static void
sessions_go_on_in_another_dress(void)
{
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		struct identity *id = pair_identity(KEY_P256);
		world_init(&w, versions[v]);
		(void)visit(&w, id, false);
		for (int i = 0; i < OFTEN; i++)
			CHECK(visit(&w, id, true).resumed);
		CHECK_INT(count_dresses(w.sp), 1);
		world_fini(&w);
		identity_put(id);
	}
}

/* More of them than there are places: each is shown as itself, and places change
 * hands. */
static void
everybody_is_shown_as_himself(void)
{
	struct world w;
	struct identity *all[PROFILE_DRESSES + 8];

	world_init(&w, TLS_1_3);
	for (size_t i = 0; i < COUNT_OF(all); i++)
		all[i] = pair_identity(KEY_P256);
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		SSL_CTX *ctx = NULL;
		for (int round = 0; round < 1000; round++)
			ctx = dress_for(w.sp, all[i]);
		CHECK(ctx && SSL_CTX_get0_certificate(ctx) == all[i]->leaf);
	}
	CHECK(count_dresses(w.sp) <= PROFILE_DRESSES);
	struct seen seen = visit(&w, all[0], false);
	CHECK(memcmp(seen.leaf, all[0]->sha256, 32) == 0);
	world_fini(&w);
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		CHECK_INT(all[i]->refs, 1);
		identity_put(all[i]);
	}
}

TESTS(a_dressed_context_is_like_the_first, what_is_shown_once_is_not_dressed,
	sessions_go_on_in_another_dress, everybody_is_shown_as_himself)
