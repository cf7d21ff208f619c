// SPDX-License-Identifier: Apache-2.0
/*
 * The order of refusals, so that nothing is learnt that need not be: opcode unknown
 * (5), opcode that only answers have (6), opcode not in the client's mask (5), then the
 * key (2 for all of: none named, not there, not for this client), then the rate and the
 * length of the lines (8), then what the key itself says (1).
 */
#include "keyless/answer.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

enum {
	LINE_MAX_DEFAULT = 8192,
	LINK_MAX_DEFAULT = 1024,
	DEADLINE_US_DEFAULT = 5 * 1000 * 1000,
	ANSWER_DEFAULT = KEYS_RESULT_MAX, /* payload: a signature by RSA-8192 */
	CHEAP_RUN = 16,  /* cheap calls between two dear ones, while both wait */
	CLOCK_EVERY = 8, /* calls between two looks at the clock */
};

void
answer_door_init(struct answer_door *d, struct keys *keys)
{
	*d = (struct answer_door){.keys = keys,
		.line_max = LINE_MAX_DEFAULT,
		.link_max = LINK_MAX_DEFAULT,
		.deadline_us = DEADLINE_US_DEFAULT,
		.padded = true};
	list_init(&d->cheap.calls);
	list_init(&d->dear.calls);
}

static void
drop_line(struct answer_queue *line)
{
	LIST_EACH (it, &line->calls) {
		struct answer_call *c = CONTAINER_OF(it, struct answer_call, queued);

		must(!c->link); /* links are gone before their door */
		list_leave(&c->queued);
		mem_free(c);
	}
	line->n = 0;
}

void
answer_door_fini(struct answer_door *d)
{
	drop_line(&d->cheap);
	drop_line(&d->dear);
}

void
answer_link_init(struct answer_link *l, struct answer_door *d,
	struct answer_client *client, struct buf *in, struct buf *out)
{
	*l = (struct answer_link){.door = d,
		.client = client,
		.in = in,
		.out = out,
		.reader.body_max = WIRE_BODY_MAX};
	if (in->limit < WIRE_MESSAGE_MAX)
		l->reader.body_max = in->limit - WIRE_HEAD;
	list_init(&l->calls);
}

/* Calls in the lines stay there without a link, and are dropped when their turn comes.
 */
void
answer_link_fini(struct answer_link *l)
{
	LIST_EACH (it, &l->calls) {
		struct answer_call *c = CONTAINER_OF(it, struct answer_call, of_link);

		list_leave(&c->of_link);
		c->link = NULL;
	}
	l->n_calls = 0;
	l->reserved = 0;
}

/* ---- answering ---- */

static void
tell(struct answer_link *l)
{
	if (l->wrote)
		l->wrote(l);
}

/* Room was reserved, or looked at just before. */
static void
put_message(struct answer_link *l, const struct wire_msg *m)
{
	must(wire_write(l->out, m, l->door->padded));
	tell(l);
}

static void
put_error(struct answer_link *l, uint32_t id, enum wire_error code)
{
	uint8_t octet = (uint8_t)code;

	put_message(l,
		&(struct wire_msg){.id = id, .op = WIRE_ERROR, .payload = {&octet, 1}});
}

static void
audit(struct answer_call *c, enum wire_error result)
{
	struct answer_door *d = c->door;
	uint64_t now = clock_us();
	uint64_t began = c->began_us ? c->began_us : now;
	struct answer_audit a = {.call = c,
		.result = result,
		.waited_us = began - c->since_us,
		.took_us = now - c->since_us};

	if (d->audited)
		d->audited(d, &a);
}

static void
end_call(struct answer_call *c, const struct wire_msg *m, enum wire_error result)
{
	struct answer_link *l = c->link;

	audit(c, result);
	if (l) {
		list_leave(&c->of_link);
		l->n_calls--;
		l->reserved -= c->room;
		put_message(l, m);
	}
	mem_free(c);
}

void
answer_refuse(struct answer_call *c, enum wire_error code)
{
	uint8_t octet = (uint8_t)code;
	struct wire_msg m = {.id = c->req.id, .op = WIRE_ERROR, .payload = {&octet, 1}};

	end_call(c, &m, code);
}

void
answer_reply(struct answer_call *c, struct span payload)
{
	struct wire_msg m = {.id = c->req.id, .op = WIRE_RESPONSE, .payload = payload};
	size_t size = wire_size(&m, c->door->padded);

	if (size == 0 || size > c->room) {
		answer_refuse(c, WIRE_INTERNAL);
	} else {
		end_call(c, &m, WIRE_OK);
	}
}

/* ---- may it? ---- */

static const struct answer_op *
find_op(const struct answer_door *d, uint8_t op)
{
	for (size_t i = 0; i < d->n_ops; i++) {
		if (d->ops[i].op == op)
			return &d->ops[i];
	}
	return NULL;
}

static enum wire_error
check_op(const struct answer_link *l, uint8_t op)
{
	const struct wire_op_row *row = wire_op_find(op);

	if (op == WIRE_RESPONSE || op == WIRE_PONG || op == WIRE_ERROR)
		return WIRE_UNEXPECTED_OP;
	if (!row || !wire_mask_has(&l->client->mask, op))
		return WIRE_BAD_OP;
	if (row->key != WIRE_KEY_NONE || op == WIRE_PING || find_op(l->door, op))
		return WIRE_OK;
	/* The reference's answers for a sealer and for functions it does not have. */
	return op == WIRE_SEAL || op == WIRE_UNSEAL ? WIRE_INTERNAL : WIRE_BAD_OP;
}

static bool
may_use_key(const struct answer_client *c, struct span ski)
{
	size_t low = 0;
	size_t high = c->n_skis;

	if (c->n_skis == 0)
		return true;
	if (ski.n != WIRE_SKI)
		return false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = memcmp(c->skis + mid * WIRE_SKI, ski.p, WIRE_SKI);

		if (order == 0)
			return true;
		if (order < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return false;
}

static bool
may_use_name(const struct answer_client *c, struct span name)
{
	if (c->n_names == 0)
		return true;
	for (size_t i = 0; i < c->n_names; i++) {
		struct span rule = span_str(c->names[i]);
		size_t n = rule.n;

		if (span_starts(rule, SPAN(".")) && name.n > n &&
			span_eq_nocase(span_from(name, name.n - n), rule))
			return true;
		if (span_eq_nocase(name, rule))
			return true;
	}
	return false;
}

/* A bucket of one second's worth, shared by the client's connections. */
static bool
take_token(struct answer_client *c)
{
	uint64_t now = clock_now();
	uint64_t full = (uint64_t)c->per_second * 1000;

	if (c->per_second == 0)
		return true;
	if (c->tokens_at_ms == 0 || now - c->tokens_at_ms >= 1000) {
		c->tokens_milli = full;
	} else {
		c->tokens_milli += (now - c->tokens_at_ms) * c->per_second;
	}
	c->tokens_at_ms = now;
	if (c->tokens_milli > full)
		c->tokens_milli = full;
	if (c->tokens_milli < 1000)
		return false;
	c->tokens_milli -= 1000;
	return true;
}

static struct keys_entry *
find_entry(struct answer_door *d, const struct wire_msg *req)
{
	const struct keys *k = d->store ? d->store(d, req) : d->keys;

	return k ? keys_find(k, req) : NULL;
}

/* What can be said about an operation on a key before it waits for its turn. */
static enum wire_error
check_key(const struct answer_link *l, const struct wire_msg *req)
{
	struct answer_door *d = l->door;
	struct span ski = req->ski;

	if (!d->pass_on) {
		const struct keys_entry *e = find_entry(d, req);

		if (!e)
			return WIRE_NO_KEY;
		ski = span_of(e->ski, WIRE_SKI);
	}
	if (!may_use_key(l->client, ski) || !may_use_name(l->client, req->name))
		return WIRE_NO_KEY;
	return take_token(l->client) ? WIRE_OK : WIRE_INTERNAL;
}

/* ---- requests in ---- */

static struct span
keep(uint8_t **at, struct span s)
{
	struct span kept = {*at, s.n};

	if (s.n == 0)
		return (struct span){0};
	memcpy(*at, s.p, s.n); /* make_call() counted the same spans */
	*at += s.n;
	return kept;
}

static struct answer_call *
make_call(struct answer_link *l, const struct wire_msg *m)
{
	size_t n = m->ski.n + m->digest.n + m->name.n + m->cert_id.n + m->payload.n +
		m->function.n + m->extra.n + m->trace.n + m->context.n; /* one body's */
	struct answer_call *c = mem_alloc(sizeof(*c) + n);
	uint8_t *at = c->bytes;

	c->link = l;
	c->door = l->door;
	c->req = *m;
	c->req.ski = keep(&at, m->ski);
	c->req.digest = keep(&at, m->digest);
	c->req.name = keep(&at, m->name);
	c->req.cert_id = keep(&at, m->cert_id);
	c->req.payload = keep(&at, m->payload);
	c->req.function = keep(&at, m->function);
	c->req.extra = keep(&at, m->extra);
	c->req.trace = keep(&at, m->trace);
	c->req.context = keep(&at, m->context);
	c->since_us = clock_us();
	list_init(&c->queued);
	list_push(&l->calls, &c->of_link);
	l->n_calls++;
	return c;
}

static bool
is_dear(const struct answer_call *c)
{
	const struct wire_op_row *row = wire_op_find(c->req.op);

	return c->op ? c->op->dear : row && row->key == WIRE_KEY_RSA;
}

static void
admit(struct answer_link *l, const struct wire_msg *m, size_t room)
{
	struct answer_door *d = l->door;
	const struct wire_op_row *row = wire_op_find(m->op);
	struct answer_call *c = make_call(l, m);
	enum wire_error code = check_op(l, m->op);

	c->room = room;
	l->reserved += room;
	if (code == WIRE_OK)
		c->op = find_op(d, m->op);
	if (code == WIRE_OK && !c->op && row && row->key != WIRE_KEY_NONE)
		code = check_key(l, m);
	struct answer_queue *line = is_dear(c) ? &d->dear : &d->cheap;
	if (code == WIRE_OK && line->n >= d->line_max)
		code = WIRE_INTERNAL;
	if (code != WIRE_OK) {
		answer_refuse(c, code);
		return;
	}
	list_push(&line->calls, &c->queued);
	line->n++;
}

/* Octets of out the answer to this request may need. */
static size_t
room_for(const struct answer_link *l, const struct wire_msg *m)
{
	const struct answer_op *op = find_op(l->door, m->op);
	struct wire_msg most = {.op = WIRE_RESPONSE, .payload.n = ANSWER_DEFAULT};

	if (m->op == WIRE_PING) {
		most.payload.n = m->payload.n;
	} else if (op && op->answer_max > 0) {
		most.payload.n = op->answer_max;
	}
	return wire_size(&most, true);
}

static bool
has_room(const struct answer_link *l, size_t room)
{
	return buf_room(l->out) >= l->reserved + room;
}

/* Pings overtake everything: they are answered where they are read. */
static void
take_request(struct answer_link *l, const struct wire_msg *m, size_t room)
{
	l->requests++;
	if (m->op == WIRE_PING && wire_mask_has(&l->client->mask, WIRE_PING)) {
		put_message(l,
			&(struct wire_msg){
				.id = m->id, .op = WIRE_PONG, .payload = m->payload});
	} else {
		admit(l, m, room);
	}
}

/* One message; false when there is none, or no room for what it leads to. */
static bool
take_message(struct answer_link *l)
{
	struct wire_msg m = {0};
	size_t used = 0;
	enum wire_got got = wire_read(&l->reader, l->in, &m, &used);

	if (got == WIRE_WANTS_MORE)
		return false;
	if (got == WIRE_ALIEN) {
		put_error(l, m.id, WIRE_VERSION);
		return true;
	}
	if (got == WIRE_BROKEN) {
		put_error(l, m.id, WIRE_MALFORMED);
		l->ending = true;
		return false;
	}
	size_t room = room_for(l, &m);
	if (room == 0 || room > l->out->limit) {
		put_error(l, m.id, WIRE_INTERNAL); /* could never be said */
	} else if (has_room(l, room)) {
		take_request(l, &m, room);
	} else {
		return false;
	}
	buf_drop(l->in, used);
	return true;
}

bool
answer_link_advance(struct answer_link *l)
{
	while (!l->ending && l->n_calls < l->door->link_max &&
		has_room(l, WIRE_PAD_TO)) {
		if (!take_message(l))
			break;
	}
	return !l->ending;
}

/* ---- calls out ---- */

static void
perform(struct answer_call *c)
{
	uint8_t out[KEYS_RESULT_MAX];
	size_t n = 0;

	/* Looked up anew: a reload may have taken the key away meanwhile. */
	c->entry = find_entry(c->door, &c->req);
	if (!c->entry) {
		answer_refuse(c, WIRE_NO_KEY);
		return;
	}
	enum wire_error code =
		keys_perform(c->entry, c->req.op, c->req.payload, out, &n);
	if (code == WIRE_OK) {
		answer_reply(c, span_of(out, n));
	} else {
		answer_refuse(c, code);
	}
	secret_wipe(out, n);
}

static void
run_call(struct answer_door *d, struct answer_call *c)
{
	c->began_us = clock_us();
	if (!c->link) {
		mem_free(c); /* nobody waits */
		return;
	}
	if (d->deadline_us > 0 && c->began_us - c->since_us > d->deadline_us) {
		answer_refuse(c, WIRE_INTERNAL);
		return;
	}
	if (c->op) {
		c->op->run(c);
	} else if (d->pass_on) {
		d->pass_on(c);
	} else {
		perform(c);
	}
}

static struct answer_call *
next_call(struct answer_door *d)
{
	bool dear = d->cheap.n == 0 || (d->dear.n > 0 && d->run >= CHEAP_RUN);
	struct answer_queue *line = dear ? &d->dear : &d->cheap;

	if (line->n == 0)
		return NULL;
	d->run = dear ? 0 : d->run + 1;
	struct answer_call *c =
		CONTAINER_OF(list_first(&line->calls), struct answer_call, queued);
	list_leave(&c->queued);
	line->n--;
	return c;
}

bool
answer_door_serve(struct answer_door *d, uint64_t budget_us)
{
	uint64_t until = clock_us() + budget_us;
	unsigned n = 0;

	for (struct answer_call *c = next_call(d); c; c = next_call(d)) {
		bool dear = is_dear(c);

		run_call(d, c);
		if ((dear || ++n % CLOCK_EVERY == 0) && clock_us() >= until)
			break;
	}
	return d->cheap.n + d->dear.n > 0;
}
