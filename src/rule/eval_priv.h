// SPDX-License-Identifier: Apache-2.0
/*
 * eval: the evaluator's insides, for policy and explain.
 */
#pragma once

#include "rule/tree_priv.h"

struct scratch;

/* Answers of pooled patterns: a policy asks all patterns about one text in one pass. */
struct eval_pools {
	bool (*ask)(struct eval_pools *p, const struct test *t, struct span s);
};

struct eval {
	const struct facts *facts;
	struct scratch *scratch;
	struct eval_pools *pools; /* or NULL */
};

MUST_USE bool eval_bool(const struct eval *e, const struct node *n);
struct value eval_path(const struct eval *e, const struct path *p);
struct value eval_field(const struct eval *e, const struct field *f);
/* The operator and right side of t, for one value. */
MUST_USE bool eval_test_value(
	const struct eval *e, const struct test *t, const struct value *v);
