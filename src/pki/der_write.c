// SPDX-License-Identifier: Apache-2.0
#include "pki/der_write.h"

#include <time.h>

#include "base/text.h"

struct der_write
der_write_to(void *mem, size_t cap)
{
	return (struct der_write){.mem = mem, .at = cap, .cap = cap};
}

struct span
der_written(const struct der_write *w)
{
	if (w->bad)
		return (struct span){0};
	return (struct span){w->mem + w->at, w->cap - w->at};
}

void
der_put(struct der_write *w, struct span s)
{
	if (w->bad || s.n > w->at) {
		w->bad = true;
		return;
	}
	w->at -= s.n;
	for (size_t i = 0; i < s.n; i++)
		w->mem[w->at + i] = s.p[i];
}

void
der_put_octet(struct der_write *w, uint8_t octet)
{
	der_put(w, (struct span){&octet, 1});
}

size_t
der_mark(const struct der_write *w)
{
	return w->at;
}

void
der_wrap(struct der_write *w, unsigned tag, size_t mark)
{
	size_t n = mark - w->at;

	if (n < 0x80) {
		der_put_octet(w, (uint8_t)n);
	} else {
		uint8_t octets = 0;
		for (size_t rest = n; rest > 0; rest >>= 8, octets++)
			der_put_octet(w, (uint8_t)(rest & 0xff));
		der_put_octet(w, (uint8_t)(0x80 | octets));
	}
	der_put_octet(w, (uint8_t)(tag & 0xff));
}

void
der_element(struct der_write *w, unsigned tag, struct span contents)
{
	size_t mark = der_mark(w);
	der_put(w, contents);
	der_wrap(w, tag, mark);
}

void
der_put_time(struct der_write *w, int64_t wall)
{
	char buf[32];
	struct text t = text_to(buf, sizeof buf);
	struct tm tm = {0};
	time_t when = (time_t)wall;

	(void)gmtime_r(&when, &tm);
	bool is_utc = tm.tm_year >= 50 && tm.tm_year < 150;
	if (is_utc) {
		text_add(&t, "%02d", tm.tm_year % 100);
	} else {
		text_add(&t, "%04d", tm.tm_year + 1900);
	}
	text_add(&t, "%02d%02d%02d%02d%02dZ", tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		tm.tm_min, tm.tm_sec);
	der_element(w, is_utc ? DER_UTC_TIME : DER_GENERAL_TIME, text_span(&t));
}
