// SPDX-License-Identifier: Apache-2.0
#include "pki/client_status.h"

#include <string.h>

#include "base/mem.h"
#include "tests/test.h"

static struct span
write_three(void)
{
	struct client_status_row rows[3] = {
		{.serial = {[0] = 0x70},
			.state = CLIENT_REVOKED,
			.reason = 1,
			.revoked_at = 99},
		{.serial = {[15] = 5}},
		{.serial = {[0] = 0x40, [15] = 1}},
	};
	struct span out = {0};
	struct err err = {0};

	CHECK_OK(client_status_write(rows, 3, 1000, &out, &err), &err);
	return out;
}

static void
what_was_written_is_found(void)
{
	static const uint8_t revoked[16] = {0x70};
	static const uint8_t good[17] = {0, 0x40, [16] = 1};
	static const uint8_t never[16] = {0x41};
	struct span file = write_three();
	struct client_status s;
	struct client_status_row row;
	struct err err = {0};

	CHECK_OK(client_status_read(file, &s, &err), &err);
	CHECK_INT(s.made, 1000);
	CHECK(client_status_find(&s, span_of(revoked, 16), &row));
	CHECK(row.state == CLIENT_REVOKED && row.reason == 1 && row.revoked_at == 99);
	CHECK(client_status_find(&s, span_of(good, 17), &row)); /* a leading zero */
	CHECK_INT(row.state, CLIENT_GOOD);
	CHECK(client_status_find(&s, SPAN("\x05"), &row));
	CHECK(!client_status_find(&s, span_of(never, 16), &row));
	CHECK(!client_status_find(&s, (struct span){0}, &row));
	CHECK(!client_status_find(&s, SPAN("\xf0"), &row));              /* negative */
	CHECK(!client_status_find(&s, SPAN("12345678901234567"), &row)); /* too long */
	mem_free((void *)(uintptr_t)file.p);
}

static void
nothing_issued_is_a_list_too(void)
{
	struct span file = {0};
	struct client_status s;
	struct client_status_row row;
	struct err err = {0};

	CHECK_OK(client_status_write(NULL, 0, 1, &file, &err), &err);
	CHECK_OK(client_status_read(file, &s, &err), &err);
	CHECK(!client_status_find(&s, SPAN("\x01"), &row));
	mem_free((void *)(uintptr_t)file.p);
}

static void
one_number_twice_is_refused(void)
{
	struct client_status_row rows[2] = {{.serial = {1}}, {.serial = {1}}};
	struct span out = {0};
	struct err err = {0};

	CHECK(!client_status_write(rows, 2, 1, &out, &err));
	CHECK_INT(err.code, ERR_PKI_REGISTER);
}

static void
every_truncation_and_every_addition_is_refused(void)
{
	struct span file = write_three();
	uint8_t *longer = mem_alloc(file.n + 1);
	struct client_status s;
	struct err err = {0};

	for (size_t n = 0; n < file.n; n++)
		CHECK(!client_status_read(span_first(file, n), &s, &err));
	memcpy(longer, file.p, file.n);
	CHECK(!client_status_read(span_of(longer, file.n + 1), &s, &err));
	longer[4] = 2; /* a version we do not know */
	CHECK(!client_status_read(span_of(longer, file.n), &s, &err));
	mem_free(longer);
	mem_free((void *)(uintptr_t)file.p);
}

TESTS(what_was_written_is_found, nothing_issued_is_a_list_too,
	one_number_twice_is_refused, every_truncation_and_every_addition_is_refused)
