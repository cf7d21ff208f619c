// SPDX-License-Identifier: Apache-2.0
#include "proc/renewal_priv.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stats.h"
#include "base/text.h"
#include "pki/authority.h"
#include "tests/test.h"

enum { DAY_S = 86400 };

/* A gateway whose node CA ends in 20 days, with another one beside it. */
static struct {
	char dir[64];
	struct gateway g;
	struct settings s;
	struct renewal r;
	int64_t now;
} h;

static void
begin(struct span passphrase, unsigned from_days)
{
	struct err err = {0};
	const struct authority_wish first = {.node = "first", .node_days = 20};
	const struct authority_wish next = {
		.node = "next", .from_days = from_days, .node_passphrase = passphrase};

	(void)text_format(h.dir, sizeof(h.dir), "/tmp/sekisho-renew-XXXXXX");
	CHECK(mkdtemp(h.dir) != NULL);
	CHECK_OK(authority_init(h.dir, &first, &err), &err);
	CHECK_OK(authority_prepare(h.dir, &next, &err), &err);
	h.now = clock_wall();
	h.r = (struct renewal){0};
	h.g = (struct gateway){.name = SPAN("office"),
		.authority = span_str(h.dir),
		.activate_ms = UINT64_C(30) * DAY_S * 1000};
	h.s = (struct settings){.gateways = &h.g.item};
}

static void
end(void)
{
	static const char *const files[] = {"root.crt", "root.key", "node.crt",
		"node.key", "next.crt", "next.key", "previous.crt", "previous.key"};
	char path[128];
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		(void)text_format(path, sizeof(path), "%s/%s", h.dir, files[i]);
		(void)unlink(path);
	}
	CHECK(rmdir(h.dir) == 0);
	clock_real();
}

static int64_t
days_left(void)
{
	struct err err = {0};
	struct authority *a = authority_load(h.dir, true, (struct span){0}, &err);
	CHECK_OK(a != NULL, &err);
	int64_t days = authority_days_left(a, h.now);
	authority_free(a);
	return days;
}

static void
what_is_available_takes_over_once(void)
{
	uint64_t before = stat_get(STAT_AUTHORITY_ACTIVATIONS);
	begin(SPAN(""), 0);
	CHECK_INT(days_left(), 19);
	CHECK(renewal_look(&h.r, &h.s));
	CHECK_INT(days_left(), 364);
	CHECK_INT(stat_get(STAT_AUTHORITY_ACTIVATIONS), before + 1);
	CHECK_INT(stat_get(STAT_AUTHORITY_NEXT), AUTHORITY_NEXT_NONE);
	CHECK(!renewal_look(&h.r, &h.s));
	end();
}

static void
what_is_pending_waits_for_its_day(void)
{
	begin(SPAN(""), 3);
	CHECK(!renewal_look(&h.r, &h.s));
	CHECK_INT(stat_get(STAT_AUTHORITY_NEXT), AUTHORITY_NEXT_PENDING);
	clock_fake(clock_now(), (h.now + 4 * DAY_S) * 1000);
	CHECK(renewal_look(&h.r, &h.s));
	end();
}

static void
it_leaves_alone_what_is_not_near_or_not_ours(void)
{
	begin(SPAN(""), 0);
	h.g.activate_ms = UINT64_C(10) * DAY_S * 1000;
	CHECK(!renewal_look(&h.r, &h.s));
	CHECK_INT(stat_get(STAT_AUTHORITY_NEXT), AUTHORITY_NEXT_AVAILABLE);
	h.g.activate_ms = 0;
	CHECK(!renewal_look(&h.r, &h.s));
	h.g.activate_ms = UINT64_C(30) * DAY_S * 1000;
	h.g.authority_token = SPAN("pkcs11:token=x;object=y");
	CHECK(!renewal_look(&h.r, &h.s));
	CHECK_INT(days_left(), 19);
	end();
}

/* Its passphrase is not the gateway's: the one in use stays, and it is tried hourly. */
static void
what_cannot_be_opened_is_not_taken(void)
{
	begin(SPAN("secret"), 0);
	CHECK(!renewal_look(&h.r, &h.s));
	CHECK_INT(days_left(), 19);
	CHECK(h.r.again_ms > clock_now());
	CHECK_INT(authority_next(h.dir, h.now), AUTHORITY_NEXT_AVAILABLE);
	end();
}

/* The master waits for it, and everybody waits for the master. */
static void
a_passphrase_that_nobody_writes_does_not_stop_the_master(void)
{
	char fifo[128];

	begin(SPAN("secret"), 0);
	(void)text_format(fifo, sizeof(fifo), "%s/fifo", h.dir);
	CHECK(mkfifo(fifo, 0600) == 0);
	h.g.authority_passphrase = span_str(fifo);
	h.r.most_s = 1;
	CHECK(!renewal_look(&h.r, &h.s));
	CHECK(h.r.again_ms > clock_now());
	CHECK_INT(days_left(), 19);
	CHECK(unlink(fifo) == 0);
	end();
}

TESTS(what_is_available_takes_over_once, what_is_pending_waits_for_its_day,
	it_leaves_alone_what_is_not_near_or_not_ours,
	what_cannot_be_opened_is_not_taken,
	a_passphrase_that_nobody_writes_does_not_stop_the_master)
