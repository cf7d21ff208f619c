// SPDX-License-Identifier: Apache-2.0
/*
 * regex: the one file that knows Vectorscan.
 *
 * The tree of a pattern is written anew in a few forms: octets as \xHH, sets of them,
 * groups, counts, \A \z \b \B. That text means to Vectorscan what the tree means to us;
 * what it cannot hold, or what Vectorscan refuses, runs on our own automaton.
 */
#include "rule/regex_priv.h"

#include <hs.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "rule/regex_program_priv.h"

enum { ARENA_LIMIT = 8 << 20, TEXT_MAX = 256 << 10, POOL_MAX = 4096 };

struct regex {
	struct map_item item;
	struct regex_room *room; /* back to the scratch */
	char *pattern;           /* owned; the key */
	char *text;              /* owned; for Vectorscan, or NULL */
	hs_database_t *db;       /* owned; NULL: our own automaton runs it */
	struct program *program; /* owned */
};

struct regex_room {
	struct map by_pattern;
	hs_scratch_t *scratch; /* owned; for every database of the room */
};

struct regex_room *
regex_room_new(void)
{
	struct regex_room *r = mem_alloc(sizeof(*r));
	map_init(&r->by_pattern);
	return r;
}

static void
regex_free(struct regex *re)
{
	program_free(re->program);
	hs_free_database(re->db);
	mem_free(re->text);
	mem_free(re->pattern);
	mem_free(re);
}

void
regex_room_free(struct regex_room *r)
{
	if (r == NULL)
		return;
	struct map_item *item;
	while ((item = map_next(&r->by_pattern, NULL)) != NULL) {
		map_remove(&r->by_pattern, item);
		regex_free(CONTAINER_OF(item, struct regex, item));
	}
	map_fini(&r->by_pattern);
	hs_free_scratch(r->scratch);
	mem_free(r);
}

/* [..] with ranges, or one octet. */
static void
put_octets(struct text *t, const struct octet_set *set)
{
	text_add(t, "[");
	for (unsigned c = 0; c <= UINT8_MAX; c++) {
		unsigned last = c;
		if (!octets_has(set, (uint8_t)c))
			continue;
		while (last < UINT8_MAX && octets_has(set, (uint8_t)(last + 1)))
			last++;
		if (last > c) {
			text_add(t, "\\x%02x-\\x%02x", c, last);
		} else {
			text_add(t, "\\x%02x", c);
		}
		c = last;
	}
	text_add(t, "]");
}

static bool
is_empty_set(const struct octet_set *set)
{
	return (set->bits[0] | set->bits[1] | set->bits[2] | set->bits[3]) == 0;
}

/* False when Vectorscan has no like of it. */
static bool put_node(struct text *t, const struct regex_node *n);

static bool
put_children(struct text *t, const struct regex_node *n, const char *between)
{
	for (const struct regex_node *c = n->first; c != NULL; c = c->next) {
		text_add(t, "%s", c == n->first ? "" : between);
		if (!put_node(t, c))
			return false;
	}
	return true;
}

static bool
put_repeat(struct text *t, const struct regex_node *n)
{
	text_add(t, "(?:");
	if (!put_node(t, n->first))
		return false;
	text_add(t, ")");
	if (n->max == REGEX_FOREVER && n->min <= 1) {
		text_add(t, n->min == 0 ? "*" : "+");
	} else if (n->max == REGEX_FOREVER) {
		text_add(t, "{%u,}", n->min);
	} else {
		text_add(t, "{%u,%u}", n->min, n->max);
	}
	return true;
}

static bool
put_assert(struct text *t, enum regex_assert what)
{
	const char *text = what == ASSERT_TEXT_START ? "\\A"
		: what == ASSERT_TEXT_END            ? "\\z"
		: what == ASSERT_WORD                ? "\\b"
		: what == ASSERT_NOT_WORD            ? "\\B"
						     : NULL;
	if (text == NULL)
		return false;
	text_add(t, "%s", text);
	return true;
}

static bool
put_node(struct text *t, const struct regex_node *n)
{
	bool ok = true;
	switch (n->kind) {
	case REGEX_EMPTY:
		return true;
	case REGEX_SET:
		if (is_empty_set(&n->set))
			return false;
		put_octets(t, &n->set);
		return !t->cut;
	case REGEX_CAT:
		return put_children(t, n, "") && !t->cut;
	case REGEX_ALT:
	case REGEX_GROUP:
		text_add(t, "(?:");
		ok = n->kind == REGEX_ALT ? put_children(t, n, "|")
					  : put_node(t, n->first);
		text_add(t, ")");
		return ok && !t->cut;
	case REGEX_REPEAT:
		return put_repeat(t, n) && !t->cut;
	case REGEX_ASSERT:
		return put_assert(t, n->assert);
	}
	must_not_reach("all kinds are above");
}

static char *
vectorscan_text(const struct regex_node *root)
{
	char *room = mem_alloc(TEXT_MAX);
	struct text t = text_to(room, TEXT_MAX);
	char *out = NULL;
	if (put_node(&t, root) && !t.cut)
		out = mem_cstr(text_span(&t));
	mem_free(room);
	return out;
}

enum { HS_FLAGS = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY };

/* Leaves db NULL when Vectorscan does not take it. */
static void
build_database(struct regex *re)
{
	hs_compile_error_t *error = NULL;
	if (re->text == NULL)
		return;
	hs_error_t e =
		hs_compile(re->text, HS_FLAGS, HS_MODE_BLOCK, NULL, &re->db, &error);
	if (e != HS_SUCCESS) {
		log_debug("rule.regex", "pattern=own reason=\"%s\"",
			error != NULL ? error->message : "unknown");
		hs_free_compile_error(error);
		re->db = NULL;
		mem_free(re->text);
		re->text = NULL;
		return;
	}
	if (hs_alloc_scratch(re->db, &re->room->scratch) != HS_SUCCESS) {
		hs_free_database(re->db);
		re->db = NULL;
	}
}

static struct regex *
compile_pattern(struct regex_room *room, struct span pattern, struct regex_fault *fault)
{
	struct arena arena;
	arena_init(&arena, ARENA_LIMIT);
	struct regex_node *root = regex_parse(&arena, pattern, fault);
	struct program *program = root == NULL ? NULL : program_new(root);
	struct regex *re = NULL;
	if (root != NULL && program == NULL) {
		fault->at = 0;
		text_format(fault->reason, sizeof(fault->reason),
			"the pattern is too large when its repetitions are counted "
			"out");
	}
	if (program != NULL) {
		re = mem_alloc(sizeof(*re));
		re->room = room;
		re->program = program;
		re->pattern = mem_alloc(pattern.n + 1);
		if (pattern.n > 0)
			memcpy(re->pattern, pattern.p, pattern.n);
		re->text = vectorscan_text(root);
		build_database(re);
		map_add(&room->by_pattern, &re->item, span_of(re->pattern, pattern.n));
	}
	arena_fini(&arena);
	return re;
}

const struct regex *
regex_get(struct regex_room *r, struct span pattern, struct regex_fault *fault)
{
	struct map_item *item = map_get(&r->by_pattern, pattern);
	if (item != NULL)
		return CONTAINER_OF(item, struct regex, item);
	if (pattern.n > 64 << 10) {
		*fault = (struct regex_fault){.reason = "the pattern is too long"};
		return NULL;
	}
	return compile_pattern(r, pattern, fault);
}

void
regex_prepare_find(const struct regex *re)
{
	program_prepare(re->program);
}

/* The first match ends the scan. */
static int
stop_at_match(unsigned id, unsigned long long from, unsigned long long to,
	unsigned flags, void *context)
{
	bool *found = context;
	(void)id, (void)from, (void)to, (void)flags;
	*found = true;
	return 1;
}

bool
regex_matches(const struct regex *re, struct span s)
{
	bool found = false;
	if (re->db == NULL || s.n == 0 || s.n > UINT32_MAX)
		return program_matches(re->program, s);
	hs_error_t e = hs_scan(re->db, (const char *)s.p, (unsigned)s.n, 0,
		re->room->scratch, stop_at_match, &found);
	must(e == HS_SUCCESS || e == HS_SCAN_TERMINATED);
	return found;
}

bool
regex_find(const struct regex *re, struct span s, struct regex_spans *out)
{
	return program_find(re->program, s, out);
}

struct span
regex_pattern(const struct regex *re)
{
	return re->item.key;
}

bool
regex_is_fast(const struct regex *re)
{
	return re->db != NULL;
}

bool
regex_matches_slowly(const struct regex *re, struct span s)
{
	return program_matches(re->program, s);
}

struct regex_pool {
	const struct regex **members; /* owned array of borrowed */
	size_t n;
	size_t cap;
	hs_database_t *db; /* owned */
};

struct regex_pool *
regex_pool_new(void)
{
	return mem_alloc(sizeof(struct regex_pool));
}

void
regex_pool_free(struct regex_pool *p)
{
	if (p == NULL)
		return;
	hs_free_database(p->db);
	mem_free(p->members);
	mem_free(p);
}

size_t
regex_pool_add(struct regex_pool *p, const struct regex *re)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->members[i] == re)
			return i;
	}
	if (re->db == NULL || p->n == POOL_MAX)
		return SIZE_MAX;
	p->members = mem_grow(p->members, &p->cap, p->n + 1, sizeof(struct regex *));
	p->members[p->n] = re;
	return p->n++;
}

void
regex_pool_seal(struct regex_pool *p)
{
	const char **texts = mem_array(p->n, sizeof(*texts));
	unsigned *flags = mem_array(p->n, sizeof(*flags));
	unsigned *ids = mem_array(p->n, sizeof(*ids));
	hs_compile_error_t *error = NULL;
	for (size_t i = 0; i < p->n; i++) {
		texts[i] = p->members[i]->text;
		flags[i] = HS_FLAGS;
		ids[i] = (unsigned)i;
	}
	bool built = p->n > 0 &&
		hs_compile_multi(texts, flags, ids, (unsigned)p->n, HS_MODE_BLOCK, NULL,
			&p->db, &error) == HS_SUCCESS;
	if (built &&
		hs_alloc_scratch(p->db, &p->members[0]->room->scratch) != HS_SUCCESS) {
		hs_free_database(p->db);
		p->db = NULL;
	}
	hs_free_compile_error(error);
	mem_free(ids);
	mem_free(flags);
	mem_free(texts);
}

size_t
regex_pool_words(const struct regex_pool *p)
{
	return (p->n + 63) / 64;
}

static int
mark_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
	void *context)
{
	uint64_t *bits = context;
	(void)from, (void)to, (void)flags;
	bits[id / 64] |= UINT64_C(1) << id % 64;
	return 0;
}

void
regex_pool_scan(const struct regex_pool *p, struct span s, uint64_t *bits)
{
	memset(bits, 0, regex_pool_words(p) * sizeof(*bits));
	if (p->db != NULL && s.n > 0 && s.n <= UINT32_MAX) {
		hs_error_t e = hs_scan(p->db, (const char *)s.p, (unsigned)s.n, 0,
			p->members[0]->room->scratch, mark_match, bits);
		must(e == HS_SUCCESS);
		return;
	}
	for (size_t i = 0; i < p->n; i++) {
		if (regex_matches(p->members[i], s))
			bits[i / 64] |= UINT64_C(1) << i % 64;
	}
}
