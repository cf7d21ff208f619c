// SPDX-License-Identifier: Apache-2.0
#include "net/hosts_priv.h"

#include "tests/test.h"

static void
check(const struct hosts *h, const char *name, size_t n, const char *first)
{
	char text[IP_TEXT];
	const struct hosts_row *row = hosts_find(h, span_str(name));
	if (!row)
		fail_msg("%s is not there", name);
	CHECK_INT(row->n, n);
	CHECK_STR(ip_text(text, &row->ips[0]), first);
}

static void
names_and_aliases_are_found_whatever_their_case(void)
{
	struct hosts h;
	hosts_init(&h);
	hosts_add(&h,
		SPAN("192.0.2.1\tOne.Example  two # three\r\n"
		     "  2001:db8::1 one.example\n"));
	check(&h, "one.example", 2, "192.0.2.1");
	check(&h, "two", 1, "192.0.2.1");
	CHECK(!hosts_find(&h, SPAN("three")) && !hosts_find(&h, SPAN("#")));
	hosts_fini(&h);
}

static void
lines_that_make_no_sense_are_skipped(void)
{
	struct hosts h;
	hosts_init(&h);
	hosts_add(&h,
		SPAN("\n#\nnot.an.ip a\n192.0.2.300 b\n192.0.2.4\n   \n"
		     "fe80::1%eth0 c\n192.0.2.5 d"));
	CHECK(!hosts_find(&h, SPAN("a")) && !hosts_find(&h, SPAN("b")));
	CHECK(!hosts_find(&h, SPAN("c")));
	check(&h, "d", 1, "192.0.2.5");
	hosts_fini(&h);
}

static void
a_name_keeps_its_first_few_addresses(void)
{
	struct hosts h;
	hosts_init(&h);
	hosts_add(&h,
		SPAN("10.0.0.1 a\n10.0.0.2 a\n10.0.0.3 a\n10.0.0.4 a\n10.0.0.5 a\n"));
	check(&h, "a", HOSTS_MOST, "10.0.0.1");
	hosts_fini(&h);
}

TESTS(names_and_aliases_are_found_whatever_their_case,
	lines_that_make_no_sense_are_skipped, a_name_keeps_its_first_few_addresses)
