// SPDX-License-Identifier: Apache-2.0
#include "rule/regex_program_priv.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

enum { SLOTS = 2 * REGEX_GROUPS_MAX };

/* On the stack: not a state, but a slot to put back. */
static const uint32_t RESTORE = UINT32_C(1) << 31;

static uint32_t
emit(struct program *p, enum program_op op, uint32_t x, uint32_t y)
{
	if (p->n < PROGRAM_MAX + 1) {
		p->code = mem_grow(p->code, &p->cap, p->n + 1, sizeof(*p->code));
	} else {
		return PROGRAM_MAX; /* too large: program_new() gives up */
	}
	p->code[p->n] = (struct instruction){op, x, y};
	return (uint32_t)p->n++;
}

static uint32_t
keep_set(struct program *p, const struct octet_set *set)
{
	for (size_t i = p->n_sets; i > 0 && i + 16 > p->n_sets; i--) {
		if (memcmp(&p->sets[i - 1], set, sizeof(*set)) == 0)
			return (uint32_t)(i - 1);
	}
	p->sets = mem_grow(p->sets, &p->cap_sets, p->n_sets + 1, sizeof(*p->sets));
	p->sets[p->n_sets] = *set;
	return (uint32_t)p->n_sets++;
}

static void compile(struct program *p, const struct regex_node *n);

static uint32_t
here(const struct program *p)
{
	return (uint32_t)p->n;
}

static void
set_split(struct program *p, uint32_t at, uint32_t body, uint32_t out, bool lazy)
{
	p->code[at].x = lazy ? out : body;
	p->code[at].y = lazy ? body : out;
}

static void
compile_alt(struct program *p, const struct regex_node *n)
{
	uint32_t jumps = UINT32_MAX; /* a chain through their x, patched at the end */
	for (const struct regex_node *c = n->first; c != NULL; c = c->next) {
		if (p->n > PROGRAM_MAX)
			return;
		if (c->next == NULL) {
			compile(p, c);
			break;
		}
		uint32_t split = emit(p, OP_SPLIT, here(p) + 1, 0);
		compile(p, c);
		jumps = emit(p, OP_JUMP, jumps, 0);
		p->code[split].y = here(p);
	}
	while (jumps != UINT32_MAX && p->n <= PROGRAM_MAX) {
		uint32_t next = p->code[jumps].x;
		p->code[jumps].x = here(p);
		jumps = next;
	}
}

static void
compile_loop(struct program *p, const struct regex_node *n)
{
	uint32_t split = emit(p, OP_SPLIT, 0, 0);
	compile(p, n->first);
	emit(p, OP_JUMP, split, 0);
	set_split(p, split, split + 1, here(p), n->lazy);
}

static void
compile_repeat(struct program *p, const struct regex_node *n)
{
	for (uint32_t i = 0; i < n->min && p->n <= PROGRAM_MAX; i++)
		compile(p, n->first);
	if (n->max == REGEX_FOREVER) {
		if (p->n <= PROGRAM_MAX)
			compile_loop(p, n);
		return;
	}
	for (uint32_t i = n->min; i < n->max && p->n <= PROGRAM_MAX; i++) {
		uint32_t split = emit(p, OP_SPLIT, 0, 0);
		compile(p, n->first);
		if (p->n <= PROGRAM_MAX)
			set_split(p, split, split + 1, here(p), n->lazy);
	}
}

static void
compile_group(struct program *p, const struct regex_node *n)
{
	bool captures = n->index > 0 && n->index < REGEX_GROUPS_MAX;
	if (captures)
		emit(p, OP_SAVE, n->index * 2, 0);
	compile(p, n->first);
	if (captures)
		emit(p, OP_SAVE, n->index * 2 + 1, 0);
}

static void
compile(struct program *p, const struct regex_node *n)
{
	if (p->n > PROGRAM_MAX)
		return;
	switch (n->kind) {
	case REGEX_EMPTY:
		return;
	case REGEX_SET:
		emit(p, OP_SET, here(p) + 1, keep_set(p, &n->set));
		return;
	case REGEX_CAT:
		for (const struct regex_node *c = n->first; c != NULL; c = c->next)
			compile(p, c);
		return;
	case REGEX_ALT:
		compile_alt(p, n);
		return;
	case REGEX_REPEAT:
		compile_repeat(p, n);
		return;
	case REGEX_GROUP:
		compile_group(p, n);
		return;
	case REGEX_ASSERT:
		emit(p, OP_ASSERT, here(p) + 1, n->assert);
		return;
	}
}

static void
list_new(struct thread_list *l, size_t n)
{
	l->dense = mem_array(n, sizeof(*l->dense));
	l->sparse = mem_array(n, sizeof(*l->sparse));
}

static void
list_free(struct thread_list *l)
{
	mem_free(l->dense);
	mem_free(l->sparse);
	mem_free(l->slots);
}

struct program *
program_new(const struct regex_node *root)
{
	struct program *p = mem_alloc(sizeof(*p));
	compile(p, root);
	emit(p, OP_MATCH, 0, 0);
	if (p->n > PROGRAM_MAX) {
		program_free(p);
		return NULL;
	}
	list_new(&p->now, p->n);
	list_new(&p->then, p->n);
	p->stack_cap = p->n * 2 + 2;
	p->stack = mem_array(p->stack_cap, sizeof(*p->stack));
	return p;
}

void
program_free(struct program *p)
{
	if (p == NULL)
		return;
	list_free(&p->now);
	list_free(&p->then);
	mem_free(p->stack);
	mem_free(p->save_stack);
	mem_free(p->code);
	mem_free(p->sets);
	mem_free(p);
}

void
program_prepare(struct program *p)
{
	if (p->now.slots != NULL)
		return;
	p->now.slots = mem_array(p->n * SLOTS, sizeof(size_t));
	p->then.slots = mem_array(p->n * SLOTS, sizeof(size_t));
	p->save_stack = mem_array(p->stack_cap, sizeof(size_t));
}

static bool
is_word(struct span s, size_t at)
{
	return at < s.n &&
		(ascii_is_alpha(s.p[at]) || ascii_is_digit(s.p[at]) || s.p[at] == '_');
}

static bool
assert_holds(uint32_t what, struct span s, size_t at)
{
	bool before = at > 0 && is_word(s, at - 1);
	bool after = is_word(s, at);
	switch ((enum regex_assert)what) {
	case ASSERT_TEXT_START:
		return at == 0;
	case ASSERT_TEXT_END:
		return at == s.n;
	case ASSERT_LINE_START:
		return at == 0 || s.p[at - 1] == '\n';
	case ASSERT_LINE_END:
		return at == s.n || s.p[at] == '\n';
	case ASSERT_WORD:
		return before != after;
	case ASSERT_NOT_WORD:
		return before == after;
	case ASSERT_WORD_START:
		return !before && after;
	case ASSERT_WORD_END:
		return before && !after;
	case ASSERT_WORD_START_HALF:
		return !before;
	case ASSERT_WORD_END_HALF:
		return !after;
	}
	must_not_reach("all assertions are above");
}

static bool
list_has_state(const struct thread_list *l, uint32_t state)
{
	uint32_t at = l->sparse[state];
	return at < l->n && l->dense[at] == state;
}

static void
list_add_state(struct thread_list *l, uint32_t state, const size_t *slots)
{
	l->sparse[state] = l->n;
	l->dense[l->n++] = state;
	if (slots != NULL)
		memcpy(l->slots + (size_t)state * SLOTS, slots, SLOTS * sizeof(*slots));
}

struct run {
	struct program *p;
	struct span s;
	/* of the thread being followed; NULL when groups do not matter */
	size_t *slots;
	size_t depth; /* of the stack */
};

static void
push(struct run *r, uint32_t state)
{
	r->p->stack[r->depth++] = state;
}

/* A slot's old value is put back when the part below it is done. */
static void
save(struct run *r, uint32_t slot, size_t at)
{
	if (r->slots == NULL)
		return;
	r->p->save_stack[r->depth] = r->slots[slot];
	push(r, RESTORE | slot);
	r->slots[slot] = at;
}

/* Pushes what a state leads to without an octet, the preferred one last. */
static void
follow(struct run *r, uint32_t state, size_t at)
{
	const struct instruction *i = &r->p->code[state];
	switch (i->op) {
	case OP_SPLIT:
		push(r, i->y);
		push(r, i->x);
		return;
	case OP_JUMP:
		push(r, i->x);
		return;
	case OP_SAVE:
		save(r, i->x, at);
		push(r, state + 1);
		return;
	case OP_ASSERT:
		if (assert_holds(i->y, r->s, at))
			push(r, i->x);
		return;
	case OP_SET:
	case OP_MATCH:
		return;
	}
}

/* Enters a state and all that it leads to without an octet, preferred ones first. */
static void
enter(struct run *r, struct thread_list *l, uint32_t state, size_t at)
{
	push(r, state);
	while (r->depth > 0) {
		state = r->p->stack[--r->depth];
		if (state & RESTORE) {
			must(r->slots != NULL); /* only then is one pushed */
			r->slots[state & ~RESTORE] = r->p->save_stack[r->depth];
			continue;
		}
		if (list_has_state(l, state))
			continue;
		list_add_state(l, state, r->slots);
		follow(r, state, at);
	}
}

/* Octet c is read at `at`. Whether a thread of this step has matched; then those less
 * preferred are dropped. */
static bool
step(struct run *r, size_t at, size_t *found)
{
	struct program *p = r->p;
	p->then.n = 0;
	for (uint32_t i = 0; i < p->now.n; i++) {
		uint32_t state = p->now.dense[i];
		const struct instruction *code = &p->code[state];
		const size_t *slots =
			r->slots == NULL ? NULL : p->now.slots + (size_t)state * SLOTS;
		if (code->op == OP_MATCH) {
			if (slots != NULL)
				memcpy(found, slots, SLOTS * sizeof(*found));
			return true;
		}
		if (code->op != OP_SET || at >= r->s.n ||
			!octets_has(&p->sets[code->y], r->s.p[at]))
			continue;
		if (slots != NULL)
			memcpy(r->slots, slots, SLOTS * sizeof(*slots));
		enter(r, &p->then, code->x, at + 1);
	}
	return false;
}

static void
swap_lists(struct program *p)
{
	struct thread_list t = p->now;
	p->now = p->then;
	p->then = t;
}

bool
program_matches(struct program *p, struct span s)
{
	struct run r = {.p = p, .s = s};
	p->now.n = 0;
	for (size_t at = 0; at <= s.n; at++) {
		enter(&r, &p->now, 0, at);
		if (step(&r, at, NULL))
			return true;
		swap_lists(p);
	}
	return false;
}

static void
tell_spans(const size_t *found, struct regex_spans *out)
{
	for (size_t i = 0; i < REGEX_GROUPS_MAX; i++) {
		bool whole = found[i * 2] != SIZE_MAX && found[i * 2 + 1] != SIZE_MAX;
		out->from[i] = whole ? found[i * 2] : SIZE_MAX;
		out->to[i] = whole ? found[i * 2 + 1] : SIZE_MAX;
	}
}

bool
program_find(struct program *p, struct span s, struct regex_spans *out)
{
	size_t slots[SLOTS];
	size_t found[SLOTS] = {0};
	struct run r = {.p = p, .s = s, .slots = slots};
	bool matched = false;

	must(p->now.slots != NULL);
	p->now.n = 0;
	for (size_t at = 0; at <= s.n && !(matched && p->now.n == 0); at++) {
		if (!matched) {
			memset(slots, 0xff, sizeof(slots));
			slots[0] = at;
			enter(&r, &p->now, 0, at);
		}
		if (step(&r, at, found)) {
			matched = true;
			found[1] = at;
		}
		swap_lists(p);
	}
	if (matched)
		tell_spans(found, out);
	return matched;
}
