// SPDX-License-Identifier: Apache-2.0
#include "keyless/wire.h"

#include <string.h>

#include "base/must.h"
#include "base/read.h"

enum { ITEM_HEAD = 3 };

/* ---- reading ---- */

/* An SKI of twenty zero octets means "absent", and so does one of another length. */
static struct span
take_ski(struct span v)
{
	static const uint8_t absent[WIRE_SKI];

	if (v.n != WIRE_SKI || memcmp(v.p, absent, WIRE_SKI) == 0)
		return (struct span){0};
	return v;
}

static bool
take_octet(struct span v, uint8_t *out)
{
	if (v.n != 1)
		return false;
	*out = v.p[0];
	return true;
}

/* The value's place for tags that are any octets, or NULL. */
static struct span *
find_place(uint32_t tag, struct wire_msg *m)
{
	switch (tag) {
	case WIRE_TAG_NAME:
		return &m->name;
	case WIRE_TAG_CERT_ID:
		return &m->cert_id;
	case WIRE_TAG_PAYLOAD:
		return &m->payload;
	case WIRE_TAG_FUNCTION:
		return &m->function;
	case WIRE_TAG_EXTRA:
		return &m->extra;
	case WIRE_TAG_TRACE:
		return &m->trace;
	case WIRE_TAG_CONTEXT:
		return &m->context;
	default: /* has a form of its own, or is unknown */
		return NULL;
	}
}

/* False only where the protocol calls a bad length fatal. */
static bool
take_item(uint32_t tag, struct span v, struct wire_msg *m)
{
	struct span *place = find_place(tag, m);

	if (place) {
		*place = v;
		return true;
	}
	switch (tag) {
	case WIRE_TAG_OP:
		return take_octet(v, &m->op);
	case WIRE_TAG_REGION:
		return take_octet(v, &m->region);
	case WIRE_TAG_CLIENT_IP:
		return ip_from_bytes(v, &m->client_ip);
	case WIRE_TAG_SERVER_IP:
		return ip_from_bytes(v, &m->server_ip);
	case WIRE_TAG_SKI:
		m->ski = take_ski(v);
		return true;
	case WIRE_TAG_DIGEST:
		m->digest = v.n == WIRE_DIGEST ? v : (struct span){0};
		return true;
	default: /* unknown tags and padding carry nothing for us */
		return true;
	}
}

static bool
is_known(uint32_t tag)
{
	return (tag >= WIRE_TAG_DIGEST && tag <= WIRE_TAG_CERT_ID) ||
		(tag >= WIRE_TAG_OP && tag <= WIRE_TAG_REGION) ||
		tag == WIRE_TAG_PADDING;
}

bool
wire_read_body(struct span body, struct wire_msg *msg)
{
	struct wire_msg m = {.id = msg->id};
	struct read r = read_from(body);
	uint64_t seen = 0; /* bit per known tag: all are below 64 */

	/* One or two octets left over at the end are ignored. */
	while (r.left.n >= ITEM_HEAD) {
		uint32_t tag = read_be(&r, 1);
		struct span value = read_vec(&r, 2).left;

		if (r.bad)
			return false;
		if (!is_known(tag))
			continue;
		if (seen & (UINT64_C(1) << tag))
			return false;
		seen |= UINT64_C(1) << tag;
		if (!take_item(tag, value, &m))
			return false;
	}
	*msg = m;
	return true;
}

/* Drops what is there of a body that is not to be read; true when all of it is gone. */
static bool
skip_body(struct wire_reader *r, struct buf *in)
{
	size_t n = buf_len(in);

	if (n > r->skip)
		n = r->skip;
	buf_drop(in, n);
	r->skip -= n;
	return r->skip == 0;
}

enum wire_got
wire_read(struct wire_reader *r, struct buf *in, struct wire_msg *msg, size_t *used)
{
	if (!skip_body(r, in) || buf_len(in) < WIRE_HEAD)
		return WIRE_WANTS_MORE;

	struct read head = read_from(buf_peek(in));
	uint32_t major = read_be(&head, 1);
	(void)read_be(&head, 1); /* minor: ignored */
	size_t n = read_be(&head, 2);
	struct wire_msg m = {.id = read_be(&head, 4)};

	if (major != WIRE_MAJOR) {
		*msg = m;
		buf_drop(in, WIRE_HEAD);
		r->skip = n;
		(void)skip_body(r, in);
		return WIRE_ALIEN;
	}
	if (n > r->body_max) {
		*msg = m;
		return WIRE_BROKEN;
	}
	if (head.left.n < n)
		return WIRE_WANTS_MORE;
	*used = WIRE_HEAD + n;
	bool ok = wire_read_body(read_bytes(&head, n), &m);
	*msg = m;
	return ok ? WIRE_GOT : WIRE_BROKEN;
}

/* ---- writing ---- */

static size_t
item_size(size_t n)
{
	return n > 0 ? ITEM_HEAD + n : 0;
}

/* Header and items without padding, or 0 when the body would be too long. Each value is
 * checked by itself first, so the sum cannot overflow. */
static size_t
bare_size(const struct wire_msg *m)
{
	const size_t sizes[] = {m->payload.n, m->extra.n, m->ski.n, m->digest.n,
		m->name.n, m->cert_id.n, m->function.n, m->trace.n, m->context.n,
		ip_size(&m->client_ip), ip_size(&m->server_ip), m->region ? 1 : 0};
	size_t n = ITEM_HEAD + 1; /* the opcode */

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		if (sizes[i] > WIRE_BODY_MAX)
			return 0;
		n += item_size(sizes[i]);
	}
	return n <= WIRE_BODY_MAX ? WIRE_HEAD + n : 0;
}

/* The reference's rule: the padding item's own head is not counted against the total
 * when it just would not fit, so 1022 becomes 1025. */
static size_t
padded_size(size_t bare)
{
	if (bare >= WIRE_PAD_TO)
		return bare;
	return bare + ITEM_HEAD < WIRE_PAD_TO ? WIRE_PAD_TO : bare + ITEM_HEAD;
}

size_t
wire_size(const struct wire_msg *msg, bool padded)
{
	size_t bare = bare_size(msg);

	return bare > 0 && padded ? padded_size(bare) : bare;
}

static void
write_item(struct write *w, enum wire_tag tag, struct span v)
{
	if (v.n == 0)
		return;
	write_be(w, tag, 1);
	write_be(w, (uint32_t)v.n, 2); /* at most WIRE_BODY_MAX: bare_size() saw it */
	write_span(w, v);
}

static void
write_padding(struct write *w, size_t total)
{
	size_t zeros = total - w->n - ITEM_HEAD;

	write_be(w, WIRE_TAG_PADDING, 1);
	write_be(w, (uint32_t)zeros, 2); /* below WIRE_PAD_TO */
	must(zeros <= w->cap - w->n);    /* the caller reserved `total` */
	memset(w->p + w->n, 0, zeros);
	w->n += zeros;
}

bool
wire_write(struct buf *out, const struct wire_msg *msg, bool padded)
{
	size_t bare = bare_size(msg);
	size_t total = wire_size(msg, padded);
	size_t room = 0;

	if (total == 0 || buf_room(out) < total)
		return false;
	struct write w = write_to(buf_space(out, total, &room), total);
	must(room >= total); /* buf_space() gives what buf_room() promised */

	write_be(&w, WIRE_MAJOR, 1);
	write_be(&w, 0, 1);
	write_be(&w, (uint32_t)(total - WIRE_HEAD), 2); /* at most WIRE_BODY_MAX */
	write_be(&w, msg->id, 4);
	write_item(&w, WIRE_TAG_OP, (struct span){&msg->op, 1});
	write_item(&w, WIRE_TAG_PAYLOAD, msg->payload);
	write_item(&w, WIRE_TAG_EXTRA, msg->extra);
	write_item(&w, WIRE_TAG_SKI, msg->ski);
	write_item(&w, WIRE_TAG_DIGEST, msg->digest);
	write_item(&w, WIRE_TAG_CLIENT_IP,
		span_of(msg->client_ip.bytes, ip_size(&msg->client_ip)));
	write_item(&w, WIRE_TAG_SERVER_IP,
		span_of(msg->server_ip.bytes, ip_size(&msg->server_ip)));
	write_item(&w, WIRE_TAG_NAME, msg->name);
	write_item(&w, WIRE_TAG_CERT_ID, msg->cert_id);
	write_item(&w, WIRE_TAG_FUNCTION, msg->function);
	write_item(&w, WIRE_TAG_TRACE, msg->trace);
	write_item(&w, WIRE_TAG_CONTEXT, msg->context);
	write_item(
		&w, WIRE_TAG_REGION, (struct span){&msg->region, msg->region ? 1 : 0});
	if (total > bare)
		write_padding(&w, total);
	must(!w.bad && w.n == total); /* sizes and items come from one list */
	buf_added(out, total);
	return true;
}
