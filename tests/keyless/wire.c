// SPDX-License-Identifier: Apache-2.0
#include "keyless/wire.h"

#include <string.h>

#include "tests/keyless/vectors.h"

static void
fill(struct buf *b, struct span s)
{
	buf_init(b, WIRE_MESSAGE_MAX);
	CHECK(buf_put(b, s));
}

static enum wire_got
read_all(struct span s, struct wire_msg *m)
{
	struct wire_reader r = {.body_max = WIRE_BODY_MAX};
	struct buf b;
	size_t used = 0;

	fill(&b, s);
	enum wire_got got = wire_read(&r, &b, m, &used);
	if (got == WIRE_GOT)
		CHECK_INT(used, s.n);
	buf_fini(&b);
	*m = (struct wire_msg){.id = m->id, .op = m->op}; /* spans died with b */
	return got;
}

/* The reference ignores the major version; the specification does not. */
static enum wire_got
expected(const struct vector *v)
{
	if (v->req[0] != WIRE_MAJOR)
		return WIRE_ALIEN;
	return v->items ? WIRE_GOT : WIRE_BROKEN;
}

static void
every_recorded_request_reads_as_recorded(void)
{
	struct vectors vs;
	struct vector v;

	vectors_open(&vs);
	while (vectors_next(&vs, &v)) {
		struct wire_msg m = {0};
		enum wire_got got = read_all(span_of(v.req, v.n_req), &m);

		if (got != expected(&v))
			fail_msg("%s: got %d", v.name, (int)got);
		if (v.items)
			CHECK_INT(m.id, v.id);
	}
	CHECK_INT(vs.n, 40);
	vectors_close(&vs);
}

/* What we write for the same values is octet for octet what the reference wrote, where
 * the request was the reference's own kind: padded and in its order. */
static void
requests_written_anew_equal_the_recorded_ones(void)
{
	struct vectors vs;
	struct vector v;
	size_t same = 0;

	vectors_open(&vs);
	while (vectors_next(&vs, &v)) {
		struct wire_msg m = {.id = 0};
		struct buf out;

		if (v.n_req < WIRE_PAD_TO || !v.items ||
			strcmp(v.name, "unknown tag 7e is skipped") == 0)
			continue;
		m.id = (uint32_t)v.id;
		CHECK(wire_read_body(
			span_from(span_of(v.req, v.n_req), WIRE_HEAD), &m));
		buf_init(&out, WIRE_MESSAGE_MAX);
		CHECK(wire_write(&out, &m, true));
		if (!span_eq(buf_peek(&out), span_of(v.req, v.n_req)))
			fail_msg("%s differs", v.name);
		buf_fini(&out);
		same++;
	}
	CHECK(same >= 30);
	vectors_close(&vs);
}

static void
recorded_answers_are_what_we_would_write(void)
{
	struct vectors vs;
	struct vector v;

	vectors_open(&vs);
	while (vectors_next(&vs, &v)) {
		struct wire_msg m = {.id = (uint32_t)v.id,
			.op = v.op,
			.payload = span_of(v.payload, v.n_payload)};

		if (v.items && v.fixed)
			CHECK_INT(wire_size(&m, true), v.total);
	}
	vectors_close(&vs);
}

static void
every_item_lands_in_its_place(void)
{
	struct vectors vs;
	struct vector v;
	struct wire_msg m = {0};
	char ip[IP_TEXT];

	vectors_open(&vs);
	do
		CHECK(vectors_next(&vs, &v));
	while (strcmp(v.name, "every request item") != 0);
	CHECK(wire_read_body(span_from(span_of(v.req, v.n_req), WIRE_HEAD), &m));
	CHECK_INT(m.op, WIRE_ECDSA_SHA256);
	CHECK_INT(m.payload.n, 32);
	CHECK_SPAN(m.extra, "\1\2");
	CHECK_INT(m.ski.p[0], 0x82);
	CHECK_STR(ip_text(ip, &m.client_ip), "192.0.2.7");
	CHECK_STR(ip_text(ip, &m.server_ip), "2001:db8::443");
	CHECK_SPAN(m.name, "www.example.test");
	CHECK_SPAN(m.cert_id, "cert-42");
	CHECK_SPAN(m.function, "f");
	CHECK_SPAN(m.trace, "\t");
	CHECK_SPAN(m.context, "{\"request_id\":\"r1\"}");
	CHECK_INT(m.region, 1);
	vectors_close(&vs);
}

// clang-format off
#define HEAD(n, id) "\1\0" "\0" n "\0\0\0" id
#define PING        "\x11\0\1\xf1"
// clang-format on

static void
a_message_in_pieces_waits_for_its_end(void)
{
	struct span whole = SPAN(HEAD("\x0b", "\7") PING "\x12\0\4abcd");

	for (size_t n = 0; n < whole.n; n++) {
		struct wire_msg m = {.id = 99};

		CHECK_INT(read_all(span_first(whole, n), &m), WIRE_WANTS_MORE);
		CHECK_INT(m.id, 99);
	}
	struct wire_msg m = {0};
	CHECK_INT(read_all(whole, &m), WIRE_GOT);
	CHECK_INT(m.op, WIRE_PING);
}

static void
bodies_that_mislead_are_broken_and_name_the_request(void)
{
	static const struct span bad[] = {
		SPAN_INIT(HEAD("\x08", "\7") PING PING), /* twice */
		SPAN_INIT(
			HEAD("\x0a", "\7") PING "\x20\0\0\x20\0\0"), /* padding twice */
		SPAN_INIT(HEAD("\x08", "\7") PING "\x12\0\2a"),      /* past the end */
		SPAN_INIT(HEAD("\x05", "\7") "\x11\0\2\xf1\xf1"),    /* long opcode */
		SPAN_INIT(HEAD("\x03", "\7") "\x11\0\0"),            /* empty opcode */
		SPAN_INIT(HEAD("\x08", "\7") "\3\0\5abcde"),         /* address */
		SPAN_INIT(HEAD("\x03", "\7") "\5\0\0"),              /* no address */
		SPAN_INIT(HEAD("\x05", "\7") "\x17\0\2aa"),          /* region */
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct wire_msg m = {0};

		CHECK_INT(read_all(bad[i], &m), WIRE_BROKEN);
		CHECK_INT(m.id, 7);
	}
}

static void
what_others_may_add_is_passed_over(void)
{
	static const struct span good[] = {
		SPAN_INIT(HEAD(
			"\x0c", "\7") "\x7e\0\1a\x7e\0\1b" PING), /* unknown, twice */
		SPAN_INIT(HEAD("\x06", "\7") PING "\0\0"),        /* two left over */
		SPAN_INIT(HEAD("\x05", "\7") PING "\x12"),        /* one left over */
		SPAN_INIT(HEAD("\x0a", "\7") PING "\4\0\3abc"),   /* short SKI */
		SPAN_INIT("\1\x55\0\4\0\0\0\7" PING),             /* minor version */
	};

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct wire_msg m = {0};

		CHECK_INT(read_all(good[i], &m), WIRE_GOT);
		CHECK_INT(m.id, 7);
		CHECK_INT(m.op, WIRE_PING);
	}
}

static void
an_ski_of_zeros_or_another_length_is_none(void)
{
	struct wire_msg m = {0};

	CHECK(wire_read_body(
		SPAN("\4\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), &m));
	CHECK_INT(m.ski.n, 0);
	CHECK(wire_read_body(
		SPAN("\4\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), &m));
	CHECK_INT(m.ski.n, 20);
	CHECK(wire_read_body(SPAN("\1\0\2ab"), &m));
	CHECK_INT(m.digest.n, 0);
}

static void
another_version_is_skipped_however_it_comes(void)
{
	struct span s = SPAN("\2\0\0\5\0\0\0\x09"
			     "ABCDE" HEAD("\4", "\7") PING);

	for (size_t cut = 1; cut <= s.n; cut++) {
		struct wire_reader r = {.body_max = 4096};
		struct wire_msg m = {0};
		struct buf b;
		size_t used = 0;
		int aliens = 0;
		int pings = 0;

		buf_init(&b, 256);
		for (size_t at = 0; at < s.n; at += cut) {
			CHECK(buf_put(&b, span_slice(s, at, at + cut)));
			enum wire_got got = wire_read(&r, &b, &m, &used);
			while (got != WIRE_WANTS_MORE) {
				CHECK(got == WIRE_ALIEN || got == WIRE_GOT);
				aliens += got == WIRE_ALIEN && m.id == 9;
				pings += got == WIRE_GOT && m.id == 7;
				if (got == WIRE_GOT)
					buf_drop(&b, used);
				got = wire_read(&r, &b, &m, &used);
			}
		}
		CHECK_INT(aliens, 1);
		CHECK_INT(pings, 1);
		buf_fini(&b);
	}
}

static void
a_body_over_the_limit_is_refused_from_its_header(void)
{
	struct wire_reader r = {.body_max = 100};
	struct wire_msg m = {0};
	struct buf b;
	size_t used = 0;

	fill(&b, SPAN("\1\0\0\x65\0\0\0\3"));
	CHECK_INT(wire_read(&r, &b, &m, &used), WIRE_BROKEN);
	CHECK_INT(m.id, 3);
	buf_fini(&b);
}

static void
padding_follows_the_reference_at_its_edges(void)
{
	static const struct {
		size_t payload;
		size_t total;
	} rows[] = {{0, 1024}, {1, 1024}, {1006, 1024}, {1007, 1025}, {1008, 1026},
		{1009, 1024}, {1010, 1025}, {2000, 2015}, {65528, 65543}, {65529, 0},
		{70000, 0}};
	static const uint8_t bytes[70000];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct wire_msg m = {.op = WIRE_RESPONSE,
			.payload = span_of(bytes, rows[i].payload)};
		struct buf out;

		CHECK_INT(wire_size(&m, true), rows[i].total);
		buf_init(&out, WIRE_MESSAGE_MAX);
		CHECK_INT(wire_write(&out, &m, true), rows[i].total > 0);
		CHECK_INT(buf_len(&out), rows[i].total);
		buf_fini(&out);
	}
}

static void
a_message_without_room_adds_nothing(void)
{
	struct wire_msg m = {.op = WIRE_PING};
	struct buf out;

	buf_init(&out, 1030);
	CHECK(wire_write(&out, &m, true));
	CHECK(!wire_write(&out, &m, true));
	CHECK_INT(buf_len(&out), 1024);
	CHECK(!wire_write(&out, &m, false));
	buf_drop(&out, 100);
	CHECK(wire_write(&out, &m, false));
	CHECK_INT(buf_len(&out), 924 + 12);
	buf_fini(&out);
}

TESTS(every_recorded_request_reads_as_recorded,
	requests_written_anew_equal_the_recorded_ones,
	recorded_answers_are_what_we_would_write, every_item_lands_in_its_place,
	a_message_in_pieces_waits_for_its_end,
	bodies_that_mislead_are_broken_and_name_the_request,
	what_others_may_add_is_passed_over, an_ski_of_zeros_or_another_length_is_none,
	another_version_is_skipped_however_it_comes,
	a_body_over_the_limit_is_refused_from_its_header,
	padding_follows_the_reference_at_its_edges, a_message_without_room_adds_nothing)
