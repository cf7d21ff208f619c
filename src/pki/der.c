// SPDX-License-Identifier: Apache-2.0
#include "pki/der.h"

#include <time.h>

void
der_refuse(struct read *r)
{
	*r = (struct read){.bad = true};
}

/* X.690 §10.1: definite, and the shortest form. Four octets of length are more than any
 * input of ours has. */
static size_t
read_length(struct read *r)
{
	uint32_t first = read_be(r, 1);

	if (first < 0x80)
		return first;
	size_t octets = first & 0x7f;
	if (octets == 0 || octets > 4) {
		der_refuse(r);
		return 0;
	}
	uint32_t n = read_be(r, octets);
	if (n < 0x80 || (octets > 1 && n >> (8 * (octets - 1)) == 0))
		der_refuse(r);
	return n;
}

struct der
der_any(struct read *r)
{
	const uint8_t *start = r->left.p;
	struct der d = {.tag = read_be(r, 1)};

	if ((d.tag & 0x1f) == 0x1f || d.tag == 0)
		der_refuse(r);
	d.value = read_from(read_bytes(r, read_length(r)));
	if (r->bad)
		return (struct der){.value = {.bad = true}};
	d.whole =
		(struct span){start, (size_t)(d.value.left.p + d.value.left.n - start)};
	return d;
}

bool
der_is(const struct read *r, unsigned tag)
{
	return read_more(r) && r->left.p[0] == tag;
}

struct read
der_take(struct read *r, unsigned tag)
{
	if (!der_is(r, tag)) {
		der_refuse(r);
		return (struct read){.bad = true};
	}
	return der_any(r).value;
}

struct span
der_take_whole(struct read *r, unsigned tag)
{
	if (!der_is(r, tag)) {
		der_refuse(r);
		return (struct span){0};
	}
	return der_any(r).whole;
}

struct span
der_maybe(struct read *r, unsigned tag, bool *present)
{
	*present = der_is(r, tag);
	return *present ? der_any(r).value.left : (struct span){0};
}

bool
der_flag(struct read *r)
{
	if (!der_is(r, DER_BOOLEAN))
		return false;
	struct read v = der_take(r, DER_BOOLEAN);
	uint32_t octet = read_be(&v, 1);
	if (!read_done(&v) || (octet != 0 && octet != 0xff))
		der_refuse(r);
	return octet == 0xff;
}

static bool
is_minimal(struct span i)
{
	if (i.n == 0)
		return false;
	if (i.n == 1)
		return true;
	bool pads_zero = i.p[0] == 0 && (i.p[1] & 0x80) == 0;
	bool pads_ones = i.p[0] == 0xff && (i.p[1] & 0x80) != 0;
	return !pads_zero && !pads_ones;
}

struct span
der_integer(struct read *r)
{
	struct span i = der_take(r, DER_INTEGER).left;

	if (!is_minimal(i))
		der_refuse(r);
	return i;
}

uint32_t
der_count(struct read *r, unsigned tag, uint32_t max)
{
	struct span i = der_take(r, tag).left;
	uint32_t v = 0;

	if (!is_minimal(i) || (i.p[0] & 0x80) != 0 || i.n > 4) {
		der_refuse(r);
		return 0;
	}
	for (size_t k = 0; k < i.n; k++)
		v = v << 8 | i.p[k];
	if (v > max)
		der_refuse(r);
	return v;
}

struct span
der_bits(struct read *r, unsigned *unused)
{
	struct read v = der_take(r, DER_BITS);

	*unused = read_be(&v, 1);
	if (v.bad || *unused > 7 || (v.left.n == 0 && *unused != 0)) {
		der_refuse(r);
		return (struct span){0};
	}
	/* X.690 §11.2.1: padding bits are zero. */
	if (*unused != 0 && (v.left.p[v.left.n - 1] & ((1u << *unused) - 1)) != 0)
		der_refuse(r);
	return v.left;
}

static int
read_digits(struct read *r, size_t n)
{
	struct span s = read_bytes(r, n);
	int v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i])) {
			der_refuse(r);
			return 0;
		}
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

static int
read_year(struct read *t, unsigned tag)
{
	if (tag == DER_GENERAL_TIME)
		return read_digits(t, 4);
	int year = read_digits(t, 2);
	return year >= 50 ? 1900 + year : 2000 + year;
}

int64_t
der_time(struct read *r)
{
	unsigned tag = der_is(r, DER_GENERAL_TIME) ? DER_GENERAL_TIME : DER_UTC_TIME;
	struct read t = der_take(r, tag);
	struct tm tm = {0};

	tm.tm_year = read_year(&t, tag) - 1900;
	tm.tm_mon = read_digits(&t, 2) - 1;
	tm.tm_mday = read_digits(&t, 2);
	tm.tm_hour = read_digits(&t, 2);
	tm.tm_min = read_digits(&t, 2);
	tm.tm_sec = read_digits(&t, 2);
	bool is_utc = span_eq(read_bytes(&t, 1), SPAN("Z"));

	struct tm same = tm;
	int64_t wall = (int64_t)timegm(&same);
	/* timegm() carries 31 February over; a date that moves was no date. */
	bool moved = same.tm_mday != tm.tm_mday || same.tm_mon != tm.tm_mon ||
		same.tm_hour != tm.tm_hour || same.tm_min != tm.tm_min ||
		same.tm_sec != tm.tm_sec;
	if (!is_utc || !read_done(&t) || moved)
		der_refuse(r);
	return wall;
}
