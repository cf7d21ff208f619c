// SPDX-License-Identifier: Apache-2.0
#include "page/consent.h"

#include "base/clock.h"
#include "base/text.h"
#include "tests/test.h"

static const uint8_t secret[CONSENT_SECRET] = {1, 2, 3};

static struct consent_scope
scope_of(const char *host)
{
	return (struct consent_scope){.secret = secret,
		.client = ip_v4(0xc0000201),
		.host = span_str(host),
		.tls = true};
}

static struct http_head
request_with(struct arena *a, struct span cookie)
{
	struct http_head head;
	struct err err = {0};
	http_request_make(&head, a, HTTP_GET, SPAN("a.test"), SPAN("/"));
	CHECK(http_add(&head.fields, SPAN("Cookie"), cookie, &err));
	return head;
}

/* "name=value" of a Set-Cookie. */
static struct span
pair_of(struct span set_cookie)
{
	return span_first(set_cookie, span_chr(set_cookie, ';'));
}

static void
a_click_gives_a_cookie_that_lets_pass_until_it_ends(void)
{
	struct arena a;
	struct consent_click click;
	struct consent_scope scope = scope_of("a.test");
	arena_init(&a, 1 << 20);
	clock_fake(1000, 1700000000000);
	struct span link = consent_link(&a, &scope, 60, SPAN("/x?y=1&to=/z"));
	CHECK(consent_is_link(link));
	CHECK(consent_click(&a, &scope, link, &click));
	CHECK_SPAN(click.to, "/x?y=1&to=/z");
	struct http_head head = request_with(&a, pair_of(click.cookie));
	CHECK(consent_given(&scope, &head.fields));
	clock_fake(1000, 1700000061000);
	CHECK(!consent_given(&scope, &head.fields));
	clock_real();
	arena_fini(&a);
}

static void
neither_link_nor_cookie_serves_another_host_or_client(void)
{
	struct arena a;
	struct consent_click click;
	struct consent_scope scope = scope_of("a.test");
	struct consent_scope other = scope_of("b.test");
	struct consent_scope stranger = scope_of("a.test");
	stranger.client = ip_v4(0xc0000202);
	arena_init(&a, 1 << 20);
	struct span link = consent_link(&a, &scope, 60, SPAN("/"));
	CHECK(!consent_click(&a, &other, link, &click));
	CHECK(!consent_click(&a, &stranger, link, &click));
	CHECK(consent_click(&a, &scope, link, &click));
	struct http_head head = request_with(&a, pair_of(click.cookie));
	CHECK(!consent_given(&other, &head.fields));
	CHECK(!consent_given(&stranger, &head.fields));
	arena_fini(&a);
}

static void
every_changed_octet_of_a_link_breaks_it(void)
{
	struct arena a;
	struct consent_click click;
	struct consent_scope scope = scope_of("a.test");
	arena_init(&a, 1 << 20);
	struct span link = consent_link(&a, &scope, 60, SPAN("/"));
	size_t end = span_find(link, SPAN("&to="));
	for (size_t i = span_chr(link, '?') + 1; i < end; i++) {
		struct span copy = arena_copy(&a, link);
		((uint8_t *)(uintptr_t)copy.p)[i] ^= 1;
		CHECK(!consent_click(&a, &scope, copy, &click));
	}
	for (size_t n = 0; n <= end + 4; n++)
		CHECK(!consent_click(&a, &scope, span_first(link, n), &click));
	arena_fini(&a);
}

static void
a_link_never_leads_to_another_host(void)
{
	static const char *const away[] = {
		"//evil.test/", "/\\evil.test", "https://evil.test/", ""};
	struct arena a;
	struct consent_click click;
	struct consent_scope scope = scope_of("a.test");
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(away); i++) {
		struct span link = consent_link(&a, &scope, 60, span_str(away[i]));
		CHECK(!consent_click(&a, &scope, link, &click));
	}
	arena_fini(&a);
}

static void
the_origin_never_sees_our_cookie(void)
{
	struct arena a;
	arena_init(&a, 1 << 20);
	struct http_head head = request_with(&a, SPAN("a=1; sekisho_consent=9.9; b=2"));
	consent_strip(&head);
	CHECK_SPAN(http_get_id(&head.fields, HTTP_NAME_COOKIE), "a=1; b=2");
	arena_fini(&a);
}

static void
a_consent_to_a_fault_is_no_consent_to_a_rule_nor_to_another_fault(void)
{
	struct arena a;
	struct http_head head;
	struct consent_click click;
	struct err err = {0};
	struct consent_scope rule = scope_of("a.test");
	struct consent_scope fault = scope_of("a.test");
	struct consent_scope other = scope_of("a.test");
	fault.about = SPAN("10 aabb");
	other.about = SPAN("10 aabc");
	arena_init(&a, 1 << 16);
	struct span link = consent_link(&a, &fault, 60, SPAN("/x"));
	CHECK(!consent_click(&a, &rule, link, &click));
	CHECK(!consent_click(&a, &other, link, &click));
	CHECK(consent_click(&a, &fault, link, &click));
	http_request_make(&head, &a, HTTP_GET, SPAN("a.test"), SPAN("/x"));
	CHECK(http_add(&head.fields, SPAN("Cookie"),
		span_first(click.cookie, span_chr(click.cookie, ';')), &err));
	CHECK(consent_given(&fault, &head.fields));
	CHECK(!consent_given(&rule, &head.fields));
	CHECK(!consent_given(&other, &head.fields));
	consent_strip(&head);
	CHECK_INT(http_get(&head.fields, SPAN("Cookie")).n, 0);
	arena_fini(&a);
}

TESTS(a_consent_to_a_fault_is_no_consent_to_a_rule_nor_to_another_fault,
	a_click_gives_a_cookie_that_lets_pass_until_it_ends,
	neither_link_nor_cookie_serves_another_host_or_client,
	every_changed_octet_of_a_link_breaks_it, a_link_never_leads_to_another_host,
	the_origin_never_sees_our_cookie)
