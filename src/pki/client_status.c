// SPDX-License-Identifier: Apache-2.0
#include "pki/client_status.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/read.h"

enum { VERSION = 1 };

bool
client_status_key(struct span serial, uint8_t dst[CLIENT_STATUS_SERIAL])
{
	if (serial.n > 0 && (serial.p[0] & 0x80))
		return false;
	while (serial.n > CLIENT_STATUS_SERIAL && serial.p[0] == 0)
		serial = span_from(serial, 1);
	if (serial.n == 0 || serial.n > CLIENT_STATUS_SERIAL)
		return false;
	memset(dst, 0, CLIENT_STATUS_SERIAL);
	memcpy(dst + CLIENT_STATUS_SERIAL - serial.n, serial.p, serial.n);
	return true;
}

static int
compare_rows(const void *a, const void *b)
{
	const struct client_status_row *x = a;
	const struct client_status_row *y = b;
	return memcmp(x->serial, y->serial, CLIENT_STATUS_SERIAL);
}

static bool
has_twins(const struct client_status_row *rows, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (compare_rows(&rows[i - 1], &rows[i]) == 0)
			return true;
	}
	return false;
}

static void
put_row(struct write *w, const struct client_status_row *r)
{
	static const uint8_t zero[6] = {0};

	write_span(w, span_of(r->serial, CLIENT_STATUS_SERIAL));
	write_be64(w, (uint64_t)r->revoked_at); /* after 1970 */
	write_be(w, (uint32_t)r->state, 1);
	write_be(w, r->reason, 1);
	write_span(w, span_of(zero, sizeof zero));
}

bool
client_status_write(struct client_status_row *rows, size_t n, int64_t now,
	struct span *out, struct err *err)
{
	if (n > CLIENT_STATUS_MOST)
		return err_set(err, ERR_PKI_REGISTER, "%zu certificates", n);
	if (n > 0)
		qsort(rows, n, sizeof *rows, compare_rows);
	if (has_twins(rows, n))
		return err_set(err, ERR_PKI_REGISTER, "two with one serial number");
	size_t cap = CLIENT_STATUS_HEAD + n * CLIENT_STATUS_ROW;
	uint8_t *mem = mem_alloc(cap);
	struct write w = write_to(mem, cap);
	write_span(&w, SPAN("SKCS"));
	write_be(&w, VERSION, 1);
	write_be(&w, 0, 3);
	write_be(&w, (uint32_t)n, 4); /* at most CLIENT_STATUS_MOST */
	write_be64(&w, (uint64_t)now);
	for (size_t i = 0; i < n; i++)
		put_row(&w, &rows[i]);
	*out = write_done(&w);
	return true;
}

bool
client_status_read(struct span file, struct client_status *out, struct err *err)
{
	struct read r = read_from(file);
	bool ours = span_eq(read_bytes(&r, 4), SPAN("SKCS")) &&
		read_be(&r, 1) == VERSION && read_be(&r, 3) == 0;
	uint32_t n = read_be(&r, 4);
	uint64_t made = read_be64(&r);

	if (!ours || r.bad || n > CLIENT_STATUS_MOST ||
		r.left.n != (size_t)n * CLIENT_STATUS_ROW || made > INT64_MAX) {
		return err_set(err, ERR_PKI_REGISTER,
			"%zu octets that are no list of certificates", file.n);
	}
	*out = (struct client_status){.rows = r.left, .made = (int64_t)made};
	return true;
}

static int
compare_to_row(const void *key, const void *row)
{
	return memcmp(key, row, CLIENT_STATUS_SERIAL);
}

bool
client_status_find(const struct client_status *s, struct span serial,
	struct client_status_row *row)
{
	uint8_t key[CLIENT_STATUS_SERIAL];

	if (!client_status_key(serial, key) || s->rows.n == 0)
		return false;
	const uint8_t *at = bsearch(key, s->rows.p, s->rows.n / CLIENT_STATUS_ROW,
		CLIENT_STATUS_ROW, compare_to_row);
	if (!at)
		return false;
	struct read r = read_from(span_of(at, CLIENT_STATUS_ROW));
	memcpy(row->serial, at, CLIENT_STATUS_SERIAL);
	(void)read_bytes(&r, CLIENT_STATUS_SERIAL);
	row->revoked_at = (int64_t)(read_be64(&r) & INT64_MAX);
	row->state = read_be(&r, 1) == 0 ? CLIENT_GOOD : CLIENT_REVOKED;
	row->reason = (uint8_t)read_be(&r, 1); /* one octet */
	return true;
}
