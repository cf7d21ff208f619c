// SPDX-License-Identifier: Apache-2.0
/*
 * regex_program: our own automaton: every state at once, octet by octet.
 *
 * It does what Vectorscan does not: groups, anchors in the middle, half word
 * boundaries. Time is octets times instructions; memory is taken when the pattern is
 * compiled.
 */
#pragma once

#include "rule/regex_tree_priv.h"

enum { PROGRAM_MAX = 40000 };

enum program_op { OP_SET, OP_SPLIT, OP_JUMP, OP_SAVE, OP_ASSERT, OP_MATCH };

struct instruction {
	enum program_op op;
	uint32_t x; /* where to go; of a split the preferred one; SAVE: the slot */
	uint32_t y; /* the other; SET: index of the set; ASSERT: which */
};

struct thread_list {
	uint32_t *dense;  /* owned */
	uint32_t *sparse; /* owned */
	uint32_t n;
	size_t *slots; /* owned: two per group and thread; NULL until prepared */
};

struct program {
	struct instruction *code; /* owned */
	size_t n;
	size_t cap;
	struct octet_set *sets; /* owned */
	size_t n_sets;
	size_t cap_sets;
	struct thread_list now;
	struct thread_list then;
	uint32_t *stack; /* owned: of states still to be entered */
	size_t stack_cap;
	size_t *save_stack; /* owned: old values of slots, for the same walk */
};

/* NULL when it would have more than PROGRAM_MAX instructions. */
struct program *program_new(const struct regex_node *root);
void program_free(struct program *p);
/* Takes the memory that program_find() needs. */
void program_prepare(struct program *p);

MUST_USE bool program_matches(struct program *p, struct span s);
MUST_USE bool program_find(struct program *p, struct span s, struct regex_spans *out);
