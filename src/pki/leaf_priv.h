// SPDX-License-Identifier: Apache-2.0
/*
 * leaf_priv: between leaf.c and leaf_facts.c.
 */
#pragma once

#include "pki/leaf.h"

/* Whether every fact is possible; ERR_PKI_FACTS otherwise. */
MUST_USE bool leaf_facts_check(const struct leaf_facts *f, struct err *err);
/* Whether it may stand in a leaf: LDH labels in lower case, a wildcard only as the
 * whole leftmost label. */
MUST_USE bool leaf_name_ok(struct span name);
