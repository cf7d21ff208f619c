// SPDX-License-Identifier: Apache-2.0
#include "fact/catalogue.h"

#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "fact/catalogue_file.h"

enum { ARENA_LIMIT = 64 << 20, COLUMNS = 8, PER_HOST_MAX = 64 };

/* One name of the file. A host hit here has what is told of the name itself; one that
 * only ends in it, what suffix rows tell. Parents' suffix rows are in both. */
struct name {
	struct map_item item;
	struct catalogue_hit whole;
	struct catalogue_hit below;
};

struct catalogue {
	struct arena arena;
	struct catalogue_row *rows; /* owned */
	size_t n_rows;
	size_t cap_rows;
	struct catalogue_type *types; /* owned */
	size_t n_types;
	size_t cap_types;
	struct map names;
};

static bool
split_line(struct span line, struct span out[COLUMNS])
{
	size_t n = 0;
	while (n < COLUMNS && span_cut(&line, '\t', &out[n]))
		n++;
	for (size_t i = n; i < COLUMNS; i++)
		out[i] = (struct span){0};
	return line.n == 0 && n >= 3;
}

static bool
add_type(struct catalogue *c, const struct span *cells, uint32_t id)
{
	c->types = mem_grow(c->types, &c->cap_types, c->n_types + 1, sizeof(*c->types));
	c->types[c->n_types++] = (struct catalogue_type){id, cells[2]};
	return cells[2].n > 0;
}

static bool
add_row(struct catalogue *c, const struct span *cells, uint32_t id)
{
	c->rows = mem_grow(c->rows, &c->cap_rows, c->n_rows + 1, sizeof(*c->rows));
	c->rows[c->n_rows++] = (struct catalogue_row){.id = id,
		.name = cells[2],
		.category = cells[3],
		.host = cells[4],
		.inspect = cells[5],
		.pinned = cells[6],
		.source = cells[7]};
	return cells[4].n > 0 && cells[7].n > 0;
}

static bool
read_line(struct catalogue *c, struct span line)
{
	struct span cells[COLUMNS];
	uint64_t id;
	if (line.n == 0 || line.p[0] == '#')
		return true;
	if (!split_line(line, cells) || !text_u64(cells[1], UINT32_MAX, &id))
		return false;
	if (span_eq(cells[0], SPAN("type")))
		return add_type(c, cells, (uint32_t)id);
	return span_eq(cells[0], SPAN("app")) && add_row(c, cells, (uint32_t)id);
}

/* ".a.example" and "*.a.example" without what stands before the name. */
static struct span
bare_name(struct span host)
{
	if (span_starts(host, SPAN("*.")))
		return span_from(host, 2);
	return span_from(host, span_starts(host, SPAN(".")) ? 1 : 0);
}

static bool
covers_below(struct span host)
{
	return span_starts(host, SPAN(".")) || span_starts(host, SPAN("*."));
}

bool
catalogue_row_covers(const struct catalogue_row *r, struct span host)
{
	struct span name = bare_name(r->host);
	if (span_eq(name, host))
		return !span_starts(r->host, SPAN("*."));
	return covers_below(r->host) && span_ends(host, name) && host.n > name.n &&
		host.p[host.n - name.n - 1] == '.';
}

uint32_t
catalogue_type_of(const struct catalogue *c, struct span category)
{
	for (size_t i = 0; i < c->n_types; i++) {
		if (span_eq(c->types[i].name, category))
			return c->types[i].id;
	}
	return 0;
}

/* Categories that are nobody's business: a switch of its own each. */
static uint32_t
privacy_group(struct span category)
{
	static const struct {
		const char *category;
		uint32_t type;
	} groups[] = {{"Bank / payment", 201}, {"JP bank", 201}, {"JP payment", 201},
		{"JP securities", 201}, {"JP transport payment", 201},
		{"Accounting", 201}, {"Credit bureau / ID protection", 201},
		{"Crypto exchange", 201}, {"Health", 202}, {"Government", 203},
		{"Mail/privacy", 204}};
	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		if (span_eq(category, span_str(groups[i].category)))
			return groups[i].type;
	}
	return 0;
}

struct numbers {
	struct value v[PER_HOST_MAX];
	size_t n;
};

static void
add_number(struct numbers *l, uint32_t id)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].i == (int64_t)id)
			return;
	}
	if (id != 0 && l->n < PER_HOST_MAX)
		l->v[l->n++] = value_int(id);
}

static struct value
keep_numbers(struct catalogue *c, const struct numbers *l)
{
	if (l->n == 0)
		return value_missing();
	struct value *items = arena_alloc(&c->arena, l->n * sizeof(*items));
	memcpy(items, l->v, l->n * sizeof(*items));
	return value_array(items, l->n);
}

/* What all rows tell of a name, or (below) of any name under it. */
static struct catalogue_hit
gather(struct catalogue *c, struct span name, bool below)
{
	struct numbers ids = {.n = 0};
	struct numbers types = {.n = 0};
	for (size_t i = 0; i < c->n_rows; i++) {
		const struct catalogue_row *r = &c->rows[i];
		bool own = below && covers_below(r->host) &&
			span_eq(bare_name(r->host), name);
		bool covers = catalogue_row_covers(r, name) &&
			(!below || covers_below(r->host));
		if (!own && !covers)
			continue;
		add_number(&ids, r->id);
		add_number(&types, catalogue_type_of(c, r->category));
		add_number(&types, privacy_group(r->category));
		if (span_eq(r->inspect, SPAN("off")))
			add_number(&types, CATALOGUE_DO_NOT_INSPECT);
	}
	return (struct catalogue_hit){keep_numbers(c, &ids), keep_numbers(c, &types)};
}

static void
index_names(struct catalogue *c)
{
	for (size_t i = 0; i < c->n_rows; i++) {
		struct span name = bare_name(c->rows[i].host);
		if (map_get(&c->names, name) != NULL || span_chr(name, '*') < name.n)
			continue;
		struct name *n = arena_alloc(&c->arena, sizeof(*n));
		n->whole = gather(c, name, false);
		n->below = gather(c, name, true);
		map_add(&c->names, &n->item, name);
	}
}

struct catalogue *
catalogue_new(struct span text, struct err *err)
{
	struct catalogue *c = mem_alloc(sizeof(*c));
	struct span line;
	arena_init(&c->arena, ARENA_LIMIT);
	map_init(&c->names);
	for (size_t number = 1; span_cut(&text, '\n', &line); number++) {
		if (read_line(c, line))
			continue;
		(void)err_set(err, ERR_RULE_LIST,
			"line %zu of the catalogue is not of its form", number);
		catalogue_free(c);
		return NULL;
	}
	index_names(c);
	return c;
}

struct catalogue *
catalogue_built_in(void)
{
	struct err err = {0};
	struct catalogue *c = catalogue_new(
		span_of(catalogue_file[0].bytes, catalogue_file[0].n), &err);
	must(c != NULL);
	return c;
}

void
catalogue_free(struct catalogue *c)
{
	if (c == NULL)
		return;
	map_fini(&c->names);
	arena_fini(&c->arena);
	mem_free(c->rows);
	mem_free(c->types);
	mem_free(c);
}

/* The longest name of the file that the host is or ends in. */
struct catalogue_hit
catalogue_find(const struct catalogue *c, struct span host)
{
	struct map_item *item = map_get(&c->names, host);
	if (item != NULL)
		return CONTAINER_OF(item, struct name, item)->whole;
	for (size_t dot; (dot = span_chr(host, '.')) < host.n;) {
		host = span_from(host, dot + 1);
		item = map_get(&c->names, host);
		if (item != NULL)
			return CONTAINER_OF(item, struct name, item)->below;
	}
	return (struct catalogue_hit){0};
}

const struct catalogue_row *
catalogue_row(const struct catalogue *c, size_t i)
{
	return i < c->n_rows ? &c->rows[i] : NULL;
}

const struct catalogue_type *
catalogue_type(const struct catalogue *c, size_t i)
{
	return i < c->n_types ? &c->types[i] : NULL;
}
