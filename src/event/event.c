// SPDX-License-Identifier: Apache-2.0
/*
 * A record, as it is built and as it travels (integers big-endian):
 *
 *	size:4  kind:1  time:8  { field:1  payload }…
 *
 * The payload is by the field's type: STR length:2 and octets; INT and ID 8; FLAG none;
 * IP length:1 (4 or 16) and octets.
 */
#include "event/event.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/read.h"
#include "base/text.h"

enum {
	HEAD = 4 + 1 + 8,
	S = 1 << EVENT_KIND_SESSION,
	R = 1 << EVENT_KIND_REQUEST,
	D = 1 << EVENT_KIND_DNS,
	K = 1 << EVENT_KIND_KEY,
	A = 1 << EVENT_KIND_ADMIN,
	ID_COUNTED = 23, /* bits */
};

static const int64_t id_epoch_ms = 1577836800000; /* 2020-01-01 */

struct row {
	const char *name;
	const char *help;
	uint8_t type;
	uint8_t kinds;
};

static const struct row rows[] = {
#define EVENT(name, text, type, kinds, help) {text, help, EVENT_TYPE_##type, kinds},
#include "event/event_list.h"
#undef EVENT
};

_Static_assert(
	COUNT_OF(rows) == EVENT_FIELDS && EVENT_FIELDS <= 255, "a field is an octet");

static const char *const kind_names[EVENT_KINDS] = {
	"session", "request", "dns", "key", "admin"};

/* --- building --- */

static void
put_be(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = n; i > 0; i--, v >>= 8)
		p[i - 1] = (uint8_t)(v & 0xff);
}

static uint64_t
get_be64(const uint8_t *p)
{
	uint64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

void
event_begin(struct event *e, enum event_kind kind, int64_t wall_ms)
{
	e->n = HEAD;
	e->cut = false;
	memset(e->has, 0, sizeof(e->has));
	memset(e->redacted, 0, sizeof(e->redacted));
	e->bytes[4] = (uint8_t)kind; /* below EVENT_KINDS */
	put_be(e->bytes, HEAD, 4);
	put_be(e->bytes + 5, (uint64_t)wall_ms, 8);
}

void
event_init(struct event *e, enum event_kind kind)
{
	event_begin(e, kind, clock_wall_ms());
}

void
event_time(struct event *e, int64_t wall_ms)
{
	put_be(e->bytes + 5, (uint64_t)wall_ms, 8);
}

void
event_redact(struct event *e, enum event_field f)
{
	e->redacted[f / 8] |= (uint8_t)(1 << f % 8);
}

bool
event_has(const struct event *e, enum event_field f)
{
	return (e->has[f / 8] >> f % 8 & 1) != 0;
}

/* Set already, or redacted by a rule. */
static bool
is_closed(const struct event *e, enum event_field f)
{
	return ((e->has[f / 8] | e->redacted[f / 8]) >> f % 8 & 1) != 0;
}

/* Room for a field with n octets of payload, or NULL when it must not or cannot be. */
static uint8_t *
open_field(struct event *e, enum event_field f, enum event_type type, size_t n)
{
	must(rows[f].type == type);
	if (is_closed(e, f))
		return NULL;
	if (n + 1 > EVENT_BYTES - e->n) {
		e->cut = true;
		return NULL;
	}
	uint8_t *p = e->bytes + e->n;
	*p = (uint8_t)f; /* below 256 */
	e->has[f / 8] |= (uint8_t)(1 << f % 8);
	e->n += (uint32_t)(n + 1); /* at most EVENT_BYTES */
	put_be(e->bytes, e->n, 4);
	return p + 1;
}

/* At most limit octets of s, whole UTF-8 characters. */
static size_t
cut_length(struct span s, size_t limit)
{
	size_t n = limit;
	while (n > 0 && n + 4 > limit && (s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

void
event_str(struct event *e, enum event_field f, struct span s)
{
	static const struct span mark = SPAN_INIT("…");
	size_t room = EVENT_BYTES - e->n;
	size_t limit = room < EVENT_STR_LIMIT + 3 ? (room < 16 ? 0 : room - 3)
						  : EVENT_STR_LIMIT;
	bool cut = s.n > limit;
	size_t n = cut && limit > 0 ? cut_length(s, limit - mark.n) : s.n;

	if (s.n == 0 || is_closed(e, f))
		return;
	e->cut = e->cut || cut;
	if (limit == 0)
		return;
	uint8_t *p = open_field(e, f, EVENT_TYPE_STR, 2 + n + (cut ? mark.n : 0));
	if (!p)
		return;
	put_be(p, n + (cut ? mark.n : 0), 2);
	memcpy(p + 2, s.p, n);
	if (cut)
		memcpy(p + 2 + n, mark.p, mark.n);
}

void
event_cstr(struct event *e, enum event_field f, const char *s)
{
	event_str(e, f, span_str(s));
}

void
event_int(struct event *e, enum event_field f, int64_t v)
{
	uint8_t *p = open_field(e, f, EVENT_TYPE_INT, 8);
	if (p)
		put_be(p, (uint64_t)v, 8);
}

void
event_id(struct event *e, enum event_field f, uint64_t id)
{
	uint8_t *p = id == 0 ? NULL : open_field(e, f, EVENT_TYPE_ID, 8);
	if (p)
		put_be(p, id, 8);
}

void
event_flag(struct event *e, enum event_field f, bool v)
{
	if (v)
		(void)open_field(e, f, EVENT_TYPE_FLAG, 0);
}

void
event_ip(struct event *e, enum event_field f, const struct ip *ip)
{
	size_t n = ip_size(ip);
	uint8_t *p = n == 0 ? NULL : open_field(e, f, EVENT_TYPE_IP, 1 + n);
	if (!p)
		return;
	p[0] = (uint8_t)n; /* 4 or 16 */
	memcpy(p + 1, ip->bytes, n);
}

void
event_err(struct event *e, const struct err *err)
{
	if (err->code == ERR_NONE)
		return;
	event_cstr(e, EVENT_ERR, err_id(err->code));
	event_cstr(e, EVENT_ERR_TEXT, err->text);
}

struct span
event_bytes(const struct event *e)
{
	return span_of(e->bytes, e->n);
}

/* --- ids --- */

uint64_t
event_id_new(void)
{
	/* One counter per process: a worker is single-threaded and born by fork. */
	static uint32_t counter;
	static bool started;

	if (!started)
		secret_random(&counter, sizeof(counter));
	started = true;
	counter++;
	uint64_t ms = (uint64_t)(clock_wall_ms() - id_epoch_ms) & 0xffffffffff;
	uint64_t id = ms << ID_COUNTED | (counter & ((1u << ID_COUNTED) - 1));
	return id == 0 ? 1 : id;
}

const char *
event_id_text(char dst[EVENT_ID_TEXT], uint64_t id)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 16; i > 0; i--, id >>= 4)
		dst[i - 1] = digits[id & 15];
	dst[16] = 0;
	return dst;
}

bool
event_id_parse(struct span s, uint64_t *id)
{
	uint64_t v = 0;
	if (s.n != 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int digit = ascii_hex(s.p[i]);
		if (digit < 0)
			return false;
		v = v << 4 | (uint64_t)digit;
	}
	*id = v;
	return true;
}

int64_t
event_id_time(uint64_t id)
{
	return (int64_t)(id >> ID_COUNTED) + id_epoch_ms;
}

/* --- tables --- */

const char *
event_field_name(enum event_field f)
{
	return rows[f].name;
}

const char *
event_field_help(enum event_field f)
{
	return rows[f].help;
}

enum event_type
event_field_type(enum event_field f)
{
	return rows[f].type;
}

bool
event_field_in(enum event_field f, enum event_kind kind)
{
	return (rows[f].kinds >> kind & 1) != 0;
}

enum event_field
event_field_find(struct span name)
{
	size_t i = 0;
	while (i < EVENT_FIELDS && !span_eq(name, span_str(rows[i].name)))
		i++;
	return (enum event_field)i;
}

const char *
event_kind_name(enum event_kind k)
{
	return kind_names[k];
}

enum event_kind
event_kind_find(struct span name)
{
	size_t i = 0;
	while (i < EVENT_KINDS && !span_eq(name, span_str(kind_names[i])))
		i++;
	return (enum event_kind)i;
}

/* --- reading --- */

/* The length of a string or address in `left`, and where it begins; false when it does
 * not fit. Inlined by hand, as the whole of reading is: the scribe does it for all. */
static bool
take(struct span *left, size_t head, struct span *out)
{
	if (left->n < head)
		return false;
	size_t n = head == 2 ? (size_t)left->p[0] << 8 | left->p[1]
		: head == 1  ? left->p[0]
			     : 8;
	head = head == 8 ? 0 : head;
	if (left->n - head < n)
		return false;
	*out = (struct span){left->p + head, n};
	*left = (struct span){left->p + head + n, left->n - head - n};
	return true;
}

static bool
read_field(struct span *left, struct event_view *out)
{
	uint8_t f = left->p[0];
	struct span s;

	if (f >= EVENT_FIELDS || out->v[f].set)
		return false;
	*left = (struct span){left->p + 1, left->n - 1};
	struct event_value *v = &out->v[f];
	v->set = true;
	out->has[f / 64] |= (uint64_t)1 << f % 64;
	switch ((enum event_type)rows[f].type) {
	case EVENT_TYPE_STR:
		return take(left, 2, &v->s);
	case EVENT_TYPE_INT:
	case EVENT_TYPE_ID:
		if (!take(left, 8, &s))
			return false;
		v->i = (int64_t)get_be64(s.p);
		return true;
	case EVENT_TYPE_FLAG:
		v->i = 1;
		return true;
	case EVENT_TYPE_IP:
		return take(left, 1, &s) && ip_from_bytes(s, &v->ip);
	}
	return false;
}

bool
event_read(struct span *s, struct event_view *out, struct err *err)
{
	struct read head = read_from(*s);
	uint32_t size = read_be(&head, 4);
	uint32_t kind = read_be(&head, 1);
	int64_t time = (int64_t)read_be64(&head);

	if (head.bad || size < HEAD || size > EVENT_BYTES || size > s->n)
		return err_set(err, ERR_EVENT_RECORD, "size %u of %zu", size, s->n);

	struct span left = span_slice(*s, HEAD, size);
	memset(out, 0, sizeof(*out));
	bool ok = kind < EVENT_KINDS;
	while (ok && left.n > 0)
		ok = read_field(&left, out);
	if (!ok)
		return err_set(err, ERR_EVENT_RECORD, "kind %u, %u octets", kind, size);
	out->kind = (enum event_kind)kind;
	out->time = time;
	out->raw = span_first(*s, size);
	*s = span_from(*s, size);
	return true;
}

size_t
event_next(const struct event_view *e, size_t from)
{
	for (size_t i = from / 64; i < EVENT_WORDS; i++) {
		uint64_t left = e->has[i];
		if (i == from / 64)
			left &= UINT64_MAX << from % 64;
		if (left != 0)
			return i * 64 + (size_t)__builtin_ctzll(left);
	}
	return EVENT_FIELDS;
}

void
event_json(struct json_out *j, const struct event_view *e)
{
	char text[CLOCK_TEXT + IP_TEXT]; /* for whichever it is */

	json_object(j, NULL);
	json_str(j, "time", clock_text(text, e->time));
	json_str(j, "kind", kind_names[e->kind]);
	for (size_t f = 0; (f = event_next(e, f)) < EVENT_FIELDS; f++) {
		const struct event_value *v = &e->v[f];
		switch ((enum event_type)rows[f].type) {
		case EVENT_TYPE_STR:
			json_span(j, rows[f].name, v->s);
			break;
		case EVENT_TYPE_INT:
			json_int(j, rows[f].name, v->i);
			break;
		case EVENT_TYPE_FLAG:
			json_bool(j, rows[f].name, v->i != 0);
			break;
		case EVENT_TYPE_IP:
			json_str(j, rows[f].name, ip_text(text, &v->ip));
			break;
		case EVENT_TYPE_ID:
			json_str(j, rows[f].name, event_id_text(text, (uint64_t)v->i));
			break;
		}
	}
	json_end(j);
}
