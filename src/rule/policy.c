// SPDX-License-Identifier: Apache-2.0
#include "rule/policy.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "rule/policy_priv.h"
#include "rule/scratch_priv.h"

struct policy *
policy_new(const struct scheme *s)
{
	struct policy *p = mem_alloc(sizeof(*p));
	p->scheme = s;
	p->pools = mem_alloc(sizeof(*p->pools));
	return p;
}

static void
free_text(struct span s)
{
	mem_free((void *)(uintptr_t)s.p);
}

void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++) {
		rule_free(p->rules[i].expr);
		free_text(p->rules[i].given.name);
		free_text(p->rules[i].given.text);
	}
	for (size_t i = 0; i < PHASE_COUNT; i++)
		mem_free(p->due[i]);
	mem_free(p->always);
	mem_free(p->candidates);
	mem_free(p->due_now);
	rule_index_fini(&p->index);
	policy_pools_free(p->pools);
	mem_free(p->rules);
	mem_free(p);
}

static bool
is_dns(enum phase phase)
{
	return phase == PHASE_DNS_QUERY || phase == PHASE_DNS_ANSWER;
}

static bool
can_run(const struct policy_action *a, enum phase phase)
{
	return is_dns(phase) ? a->dns : phase <= a->latest;
}

/* The first field in the text that is known too late. */
struct late_search {
	struct walk walk;
	const struct policy_action *action;
	const struct field *field;
	size_t from;
};

static void
look_for_late(struct walk *w, struct node *n)
{
	struct late_search *s = CONTAINER_OF(w, struct late_search, walk);
	const struct path *p = n->kind == NODE_TEST ? &n->test->path
		: n->kind == NODE_PATH              ? n->path
						    : NULL;
	if (p == NULL || p->field == NULL || can_run(s->action, p->field->phase))
		return;
	if (s->field == NULL) {
		s->field = p->field;
		s->from = n->from;
	}
}

/* Where offset `from` stands, in lines and characters. */
static void
place(struct span text, size_t from, size_t width, struct rule_error *e)
{
	e->line = e->col = 1;
	for (size_t i = 0; i < from && i < text.n; i++) {
		if (text.p[i] == '\n') {
			e->line++;
			e->col = 1;
		} else if ((text.p[i] & 0xc0) != 0x80) {
			e->col++;
		}
	}
	e->width = (unsigned)width;
}

static bool
check_phase(const struct rule_expr *e, const struct policy_rule *rule,
	struct rule_error *error)
{
	struct late_search s = {.walk.visit = look_for_late, .action = rule->action};
	tree_walk(e->root, &s.walk);
	if (s.field == NULL)
		return true;
	*error = (struct rule_error){0};
	place(e->text, s.from, strlen(s.field->name), error);
	text_format(error->message, sizeof(error->message),
		"%s is known in phase %s, but %s can be done up to phase %s only",
		s.field->name, phase_name(s.field->phase), rule->action->name,
		phase_name(rule->action->latest));
	text_format(error->hint, sizeof(error->hint),
		"use a field that is known earlier, or another action");
	return false;
}

static struct span
copy_text(struct span s)
{
	return span_of(mem_cstr(s), s.n);
}

static enum phase
later(enum phase a, enum phase b)
{
	return a > b ? a : b;
}

bool
policy_add(struct policy *p, const struct policy_rule *rule, struct rule_error *error)
{
	struct rule_expr *e;
	bool empty = span_trim(rule->text).n == 0;
	must(!p->sealed);
	if (!rule_compile(p->scheme, empty ? SPAN("true") : rule->text, rule->options,
		    &e, error))
		return false;
	if (!check_phase(e, rule, error)) {
		rule_free(e);
		return false;
	}
	p->rules = mem_grow(p->rules, &p->cap, p->n + 1, sizeof(*p->rules));
	struct rule *r = &p->rules[p->n++];
	*r = (struct rule){.given = *rule, .expr = e};
	r->given.name = copy_text(rule->name);
	r->given.text = copy_text(rule->text);
	r->at = later(rule_phase(e), rule->action->earliest);
	return true;
}

static uint64_t *
new_bits(const struct policy *p)
{
	return mem_array(p->words + 1, sizeof(uint64_t));
}

static void
set_bit(uint64_t *bits, size_t i)
{
	bits[i / 64] |= UINT64_C(1) << i % 64;
}

/* Bit per phase in which the rule is decided: the first, and those where it may change.
 */
static unsigned
phases_of(const struct rule *r)
{
	unsigned later_ones = rule_again(r->expr) & ~((2U << r->at) - 1);
	return 1U << r->at | later_ones;
}

void
policy_seal(struct policy *p)
{
	must(!p->sealed);
	p->sealed = true;
	p->words = (p->n + 63) / 64;
	p->always = new_bits(p);
	p->candidates = new_bits(p);
	p->due_now = new_bits(p);
	for (size_t ph = 0; ph < PHASE_COUNT; ph++)
		p->due[ph] = new_bits(p);
	for (size_t i = 0; i < p->n; i++) {
		struct rule *r = &p->rules[i];
		unsigned phases = phases_of(r);
		r->indexed = rule_index_add(&p->index, (uint32_t)i, r->expr);
		if (!r->indexed) {
			set_bit(p->always, i);
			policy_pools_add(p->pools, r->expr);
		}
		for (size_t ph = 0; ph < PHASE_COUNT; ph++) {
			if (phases & 1U << ph)
				set_bit(p->due[ph], i);
		}
	}
	policy_pools_seal(p->pools);
}

/* Phases up to this one in its own line of life that are not done. */
static unsigned
new_phases(enum phase phase, unsigned done)
{
	unsigned upto = (2U << phase) - 1;
	if (is_dns(phase)) {
		upto &= 1U << PHASE_ACCEPT | 1U << PHASE_DNS_QUERY |
			1U << PHASE_DNS_ANSWER;
	}
	return upto & ~done;
}

static bool
any_due(const struct policy *p, unsigned phases, uint64_t *bits)
{
	uint64_t any = 0;
	memset(bits, 0, p->words * sizeof(*bits));
	for (size_t ph = 0; ph < PHASE_COUNT; ph++) {
		if (!(phases & 1U << ph))
			continue;
		for (size_t w = 0; w < p->words; w++)
			any |= bits[w] |= p->due[ph][w];
	}
	return any != 0;
}

static void
note(struct verdict_record *v, uint32_t i)
{
	for (uint32_t k = 0; k < v->n_noted; k++) {
		if (v->noted[k] == i)
			return;
	}
	if (v->n_noted == POLICY_NOTED_MAX) {
		v->n_lost++;
	} else {
		v->noted[v->n_noted++] = i;
	}
}

struct decision {
	const struct policy *policy;
	enum phase phase;
	struct eval eval;
	struct verdict_record *record;
};

/* A deciding rule behind one that has decided is of no consequence: it is not tried. */
static void
try_rule(struct decision *d, uint32_t i)
{
	const struct rule *r = &d->policy->rules[i];
	const struct policy_action *a = r->given.action;
	struct verdict_record *v = d->record;
	uint32_t *slot = r->given.dry_run ? &v->dry[d->phase] : &v->decided[d->phase];
	bool decides = a->deciding;
	if ((decides && *slot != RULE_NONE) || !can_run(a, d->phase))
		return;
	scratch_back(d->eval.scratch, 0);
	if (!eval_bool(&d->eval, r->expr->root))
		return;
	if (decides || r->given.dry_run) {
		*slot = *slot == RULE_NONE ? i : *slot;
	} else {
		note(v, i);
	}
}

/* All due rules that are always tried or that the index found, in order. */
static void
try_candidates(struct decision *d)
{
	const struct policy *p = d->policy;
	for (size_t w = 0; w < p->words; w++) {
		uint64_t bits = p->candidates[w];
		while (bits != 0) {
			try_rule(d,
				(uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits));
			bits &= bits - 1;
		}
	}
}

uint32_t
policy_decide(const struct policy *p, enum phase phase, const struct facts *f,
	struct verdict_record *v)
{
	unsigned phases = new_phases(phase, v->done);
	struct decision d = {.policy = p,
		.phase = phase,
		.eval = {.facts = f,
			.scratch = p->scheme->scratch,
			.pools = &p->pools->ask},
		.record = v};
	must(p->sealed);
	v->done |= phases | 1U << phase;
	if (p->words == 0 || !any_due(p, phases, p->due_now))
		return v->decided[phase];
	p->pools->turn++;
	memcpy(p->candidates, p->always, p->words * sizeof(uint64_t));
	rule_index_find(&p->index, &d.eval, p->candidates);
	for (size_t w = 0; w < p->words; w++)
		p->candidates[w] &= p->due_now[w];
	try_candidates(&d);
	return v->decided[phase];
}

size_t
policy_size(const struct policy *p)
{
	return p->n;
}

struct policy_rule
policy_rule(const struct policy *p, uint32_t i)
{
	must(i < p->n);
	return p->rules[i].given;
}

const struct rule_expr *
policy_expr(const struct policy *p, uint32_t i)
{
	must(i < p->n);
	return p->rules[i].expr;
}

enum phase
policy_phase(const struct policy *p, uint32_t i)
{
	must(i < p->n);
	return p->rules[i].at;
}

bool
policy_reads(const struct policy *p, const char *field)
{
	const struct field *wanted = scheme_field(p->scheme, span_str(field));
	for (size_t i = 0; wanted != NULL && i < p->n; i++) {
		const struct field *f;
		for (size_t k = 0; (f = rule_field(p->rules[i].expr, k)) != NULL; k++) {
			if (f == wanted)
				return true;
		}
	}
	return false;
}

bool
policy_has(const struct policy *p, enum phase phase)
{
	for (size_t i = 0; i < p->n; i++) {
		if (phases_of(&p->rules[i]) & 1U << phase)
			return true;
	}
	return false;
}
