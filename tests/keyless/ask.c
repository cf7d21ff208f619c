// SPDX-License-Identifier: Apache-2.0
#include "keyless/ask.h"

#include "base/clock.h"
#include "base/mem.h"
#include "tests/keyless/vectors.h"

struct asker {
	struct ask ask;
	int done;
	char got[16];
};

static void
count_done(struct ask *a)
{
	struct asker *me = CONTAINER_OF(a, struct asker, ask);

	me->done++;
	if (a->ok && a->answer.n < sizeof(me->got))
		CHECK(span_copy(me->got, sizeof(me->got), a->answer));
}

struct end {
	struct buf in;
	struct buf out;
	struct ask_link link;
};

static void
end_open(struct end *e, size_t out_limit, size_t max)
{
	clock_fake(1000, 0);
	buf_init(&e->in, WIRE_MESSAGE_MAX);
	buf_init(&e->out, out_limit);
	ask_link_init(&e->link, &e->in, &e->out, max);
}

static void
end_close(struct end *e)
{
	ask_link_fini(&e->link);
	buf_fini(&e->in);
	buf_fini(&e->out);
	clock_real();
}

static void
ask_for(struct end *e, struct asker *a)
{
	struct err err = {0};

	a->ask.want =
		(struct wire_msg){.op = WIRE_ECDSA_SHA256, .payload = SPAN("hash")};
	a->ask.done = count_done;
	CHECK_OK(ask_send(&e->link, &a->ask, &err), &err);
}

static void
say(struct end *e, uint32_t id, uint8_t op, struct span payload)
{
	struct wire_msg m = {.id = id, .op = op, .payload = payload};

	CHECK(wire_write(&e->in, &m, true));
}

static void
answers_find_their_askers_in_any_order(void)
{
	struct end e;
	struct asker a[3] = {0};
	struct err err = {0};

	end_open(&e, 1 << 16, 8);
	for (size_t i = 0; i < 3; i++)
		ask_for(&e, &a[i]);
	say(&e, a[2].ask.want.id, WIRE_RESPONSE, SPAN("third"));
	say(&e, a[0].ask.want.id, WIRE_RESPONSE, SPAN("first"));
	say(&e, a[1].ask.want.id, WIRE_ERROR, SPAN("\2"));
	CHECK_OK(ask_link_advance(&e.link, &err), &err);
	CHECK_STR(a[0].got, "first");
	CHECK_STR(a[2].got, "third");
	CHECK(!a[1].ask.ok);
	CHECK_INT(a[1].ask.refusal, WIRE_NO_KEY);
	CHECK_INT(a[1].ask.err.code, ERR_KEYLESS_REFUSED);
	CHECK_INT(a[0].done + a[1].done + a[2].done, 3);
	CHECK_INT(e.link.n, 0);
	end_close(&e);
}

static void
a_late_answer_finds_nothing(void)
{
	struct end e;
	struct asker a = {0};
	struct asker b = {0};
	struct err err = {0};

	end_open(&e, 1 << 16, 8);
	ask_for(&e, &a);
	uint32_t old = a.ask.want.id;
	ask_cancel(&a.ask);
	ask_cancel(&a.ask);
	ask_for(&e, &b); /* has the same slot */
	CHECK(b.ask.want.id != old);
	say(&e, old, WIRE_RESPONSE, SPAN("for a"));
	say(&e, 0xdeadbeef, WIRE_RESPONSE, SPAN("for nobody"));
	CHECK_OK(ask_link_advance(&e.link, &err), &err);
	CHECK_INT(a.done, 0);
	CHECK_INT(b.done, 0);
	CHECK_INT(e.link.strays, 2);
	say(&e, b.ask.want.id, WIRE_RESPONSE, SPAN("for b"));
	say(&e, b.ask.want.id, WIRE_RESPONSE, SPAN("twice"));
	CHECK_OK(ask_link_advance(&e.link, &err), &err);
	CHECK_STR(b.got, "for b");
	CHECK_INT(b.done, 1);
	end_close(&e);
}

static void
deadlines_end_the_oldest_first(void)
{
	struct end e;
	struct asker a = {0};
	struct asker b = {0};

	end_open(&e, 1 << 16, 8);
	ask_for(&e, &a);
	clock_fake(1500, 0);
	ask_for(&e, &b);
	CHECK_INT(ask_link_expire(&e.link, 2999), 3000);
	CHECK_INT(a.done, 0);
	CHECK_INT(ask_link_expire(&e.link, 3000), 3500);
	CHECK_INT(a.done, 1);
	CHECK_INT(a.ask.err.code, ERR_KEYLESS_LATE);
	CHECK_INT(b.done, 0);
	CHECK(ask_link_expire(&e.link, 3500) == UINT64_MAX);
	CHECK_INT(b.done, 1);
	end_close(&e);
}

static void
a_broken_link_answers_everybody_and_takes_no_more(void)
{
	struct end e;
	struct asker a[5] = {0};
	struct asker late = {.ask.done = count_done};
	struct err err = {0};

	end_open(&e, 2100, 8); /* two fit into out, three wait */
	for (size_t i = 0; i < 5; i++)
		ask_for(&e, &a[i]);
	CHECK_INT(buf_len(&e.out), 2048);
	CHECK(buf_put(&e.in, SPAN("\1\0\0\3\0\0\0\0\x11\0\5")));
	CHECK(!ask_link_advance(&e.link, &err));
	CHECK_INT(err.code, ERR_KEYLESS_WIRE);
	for (size_t i = 0; i < 5; i++) {
		CHECK_INT(a[i].done, 1);
		CHECK_INT(a[i].ask.err.code, ERR_KEYLESS_WIRE);
	}
	CHECK(!ask_send(&e.link, &late.ask, &err));
	CHECK_INT(err.code, ERR_KEYLESS_BROKEN);
	CHECK_INT(late.done, 0);
	end_close(&e);
}

static void
what_does_not_fit_goes_out_later(void)
{
	struct end e;
	struct asker a[3] = {0};
	struct err err = {0};

	end_open(&e, 1500, 3);
	for (size_t i = 0; i < 3; i++)
		ask_for(&e, &a[i]);
	CHECK_INT(buf_len(&e.out), 1024);
	buf_drop(&e.out, 1024);
	CHECK_OK(ask_link_advance(&e.link, &err), &err);
	CHECK_INT(buf_len(&e.out), 1024);
	buf_drop(&e.out, 1024);
	ask_cancel(&a[2].ask);
	CHECK_OK(ask_link_advance(&e.link, &err), &err);
	CHECK_INT(buf_len(&e.out), 0);
	end_close(&e);
}

static void
too_many_are_refused_at_once(void)
{
	struct end e;
	struct asker a[3] = {0};
	struct err err = {0};

	end_open(&e, 1 << 16, 2);
	ask_for(&e, &a[0]);
	ask_for(&e, &a[1]);
	a[2].ask.done = count_done;
	CHECK(!ask_send(&e.link, &a[2].ask, &err));
	CHECK_INT(err.code, ERR_KEYLESS_BUSY);
	end_close(&e);
	CHECK_INT(a[2].done, 0);
	CHECK_INT(a[0].done, 1);
}

static void
an_answer_that_is_a_request_ends_the_link(void)
{
	static const uint8_t wrong[] = {WIRE_PING, WIRE_PONG, WIRE_NO_OP, WIRE_MINT};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct end e;
		struct asker a = {0};
		struct err err = {0};

		end_open(&e, 1 << 16, 2);
		ask_for(&e, &a);
		say(&e, a.ask.want.id, wrong[i], SPAN("x"));
		CHECK(!ask_link_advance(&e.link, &err));
		CHECK_INT(a.done, 1);
		CHECK(!a.ask.ok);
		end_close(&e);
	}
}

/* 10,000 wait; half give up; the rest are answered backwards. */
static void
ten_thousand_wait_on_one_link(void)
{
	enum { N = 10000 };
	struct end e;
	struct asker *a = mem_array(N, sizeof(*a));
	struct err err = {0};

	end_open(&e, 1 << 16, N);
	for (size_t i = 0; i < N; i++)
		ask_for(&e, &a[i]);
	for (size_t i = 0; i < N; i += 2)
		ask_cancel(&a[i].ask);
	for (size_t i = N; i-- > 0;) {
		buf_drop(&e.out, buf_len(&e.out));
		say(&e, a[i].ask.want.id, WIRE_RESPONSE, SPAN("x"));
		CHECK_OK(ask_link_advance(&e.link, &err), &err);
	}
	for (size_t i = 0; i < N; i++)
		CHECK_INT(a[i].done, i % 2);
	CHECK_INT(e.link.strays, N / 2);
	end_close(&e);
	mem_free(a);
}

static void
free_and_ask_again(struct ask *a)
{
	struct asker *me = CONTAINER_OF(a, struct asker, ask);
	struct ask_link *l = me->got[0] == 'x' ? NULL : a->link;

	CHECK(!l);
	mem_free(me);
}

static void
the_asker_may_be_gone_when_done_returns(void)
{
	struct end e;
	struct err err = {0};

	end_open(&e, 1 << 16, 4);
	for (size_t i = 0; i < 3; i++) {
		struct asker *a = mem_alloc(sizeof(*a));

		ask_for(&e, a);
		a->ask.done = free_and_ask_again;
		if (i == 0)
			say(&e, a->ask.want.id, WIRE_RESPONSE, SPAN("x"));
		if (i == 1)
			say(&e, a->ask.want.id, WIRE_ERROR, SPAN("\1"));
	}
	CHECK_OK(ask_link_advance(&e.link, &err), &err);
	end_close(&e); /* the third */
}

/* The client's half of the recorded exchanges: what was asked, and what the reference
 * answered; the outcome is what its octets say. */
static void
play_recorded(const struct vector *v)
{
	struct end e;
	struct asker a = {.ask.done = count_done};
	struct err err = {0};

	end_open(&e, WIRE_MESSAGE_MAX, 4);
	CHECK(wire_read_body(
		span_from(span_of(v->req, v->n_req), WIRE_HEAD), &a.ask.want));
	CHECK_OK(ask_send(&e.link, &a.ask, &err), &err);
	const struct wire_msg answer = {.id = a.ask.want.id,
		.op = v->op,
		.payload = span_of(v->payload, v->n_payload)};
	CHECK(wire_write(&e.in, &answer, true));
	if (v->fixed)
		CHECK_INT(buf_len(&e.in), v->total);
	CHECK_OK(ask_link_advance(&e.link, &err), &err);
	CHECK_INT(a.done, 1);
	CHECK_INT(a.ask.ok, v->op != WIRE_ERROR);
	if (v->op == WIRE_ERROR)
		CHECK_INT(a.ask.refusal, v->payload[0]);
	end_close(&e);
}

static void
every_recorded_answer_finds_its_asker(void)
{
	struct vectors vs;
	struct vector v;
	size_t n = 0;

	vectors_open(&vs);
	while (vectors_next(&vs, &v)) {
		if (!v.items)
			continue; /* there the reference closes */
		play_recorded(&v);
		n++;
	}
	CHECK_INT(vs.n, 40);
	CHECK_INT(n, 37);
	vectors_close(&vs);
}

TESTS(answers_find_their_askers_in_any_order, a_late_answer_finds_nothing,
	deadlines_end_the_oldest_first,
	a_broken_link_answers_everybody_and_takes_no_more,
	what_does_not_fit_goes_out_later, too_many_are_refused_at_once,
	an_answer_that_is_a_request_ends_the_link, ten_thousand_wait_on_one_link,
	the_asker_may_be_gone_when_done_returns, every_recorded_answer_finds_its_asker)
