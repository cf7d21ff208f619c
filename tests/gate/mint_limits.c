// SPDX-License-Identifier: Apache-2.0
#include "gate/mint_limits.h"

#include "base/clock.h"
#include "tests/test.h"

static struct span never[] = {SPAN_INIT("bank.example"), SPAN_INIT("health.test")};
static struct span only[] = {SPAN_INIT("lab.test")};

static const struct mint_limits limits = {
	.rate = 10, .burst = 5, .never = {never, COUNT_OF(never)}};

static enum err_code
ask_with(const struct mint_limits *l, struct mint_budget *b, struct span name,
	enum leaf_purpose purpose)
{
	struct err err = {0};
	const struct leaf_facts f = {
		.purpose = purpose, .kind = KEY_P256, .names = &name, .n_names = 1};
	return mint_limits_take(l, b, &f, &err) ? ERR_NONE : err.code;
}

static enum err_code
ask(struct span name)
{
	struct mint_budget b = {0};
	return ask_with(&limits, &b, name, LEAF_NORMAL);
}

static void
names_that_are_never_minted_are_not_below_them_either(void)
{
	CHECK_INT(ask(SPAN("good.example")), ERR_NONE);
	CHECK_INT(ask(SPAN("mybank.example")), ERR_NONE);
	CHECK_INT(ask(SPAN("bank.example.org")), ERR_NONE);
	CHECK_INT(ask(SPAN("bank.example")), ERR_VAULT_NAME);
	CHECK_INT(ask(SPAN("www.bank.example")), ERR_VAULT_NAME);
	CHECK_INT(ask(SPAN("a.b.health.test")), ERR_VAULT_NAME);
}

static void
a_wildcard_is_no_way_around(void)
{
	CHECK_INT(ask(SPAN("*.bank.example")), ERR_VAULT_NAME);
	CHECK_INT(ask(SPAN("*.www.bank.example")), ERR_VAULT_NAME);
	CHECK_INT(ask(SPAN("*.example")), ERR_VAULT_NAME); /* stands for bank.example */
	CHECK_INT(ask(SPAN("*.good.example")), ERR_NONE);
	CHECK_INT(ask(SPAN("*.com")), ERR_VAULT_NAME); /* a public suffix */
}

static void
one_forbidden_name_among_many_refuses_all(void)
{
	const struct span names[] = {
		SPAN_INIT("good.example"), SPAN_INIT("bank.example")};
	const struct leaf_facts f = {
		.kind = KEY_P256, .names = names, .n_names = COUNT_OF(names)};
	struct mint_budget b = {0};
	struct err err = {0};
	CHECK(!mint_limits_take(&limits, &b, &f, &err));
	CHECK_INT(err.code, ERR_VAULT_NAME);
}

static void
with_only_everything_else_is_refused(void)
{
	struct mint_limits l = limits;
	struct mint_budget b = {0};
	l.only = (struct conf_texts){only, COUNT_OF(only)};
	CHECK_INT(ask_with(&l, &b, SPAN("lab.test"), LEAF_NORMAL), ERR_NONE);
	CHECK_INT(ask_with(&l, &b, SPAN("*.lab.test"), LEAF_PAGE), ERR_NONE);
	CHECK_INT(ask_with(&l, &b, SPAN("good.example"), LEAF_NORMAL), ERR_VAULT_NAME);
	CHECK_INT(ask_with(&l, &b, SPAN("*.test"), LEAF_NORMAL), ERR_VAULT_NAME);
	/* What nobody trusts harms nobody. */
	CHECK_INT(ask_with(&l, &b, SPAN("good.example"), LEAF_MIRROR), ERR_NONE);
}

static void
more_than_the_burst_waits_for_the_rate(void)
{
	struct mint_budget b = {0};
	clock_fake(1000000, clock_wall_ms());
	for (int i = 0; i < 5; i++)
		CHECK_INT(ask_with(&limits, &b, SPAN("a.test"), LEAF_NORMAL), ERR_NONE);
	CHECK_INT(ask_with(&limits, &b, SPAN("a.test"), LEAF_NORMAL), ERR_VAULT_RATE);
	CHECK(mint_limits_tell(&b, ERR_VAULT_RATE));
	CHECK(!mint_limits_tell(&b, ERR_VAULT_RATE));
	CHECK(mint_limits_tell(&b, ERR_VAULT_NAME));
	clock_fake(1000100, clock_wall_ms()); /* a tenth of a second: one more */
	CHECK_INT(ask_with(&limits, &b, SPAN("a.test"), LEAF_NORMAL), ERR_NONE);
	CHECK_INT(ask_with(&limits, &b, SPAN("a.test"), LEAF_NORMAL), ERR_VAULT_RATE);
	clock_fake(9000000, clock_wall_ms());
	for (int i = 0; i < 5; i++)
		CHECK_INT(ask_with(&limits, &b, SPAN("a.test"), LEAF_NORMAL), ERR_NONE);
	CHECK_INT(ask_with(&limits, &b, SPAN("a.test"), LEAF_NORMAL), ERR_VAULT_RATE);
	clock_real();
}

static void
limits_are_equal_when_all_of_them_are(void)
{
	static struct span same[] = {
		SPAN_INIT("bank.example"), SPAN_INIT("health.test")};
	static struct span turned[] = {
		SPAN_INIT("health.test"), SPAN_INIT("bank.example")};
	struct mint_limits l = limits;

	l.never.p = same;
	CHECK(mint_limits_eq(&limits, &l));
	l.never.n = 1;
	CHECK(!mint_limits_eq(&limits, &l));
	l.never = (struct conf_texts){turned, COUNT_OF(turned)};
	CHECK(!mint_limits_eq(&limits, &l));
	l = limits;
	l.rate++;
	CHECK(!mint_limits_eq(&limits, &l));
	l = limits;
	l.burst++;
	CHECK(!mint_limits_eq(&limits, &l));
	l = limits;
	l.only = (struct conf_texts){only, COUNT_OF(only)};
	CHECK(!mint_limits_eq(&limits, &l) && !mint_limits_eq(&l, &limits));
}

TESTS(names_that_are_never_minted_are_not_below_them_either,
	a_wildcard_is_no_way_around, one_forbidden_name_among_many_refuses_all,
	with_only_everything_else_is_refused, limits_are_equal_when_all_of_them_are,
	more_than_the_burst_waits_for_the_rate)
