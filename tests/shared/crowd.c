// SPDX-License-Identifier: Apache-2.0
#include "shared/crowd.h"

#include "tests/test.h"

static struct ip
address(const char *text)
{
	struct ip ip = {0};
	CHECK(ip_parse(span_str(text), &ip));
	return ip;
}

static void
one_client_has_so_many_and_another_its_own(void)
{
	struct crowd c;
	struct crowd_client *a[2];
	struct crowd_client *b = NULL;
	struct crowd_client *none = NULL;
	const struct ip first = address("192.0.2.1");
	const struct ip second = address("192.0.2.2");
	crowd_init(&c, 2);
	CHECK(crowd_enter(&c, &first, &a[0]) && crowd_enter(&c, &first, &a[1]));
	CHECK(!crowd_enter(&c, &first, &none) && none == NULL);
	CHECK(crowd_enter(&c, &second, &b) && b != a[0]);
	crowd_leave(&c, a[0]);
	CHECK(crowd_enter(&c, &first, &a[0]));
	crowd_leave(&c, a[0]);
	crowd_leave(&c, a[1]);
	crowd_leave(&c, b);
	CHECK_INT(c.by_client.n, 0);
	crowd_fini(&c);
}

static void
a_slash_64_is_one_client(void)
{
	struct crowd c;
	struct crowd_client *a = NULL;
	struct crowd_client *b = NULL;
	const struct ip first = address("2001:db8:0:1::1");
	const struct ip same = address("2001:db8:0:1:ffff::2");
	const struct ip other = address("2001:db8:0:2::1");
	crowd_init(&c, 1);
	CHECK(crowd_enter(&c, &first, &a));
	CHECK(!crowd_enter(&c, &same, &b));
	CHECK(crowd_enter(&c, &other, &b));
	crowd_leave(&c, a);
	crowd_fini(&c); /* b is still in */
}

static void
without_a_limit_nobody_is_counted(void)
{
	struct crowd c;
	struct crowd_client *a = NULL;
	const struct ip ip = address("192.0.2.1");
	crowd_init(&c, 0);
	for (int i = 0; i < 100; i++)
		CHECK(crowd_enter(&c, &ip, &a) && a == NULL);
	crowd_leave(&c, a);
	crowd_fini(&c);
}

TESTS(one_client_has_so_many_and_another_its_own, a_slash_64_is_one_client,
	without_a_limit_nobody_is_counted)
