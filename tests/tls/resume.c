// SPDX-License-Identifier: Apache-2.0
#include "tls/resume.h"

#include <string.h>

#include "base/clock.h"
#include "tests/tls/pair.h"

enum { WIRE = 65536, HOUR = 3600, CACHE = 1 << 20 };

static const uint8_t secret[TICKETS_SECRET] = "one secret for the whole fleet.";
static const uint8_t other_secret[TICKETS_SECRET] = "another secret, of other people";
static const uint16_t versions[] = {TLS_1_2, TLS_1_3};

/* Everything a resumption depends on, on both sides. */
struct world {
	struct identity *id;
	struct identity *mine; /* the client's certificate, or NULL */
	struct tickets *tickets;
	struct profile *cp;
	struct profile *sp;
	struct resume_cache cache;
	struct resume_key key;
	const uint8_t *binding;
	uint32_t session_s;
};

static struct profile *
server(struct tickets *t, uint8_t policy, enum profile_client_cert client_cert)
{
	return pair_profile((struct profile_spec){.role = PROFILE_SERVER,
		.tickets = t,
		.session_timeout_s = 18 * HOUR,
		.client_cert = client_cert,
		.policy = {policy}});
}

static void
world_init(struct world *w, uint16_t version, enum profile_client_cert client_cert)
{
	*w = (struct world){.id = pair_identity(KEY_P256)};
	w->tickets = tickets_new(secret, 18 * HOUR);
	w->cp = pair_profile((struct profile_spec){.role = PROFILE_CLIENT,
		.min_version = version,
		.max_version = version,
		.policy = {7}});
	w->sp = server(w->tickets, 1, client_cert);
	resume_cache_init(&w->cache, CACHE);
	w->key = (struct resume_key){.host = SPAN("a.example"),
		.port = 443,
		.policy = profile_policy(w->cp),
		.trust_epoch = 3,
		.alpn = SPAN("\2h2")};
}

static void
world_fini(struct world *w)
{
	resume_cache_fini(&w->cache);
	profile_put(w->cp);
	profile_put(w->sp);
	tickets_free(w->tickets);
	identity_put(w->id);
	identity_put(w->mine);
}

/* The client's certificate is there, as the client has it. */
static void
expect_mine(const struct world *w, const struct tls *server)
{
	struct chain chain;
	struct chain mine;
	struct err err = {0};

	chain_init(&chain);
	chain_init(&mine);
	CHECK(tls_has_peer(server));
	CHECK_OK(tls_peer_chain(server, &chain, &err), &err);
	CHECK_OK(identity_chain(w->mine, &mine, &err), &err);
	CHECK(chain.n == 1 && span_eq(chain.der[0], mine.der[0]));
	chain_fini(&chain);
	chain_fini(&mine);
}

/* One connection that offers what the cache has; whether it resumed on both sides. */
static bool
visit(struct world *w, struct profile *sp)
{
	struct pair p;
	struct tls_facts c;
	struct tls_facts s;

	pair_init(&p, WIRE);
	pair_client(&p,
		(struct tls_client_spec){.profile = w->cp,
			.host = SPAN("a.example"),
			.identity = w->mine,
			.session = resume_get(&w->cache, &w->key)});
	pair_server(&p,
		(struct tls_server_spec){.profile = sp,
			.identity = w->id,
			.session_s = w->session_s,
			.binding = w->binding});
	pair_open(&p);
	pair_talk(&p);
	(void)resume_put(&w->cache, &w->key, p.client);
	tls_facts(p.client, &c);
	tls_facts(p.server, &s);
	CHECK_INT(c.resumed, s.resumed);
	if (w->mine)
		expect_mine(w, p.server);
	pair_fini(&p);
	return c.resumed;
}

static void
a_second_visit_resumes(void)
{
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		world_init(&w, versions[v], CLIENT_CERT_OFF);
		CHECK(!visit(&w, w.sp));
		CHECK(visit(&w, w.sp));
		CHECK(visit(&w, w.sp));
		world_fini(&w);
	}
}

/* Another worker, another generation, another node: nothing shared but the secret. */
static void
the_secret_is_all_that_others_need(void)
{
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		world_init(&w, versions[v], CLIENT_CERT_OFF);
		struct tickets *theirs = tickets_new(secret, 18 * HOUR);
		struct tickets *strangers = tickets_new(other_secret, 18 * HOUR);
		struct profile *sp = server(theirs, 1, CLIENT_CERT_OFF);
		struct profile *stranger = server(strangers, 1, CLIENT_CERT_OFF);
		CHECK(!visit(&w, w.sp));
		CHECK(visit(&w, sp));
		CHECK(!visit(&w, stranger));
		profile_put(sp);
		profile_put(stranger);
		tickets_free(theirs);
		tickets_free(strangers);
		world_fini(&w);
	}
}

/* Begun before the day's secret came, gone on after; and on another node that has it.
 */
static void
a_days_secret_is_shared_and_ones_own_still_opens(void)
{
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		uint32_t today = (uint32_t)(clock_wall() / (24 * HOUR));
		struct tickets *theirs = tickets_new(other_secret, 18 * HOUR);
		struct tickets *late = tickets_new(other_secret, 18 * HOUR);

		world_init(&w, versions[v], CLIENT_CERT_OFF);
		struct profile *sp = server(theirs, 1, CLIENT_CERT_OFF);
		struct profile *stranger = server(late, 1, CLIENT_CERT_OFF);
		CHECK(!visit(&w, w.sp));
		CHECK(!tickets_has_day(w.tickets, today));
		tickets_set_day(w.tickets, today, secret);
		tickets_set_day(theirs, today, secret);
		tickets_set_day(late, today + 1, secret); /* of no use today */
		CHECK(tickets_has_day(w.tickets, today));
		CHECK(visit(&w, w.sp));       /* with a ticket of before */
		if (versions[v] == TLS_1_2) { /* and no new one with it */
			resume_drop(&w.cache, &w.key);
			CHECK(!visit(&w, w.sp));
		}
		CHECK(visit(&w, sp));
		CHECK(!visit(&w, stranger));
		profile_put(sp);
		profile_put(stranger);
		tickets_free(theirs);
		tickets_free(late);
		world_fini(&w);
	}
}

/* The attack on many proxies: begin where no certificate is asked for, go on where one
 * is. Same tickets, other policy. */
static void
a_session_never_goes_on_under_another_policy(void)
{
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		world_init(&w, versions[v], CLIENT_CERT_OFF);
		struct profile *strict = server(w.tickets, 2, CLIENT_CERT_ASK);
		CHECK(!visit(&w, w.sp));
		CHECK(!visit(&w, strict));
		CHECK(visit(&w, strict)); /* its own goes on */
		CHECK(!visit(&w, w.sp));
		profile_put(strict);
		world_fini(&w);
	}
}

/* Sites of one policy, each bound to itself: a ticket of one is nothing to the other.
 */
static void
a_session_never_goes_on_under_another_binding(void)
{
	static const uint8_t site_a[PROFILE_POLICY] = "site a";
	static const uint8_t site_b[PROFILE_POLICY] = "site b";

	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		world_init(&w, versions[v], CLIENT_CERT_OFF);
		w.binding = site_a;
		CHECK(!visit(&w, w.sp));
		CHECK(visit(&w, w.sp));
		w.binding = site_b;
		CHECK(!visit(&w, w.sp));
		w.binding = NULL;
		CHECK(!visit(&w, w.sp));
		world_fini(&w);
	}
}

static void
a_client_certificate_comes_back_with_its_session(void)
{
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		world_init(&w, versions[v], CLIENT_CERT_ASK);
		w.mine = pair_identity(KEY_P256);
		CHECK(!visit(&w, w.sp)); /* visit() looks for the certificate */
		CHECK(visit(&w, w.sp));
		CHECK(visit(&w, w.sp)); /* from the ticket of a resumed one */
		world_fini(&w);
	}
}

static void
tickets_grow_old(void)
{
	const int64_t begin = clock_wall_ms();

	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		world_init(&w, versions[v], CLIENT_CERT_OFF);
		clock_fake(1000, begin);
		CHECK(!visit(&w, w.sp));
		clock_fake(2000, begin + 17LL * HOUR * 1000);
		CHECK(visit(&w, w.sp)); /* and gets a new one, of this hour */
		clock_fake(3000, begin + 34LL * HOUR * 1000);
		CHECK(visit(&w, w.sp));
		clock_fake(4000, begin + 53LL * HOUR * 1000);
		CHECK(!visit(&w, w.sp));
		clock_fake(5000, begin); /* a ticket from the future */
		CHECK(!visit(&w, w.sp));
		clock_real();
		world_fini(&w);
	}
}

static void
without_a_time_out_nothing_is_resumed(void)
{
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		world_init(&w, versions[v], CLIENT_CERT_OFF);
		struct profile *sp = pair_profile((struct profile_spec){
			.role = PROFILE_SERVER, .tickets = w.tickets});
		CHECK(!visit(&w, sp));
		CHECK(!visit(&w, sp));
		CHECK(resume_get(&w.cache, &w.key) == NULL);
		profile_put(sp);
		world_fini(&w);
	}
}

static void
a_connection_may_have_its_own_time(void)
{
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		world_init(&w, versions[v], CLIENT_CERT_OFF);
		w.session_s = TLS_NO_SESSION;
		CHECK(!visit(&w, w.sp));
		CHECK(resume_get(&w.cache, &w.key) == NULL);
		w.session_s = 600;
		CHECK(!visit(&w, w.sp));
		CHECK(visit(&w, w.sp));
		w.session_s = TLS_NO_SESSION;
		CHECK(!visit(&w, w.sp)); /* a ticket of before is not taken */
		world_fini(&w);
	}
}

/* ---- the cache of sessions with origins ---- */

static void
a_session_is_kept_after_the_verdict_only(void)
{
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world w;
		struct pair p;
		world_init(&w, versions[v], CLIENT_CERT_OFF);
		pair_init(&p, WIRE);
		pair_client(&p, (struct tls_client_spec){.profile = w.cp});
		pair_server(&p,
			(struct tls_server_spec){.profile = w.sp, .identity = w.id});
		pair_run(&p);
		CHECK_INT(tls_state(p.client), TLS_WANTS_VERDICT);
		CHECK(!resume_put(&w.cache, &w.key, p.client));
		tls_accept(p.client);
		pair_talk(&p);
		CHECK(resume_put(&w.cache, &w.key, p.client));
		CHECK(resume_put(&w.cache, &w.key, p.client));
		pair_fini(&p);
		CHECK(resume_get(&w.cache, &w.key) != NULL);
		world_fini(&w);
	}
}

static void
a_resumed_client_waits_for_its_verdict_too(void)
{
	struct world w;
	struct pair p;
	struct chain chain;
	struct tls_facts f;
	struct err err = {0};

	world_init(&w, TLS_1_3, CLIENT_CERT_OFF);
	CHECK(!visit(&w, w.sp));
	pair_init(&p, WIRE);
	pair_client(&p,
		(struct tls_client_spec){
			.profile = w.cp, .session = resume_get(&w.cache, &w.key)});
	pair_server(&p, (struct tls_server_spec){.profile = w.sp, .identity = w.id});
	pair_run(&p);
	CHECK_INT(tls_state(p.client), TLS_WANTS_VERDICT);
	tls_facts(p.client, &f);
	CHECK(f.resumed);
	/* The chain of the first visit is there to be judged again. */
	chain_init(&chain);
	CHECK_OK(tls_peer_chain(p.client, &chain, &err), &err);
	CHECK_INT(chain.n, 1);
	chain_fini(&chain);
	pair_fini(&p);
	world_fini(&w);
}

static void
every_part_of_the_key_matters(void)
{
	static const uint8_t policy[PROFILE_POLICY] = "another";
	struct world w;

	world_init(&w, TLS_1_3, CLIENT_CERT_OFF);
	CHECK(!visit(&w, w.sp));
	CHECK(resume_get(&w.cache, &w.key) != NULL);
	struct resume_key others[] = {w.key, w.key, w.key, w.key, w.key};
	others[0].host = SPAN("b.example");
	others[1].port = 8443;
	others[2].policy = policy;
	others[3].trust_epoch = 4;
	others[4].alpn = SPAN("\x08http/1.1");
	for (size_t i = 0; i < COUNT_OF(others); i++)
		CHECK(resume_get(&w.cache, &others[i]) == NULL);
	resume_drop(&w.cache, &w.key);
	CHECK(resume_get(&w.cache, &w.key) == NULL);
	resume_drop(&w.cache, &w.key);
	world_fini(&w);
}

static void
the_budget_holds(void)
{
	struct world w;

	world_init(&w, TLS_1_3, CLIENT_CERT_OFF);
	resume_cache_fini(&w.cache);
	resume_cache_init(&w.cache, 30000);
	for (uint16_t port = 1; port <= 20; port++) {
		w.key.port = port;
		CHECK(!visit(&w, w.sp));
		CHECK(w.cache.lru.used <= 30000);
	}
	CHECK(resume_get(&w.cache, &w.key) != NULL);
	w.key.port = 1;
	CHECK(resume_get(&w.cache, &w.key) == NULL);
	world_fini(&w);
}

/* RFC 5246 §7.2.2: a session of a connection that ended with a fatal alert is not used
 * again. */
static void
a_session_that_broke_is_forgotten(void)
{
	struct world w;
	struct pair p;
	struct buf plain;
	struct err err = {0};

	world_init(&w, TLS_1_2, CLIENT_CERT_OFF);
	pair_init(&p, WIRE);
	buf_init(&plain, 1000);
	pair_client(&p, (struct tls_client_spec){.profile = w.cp});
	pair_server(&p, (struct tls_server_spec){.profile = w.sp, .identity = w.id});
	pair_open(&p);
	CHECK(resume_put(&w.cache, &w.key, p.client));
	CHECK(buf_put(&plain, SPAN("ping")));
	CHECK_INT(tls_write(p.server, &plain), 4);
	p.down.mem[p.down.tail - 1] ^= 1;
	CHECK_INT(tls_read(p.client, &plain), 0);
	CHECK_INT(tls_advance(p.client, &err), TLS_FAILED);
	pair_fini(&p);
	CHECK(resume_get(&w.cache, &w.key) == NULL);
	buf_fini(&plain);
	world_fini(&w);
}

static void
a_binding_is_the_same_for_the_same_parts_only(void)
{
	const struct span parts[] = {SPAN("ab"), SPAN("c")};
	const struct span others[] = {SPAN("a"), SPAN("bc")};
	uint8_t one[32];
	uint8_t two[32];

	resume_binding(one, parts, 2);
	resume_binding(two, parts, 2);
	CHECK(memcmp(one, two, sizeof(one)) == 0);
	resume_binding(two, others, 2);
	CHECK(memcmp(one, two, sizeof(one)) != 0);
	resume_binding(two, parts, 1);
	CHECK(memcmp(one, two, sizeof(one)) != 0);
}

TESTS(a_second_visit_resumes, a_binding_is_the_same_for_the_same_parts_only,
	the_secret_is_all_that_others_need,
	a_days_secret_is_shared_and_ones_own_still_opens,
	a_session_never_goes_on_under_another_policy,
	a_session_never_goes_on_under_another_binding,
	a_client_certificate_comes_back_with_its_session, tickets_grow_old,
	without_a_time_out_nothing_is_resumed, a_connection_may_have_its_own_time,
	a_session_is_kept_after_the_verdict_only,
	a_resumed_client_waits_for_its_verdict_too, every_part_of_the_key_matters,
	the_budget_holds, a_session_that_broke_is_forgotten)
