// SPDX-License-Identifier: Apache-2.0
/*
 * print: parts of the printer for explain and lint.
 */
#pragma once

#include "rule/tree_priv.h"

/* The canonical text of one node. */
void print_node(struct text *t, const struct node *n);
/* The same as an argument: a chain takes parentheses. */
void print_argument(struct text *t, const struct node *n);
/* Whether from..to is a network, and the length of its prefix. */
MUST_USE bool print_network_bits(
	const struct ip *from, const struct ip *to, unsigned *bits);
