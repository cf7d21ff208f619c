// SPDX-License-Identifier: Apache-2.0
#include "tls/engine.h"

#include <string.h>

#include "base/mem.h"
#include "tests/tls/pair.h"

enum { WIRE = 65536, BIG = 300000 };

static struct profile *
client_profile(uint16_t version)
{
	return pair_profile((struct profile_spec){.role = PROFILE_CLIENT,
		.min_version = version,
		.max_version = version});
}

static struct profile *
server_profile(enum profile_client_cert client_cert)
{
	return pair_profile((struct profile_spec){
		.role = PROFILE_SERVER, .client_cert = client_cert});
}

static const uint16_t versions[] = {TLS_1_2, TLS_1_3};

static void
both_versions_open_and_talk_with_every_key(void)
{
	static const enum key_kind kinds[] = {
		KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};

	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		for (size_t k = 0; k < COUNT_OF(kinds); k++) {
			struct profile *cp = client_profile(versions[v]);
			struct profile *sp = server_profile(CLIENT_CERT_OFF);
			struct identity *id = pair_identity(kinds[k]);
			struct pair p;
			struct tls_facts f;
			pair_init(&p, WIRE);
			pair_client(&p,
				(struct tls_client_spec){
					.profile = cp, .host = SPAN("a.example")});
			pair_server(&p,
				(struct tls_server_spec){
					.profile = sp, .identity = id});
			pair_open(&p);
			pair_talk(&p);
			tls_facts(p.client, &f);
			CHECK_INT(f.version, versions[v]);
			CHECK_STR(f.version_name,
				versions[v] == TLS_1_3 ? "TLSv1.3" : "TLSv1.2");
			CHECK(f.cipher[0] != '\0' && !f.resumed);
			CHECK(f.group[0] != '\0');
			pair_fini(&p);
			identity_put(id);
			profile_put(cp);
			profile_put(sp);
		}
	}
}

static void
alpn_is_what_the_server_was_told(void)
{
	static const struct {
		struct span told;
		struct span agreed;
	} rows[] = {{SPAN_INIT("h2"), SPAN_INIT("h2")},
		{SPAN_INIT("http/1.1"), SPAN_INIT("http/1.1")},
		{SPAN_INIT("h3"), {NULL, 0}}, {{NULL, 0}, {NULL, 0}}};
	struct identity *id = pair_identity(KEY_P256);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct profile *cp = client_profile(0);
		struct profile *sp = server_profile(CLIENT_CERT_OFF);
		struct pair p;
		struct tls_facts f;
		pair_init(&p, WIRE);
		pair_client(&p,
			(struct tls_client_spec){
				.profile = cp, .alpn = SPAN("\2h2\x08http/1.1")});
		pair_server(&p,
			(struct tls_server_spec){
				.profile = sp, .identity = id, .alpn = rows[i].told});
		pair_open(&p);
		tls_facts(p.client, &f);
		CHECK(span_eq(f.alpn, rows[i].agreed));
		tls_facts(p.server, &f);
		CHECK(span_eq(f.alpn, rows[i].agreed));
		pair_fini(&p);
		profile_put(cp);
		profile_put(sp);
	}
	identity_put(id);
}

/* Moves one octet of the wire at a time, each way. */
static void
step_octets(struct pair *p, struct buf *up, struct buf *down)
{
	pair_advance(p->client, &p->client_err);
	(void)buf_move(&p->up_later, up, 1);
	pair_advance(p->server, &p->server_err);
	(void)buf_move(&p->down_later, down, 1);
}

/* Engines whose in and out are not the same buf: client → up, up_later → server. */
static void
metered(struct pair *p, struct profile *cp, struct profile *sp, struct identity *id)
{
	struct err err = {0};

	p->client = tls_client_new(
		&(struct tls_client_spec){
			.profile = cp, .wire_in = &p->down_later, .wire_out = &p->up},
		&err);
	p->server = tls_server_new(&(struct tls_server_spec){.profile = sp,
					   .identity = id,
					   .wire_in = &p->up_later,
					   .wire_out = &p->down},
		&err);
	CHECK_OK(p->client && p->server, &err);
}

static void
a_wire_of_one_octet_at_a_time_is_enough(void)
{
	struct identity *id = pair_identity(KEY_P256);

	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct profile *cp = client_profile(versions[v]);
		struct profile *sp = server_profile(CLIENT_CERT_OFF);
		struct pair p;
		pair_init(&p, WIRE);
		metered(&p, cp, sp, id);
		for (int i = 0; i < 20000 && tls_state(p.client) != TLS_OPEN; i++) {
			step_octets(&p, &p.up, &p.down);
			if (tls_state(p.client) == TLS_WANTS_VERDICT)
				tls_accept(p.client);
		}
		for (int i = 0; i < 20000 && tls_state(p.server) != TLS_OPEN; i++)
			step_octets(&p, &p.up, &p.down);
		CHECK_INT(tls_state(p.client), TLS_OPEN);
		CHECK_INT(tls_state(p.server), TLS_OPEN);
		pair_fini(&p);
		profile_put(cp);
		profile_put(sp);
	}
	identity_put(id);
}

/* The handshake is played n octets far for every n; then the stream ends. */
static void
a_stream_that_ends_anywhere_in_the_handshake_is_truncated(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(0);
	struct profile *sp = server_profile(CLIENT_CERT_OFF);
	size_t cut = 0;
	bool opened = false;

	while (!opened) {
		struct pair p;
		pair_init(&p, WIRE);
		metered(&p, cp, sp, id);
		for (size_t i = 0; i < cut; i++)
			step_octets(&p, &p.up, &p.down);
		pair_advance(p.client, &p.client_err); /* what came, is read */
		opened = tls_state(p.client) != TLS_SHAKING;
		if (!opened) {
			struct err err = {0};
			tls_wire_ended(p.client);
			CHECK_INT(tls_advance(p.client, &err), TLS_FAILED);
			CHECK_INT(err.code, ERR_TLS_TRUNCATED);
			CHECK_INT(tls_advance(p.client, &err), TLS_FAILED);
		}
		pair_fini(&p);
		cut += 7; /* a step that meets every record's header and body */
	}
	CHECK(cut > 500);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

static void
nothing_is_read_or_written_before_the_verdict(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(0);
	struct profile *sp = server_profile(CLIENT_CERT_OFF);
	struct pair p;
	struct buf plain;
	struct tls_facts f;

	pair_init(&p, WIRE);
	buf_init(&plain, 1000);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_run(&p);
	CHECK(buf_put(&plain, SPAN("secret")));
	CHECK_INT(tls_write(p.server, &plain), 6);
	CHECK(buf_put(&plain, SPAN("secret")));
	CHECK_INT(tls_state(p.client), TLS_WANTS_VERDICT);
	CHECK_INT(tls_write(p.client, &plain), 0);
	buf_drop(&plain, 6);
	CHECK_INT(tls_read(p.client, &plain), 0);
	CHECK_INT(tls_advance(p.client, &p.client_err), TLS_WANTS_VERDICT);
	tls_accept(p.client);
	CHECK_INT(tls_read(p.client, &plain), 6);
	tls_facts(p.client, &f);
	CHECK_INT(f.alert_sent, TLS_NO_ALERT);
	buf_fini(&plain);
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

/* Bufs of every odd size in the way: all octets arrive, none is ever beyond a limit. */
static void
push_through(size_t wire, size_t plain_limit, size_t big)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(0);
	struct profile *sp = server_profile(CLIENT_CERT_OFF);
	struct pair p;
	struct buf from;
	struct buf to;
	uint8_t *sent = mem_alloc(big);
	size_t in = 0;
	size_t out = 0;

	for (size_t i = 0; i < big; i++)
		sent[i] = (uint8_t)(i * 31 + i / 251);
	pair_init(&p, wire);
	buf_init(&from, plain_limit);
	buf_init(&to, plain_limit);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_open(&p);
	for (int idle = 0; out < big && idle < 100; idle++) {
		struct span rest =
			span_first(span_of(sent + in, big - in), buf_room(&from));
		CHECK(buf_put(&from, rest));
		in += rest.n;
		if (rest.n + tls_write(p.client, &from) > 0)
			idle = 0;
		CHECK(buf_len(&p.up) <= wire);
		if (tls_read(p.server, &to) > 0)
			idle = 0;
		CHECK(buf_len(&to) <= plain_limit);
		struct span got = buf_peek(&to);
		CHECK(out + got.n <= big && span_eq(got, span_of(sent + out, got.n)));
		out += got.n;
		buf_drop(&to, got.n);
	}
	CHECK_INT(out, big);
	mem_free(sent);
	buf_fini(&from);
	buf_fini(&to);
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

static void
small_bufs_slow_everything_and_break_nothing(void)
{
	push_through(65536, 65536, BIG);
	push_through(20000, 7, BIG);
	push_through(600, 5000, BIG);
	push_through(129, 1000, BIG);
	push_through(40, 1000, 2000);
	push_through(1, 100, 2000);
}

/* What a ticket leaves behind counts for every idle connection. */
static void
an_idle_engine_keeps_no_block(void)
{
	static const uint8_t secret[TICKETS_SECRET];
	struct identity *id = pair_identity(KEY_P256);
	struct tickets *tickets = tickets_new(secret, 3600);
	struct profile *cp = client_profile(TLS_1_3);
	struct profile *sp = pair_profile((struct profile_spec){
		.role = PROFILE_SERVER, .tickets = tickets, .session_timeout_s = 3600});
	struct pair p;
	struct buf plain;

	pair_init(&p, WIRE);
	buf_init(&plain, 1000);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_open(&p);
	CHECK(buf_len(&p.down) > 100); /* the ticket */
	CHECK_INT(tls_read(p.client, &plain), 0);
	CHECK(buf_empty(&p.down) && plain.mem == NULL && p.down.mem == NULL);
	buf_fini(&plain);
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
	tickets_free(tickets);
}

static void
a_reader_that_stops_stops_the_writer(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(0);
	struct profile *sp = server_profile(CLIENT_CERT_OFF);
	struct pair p;
	struct buf from;
	static const uint8_t zeros[60000];
	size_t taken = 0;

	pair_init(&p, 30000);
	buf_init(&from, 65536);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_open(&p);
	for (int i = 0; i < 10; i++) {
		CHECK(buf_room(&from) < 60000 || buf_put(&from, span_of(zeros, 60000)));
		taken += tls_write(p.client, &from);
	}
	CHECK(taken < 30000 && taken > 28000);
	CHECK(buf_len(&p.up) <= 30000);
	buf_fini(&from);
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

static size_t
count_records(struct span wire)
{
	size_t n = 0;

	while (wire.n > 5) {
		wire = span_from(wire, 5u + ((size_t)wire.p[3] << 8) + wire.p[4]);
		n++;
	}
	return n;
}

static void
records_begin_small_and_grow(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(0);
	struct profile *sp = server_profile(CLIENT_CERT_OFF);
	struct pair p;
	struct buf from;
	static const uint8_t zeros[BIG];

	pair_init(&p, 1 << 20);
	buf_init(&from, 1 << 20);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_open(&p);
	CHECK(buf_put(&from, span_of(zeros, 16384 * 4 + 14000)));
	(void)tls_write(p.client, &from);
	struct span wire = buf_peek(&p.up);
	CHECK(((size_t)wire.p[3] << 8) + wire.p[4] < 1460);
	CHECK_INT(count_records(wire), 10 + 4);
	buf_fini(&from);
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

static void
close_notify_goes_both_ways(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(0);
	struct profile *sp = server_profile(CLIENT_CERT_OFF);
	struct pair p;
	struct buf plain;
	struct tls_facts f;

	pair_init(&p, WIRE);
	buf_init(&plain, 1000);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_open(&p);
	CHECK(buf_put(&plain, SPAN("last words")));
	CHECK_INT(tls_write(p.client, &plain), 10);
	CHECK(tls_end(p.client) && tls_end(p.client));
	CHECK_INT(tls_read(p.server, &plain), 10);
	CHECK_INT(tls_read(p.server, &plain), 0);
	CHECK_INT(tls_state(p.server), TLS_ENDED);
	/* The other direction is still there (RFC 8446 §6.1). */
	CHECK_INT(tls_write(p.server, &plain), 10);
	CHECK_INT(tls_read(p.client, &plain), 10);
	CHECK(tls_end(p.server));
	CHECK_INT(tls_read(p.client, &plain), 0);
	CHECK_INT(tls_state(p.client), TLS_ENDED);
	tls_facts(p.client, &f);
	CHECK_INT(f.alert_sent, 0);
	CHECK_INT(f.alert_received, 0);
	CHECK_STR(tls_alert_name(0), "close_notify");
	buf_fini(&plain);
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

static void
an_end_without_close_notify_is_told(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(0);
	struct profile *sp = server_profile(CLIENT_CERT_OFF);
	struct pair p;
	struct buf plain;
	struct err err = {0};

	pair_init(&p, WIRE);
	buf_init(&plain, 1000);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_open(&p);
	CHECK(buf_put(&plain, SPAN("half a mess")));
	CHECK_INT(tls_write(p.client, &plain), 11);
	tls_wire_ended(p.server);
	CHECK_INT(tls_read(p.server, &plain), 11);
	CHECK_INT(tls_advance(p.server, &err), TLS_FAILED);
	CHECK_INT(err.code, ERR_TLS_TRUNCATED);
	struct tls_facts f;
	tls_facts(p.server, &f);
	CHECK_INT(f.alert_sent, TLS_NO_ALERT);
	buf_fini(&plain);
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

static void
alerts_are_named_on_both_sides(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(TLS_1_2);
	struct profile *sp = pair_profile(
		(struct profile_spec){.role = PROFILE_SERVER, .min_version = TLS_1_3});
	struct pair p;
	struct tls_facts f;

	pair_init(&p, WIRE);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_run(&p);
	CHECK_INT(tls_state(p.client), TLS_FAILED);
	CHECK_INT(tls_state(p.server), TLS_FAILED);
	tls_facts(p.server, &f);
	CHECK_STR(tls_alert_name(f.alert_sent), "protocol_version");
	tls_facts(p.client, &f);
	CHECK_STR(tls_alert_name(f.alert_received), "protocol_version");
	CHECK_INT(p.client_err.code, ERR_TLS_ALERT);
	CHECK_INT(p.server_err.code, ERR_TLS_HANDSHAKE);
	CHECK(span_find(span_str(p.client_err.text), SPAN("protocol_version")) <
		strlen(p.client_err.text));
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

static void
a_flipped_bit_in_a_record_is_found(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(0);
	struct profile *sp = server_profile(CLIENT_CERT_OFF);
	struct pair p;
	struct buf plain;
	struct err err = {0};

	pair_init(&p, WIRE);
	buf_init(&plain, 1000);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_open(&p);
	CHECK(buf_put(&plain, SPAN("ping")));
	CHECK_INT(tls_write(p.client, &plain), 4);
	p.up.mem[p.up.tail - 1] ^= 1;
	CHECK_INT(tls_read(p.server, &plain), 0);
	CHECK_INT(tls_advance(p.server, &err), TLS_FAILED);
	CHECK_INT(err.code, ERR_TLS_RECORD);
	buf_fini(&plain);
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

/* ---- client certificates ---- */

static size_t
chain_length(const struct tls *t)
{
	struct chain chain;
	struct err err = {0};

	chain_init(&chain);
	CHECK_OK(tls_peer_chain(t, &chain, &err), &err);
	size_t n = chain.n;
	chain_fini(&chain);
	return n;
}

static void
a_client_certificate_is_handed_out_and_decides_nothing(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct identity *mine = pair_identity(KEY_RSA2048);

	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct profile *cp = client_profile(versions[v]);
		struct profile *sp = server_profile(CLIENT_CERT_ASK);
		for (int with = 0; with < 2; with++) {
			struct pair p;
			pair_init(&p, WIRE);
			pair_client(&p,
				(struct tls_client_spec){
					.profile = cp, .identity = with ? mine : NULL});
			pair_server(&p,
				(struct tls_server_spec){
					.profile = sp, .identity = id});
			pair_open(&p);
			CHECK_INT(tls_has_peer(p.server), with);
			CHECK_INT(chain_length(p.server), with);
			CHECK_INT(chain_length(p.client), 1);
			pair_talk(&p);
			pair_fini(&p);
		}
		profile_put(cp);
		profile_put(sp);
	}
	identity_put(id);
	identity_put(mine);
}

static void
a_required_client_certificate_must_be_there(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(TLS_1_2);
	struct profile *sp = server_profile(CLIENT_CERT_REQUIRE);
	struct pair p;
	struct tls_facts f;

	pair_init(&p, WIRE);
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_run(&p);
	CHECK_INT(tls_state(p.server), TLS_FAILED);
	tls_facts(p.server, &f);
	CHECK(f.alert_sent == 40 || f.alert_sent == 116);
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

/* ---- identities ---- */

static void
an_identity_may_come_later(void)
{
	struct identity *id = pair_identity(KEY_P256);

	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct profile *cp = client_profile(versions[v]);
		struct profile *sp = server_profile(CLIENT_CERT_OFF);
		struct pair p;
		pair_init(&p, WIRE);
		pair_client(&p, (struct tls_client_spec){.profile = cp});
		pair_server(&p, (struct tls_server_spec){.profile = sp});
		pair_run(&p);
		CHECK_INT(tls_state(p.server), TLS_WANTS_IDENTITY);
		CHECK_INT(tls_advance(p.server, &p.server_err), TLS_WANTS_IDENTITY);
		CHECK_OK(tls_present(p.server, id, NULL, &p.server_err), &p.server_err);
		pair_open(&p);
		pair_talk(&p);
		pair_fini(&p);
		profile_put(cp);
		profile_put(sp);
	}
	identity_put(id);
}

static void
the_client_chooses_between_two_identities(void)
{
	struct identity *ec = pair_identity(KEY_P256);
	struct identity *rsa = pair_identity(KEY_RSA2048);
	struct profile *sp = server_profile(CLIENT_CERT_OFF);
	static const char *const ciphers[] = {
		"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"};

	for (size_t i = 0; i < COUNT_OF(ciphers); i++) {
		struct profile *cp =
			pair_profile((struct profile_spec){.role = PROFILE_CLIENT,
				.max_version = TLS_1_2,
				.ciphers = ciphers[i]});
		struct pair p;
		struct tls_facts f;
		pair_init(&p, WIRE);
		pair_client(&p, (struct tls_client_spec){.profile = cp});
		pair_server(&p,
			(struct tls_server_spec){
				.profile = sp, .identity = ec, .second = rsa});
		pair_open(&p);
		tls_facts(p.client, &f);
		CHECK_STR(f.cipher, ciphers[i]);
		pair_fini(&p);
		profile_put(cp);
	}
	identity_put(ec);
	identity_put(rsa);
	profile_put(sp);
}

static void
a_staple_reaches_the_client(void)
{
	struct identity *id = pair_identity(KEY_P256);

	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct profile *cp = client_profile(versions[v]);
		struct profile *sp = server_profile(CLIENT_CERT_OFF);
		struct pair p;
		pair_init(&p, WIRE);
		pair_client(&p, (struct tls_client_spec){.profile = cp});
		pair_server(&p,
			(struct tls_server_spec){.profile = sp,
				.identity = id,
				.staple = SPAN("an OCSP response")});
		pair_open(&p);
		CHECK_SPAN(tls_peer_staple(p.client), "an OCSP response");
		pair_fini(&p);
		profile_put(cp);
		profile_put(sp);
	}
	identity_put(id);
}

static void
a_plaintext_alert_is_one_record(void)
{
	struct buf b;

	buf_init(&b, 7);
	CHECK(tls_put_alert(&b, TLS_ALERT_DECODE_ERROR));
	CHECK_SPAN(buf_peek(&b), "\x15\3\3\0\2\2\x32");
	CHECK(!tls_put_alert(&b, TLS_ALERT_DECODE_ERROR));
	buf_fini(&b);
}

static void
garbage_fails_cleanly(void)
{
	struct identity *id = pair_identity(KEY_P256);
	struct profile *cp = client_profile(0);
	struct profile *sp = server_profile(CLIENT_CERT_OFF);
	struct pair p;

	pair_init(&p, WIRE);
	CHECK(buf_put(&p.up, SPAN("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")));
	CHECK(buf_put(&p.down, SPAN("HTTP/1.1 400 Bad Request\r\n\r\n")));
	pair_server(&p, (struct tls_server_spec){.profile = sp, .identity = id});
	pair_client(&p, (struct tls_client_spec){.profile = cp});
	CHECK_INT(tls_advance(p.server, &p.server_err), TLS_FAILED);
	CHECK_INT(p.server_err.code, ERR_TLS_HANDSHAKE);
	CHECK_INT(tls_advance(p.client, &p.client_err), TLS_FAILED);
	CHECK_INT(p.client_err.code, ERR_TLS_HANDSHAKE);
	CHECK(tls_end(p.client));
	pair_fini(&p);
	identity_put(id);
	profile_put(cp);
	profile_put(sp);
}

TESTS(both_versions_open_and_talk_with_every_key, alpn_is_what_the_server_was_told,
	a_wire_of_one_octet_at_a_time_is_enough,
	a_stream_that_ends_anywhere_in_the_handshake_is_truncated,
	nothing_is_read_or_written_before_the_verdict,
	small_bufs_slow_everything_and_break_nothing, an_idle_engine_keeps_no_block,
	a_reader_that_stops_stops_the_writer, records_begin_small_and_grow,
	close_notify_goes_both_ways, an_end_without_close_notify_is_told,
	alerts_are_named_on_both_sides, a_flipped_bit_in_a_record_is_found,
	a_client_certificate_is_handed_out_and_decides_nothing,
	a_required_client_certificate_must_be_there, an_identity_may_come_later,
	the_client_chooses_between_two_identities, a_staple_reaches_the_client,
	a_plaintext_alert_is_one_record, garbage_fails_cleanly)
