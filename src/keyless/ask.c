// SPDX-License-Identifier: Apache-2.0
/*
 * An identifier is slot and generation: the slot finds the ask without a search, the
 * generation tells an answer for the one who has the slot now from an answer for one
 * who had it before.
 */
#include "keyless/ask.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

enum {
	DEFAULT_TIMEOUT_MS = 2000,
	SLOTS_AT_FIRST = 16,
};

void
ask_link_init(struct ask_link *l, struct buf *in, struct buf *out, size_t max)
{
	must(max > 0 && max <= ASK_SLOTS_MAX); /* a constant or a checked setting */
	*l = (struct ask_link){.in = in,
		.out = out,
		.max = max,
		.reader.body_max = WIRE_BODY_MAX,
		.free_slot = ASK_SLOTS_MAX,
		.timeout_ms = DEFAULT_TIMEOUT_MS,
		.padded = true};
	list_init(&l->waiting);
	list_init(&l->sent);
}

void
ask_link_fini(struct ask_link *l)
{
	struct err err = {0};

	(void)err_set(&err, ERR_KEYLESS_BROKEN, "the connection was closed");
	ask_link_break(l, &err);
	mem_free(l->slots);
	l->slots = NULL;
	l->n_slots = 0;
}

/* ---- slots ---- */

static void
grow_slots(struct ask_link *l)
{
	size_t old = l->n_slots;
	size_t n = old ? old * 2 : SLOTS_AT_FIRST;

	l->slots = mem_resize(l->slots, n * sizeof(*l->slots)); /* n <= 2 * 65536 */
	for (size_t i = n; i-- > old;) {
		l->slots[i] = (struct ask_slot){.next_free = l->free_slot};
		l->free_slot = (uint32_t)i;
	}
	l->n_slots = n;
}

static void
take_slot(struct ask_link *l, struct ask *a)
{
	if (l->free_slot == ASK_SLOTS_MAX)
		grow_slots(l);

	struct ask_slot *slot = &l->slots[l->free_slot];

	a->slot = l->free_slot;
	a->want.id = (uint32_t)slot->generation << 16 | a->slot;
	l->free_slot = slot->next_free;
	slot->ask = a;
	l->n++;
}

static void
give_slot(struct ask_link *l, struct ask *a)
{
	struct ask_slot *slot = &l->slots[a->slot];

	must(slot->ask == a); /* set in take_slot(), cleared only here */
	slot->ask = NULL;
	slot->generation++;
	slot->next_free = l->free_slot;
	l->free_slot = a->slot;
	l->n--;
}

static struct ask *
find_ask(const struct ask_link *l, uint32_t id)
{
	size_t i = id & 0xffff;

	if (i >= l->n_slots || !l->slots[i].ask || l->slots[i].generation != id >> 16)
		return NULL;
	return l->slots[i].ask;
}

/* ---- ends ---- */

void
ask_cancel(struct ask *a)
{
	struct ask_link *l = a->link;

	if (a->job)
		a->cancelled(a);
	if (!l)
		return;
	list_leave(&a->by_age);
	give_slot(l, a);
	a->link = NULL;
}

/* The last thing done with a: its owner may free it. */
static void
fail(struct ask *a, const struct err *why)
{
	ask_cancel(a);
	a->ok = false;
	a->answer = (struct span){0};
	a->err = *why;
	a->done(a);
}

void
ask_link_break(struct ask_link *l, const struct err *why)
{
	l->broken = true; /* so that nothing is sent anew from inside done() */
	while (!list_empty(&l->sent))
		fail(CONTAINER_OF(list_first(&l->sent), struct ask, by_age), why);
	while (!list_empty(&l->waiting))
		fail(CONTAINER_OF(list_first(&l->waiting), struct ask, by_age), why);
}

/* Those of one list that are due; both lists are in the order of sending. */
static uint64_t
expire_list(struct list *asks, uint64_t now_ms, const struct err *why)
{
	while (!list_empty(asks)) {
		struct ask *a = CONTAINER_OF(list_first(asks), struct ask, by_age);

		if (a->due_ms > now_ms)
			return a->due_ms;
		fail(a, why);
	}
	return UINT64_MAX;
}

uint64_t
ask_link_expire(struct ask_link *l, uint64_t now_ms)
{
	struct err err = {0};

	(void)err_set(&err, ERR_KEYLESS_LATE, "no answer within %u ms", l->timeout_ms);

	uint64_t sent = expire_list(&l->sent, now_ms, &err);
	uint64_t waiting = expire_list(&l->waiting, now_ms, &err);

	return sent < waiting ? sent : waiting;
}

/* ---- sending ---- */

/* Writes what waits, as far as there is room. */
static void
write_waiting(struct ask_link *l)
{
	while (!list_empty(&l->waiting)) {
		struct ask *a =
			CONTAINER_OF(list_first(&l->waiting), struct ask, by_age);

		if (!wire_write(l->out, &a->want, l->padded))
			return;
		list_leave(&a->by_age);
		list_push(&l->sent, &a->by_age);
	}
}

bool
ask_send(struct ask_link *l, struct ask *a, struct err *err)
{
	must(!a->link && a->done); /* one ask waits in one place */
	if (l->broken)
		return err_set(err, ERR_KEYLESS_BROKEN, "the connection is closed");
	if (l->n >= l->max) {
		return err_set(
			err, ERR_KEYLESS_BUSY, "%zu operations wait already", l->n);
	}

	size_t size = wire_size(&a->want, l->padded);

	if (size == 0 || size > l->out->limit) {
		return err_set(err, ERR_KEYLESS_WIRE,
			"a payload of %zu octets is too long", a->want.payload.n);
	}
	take_slot(l, a);
	a->link = l;
	a->refusal = WIRE_OK;
	a->due_ms = clock_now() + l->timeout_ms;
	a->sent_us = l->measured ? clock_us() : 0;
	list_init(&a->by_age);
	list_push(&l->waiting, &a->by_age);
	write_waiting(l);
	if (!l->advancing && l->wrote)
		l->wrote(l);
	return true;
}

/* ---- answers ---- */

/* Whether this answer can be one to that request. */
static bool
answer_fits(const struct ask *a, const struct wire_msg *m)
{
	switch (m->op) {
	case WIRE_RESPONSE:
		return a->want.op != WIRE_PING;
	case WIRE_PONG:
		return a->want.op == WIRE_PING;
	case WIRE_ERROR:
		return m->payload.n == 1 && m->payload.p[0] != WIRE_OK;
	default: /* requests are not answers */
		return false;
	}
}

static bool
take_answer(struct ask_link *l, const struct wire_msg *m, struct err *err)
{
	struct ask *a = find_ask(l, m->id);

	if (!a) {
		l->strays++;
		return true;
	}
	if (!answer_fits(a, m)) {
		return err_set(err, ERR_KEYLESS_WIRE, "opcode 0x%02x answers a %s",
			m->op, wire_op_name(a->want.op));
	}
	l->answers++;
	if (l->measured)
		l->measured(l, clock_us() - a->sent_us);
	if (m->op == WIRE_ERROR) {
		struct err why = {0};

		a->refusal = m->payload.p[0];
		(void)err_set(&why, ERR_KEYLESS_REFUSED, "the key server said %s",
			wire_error_name(a->refusal));
		fail(a, &why);
		return true;
	}
	ask_cancel(a);
	a->ok = true;
	a->answer = m->payload;
	a->done(a);
	return true;
}

static bool
read_answers(struct ask_link *l, struct err *err)
{
	for (;;) {
		struct wire_msg m = {0};
		size_t used = 0;

		switch (wire_read(&l->reader, l->in, &m, &used)) {
		case WIRE_WANTS_MORE:
			return true;
		case WIRE_ALIEN:
			return err_set(
				err, ERR_KEYLESS_WIRE, "an answer of another version");
		case WIRE_BROKEN:
			return err_set(
				err, ERR_KEYLESS_WIRE, "an answer that is malformed");
		case WIRE_GOT:
			break;
		}
		if (!take_answer(l, &m, err))
			return false;
		if (l->broken) { /* done() may say so, having seen a bad signature */
			return err_set(
				err, ERR_KEYLESS_BROKEN, "the connection was given up");
		}
		buf_drop(l->in, used);
	}
}

bool
ask_link_advance(struct ask_link *l, struct err *err)
{
	struct err why = {0};

	if (l->broken)
		return err_set(err, ERR_KEYLESS_BROKEN, "the connection is closed");
	l->advancing = true;
	bool ok = read_answers(l, &why);
	if (ok)
		write_waiting(l);
	l->advancing = false;
	if (ok)
		return true;
	ask_link_break(l, &why);
	*err = why;
	return false;
}
