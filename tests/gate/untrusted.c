// SPDX-License-Identifier: Apache-2.0
#include "gate/untrusted.h"

#include "gate/settings.h"
#include "tests/test.h"

static struct verdict
with(unsigned faults)
{
	return (struct verdict){.faults = faults};
}

static enum untrusted_action
choose(const struct untrusted *u, unsigned faults)
{
	const struct verdict v = with(faults);
	return untrusted_choose(u, &v);
}

static struct untrusted
all(enum untrusted_action action)
{
	struct untrusted u = {.action = (int)action};
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		u.of[i] = UNTRUSTED_AS_DEFAULT;
	return u;
}

static void
what_is_not_written_is_refused(void)
{
	const struct untrusted zero = {0}; /* an edge has no such block */
	for (unsigned i = 1; i < VERDICT_COUNT; i++)
		CHECK_INT(choose(&zero, 1u << i), UNTRUSTED_BLOCK);
}

static void
each_class_has_its_action_and_others_the_general_one(void)
{
	struct untrusted u = all(UNTRUSTED_PROMPT);
	u.of[VERDICT_EXPIRED] = UNTRUSTED_ALLOW;
	u.of[VERDICT_OTHER] = UNTRUSTED_MIRROR;
	CHECK_INT(choose(&u, 1u << VERDICT_EXPIRED), UNTRUSTED_ALLOW);
	CHECK_INT(choose(&u, 1u << VERDICT_WRONG_NAME), UNTRUSTED_PROMPT);
	/* Those without a word of their own. */
	CHECK_INT(choose(&u, 1u << VERDICT_BAD_SIGNATURE), UNTRUSTED_MIRROR);
	CHECK_INT(choose(&u, 1u << VERDICT_MALFORMED), UNTRUSTED_MIRROR);
}

static void
several_faults_get_the_strictest_of_their_actions(void)
{
	struct untrusted u = all(UNTRUSTED_BLOCK);
	u.of[VERDICT_EXPIRED] = UNTRUSTED_ALLOW;
	u.of[VERDICT_WRONG_NAME] = UNTRUSTED_MIRROR;
	u.of[VERDICT_SELF_SIGNED] = UNTRUSTED_PROMPT;
	CHECK_INT(choose(&u, 1u << VERDICT_EXPIRED | 1u << VERDICT_WRONG_NAME),
		UNTRUSTED_MIRROR);
	CHECK_INT(choose(&u, 1u << VERDICT_SELF_SIGNED | 1u << VERDICT_WRONG_NAME),
		UNTRUSTED_PROMPT);
	CHECK_INT(choose(&u, 1u << VERDICT_EXPIRED | 1u << VERDICT_REVOKED),
		UNTRUSTED_BLOCK);
}

static void
two_classes_are_never_let_pass(void)
{
	const struct untrusted u = all(UNTRUSTED_ALLOW);
	CHECK_INT(choose(&u, 1u << VERDICT_BLOCKED), UNTRUSTED_BLOCK);
	CHECK_INT(choose(&u, 1u << VERDICT_OWN_AUTHORITY | 1u << VERDICT_EXPIRED),
		UNTRUSTED_BLOCK);
	CHECK_INT(choose(&u, 1u << VERDICT_REVOKED), UNTRUSTED_ALLOW);
}

static void
every_action_is_found_by_its_word(void)
{
	for (enum untrusted_action a = UNTRUSTED_BLOCK; a < UNTRUSTED_AS_DEFAULT; a++)
		CHECK_INT(untrusted_find(span_str(untrusted_word(a))), a);
	CHECK_INT(untrusted_find(SPAN("default")), UNTRUSTED_AS_DEFAULT);
	CHECK_INT(untrusted_find(SPAN("")), UNTRUSTED_AS_DEFAULT);
}

TESTS(what_is_not_written_is_refused,
	each_class_has_its_action_and_others_the_general_one,
	several_faults_get_the_strictest_of_their_actions,
	two_classes_are_never_let_pass, every_action_is_found_by_its_word)
