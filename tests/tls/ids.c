// SPDX-License-Identifier: Apache-2.0
#include "tls/ids.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/tls/pair.h"
#include "tls/engine_priv.h"
#include "tls/profile_priv.h"
#include "tls/resume_priv.h"

enum { SLOTS = 64, HOUR = 3600 };
#define BEGUN_MS INT64_C(1700000000000)

static const uint8_t secret[TICKETS_SECRET] = "one secret for the whole fleet.";
static const uint8_t other_secret[TICKETS_SECRET] = "another secret, of other people";
static uint8_t room[IDS_SESSION_MAX];

static struct ids *
make(size_t slots)
{
	struct err err = {0};
	struct ids *ids = ids_new(slots, &err);

	CHECK_OK(ids != NULL, &err);
	return ids;
}

static void
what_was_kept_is_found_by_whoever_has_the_secret(void)
{
	struct ids *ids = make(SLOTS);
	struct tickets *ours = tickets_new(secret, 18 * HOUR);
	struct tickets *theirs = tickets_new(secret, 18 * HOUR);
	struct tickets *strangers = tickets_new(other_secret, 18 * HOUR);

	CHECK(ids_keep(ids, ours, SPAN("id one"), SPAN("a session")));
	CHECK_SPAN(ids_recall(ids, theirs, SPAN("id one"), room), "a session");
	CHECK(ids_recall(ids, strangers, SPAN("id one"), room).n == 0);
	CHECK(ids_recall(ids, theirs, SPAN("id two"), room).n == 0);
	CHECK(ids_recall(ids, theirs, SPAN(""), room).n == 0);
	/* The newest of an id; and none once it is forgotten. */
	CHECK(ids_keep(ids, theirs, SPAN("id one"), SPAN("another")));
	CHECK_SPAN(ids_recall(ids, ours, SPAN("id one"), room), "another");
	ids_forget(ids, SPAN("id two"));
	CHECK_SPAN(ids_recall(ids, ours, SPAN("id one"), room), "another");
	ids_forget(ids, SPAN("id one"));
	CHECK(ids_recall(ids, ours, SPAN("id one"), room).n == 0);
	tickets_free(ours);
	tickets_free(theirs);
	tickets_free(strangers);
	ids_put(ids);
}

static void
what_is_too_large_or_too_old_is_not_there(void)
{
	static uint8_t large[IDS_SESSION_MAX + 1];
	struct ids *ids = make(SLOTS);
	struct tickets *t = tickets_new(secret, 2 * HOUR);

	clock_fake(1000, BEGUN_MS);
	CHECK(!ids_keep(ids, t, SPAN("id"), span_of(large, sizeof(large))));
	CHECK(ids_keep(ids, t, SPAN("id"), span_of(large, IDS_SESSION_MAX)));
	CHECK_INT(ids_recall(ids, t, SPAN("id"), room).n, IDS_SESSION_MAX);
	clock_fake(2000, BEGUN_MS + 2000LL * HOUR);
	CHECK_INT(ids_recall(ids, t, SPAN("id"), room).n, IDS_SESSION_MAX);
	clock_fake(2000, BEGUN_MS + 5000LL * HOUR);
	CHECK_INT(ids_recall(ids, t, SPAN("id"), room).n, 0);
	clock_real();
	tickets_free(t);
	ids_put(ids);
}

/* Many ids in few places: what is asked for stays. */
static void
the_one_not_asked_for_longest_goes(void)
{
	struct ids *ids = make(8);
	struct tickets *t = tickets_new(secret, 18 * HOUR);
	char id[16];

	for (unsigned i = 0; i < 20; i++) {
		clock_fake(1000, BEGUN_MS + 1000LL * i);
		size_t n = text_format(id, sizeof(id), "id %u", i);
		CHECK(ids_keep(ids, t, span_of(id, n), SPAN("s")));
		CHECK_SPAN(ids_recall(ids, t, SPAN("id 0"), room), "s");
	}
	CHECK_SPAN(ids_recall(ids, t, SPAN("id 19"), room), "s");
	CHECK_INT(ids_recall(ids, t, SPAN("id 5"), room).n, 0);
	clock_real();
	tickets_free(t);
	ids_put(ids);
}

/* One "worker": a profile and tickets of its own. */
struct worker {
	struct tickets *tickets;
	struct profile *profile;
};

static struct worker
hire(struct ids *ids, uint8_t policy)
{
	struct worker w = {.tickets = tickets_new(secret, 18 * HOUR)};

	w.profile = pair_profile((struct profile_spec){.role = PROFILE_SERVER,
		.tickets = w.tickets,
		.ids = ids,
		.session_timeout_s = 18 * HOUR,
		.policy = {policy}});
	return w;
}

static void
dismiss(struct worker *w)
{
	profile_put(w->profile);
	tickets_free(w->tickets);
}

/* A client without tickets, which offers *kept; whether it was resumed. */
static bool
visit(struct worker *w, struct identity *id, struct profile *cp, SSL_SESSION **kept)
{
	struct pair p;
	struct tls_facts f;
	struct tls_session offered = {.ssl = *kept};

	pair_init(&p, 65536);
	pair_client(&p,
		(struct tls_client_spec){.profile = cp,
			.host = SPAN("a.example"),
			.session = *kept ? &offered : NULL});
	pair_server(
		&p, (struct tls_server_spec){.profile = w->profile, .identity = id});
	pair_open(&p);
	pair_talk(&p);
	tls_facts(p.server, &f);
	SSL_SESSION_free(*kept);
	*kept = SSL_get1_session(p.client->ssl);
	CHECK(!SSL_SESSION_has_ticket(*kept));
	pair_fini(&p);
	return f.resumed;
}

static void
a_session_begun_with_one_worker_goes_on_with_another(void)
{
	struct ids *ids = make(SLOTS);
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = pair_profile(
		(struct profile_spec){.role = PROFILE_CLIENT, .max_version = TLS_1_2});
	struct worker one = hire(ids, 1);
	struct worker two = hire(ids, 1);
	struct worker three = hire(ids, 9); /* of another policy */
	SSL_SESSION *kept = NULL;

	SSL_CTX_set_options(cp->ctx, SSL_OP_NO_TICKET);
	CHECK(!visit(&one, id, cp, &kept));
	CHECK(visit(&two, id, cp, &kept));
	dismiss(&one); /* a reload */
	one = hire(ids, 1);
	CHECK(visit(&one, id, cp, &kept));
	CHECK(!visit(&three, id, cp, &kept));
	CHECK(visit(&three, id, cp, &kept));
	CHECK(!visit(&two, id, cp, &kept));
	SSL_SESSION_free(kept);
	dismiss(&one);
	dismiss(&two);
	dismiss(&three);
	profile_put(cp);
	identity_put(id);
	ids_put(ids);
}

TESTS(what_was_kept_is_found_by_whoever_has_the_secret,
	what_is_too_large_or_too_old_is_not_there, the_one_not_asked_for_longest_goes,
	a_session_begun_with_one_worker_goes_on_with_another)
