// SPDX-License-Identifier: Apache-2.0
#include "rule/field.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "rule/scratch_priv.h"

static const char *const phase_names[PHASE_COUNT] = {
	[PHASE_ACCEPT] = "accept",
	[PHASE_HELLO] = "hello",
	[PHASE_PEER] = "peer",
	[PHASE_HANDSHAKE] = "handshake",
	[PHASE_REQUEST] = "request",
	[PHASE_REQUEST_BODY] = "request-body",
	[PHASE_RESPONSE] = "response",
	[PHASE_RESPONSE_BODY] = "response-body",
	[PHASE_DNS_QUERY] = "dns-query",
	[PHASE_DNS_ANSWER] = "dns-answer",
};

const char *
phase_name(enum phase p)
{
	must(p < PHASE_COUNT);
	return phase_names[p];
}

bool
phase_find(struct span name, enum phase *out)
{
	for (size_t i = 0; i < PHASE_COUNT; i++) {
		if (span_eq(name, span_str(phase_names[i]))) {
			*out = (enum phase)i;
			return true;
		}
	}
	return false;
}

const struct facts_base *
rule_facts_base(const struct facts *f)
{
	return (const struct facts_base *)(const void *)f;
}

static int
by_name(const void *a, const void *b)
{
	const struct field *const *x = a;
	const struct field *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

/* Returns how many names are left. */
static size_t
drop_unfilled_twins(const struct field **sorted, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		bool twin = kept > 0 &&
			strcmp(sorted[kept - 1]->name, sorted[i]->name) == 0;
		if (!twin) {
			sorted[kept++] = sorted[i];
			continue;
		}
		bool first_filled = !(sorted[kept - 1]->flags & FIELD_UNFILLED);
		bool second_filled = !(sorted[i]->flags & FIELD_UNFILLED);
		must(!first_filled || !second_filled);
		if (second_filled)
			sorted[kept - 1] = sorted[i];
	}
	return kept;
}

void
scheme_init(struct scheme *s, const struct field *fields, size_t n,
	const struct lists *lists)
{
	*s = (struct scheme){.fields = fields, .n_fields = n, .lists = lists};
	s->sorted = mem_array(n, sizeof(struct field *));
	for (size_t i = 0; i < n; i++)
		s->sorted[i] = &fields[i];
	qsort(s->sorted, n, sizeof(struct field *), by_name);
	s->n_sorted = drop_unfilled_twins(s->sorted, n);
	s->scratch = scratch_new();
}

void
scheme_fini(struct scheme *s)
{
	mem_free(s->sorted);
	scratch_free(s->scratch);
	*s = (struct scheme){0};
}

const struct field *
scheme_field(const struct scheme *s, struct span name)
{
	size_t low = 0;
	size_t high = s->n_sorted;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct span at = span_str(s->sorted[mid]->name);
		size_t common = at.n < name.n ? at.n : name.n;
		int order = common == 0 ? 0 : memcmp(at.p, name.p, common);
		if (order == 0)
			order = at.n < name.n ? -1 : at.n > name.n;
		if (order == 0)
			return s->sorted[mid];
		if (order < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return NULL;
}

const char *
scheme_nearest(const struct scheme *s, struct span name)
{
	const char *best = NULL;
	size_t least = name.n / 3 + 1;
	for (size_t i = 0; i < s->n_sorted; i++) {
		size_t d = text_distance(name, span_str(s->sorted[i]->name));
		if (d < least) {
			least = d;
			best = s->sorted[i]->name;
		}
	}
	return best;
}
