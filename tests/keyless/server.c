// SPDX-License-Identifier: Apache-2.0
#include "keyless/server.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/keyless/tunnel.h"

static struct ask_pool *
pool_to(struct host *h, struct identity *id, const char *name)
{
	const struct ask_pool_server s = {
		.host = SPAN("127.0.0.1"), .port = h->at.port, .name = span_str(name)};

	return ask_pool_new(&(struct ask_pool_spec){.loop = &party.loop,
		.resolver = party.resolver,
		.profile = party.client_side,
		.identity = id,
		.trust = party.trust,
		.servers = &s,
		.n_servers = 1,
		.timeout_ms = 20000});
}

static unsigned n_audits;
static char audit_name[128];

static void
note_audit(
	struct server *s, const struct answer_audit *a, const struct server_peer *peer)
{
	(void)s;
	(void)a;
	n_audits++;
	CHECK(peer != NULL);
	CHECK(span_copy(audit_name, sizeof(audit_name), span_str(peer->name)));
}

static void
both_halves_meet_over_mutual_tls(void)
{
	static struct host h;
	static struct asker a[200];
	party_open();
	h = (struct host){0};
	host_open(&h, NULL, 0);
	struct metrics *m = h.server.metrics;
	h.server.audited = note_audit;
	struct ask_pool *p = pool_to(&h, party.client_id, "keys.test");
	for (size_t i = 0; i < COUNT_OF(a); i++)
		ask_for(p, &a[i], i % 10 ? "ec" : "rsa");
	turn_until_all(a, COUNT_OF(a));
	for (size_t i = 0; i < COUNT_OF(a); i++)
		CHECK(a[i].ask.ok);
	CHECK_INT(n_audits, COUNT_OF(a));
	CHECK_STR(audit_name, "edge");
	CHECK_INT(m->results[WIRE_KEY_EC][WIRE_OK], 180);
	CHECK_INT(m->results[WIRE_KEY_RSA][WIRE_OK], 20);
	CHECK_INT(m->refused_connections, 0);
	ask_pool_free(p);
	host_close(&h);
	party_close();
}

/* The client is told why, in the words of TLS. */
static void
expect_refused(struct host *h, struct ask_pool *p, const char *alert)
{
	static struct asker a;
	struct ask_server_view v;

	a = (struct asker){0};
	ask_for(p, &a, "ec");
	turn_until_all(&a, 1);
	CHECK(!a.ask.ok);
	CHECK_INT(a.ask.err.code, ERR_KEYLESS_NO_SERVER);
	ask_pool_look(p, 0, &v);
	CHECK_INT(v.last.code, ERR_TLS_ALERT);
	CHECK(strstr(v.last.text, alert) != NULL);
	CHECK(strstr(a.ask.err.text, alert) != NULL);
	CHECK(h->server.metrics->refused_connections > 0);
}

static void
clients_without_a_good_certificate_get_nothing(void)
{
	static struct host h;
	struct err err = {0};
	struct ask_pool *p = NULL;

	party_open();
	h = (struct host){0};
	host_open(&h, NULL, 0);
	p = pool_to(&h, NULL, "keys.test"); /* none at all */
	expect_refused(&h, p, "certificate_required");
	ask_pool_free(p);

	/* The server's own: for serverAuth only. */
	h.server.metrics->refused_connections = 0;
	p = pool_to(&h, party.server_id, "keys.test");
	expect_refused(&h, p, "unsupported_certificate");
	ask_pool_free(p);

	/* Another CA's. */
	char other[128];
	text_format(other, sizeof(other), "%s/o", party.dir);
	CHECK_OK(tunnel_make(other, &err), &err);
	CHECK_OK(tunnel_issue(other,
			 &(struct tunnel_wish){.file = "edge", .end = TUNNEL_CLIENT},
			 &err),
		&err);
	struct identity *id = identity_load(file_in(0, "o/edge.crt"),
		file_in(1, "o/edge.key"), (struct span){0}, &err);
	h.server.metrics->refused_connections = 0;
	p = pool_to(&h, id, "keys.test");
	expect_refused(&h, p, "unknown_ca");
	ask_pool_free(p);
	identity_put(id);
	static const char *const files[] = {
		"o/edge.crt", "o/edge.key", "o/ca.crt", "o/ca.key"};
	for (size_t i = 0; i < COUNT_OF(files); i++)
		CHECK(unlink(file_in(0, files[i])) == 0);
	CHECK(rmdir(other) == 0);
	host_close(&h);
	party_close();
}

static void
a_server_with_another_name_is_not_asked(void)
{
	static struct host h;

	party_open();
	h = (struct host){0};
	host_open(&h, NULL, 0);
	struct ask_pool *p = pool_to(&h, party.client_id, "other.test");
	struct ask_server_view v;
	static struct asker a;

	a = (struct asker){0};
	ask_for(p, &a, "ec");
	turn_until_all(&a, 1);
	CHECK(!a.ask.ok);
	ask_pool_look(p, 0, &v);
	CHECK_INT(v.last.code, ERR_KEYLESS_SERVER);
	CHECK_INT(h.server.metrics->requests[WIRE_ECDSA_SHA256], 0);
	ask_pool_free(p);
	host_close(&h);
	party_close();
}

static void
a_policy_row_names_who_may_what(void)
{
	static struct host h;
	static struct asker a;
	struct server_policy rows[] = {
		{.match = "nobody", .client = {.name = "nobody"}},
		{.match = "edge", .client = {.name = "edge"}},
	};

	party_open();
	h = (struct host){0};
	rows[1].client.mask = wire_mask_default();
	wire_mask_drop(&rows[1].client.mask, WIRE_PSS_SHA256);
	wire_mask_add(&rows[1].client.mask, WIRE_MINT); /* taken out again */
	host_open(&h, rows, COUNT_OF(rows));
	CHECK(!wire_mask_has(&rows[1].client.mask, WIRE_MINT));
	struct ask_pool *p = pool_to(&h, party.client_id, "keys.test");
	a = (struct asker){0};
	ask_for(p, &a, "ec");
	turn_until_all(&a, 1);
	CHECK(a.ask.ok);
	a = (struct asker){0};
	ask_for(p, &a, "rsa");
	turn_until_all(&a, 1);
	CHECK_INT(a.ask.refusal, WIRE_BAD_OP);
	ask_pool_free(p);
	host_close(&h);

	/* Nobody's row: not even the handshake helps. */
	host_open(&h, rows, 1);
	p = pool_to(&h, party.client_id, "keys.test");
	expect_refused(&h, p, "bad_certificate");
	ask_pool_free(p);
	host_close(&h);
	party_close();
}

/* What a load balancer does to see whether anybody is there. */
static void
a_health_check_is_no_refusal(void)
{
	static struct host h;
	struct sockaddr_in at = {.sin_family = AF_INET};

	party_open();
	h = (struct host){0};
	host_open(&h, NULL, 0);
	at.sin_port = htons(h.at.port);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	close(fd);
	for (int i = 0; i < 400 && h.server.metrics->connections == 0; i++)
		loop_turn(&party.loop, 5);
	for (int i = 0; i < 400 && h.server.n_peers > 0; i++)
		loop_turn(&party.loop, 5);
	CHECK_INT(h.server.metrics->connections, 1);
	CHECK_INT(h.server.n_peers, 0);
	CHECK_INT(h.server.metrics->refused_connections, 0);
	host_close(&h);
	party_close();
}

static void
wait_until_up(struct ask_pool *p)
{
	struct ask_server_view v = {0};

	for (int i = 0; i < 2000 && v.state != ASK_SERVER_UP; i++) {
		loop_turn(&party.loop, 5);
		ask_pool_look(p, 0, &v);
	}
	CHECK_INT(v.state, ASK_SERVER_UP);
}

/* A reload tells workers to end; an edge that has only just connected cannot know. */
static void
what_an_edge_sent_before_a_drain_is_answered(void)
{
	static struct host h;
	static struct asker a;
	struct ask_server_view v;

	party_open();
	h = (struct host){0};
	a = (struct asker){0};
	host_open(&h, NULL, 0);
	struct ask_pool *p = pool_to(&h, party.client_id, "keys.test");
	wait_until_up(p);
	listen_stop(&h.listener);
	server_drain(&h.server);
	ask_for(p, &a, "ec");
	turn_until_all(&a, 1);
	CHECK(a.ask.ok);
	ask_pool_look(p, 0, &v);
	CHECK_INT(v.failures, 0);
	/* And then the connection ends, without its help. */
	for (int i = 0; i < 2000 && h.server.n_peers > 0; i++)
		loop_turn(&party.loop, 5);
	CHECK_INT(h.server.n_peers, 0);
	ask_pool_free(p);
	server_close(&h.server);
	party_close();
}

/* One that never stops asking does not keep a worker of yesterday alive. */
static void
a_drain_ends_a_busy_edge_too(void)
{
	static struct host h;
	static struct asker a;

	party_open();
	h = (struct host){0};
	a = (struct asker){0};
	host_open(&h, NULL, 0);
	struct ask_pool *p = pool_to(&h, party.client_id, "keys.test");
	wait_until_up(p);
	listen_stop(&h.listener);
	server_drain(&h.server);
	uint64_t began = clock_now();
	while (h.server.n_peers > 0 && clock_now() - began < 20000) {
		struct err err = {0};

		if (!a.ask.link && !a.ask.job) {
			a.ask.want = (struct wire_msg){.op = WIRE_ECDSA_SHA256,
				.cert_id = SPAN("ec"),
				.payload = span_of(hash32, 32)};
			a.ask.done = count_done;
			if (!ask_pool_send(p, &a.ask, &err))
				break; /* its only server is gone */
		}
		loop_turn(&party.loop, 5);
	}
	CHECK_INT(h.server.n_peers, 0);
	CHECK(a.done > 1);
	ask_pool_free(p);
	server_close(&h.server);
	party_close();
}

TESTS(both_halves_meet_over_mutual_tls, clients_without_a_good_certificate_get_nothing,
	a_server_with_another_name_is_not_asked, a_policy_row_names_who_may_what,
	a_health_check_is_no_refusal, what_an_edge_sent_before_a_drain_is_answered,
	a_drain_ends_a_busy_edge_too)
