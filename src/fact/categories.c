// SPDX-License-Identifier: Apache-2.0
#include "fact/categories.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { CATEGORIES_MAX = 1000, PATH_ROOM = 4096 };

struct category {
	char *name;      /* owned */
	uint64_t number; /* 0: none */
	enum category_kind kind;
	const struct rule_list *list; /* borrowed */
};

struct categories {
	struct category *all; /* owned */
	size_t n;
	size_t cap;
};

struct categories *
categories_new(void)
{
	return mem_alloc(sizeof(struct categories));
}

void
categories_free(struct categories *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		mem_free(c->all[i].name);
	mem_free(c->all);
	mem_free(c);
}

size_t
categories_count(const struct categories *c)
{
	return c->n;
}

static int
is_wanted(const struct dirent *d)
{
	return d->d_name[0] != '.' && d->d_name[strlen(d->d_name) - 1] != '~';
}

/* "17-gambling.txt": 17, gambling. */
static void
read_name(struct span file, uint64_t *number, struct span *name)
{
	size_t digits = 0;
	size_t dot = span_rchr(file, '.');
	*name = dot > 0 && dot < file.n ? span_first(file, dot) : file;
	*number = 0;
	while (digits < name->n && ascii_is_digit(name->p[digits]))
		digits++;
	bool marked = digits > 0 &&
		(digits == name->n || name->p[digits] == '-' || name->p[digits] == '_');
	if (!marked || !text_u64(span_first(*name, digits), INT32_MAX, number))
		return;
	if (digits + 1 < name->n)
		*name = span_from(*name, digits + 1);
}

static bool
load_one(struct categories *c, struct lists *lists, enum category_kind kind,
	const char *path, struct err *err)
{
	struct span name;
	uint64_t number;
	struct span file = span_str(path);
	/* No rule can write a name with a slash, so it is in nobody's way. */
	const struct list_source source = {.name = file,
		.path = file,
		.type = TYPE_STRING,
		.format = LIST_AUTO,
		.below = true};
	if (c->n == CATEGORIES_MAX) {
		return err_set(err, ERR_RULE_LIST, "%s: more than %d categories", path,
			CATEGORIES_MAX);
	}
	if (!lists_load(lists, &source, err))
		return false;
	read_name(span_from(file, span_rchr(file, '/') + 1), &number, &name);
	c->all = mem_grow(c->all, &c->cap, c->n + 1, sizeof(*c->all));
	c->all[c->n++] = (struct category){.name = mem_cstr(name),
		.number = number,
		.kind = kind,
		.list = lists_find(lists, file)};
	return true;
}

bool
categories_load(struct categories *c, struct lists *lists, enum category_kind kind,
	struct span path, struct err *err)
{
	char file[PATH_ROOM];
	struct dirent **entries = NULL;
	char *dir = mem_cstr(path);
	int n = scandir(dir, &entries, is_wanted, alphasort);
	bool ok = n >= 0 ||
		err_set(err, ERR_FILE_READ, "%s: no directory of categories", dir);
	for (int i = 0; ok && i < n; i++) {
		struct text t = text_to(file, sizeof(file));
		text_add(&t, "%s/%s", dir, entries[i]->d_name);
		ok = t.cut
			? err_set(err, ERR_FILE_READ, "%s: the path is too long", dir)
			: load_one(c, lists, kind, file, err);
	}
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	mem_free(dir);
	return ok;
}

static struct value
keep(const struct value *items, size_t n, struct arena *a)
{
	if (n == 0)
		return value_missing();
	struct value *kept = arena_alloc(a, n * sizeof(*kept));
	memcpy(kept, items, n * sizeof(*kept));
	return value_array(kept, n);
}

void
categories_find(const struct categories *c, struct span host,
	struct categories_hit *out, struct arena *a)
{
	struct value numbers[CATEGORY_KINDS][CATEGORIES_OF_HOST];
	struct value names[CATEGORIES_OF_HOST];
	size_t n_numbers[CATEGORY_KINDS] = {0};
	size_t n = 0;
	const struct value domains = value_domains(host);
	*out = (struct categories_hit){0};
	for (size_t i = 0; c && host.n > 0 && i < c->n && n < COUNT_OF(names); i++) {
		const struct category *one = &c->all[i];
		if (!list_has(one->list, &domains))
			continue;
		names[n++] = value_string(span_str(one->name));
		if (one->number > 0) {
			numbers[one->kind][n_numbers[one->kind]++] =
				value_int((int64_t)one->number);
		}
	}
	for (size_t k = 0; k < CATEGORY_KINDS; k++)
		out->numbers[k] = keep(numbers[k], n_numbers[k], a);
	out->names = keep(names, n, a);
}
