// SPDX-License-Identifier: Apache-2.0
#include "pki/client_register.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/revoke.h"
#include "tests/test.h"

struct place {
	char dir[64];
	struct client_ca *ca;
	struct client_register *reg;
	struct arena arena;
};

static void
open_place(struct place *p)
{
	struct err err = {0};

	*p = (struct place){0};
	text_format(p->dir, sizeof(p->dir), "/tmp/sekisho-register-XXXXXX");
	CHECK(mkdtemp(p->dir) != NULL);
	arena_init(&p->arena, 1 << 20);
	CHECK_OK(client_ca_make(p->dir, &(struct client_ca_wish){0}, &err), &err);
	p->ca = client_ca_load(p->dir, true, (struct span){0}, &err);
	p->reg = client_register_open(p->dir, true, &err);
	CHECK_OK(p->ca && p->reg, &err);
}

static void
close_place(struct place *p)
{
	client_register_close(p->reg);
	client_ca_free(p->ca);
	arena_fini(&p->arena);
}

static const char *const serials[] = {"40000000000000000000000000000001",
	"5f000000000000000000000000000002", "7f000000000000000000000000000003"};

static void
add(struct place *p, size_t i, const char *name, int64_t not_after)
{
	const struct client_record c = {.serial = span_str(serials[i]),
		.name = span_str(name),
		.label = SPAN("lab"),
		.subject = SPAN("CN=x"),
		.key = SPAN("EC P-256"),
		.created = 1,
		.not_before = 2,
		.not_after = not_after,
		.der = SPAN("\x30\x00")};
	struct err err = {0};

	CHECK_OK(client_register_begin(p->reg, &err) &&
			client_register_add(p->reg, &c, &err) &&
			client_register_publish(p->reg, p->ca, false, &err) &&
			client_register_commit(p->reg, &err),
		&err);
}

static void
change(struct place *p, size_t i, enum client_state state)
{
	const struct client_change c = {.serial = span_str(serials[i]),
		.state = state,
		.reason = CLIENT_HOLD,
		.at = clock_wall()};
	struct err err = {0};

	CHECK_OK(client_register_begin(p->reg, &err) &&
			client_register_change(p->reg, &c, &err) &&
			client_register_publish(p->reg, p->ca, true, &err) &&
			client_register_commit(p->reg, &err),
		&err);
}

/* What the two published files say of one certificate: bit 0 the list, bit 1 the
 * status.
 */
static unsigned
published(struct place *p, size_t i)
{
	char path[128];
	uint8_t serial[16];
	size_t n = 0;
	unsigned said = 0;
	struct span file = {0};
	struct client_status s;
	struct client_status_row row;
	struct err err = {0};

	CHECK(text_unhex(span_str(serials[i]), serial, sizeof serial, &n));
	text_format(path, sizeof(path), "%s/clients.crl", p->dir);
	CHECK_OK(file_read(path, REVOKE_CRL_MAX, &file, &err), &err);
	if (span_find(file, span_of(serial, n)) < file.n)
		said |= 1;
	mem_free((void *)(uintptr_t)file.p);
	text_format(path, sizeof(path), "%s/clients.status", p->dir);
	CHECK_OK(file_read(path, 1 << 20, &file, &err), &err);
	CHECK_OK(client_status_read(file, &s, &err), &err);
	CHECK(client_status_find(&s, span_of(serial, n), &row));
	if (row.state == CLIENT_REVOKED)
		said |= 2;
	mem_free((void *)(uintptr_t)file.p);
	return said;
}

static void
a_record_is_found_by_number_name_and_label(void)
{
	struct place p;
	struct client_record c;
	struct err err = {0};
	int64_t later = clock_wall() + 1000;

	open_place(&p);
	add(&p, 0, "alice", later);
	CHECK_OK(client_register_find(p.reg, SPAN("alice"), &p.arena, &c, &err), &err);
	CHECK(span_eq(c.serial, span_str(serials[0])) && c.state == CLIENT_GOOD);
	CHECK_OK(client_register_find(p.reg, SPAN("lab"), &p.arena, &c, &err), &err);
	add(&p, 1, "alice", later);
	CHECK(!client_register_find(p.reg, SPAN("alice"), &p.arena, &c, &err));
	CHECK_INT(err.code, ERR_PKI_CLIENT);
	CHECK_OK(client_register_find(p.reg,
			 SPAN("5F:00:00:00:00:00:00:00:00:00:00:00:00:00:00:02"),
			 &p.arena, &c, &err),
		&err);
	CHECK_SPAN(c.der, "\x30\x00");
	CHECK(!client_register_find(p.reg, SPAN("nobody"), &p.arena, &c, &err));
	CHECK(!client_register_find(p.reg, SPAN("al'ice\" OR 1"), &p.arena, &c, &err));
	close_place(&p);
}

static void
a_revocation_is_published_and_taken_back(void)
{
	struct place p;
	struct err err = {0};

	open_place(&p);
	add(&p, 0, "alice", clock_wall() + 1000);
	add(&p, 1, "bob", clock_wall() + 1000);
	change(&p, 1, CLIENT_REVOKED);
	CHECK_INT(published(&p, 0), 0);
	CHECK_INT(published(&p, 1), 3);
	CHECK_SPAN(client_register_get(p.reg, "crl-number", &p.arena), "1");
	change(&p, 1, CLIENT_GOOD);
	CHECK_INT(published(&p, 1), 0);
	CHECK_SPAN(client_register_get(p.reg, "crl-number", &p.arena), "2");
	CHECK(client_register_begin(p.reg, &err));
	CHECK(!client_register_change(p.reg,
		&(struct client_change){.serial = SPAN("00"), .state = CLIENT_REVOKED},
		&err));
	close_place(&p);
}

static void
what_is_not_committed_has_not_been(void)
{
	struct place p;
	struct err err = {0};
	const struct client_record c = {.serial = span_str(serials[2]),
		.name = SPAN("eve"),
		.der = SPAN("\x30\x00")};

	open_place(&p);
	CHECK(client_register_begin(p.reg, &err) &&
		client_register_add(p.reg, &c, &err));
	client_register_close(p.reg);
	p.reg = client_register_open(p.dir, false, &err);
	struct client_rows rows = client_register_all(p.reg);
	struct client_record got;
	CHECK(!client_register_next(&rows, &p.arena, &got));
	CHECK(client_register_begin(p.reg, &err) &&
		client_register_add(p.reg, &c, &err));
	CHECK(!client_register_add(p.reg, &c, &err)); /* a number is given once */
	CHECK_INT(err.code, ERR_PKI_CLIENT);
	close_place(&p);
}

static void
what_a_list_told_of_is_filled_in_once_and_stays_revoked(void)
{
	struct place p;
	struct err err = {0};
	struct client_record c = {
		.serial = span_str(serials[1]), .label = SPAN("imported")};
	const struct client_change taken = {
		.serial = c.serial, .state = CLIENT_REVOKED, .reason = 1, .at = 7};
	struct client_record got;

	open_place(&p);
	CHECK_OK(client_register_begin(p.reg, &err) &&
			client_register_add(p.reg, &c, &err) &&
			client_register_change(p.reg, &taken, &err),
		&err);
	c.name = SPAN("lee");
	c.label = (struct span){0};
	c.der = SPAN("\x30\x00");
	CHECK_OK(client_register_add(p.reg, &c, &err) &&
			client_register_find(p.reg, c.serial, &p.arena, &got, &err),
		&err);
	CHECK_SPAN(got.name, "lee");
	CHECK_SPAN(got.label, "imported");
	CHECK_INT(got.der.n, 2);
	CHECK(got.state == CLIENT_REVOKED && got.reason == 1 && got.revoked_at == 7);
	CHECK(!client_register_add(p.reg, &c, &err));
	CHECK_INT(err.code, ERR_PKI_CLIENT);
	close_place(&p);
}

static void
rows_come_in_order(void)
{
	struct place p;
	struct client_record c;
	size_t n = 0;

	open_place(&p);
	for (size_t i = 0; i < COUNT_OF(serials); i++)
		add(&p, i, "x", clock_wall() + 10);
	struct client_rows rows = client_register_all(p.reg);
	while (client_register_next(&rows, &p.arena, &c))
		CHECK(span_eq(c.serial, span_str(serials[n++])));
	CHECK_INT(n, 3);
	close_place(&p);
}

static void
a_register_that_is_not_there_or_not_ours_is_refused(void)
{
	struct place p;
	char path[128];
	struct err err = {0};

	open_place(&p);
	client_register_close(p.reg);
	p.reg = NULL;
	text_format(path, sizeof(path), "%s/register.db", p.dir);
	CHECK_OK(file_replace(path, SPAN("not a database, not at all"), 0600, &err),
		&err);
	CHECK(client_register_open(p.dir, false, &err) == NULL);
	CHECK_INT(err.code, ERR_PKI_REGISTER);
	CHECK(client_register_open("/nonexistent", false, &err) == NULL);
	close_place(&p);
}

TESTS(a_record_is_found_by_number_name_and_label,
	a_revocation_is_published_and_taken_back, what_is_not_committed_has_not_been,
	what_a_list_told_of_is_filled_in_once_and_stays_revoked, rows_come_in_order,
	a_register_that_is_not_there_or_not_ours_is_refused)
