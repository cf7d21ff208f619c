// SPDX-License-Identifier: Apache-2.0
/*
 * client_register_publish: what others may know of the register, written beside it.
 */
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/client_register_priv.h"

enum { PATH_ROOM = 1024, SERIAL_OCTETS = 20 };

struct published {
	struct client_status_row *rows; /* owned */
	size_t n;
	size_t cap;
	struct client_revoked *revoked; /* owned */
	size_t n_revoked;
	size_t cap_revoked;
	uint8_t (*serials)[SERIAL_OCTETS]; /* owned; of revoked, beside it */
	size_t cap_serials;
};

static void
fini(struct published *p)
{
	mem_free(p->rows);
	mem_free(p->revoked);
	mem_free(p->serials);
}

static void
add_revoked(
	struct published *p, struct span serial, const struct client_status_row *row)
{
	p->revoked = mem_grow(
		p->revoked, &p->cap_revoked, p->n_revoked + 1, sizeof *p->revoked);
	p->serials = mem_grow(
		p->serials, &p->cap_serials, p->n_revoked + 1, sizeof *p->serials);
	memcpy(p->serials[p->n_revoked], serial.p, serial.n); /* at most 20 */
	p->revoked[p->n_revoked++] = (struct client_revoked){.serial = {NULL, serial.n},
		.at = row->revoked_at,
		.reason = row->reason};
}

static bool
add_row(struct published *p, sqlite3_stmt *q)
{
	uint8_t octets[SERIAL_OCTETS];
	size_t n = 0;
	struct client_status_row row = {
		.state = sqlite3_column_int(q, 1) == 0 ? CLIENT_GOOD : CLIENT_REVOKED,
		.reason = (uint8_t)(sqlite3_column_int(q, 2) & 0xff),
		.revoked_at = sqlite3_column_int64(q, 3),
	};

	if (!text_unhex(span_str((const char *)sqlite3_column_text(q, 0)), octets,
		    sizeof octets, &n))
		return false;
	/* Numbers of ours fit; of an imported authority's some are too long for a row,
	 * and only the list tells of those. */
	if (client_status_key(span_of(octets, n), row.serial)) {
		p->rows = mem_grow(p->rows, &p->cap, p->n + 1, sizeof *p->rows);
		p->rows[p->n++] = row;
	}
	if (row.state == CLIENT_REVOKED)
		add_revoked(p, span_of(octets, n), &row);
	return true;
}

/* Certificates that have ended leave the list: RFC 5280 §3.3 asks for one more list
 * with them, a day is many. */
static bool
collect(struct client_register *r, struct published *p, struct err *err)
{
	sqlite3_stmt *q = client_register_query(r,
		"SELECT serial,state,reason,revoked_at FROM certificate"
		" WHERE not_after>=?");
	bool ok = q != NULL;

	sqlite3_bind_int64(q, 1, clock_wall() - 86400);
	while (ok && sqlite3_step(q) == SQLITE_ROW)
		ok = add_row(p, q);
	ok = sqlite3_finalize(q) == SQLITE_OK && ok;
	for (size_t i = 0; i < p->n_revoked; i++)
		p->revoked[i].serial.p = p->serials[i];
	return ok || err_set(err, ERR_PKI_REGISTER, "a record cannot be read");
}

static bool
save(struct client_register *r, const char *file, struct span data, struct err *err)
{
	char path[PATH_ROOM];

	return client_ca_path(path, r->dir, file, err) &&
		file_replace(path, data, 0644, err);
}

static bool
save_status(struct client_register *r, struct published *p, struct err *err)
{
	struct span file = {0};

	if (!client_status_write(p->rows, p->n, clock_wall(), &file, err))
		return false;
	bool ok = save(r, "clients.status", file, err);
	mem_free((void *)(uintptr_t)file.p);
	return ok;
}

/* One more than the last list's. */
static bool
next_number(struct client_register *r, uint64_t *number, struct err *err)
{
	char text[24];
	struct arena a;

	arena_init(&a, 4096);
	struct span last = client_register_get(r, "crl-number", &a);
	bool ok = last.n == 0 || text_u64(last, INT64_MAX - 1, number);
	arena_fini(&a);
	if (!ok)
		return err_set(err, ERR_PKI_REGISTER, "the number of the list");
	size_t n =
		text_format(text, sizeof(text), "%llu", (unsigned long long)++*number);
	return client_register_set(r, "crl-number", span_of(text, n), err);
}

static bool
save_list(struct client_register *r, const struct client_ca *ca,
	const struct published *p, struct err *err)
{
	struct client_crl_plan plan = {
		.revoked = p->revoked, .n_revoked = p->n_revoked, .now = clock_wall()};
	struct span der = {0};

	if (!next_number(r, &plan.number, err) || !client_ca_crl(ca, &plan, &der, err))
		return false;
	bool ok = save(r, "clients.crl", der, err);
	mem_free((void *)(uintptr_t)der.p);
	return ok;
}

bool
client_register_publish(struct client_register *r, const struct client_ca *ca,
	bool with_list, struct err *err)
{
	struct published p = {0};
	/* The list first: whoever reads only one of the two reads what revokes. */
	bool ok = collect(r, &p, err) && (!with_list || save_list(r, ca, &p, err)) &&
		save_status(r, &p, err);

	fini(&p);
	return ok;
}
