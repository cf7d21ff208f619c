// SPDX-License-Identifier: Apache-2.0
#include "rule/lint.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/lint_priv.h"
#include "rule/policy_priv.h"

const struct lint_row lint_rows[] = {
	{"warning",
		"what the compiler found odd: glued operators, octal numbers, unfilled "
		"fields"},
	{"shadowed", "an earlier rule decides first whenever this one would"},
	{"phase", "the rule asks for fields that never exist together"},
	{"block-bypass-group", "block on the do-not-inspect group, whose rules bypass"},
	{"regex-literal",
		"a pattern that only compares a whole text, its start, end or a part"},
	{"regex-dots", "a dot in a pattern of a name that stands for any character"},
	{"regex-stars", "a pattern with .* at both ends, which change nothing"},
	{"negated-missing",
		"!= with a field that may be missing, which makes it false"},
	{"host-subdomains", "a host is compared whole: names below it are not covered"},
	{"public-suffix", "a name below which strangers register names"},
	{"revoked", "cert_verified stays true for a revoked certificate"},
	{"set-covered", "a set with items that others already cover"},
	{NULL, NULL},
};

void
lint_report(
	struct lint_run *r, const char *id, size_t from, size_t to, const char *message)
{
	struct lint_finding f = {.rule = r->rule, .id = id};
	struct span text = r->expr->text;
	f.at.line = f.at.col = f.at.width = 1;
	for (size_t i = 0; i < from && i < text.n; i++) {
		if (text.p[i] == '\n') {
			f.at.line++;
			f.at.col = 1;
		} else if ((text.p[i] & 0xc0) != 0x80) {
			f.at.col++;
		}
	}
	for (size_t i = from; i < to && i < text.n && text.p[i] != '\n'; i++)
		f.at.width += i > from && (text.p[i] & 0xc0) != 0x80;
	text_format(f.at.message, sizeof(f.at.message), "%s", message);
	memcpy(f.at.hint, r->hint, sizeof(f.at.hint));
	r->hint[0] = '\0';
	r->lint->found(r->lint, &f);
}

static void
lint_warnings(struct lint_run *r)
{
	const struct rule_error *w;
	for (size_t i = 0; (w = rule_warning(r->expr, i)) != NULL; i++) {
		struct lint_finding f = {.rule = r->rule, .id = "warning", .at = *w};
		r->lint->found(r->lint, &f);
	}
}

enum { MARK_ROOM = 64 << 10 };

struct mark_walk {
	struct walk walk;
	char *room; /* borrowed */
};

static void
mark_node(struct walk *w, struct node *n)
{
	struct mark_walk *m = CONTAINER_OF(w, struct mark_walk, walk);
	struct text t = text_to(m->room, MARK_ROOM);
	print_node(&t, n);
	n->mark = t.cut ? 0 : map_hash(text_span(&t));
}

/* So that equal parts are told by one comparison. */
static void
mark_all(const struct policy *p)
{
	struct mark_walk m = {.walk.visit = mark_node, .room = mem_alloc(MARK_ROOM)};
	for (size_t i = 0; i < p->n; i++)
		tree_walk(p->rules[i].expr->root, &m.walk);
	mem_free(m.room);
}

static bool
same_text(const struct node *a, const struct node *b)
{
	return a->mark != 0 && a->mark == b->mark;
}

static const struct test *
test_of(const struct node *n)
{
	if (n->kind == NODE_NAMED)
		return test_of(n->first);
	if (n->kind == NODE_ANY && n->first->kind == NODE_TEST)
		return n->first->test;
	return n->kind == NODE_TEST ? n->test : NULL;
}

static bool
has_item(const struct test *t, struct span s)
{
	if (t->op == TEST_EQ)
		return t->literal.kind == VALUE_STRING && span_eq(t->literal.s, s);
	return t->op == TEST_IN_SET && string_set_has(&t->strings, s);
}

/* The i-th range of numbers that a comparison takes; false past the last. */
static bool
int_range_at(const struct test *t, size_t i, struct int_range *out)
{
	if (t->op == TEST_EQ)
		*out = (struct int_range){t->literal.i, t->literal.i};
	if (t->op == TEST_IN_SET && i < t->ints.n)
		*out = t->ints.ranges[i];
	return t->op == TEST_EQ ? i == 0 : t->op == TEST_IN_SET && i < t->ints.n;
}

static bool
ints_within(const struct test *narrow, const struct test *wide)
{
	struct int_range a;
	struct int_range b;
	size_t i = 0;
	for (; int_range_at(narrow, i, &a); i++) {
		bool held = false;
		for (size_t k = 0; !held && int_range_at(wide, k, &b); k++)
			held = b.from <= a.from && a.to <= b.to;
		if (!held)
			return false;
	}
	return i > 0;
}

static bool
ip_range_at(const struct test *t, size_t i, struct ip_range *out)
{
	if (t->op == TEST_EQ)
		*out = (struct ip_range){t->literal.ip, t->literal.ip};
	if (t->op == TEST_IN_SET && i < t->ips.n)
		*out = t->ips.ranges[i];
	return t->op == TEST_EQ ? i == 0 : t->op == TEST_IN_SET && i < t->ips.n;
}

static bool
ips_within(const struct test *narrow, const struct test *wide)
{
	struct ip_range a;
	struct ip_range b;
	size_t i = 0;
	for (; ip_range_at(narrow, i, &a); i++) {
		bool held = false;
		for (size_t k = 0; !held && ip_range_at(wide, k, &b); k++) {
			held = a.from.family == b.from.family &&
				ip_cmp(&b.from, &a.from) <= 0 &&
				ip_cmp(&a.to, &b.to) <= 0;
		}
		if (!held)
			return false;
	}
	return i > 0;
}

/* Whether every value that the narrow test takes is taken by the wide one. */
static bool
set_within(const struct test *narrow, const struct test *wide)
{
	enum type type = narrow->path.element;
	bool alike = type == wide->path.element && narrow->path.field != NULL &&
		narrow->path.field == wide->path.field &&
		narrow->path.n_steps == wide->path.n_steps && narrow->path.n_steps <= 1;
	if (alike && type == TYPE_INT)
		return ints_within(narrow, wide);
	if (alike && type == TYPE_IP)
		return ips_within(narrow, wide);
	if (!alike || type != TYPE_STRING)
		return false;
	if (narrow->op == TEST_EQ)
		return has_item(wide, narrow->literal.s);
	for (size_t i = 0; i < narrow->n_items; i++) {
		if (!has_item(wide, narrow->items[i].s))
			return false;
	}
	return narrow->op == TEST_IN_SET && narrow->n_items > 0;
}

/* Two comparisons, of which the second takes all that the first takes. */
static bool
test_within(const struct node *a, const struct node *b)
{
	const struct test *narrow = test_of(a);
	const struct test *wide = test_of(b);
	return narrow != NULL && wide != NULL && a->kind == b->kind &&
		set_within(narrow, wide);
}

static bool implies(const struct node *a, const struct node *b);

/* Some part of an and already implies b. */
static bool
some_part_implies(const struct node *a, const struct node *b)
{
	if (a->kind == NODE_NAMED)
		return implies(a->first, b);
	if (b->kind == NODE_NAMED)
		return implies(a, b->first);
	for (const struct node *c = a->first; c != NULL; c = c->next) {
		if (implies(c, b))
			return true;
	}
	return false;
}

/* Some part of an or is implied by a. */
static bool
implies_some_part(const struct node *a, const struct node *b)
{
	for (const struct node *c = b->first; c != NULL; c = c->next) {
		if (implies(a, c))
			return true;
	}
	return false;
}

static bool
every_part_implies(const struct node *a, const struct node *b)
{
	for (const struct node *c = a->first; c != NULL; c = c->next) {
		if (!implies(c, b))
			return false;
	}
	return true;
}

/* Whether b holds whenever a holds, as far as their shapes show. */
static bool
implies(const struct node *a, const struct node *b)
{
	if ((b->kind == NODE_CONST && b->truth) || same_text(a, b) || test_within(a, b))
		return true;
	if (a->kind == NODE_AND && some_part_implies(a, b))
		return true;
	if (b->kind == NODE_OR && implies_some_part(a, b))
		return true;
	return a->kind == NODE_OR && every_part_implies(a, b);
}

enum { SHADOW_LOOK_BACK = 1000 };

static void
lint_shadowed(struct lint_run *r)
{
	const struct rule *rule = &r->policy->rules[r->rule];
	uint32_t first = r->rule > SHADOW_LOOK_BACK ? r->rule - SHADOW_LOOK_BACK : 0;
	if (!rule->given.action->deciding)
		return;
	for (uint32_t i = first; i < r->rule; i++) {
		const struct rule *other = &r->policy->rules[i];
		if (!other->given.action->deciding || other->given.dry_run ||
			other->at != rule->at ||
			!implies(rule->expr->root, other->expr->root))
			continue;
		char text[160];
		text_format(text, sizeof(text),
			"rule %.*s decides first whenever this one would",
			SPAN_ARG(span_first(other->given.name, 80)));
		lint_report(r, "shadowed", 0, rule->expr->text.n, text);
		return;
	}
}

static void
lint_phase(struct lint_run *r)
{
	bool dns = false;
	bool other = false;
	const struct field *f;
	for (size_t i = 0; (f = rule_field(r->expr, i)) != NULL; i++) {
		dns = dns || f->phase == PHASE_DNS_QUERY ||
			f->phase == PHASE_DNS_ANSWER;
		other = other ||
			(f->phase > PHASE_ACCEPT && f->phase < PHASE_DNS_QUERY);
	}
	if (dns && other) {
		lint_report(r, "phase", 0, r->expr->text.n,
			"fields of DNS and of connections never exist together");
	}
}

struct lint_walk {
	struct walk walk;
	struct lint_run *run;
	bool verified;
	bool revoked;
	size_t verified_at;
};

static void
lint_node(struct walk *w, struct node *n)
{
	struct lint_walk *lw = CONTAINER_OF(w, struct lint_walk, walk);
	if (n->kind == NODE_TEST) {
		const struct field *f = n->test->path.field;
		bool verified = f != NULL &&
			span_ends(span_str(f->name), SPAN(".cert_verified"));
		bool revoked = f != NULL &&
			span_ends(span_str(f->name), SPAN(".cert_revoked"));
		if (verified && !lw->verified)
			lw->verified_at = n->from;
		lw->verified = lw->verified || verified;
		lw->revoked = lw->revoked || revoked;
		if (!n->named) /* what has a name is looked at where it gets it */
			lint_test(lw->run, n);
	}
}

static void
lint_rule(struct lint_run *r)
{
	struct lint_walk w = {.walk.visit = lint_node, .run = r};
	lint_warnings(r);
	lint_shadowed(r);
	lint_phase(r);
	tree_walk(r->expr->root, &w.walk);
	if (w.verified && !w.revoked) {
		text_format(r->hint, sizeof(r->hint),
			"write: (cert_verified and not cert_revoked)");
		lint_report(r, "revoked", w.verified_at, w.verified_at + 1,
			"cert_verified stays true for a revoked certificate");
	}
}

void
lint_policy(struct lint *l, const struct policy *p)
{
	mark_all(p);
	for (uint32_t i = 0; i < p->n; i++) {
		struct lint_run r = {
			.lint = l, .policy = p, .rule = i, .expr = p->rules[i].expr};
		r.action = p->rules[i].given.action;
		lint_rule(&r);
	}
}
