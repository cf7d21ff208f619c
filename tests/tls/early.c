// SPDX-License-Identifier: Apache-2.0
/*
 * Early data of TLS 1.3: read before the handshake is over, once, and never under
 * another policy.
 */
#include <openssl/ssl.h>

#include <string.h>

#include "base/clock.h"
#include "tests/tls/pair.h"
#include "tls/engine_priv.h"
#include "tls/once.h"
#include "tls/profile_priv.h"
#include "tls/resume_priv.h"

enum { WIRE = 65536, HOUR = 3600, MOST = 1000 };

static const uint8_t secret[TICKETS_SECRET] = "one secret for the whole fleet.";

struct world {
	struct identity *id;
	struct tickets *tickets;
	struct profile *cp;
	struct profile *sp;
	struct once *once;
	SSL_SESSION *kept;
	uint32_t most;
	uint8_t binding[PROFILE_POLICY];
};

static void
world_init(struct world *w)
{
	struct err err = {0};

	*w = (struct world){.id = pair_identity(KEY_P256), .most = MOST};
	w->tickets = tickets_new(secret, 18 * HOUR);
	w->cp = pair_profile(
		(struct profile_spec){.role = PROFILE_CLIENT, .min_version = TLS_1_3});
	w->sp = pair_profile((struct profile_spec){.role = PROFILE_SERVER,
		.tickets = w->tickets,
		.session_timeout_s = 18 * HOUR});
	w->once = once_new(64, &err);
	CHECK_OK(w->once != NULL, &err);
}

static void
world_fini(struct world *w)
{
	SSL_SESSION_free(w->kept);
	once_put(w->once);
	profile_put(w->cp);
	profile_put(w->sp);
	tickets_free(w->tickets);
	identity_put(w->id);
}

static void
begin(struct world *w, struct pair *p)
{
	struct tls_session offered = {.ssl = w->kept};

	pair_init(p, WIRE);
	pair_client(p,
		(struct tls_client_spec){.profile = w->cp,
			.host = SPAN("a.example"),
			.session = w->kept ? &offered : NULL});
	pair_server(p,
		(struct tls_server_spec){.profile = w->sp,
			.identity = w->id,
			.binding = w->binding,
			.early_most = w->most,
			.once = w->once});
}

/* A full handshake, of which the client keeps the ticket. */
static void
visit_first(struct world *w)
{
	struct pair p;

	SSL_SESSION_free(w->kept);
	w->kept = NULL;
	begin(w, &p);
	pair_open(&p);
	pair_talk(&p);
	CHECK(!tls_is_early(p.server));
	w->kept = SSL_get1_session(p.client->ssl);
	CHECK_INT(SSL_SESSION_get_max_early_data(w->kept), w->most);
	pair_fini(&p);
}

static size_t
say_early(struct pair *p, const char *text)
{
	size_t n = 0;

	CHECK_INT(SSL_write_early_data(p->client->ssl, text, strlen(text), &n), 1);
	return n;
}

/* Client and server to the end, whatever is early; the client as OpenSSL has it. */
static void
finish(struct pair *p)
{
	struct buf in;

	buf_init(&in, WIRE);
	for (int i = 0; i < 4; i++) {
		pair_advance(p->client, &p->client_err);
		pair_advance(p->server, &p->server_err);
		(void)tls_read(p->server, &in);
	}
	CHECK_INT(tls_state(p->client), TLS_WANTS_VERDICT);
	tls_accept(p->client);
	CHECK_INT(tls_state(p->server), TLS_OPEN);
	CHECK(!tls_is_early(p->server));
	CHECK(buf_empty(&in));
	buf_fini(&in);
}

static struct tls_facts
facts_of(struct pair *p)
{
	struct tls_facts f;

	tls_facts(p->server, &f);
	return f;
}

static void
a_request_and_its_answer_pass_before_the_handshake_is_over(void)
{
	struct world w;
	struct pair p;
	struct buf in;
	char answer[16] = "";
	size_t n = 0;

	world_init(&w);
	visit_first(&w);
	begin(&w, &p);
	buf_init(&in, WIRE);
	(void)say_early(&p, "GET / HTTP/1.1");
	pair_advance(p.server, &p.server_err);
	CHECK_INT(tls_state(p.server), TLS_OPEN);
	CHECK(tls_is_early(p.server) && facts_of(&p).early_taken);
	CHECK(facts_of(&p).resumed && facts_of(&p).version == TLS_1_3);
	CHECK_INT(tls_read(p.server, &in), 14);
	CHECK_SPAN(buf_peek(&in), "GET / HTTP/1.1");
	buf_drop(&in, 14);
	/* More of it, and the answer. */
	(void)say_early(&p, "more");
	CHECK_INT(tls_read(p.server, &in), 4);
	CHECK(tls_is_early(p.server));
	CHECK_INT(tls_write(p.server, &in), 4);
	CHECK(!tls_end(p.server)); /* not yet */
	finish(&p);
	CHECK_INT(SSL_get_early_data_status(p.client->ssl), SSL_EARLY_DATA_ACCEPTED);
	CHECK_INT(SSL_read_ex(p.client->ssl, answer, sizeof(answer), &n), 1);
	CHECK_STR(answer, "more");
	pair_talk(&p);
	CHECK(facts_of(&p).early_taken);
	CHECK(tls_end(p.server));
	buf_fini(&in);
	pair_fini(&p);
	world_fini(&w);
}

/* What somebody saw on the wire, sent to another connection of the node. */
static void
the_same_flight_is_taken_once(void)
{
	struct world w;
	struct pair p;
	struct pair again;
	struct buf in;

	world_init(&w);
	visit_first(&w);
	begin(&w, &p);
	buf_init(&in, WIRE);
	(void)say_early(&p, "GET / HTTP/1.1");
	begin(&w, &again);
	tls_free(again.client);
	again.client = NULL;
	CHECK(buf_put(&again.up, buf_peek(&p.up)));
	pair_advance(p.server, &p.server_err);
	CHECK(tls_is_early(p.server));
	pair_advance(again.server, &again.server_err);
	CHECK_INT(tls_state(again.server), TLS_SHAKING);
	CHECK_INT(tls_read(again.server, &in), 0);
	CHECK(!tls_is_early(again.server));
	buf_fini(&in);
	pair_fini(&p);
	pair_fini(&again);
	world_fini(&w);
}

/* The handshake goes on, and the client says it again behind it. */
static void
check_refused(struct world *w)
{
	struct pair p;

	begin(w, &p);
	(void)say_early(&p, "GET / HTTP/1.1");
	pair_advance(p.server, &p.server_err);
	CHECK_INT(tls_state(p.server), TLS_SHAKING);
	finish(&p);
	CHECK_INT(SSL_get_early_data_status(p.client->ssl), SSL_EARLY_DATA_REJECTED);
	CHECK(!facts_of(&p).early_taken);
	CHECK_INT(facts_of(&p).early_refused, w->most > 0);
	pair_talk(&p);
	pair_fini(&p);
}

static void
a_ticket_that_was_used_so_is_refused_so(void)
{
	struct world w;
	struct pair p;

	world_init(&w);
	visit_first(&w);
	begin(&w, &p);
	(void)say_early(&p, "GET / HTTP/1.1");
	pair_advance(p.server, &p.server_err);
	CHECK(tls_is_early(p.server));
	pair_fini(&p);
	check_refused(&w); /* by the same ticket, another flight */
	world_fini(&w);
}

static void
where_it_is_not_taken_the_handshake_goes_on(void)
{
	struct world w;

	world_init(&w);
	visit_first(&w);
	w.most = 0;
	check_refused(&w);
	w.most = MOST;
	visit_first(&w);
	once_follow(w.once, clock_now() / 1000); /* what was before is not known */
	check_refused(&w);
	world_fini(&w);
}

static void
under_another_binding_there_is_none(void)
{
	struct world w;

	world_init(&w);
	visit_first(&w);
	w.binding[0] = 9;
	check_refused(&w);
	world_fini(&w);
}

static void
more_than_the_ticket_allows_ends_the_connection(void)
{
	struct world w;
	struct pair p;
	struct buf in;
	char much[400] = "";

	world_init(&w);
	visit_first(&w);
	CHECK_INT(SSL_SESSION_set_max_early_data(w.kept, 100 * MOST), 1);
	begin(&w, &p);
	buf_init(&in, WIRE);
	memset(much, 'x', sizeof(much) - 1);
	for (int i = 0; i < 4; i++)
		(void)say_early(&p, much);
	pair_advance(p.server, &p.server_err);
	(void)tls_read(p.server, &in);
	CHECK_INT(tls_state(p.server), TLS_FAILED);
	buf_fini(&in);
	pair_fini(&p);
	world_fini(&w);
}

TESTS(a_request_and_its_answer_pass_before_the_handshake_is_over,
	the_same_flight_is_taken_once, a_ticket_that_was_used_so_is_refused_so,
	where_it_is_not_taken_the_handshake_goes_on,
	under_another_binding_there_is_none,
	more_than_the_ticket_allows_ends_the_connection)
