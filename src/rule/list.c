// SPDX-License-Identifier: Apache-2.0
/*
 * list: named lists, loaded from files and exchanged whole.
 *
 * A reload builds a second body beside the first; only when the whole file has been
 * read is the one put in the other's place. Rules hold the list, not the body, so they
 * need no compiling anew. Processes are single-threaded and each reloads for itself.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "rule/list_priv.h"

enum { FILE_LIMIT = 1 << 30, FILES_MAX = 4096 };

struct lists {
	struct map by_name;
};

void
list_body_fini(struct list_body *b)
{
	string_set_fini(&b->strings);
	int_set_fini(&b->ints);
	ip_set_fini(&b->ips);
	*b = (struct list_body){0};
}

void
list_body_seal(struct list_body *b)
{
	string_set_seal(&b->strings);
	int_set_seal(&b->ints);
	ip_set_seal(&b->ips);
}

struct lists *
lists_new(void)
{
	struct lists *l = mem_alloc(sizeof(*l));
	map_init(&l->by_name);
	return l;
}

static void
list_free(struct rule_list *l)
{
	list_body_fini(&l->body);
	mem_free(l->name);
	mem_free(l->path);
	mem_free(l->column);
	mem_free(l);
}

void
lists_free(struct lists *l)
{
	if (l == NULL)
		return;
	struct map_item *item;
	while ((item = map_next(&l->by_name, NULL)) != NULL) {
		map_remove(&l->by_name, item);
		list_free(CONTAINER_OF(item, struct rule_list, item));
	}
	map_fini(&l->by_name);
	mem_free(l);
}

static bool
read_stamp(const char *path, struct list_stamp *out, bool *is_dir)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	out->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	out->size = (uint64_t)st.st_size;
	out->inode = st.st_ino;
	*is_dir = S_ISDIR(st.st_mode);
	return true;
}

static void
join_stamp(struct list_stamp *all, const struct list_stamp *one)
{
	all->mtime_ns = all->mtime_ns * 31 + one->mtime_ns % 1000000007;
	all->size += one->size;
	all->inode ^= one->inode;
}

static bool
is_wanted(const struct dirent *d)
{
	return d->d_name[0] != '.' && d->d_name[strlen(d->d_name) - 1] != '~';
}

/* Dots and back-ups aside, in order of names, so that faults come the same each time.
 */
static int
want_file(const struct dirent *d)
{
	return is_wanted(d);
}

struct file_walk {
	struct rule_list *list;
	struct list_body *body; /* NULL: only the stamps are read */
	struct list_stamp stamp;
	struct err *err;
};

static bool
read_one(struct file_walk *w, const char *path)
{
	struct span text;
	struct list_reader r = {.body = w->body,
		.type = w->list->type,
		.format = w->list->format,
		.column = span_str(w->list->column)};
	if (!file_read(path, FILE_LIMIT, &text, w->err))
		return false;
	bool ok = list_read(&r, text);
	mem_free((void *)(uintptr_t)text.p);
	return ok || err_set(w->err, ERR_RULE_LIST, "%s:%zu: %s", path, r.line, r.why);
}

static bool
visit_file(struct file_walk *w, const char *path)
{
	struct list_stamp one = {0};
	bool is_dir;
	if (!read_stamp(path, &one, &is_dir))
		return err_set(w->err, ERR_FILE_READ, "%s: no such file", path);
	if (is_dir)
		return true; /* one level only */
	join_stamp(&w->stamp, &one);
	return w->body == NULL || read_one(w, path);
}

static bool
visit_entry(struct file_walk *w, const char *name)
{
	char path[4096];
	struct text t = text_to(path, sizeof(path));
	text_add(&t, "%s/%s", w->list->path, name);
	if (t.cut)
		return err_set(w->err, ERR_FILE_READ, "%s: the path is too long", name);
	return visit_file(w, path);
}

static bool
visit_directory(struct file_walk *w)
{
	struct dirent **entries = NULL;
	int n = scandir(w->list->path, &entries, want_file, alphasort);
	bool ok = n >= 0 && n <= FILES_MAX;
	for (int i = 0; ok && i < n; i++)
		ok = visit_entry(w, entries[i]->d_name);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	if (n < 0) {
		return err_set(
			w->err, ERR_FILE_READ, "%s: cannot be listed", w->list->path);
	}
	if (n > FILES_MAX) {
		return err_set(w->err, ERR_RULE_LIST, "%s: more than %d files",
			w->list->path, FILES_MAX);
	}
	return ok;
}

static bool
visit(struct file_walk *w)
{
	struct list_stamp one = {0};
	bool is_dir = false;
	if (!read_stamp(w->list->path, &one, &is_dir)) {
		return err_set(
			w->err, ERR_FILE_READ, "%s: no such file", w->list->path);
	}
	return is_dir ? visit_directory(w) : visit_file(w, w->list->path);
}

/* Reads everything anew; the old body stays when that fails. */
static bool
load_body(struct rule_list *l, struct err *err)
{
	struct list_body fresh = {.below = l->below};
	struct file_walk w = {.list = l, .body = &fresh, .err = err};
	if (!visit(&w)) {
		list_body_fini(&fresh);
		return false;
	}
	list_body_seal(&fresh);
	list_body_fini(&l->body);
	l->body = fresh;
	l->stamp = w.stamp;
	return true;
}

static struct rule_list *
new_list(struct span name, enum type type)
{
	struct rule_list *list = mem_alloc(sizeof(*list));
	list->name = mem_cstr(name);
	list->column = mem_cstr((struct span){0});
	list->type = type;
	return list;
}

bool
lists_load(struct lists *l, const struct list_source *src, struct err *err)
{
	if (map_get(&l->by_name, src->name) != NULL) {
		return err_set(err, ERR_RULE_LIST, "there are two lists $%.*s",
			SPAN_ARG(src->name));
	}
	struct rule_list *list = new_list(src->name, src->type);
	list->path = mem_cstr(src->path);
	list->format = src->format;
	list->below = src->below;
	mem_free(list->column);
	list->column = mem_cstr(src->column);
	if (!load_body(list, err)) {
		list_free(list);
		return false;
	}
	map_add(&l->by_name, &list->item, span_str(list->name));
	return true;
}

bool
lists_add(struct lists *l, const struct list_source *src, const struct span *items,
	size_t n, struct err *err)
{
	if (map_get(&l->by_name, src->name) != NULL) {
		return err_set(err, ERR_RULE_LIST, "there are two lists $%.*s",
			SPAN_ARG(src->name));
	}
	struct rule_list *list = new_list(src->name, src->type);
	list->body.below = src->below;
	for (size_t i = 0; i < n; i++) {
		const char *why;
		if (list_body_add(&list->body, src->type, items[i], &why))
			continue;
		list_free(list);
		return err_set(err, ERR_RULE_LIST, "item %zu of $%.*s: %s", i + 1,
			SPAN_ARG(src->name), why);
	}
	list_body_seal(&list->body);
	map_add(&l->by_name, &list->item, span_str(list->name));
	return true;
}

static bool
is_changed(struct rule_list *l)
{
	struct err ignored = {0};
	struct file_walk w = {.list = l, .err = &ignored};
	if (l->path == NULL || !visit(&w))
		return l->path != NULL; /* gone: reading it will say so */
	return w.stamp.mtime_ns != l->stamp.mtime_ns || w.stamp.size != l->stamp.size ||
		w.stamp.inode != l->stamp.inode;
}

size_t
lists_refresh(struct lists *l, struct err *err)
{
	size_t exchanged = 0;
	err->code = ERR_NONE;
	for (struct map_item *item = NULL;
		(item = map_next(&l->by_name, item)) != NULL;) {
		struct rule_list *list = CONTAINER_OF(item, struct rule_list, item);
		struct err one = {0};
		if (!is_changed(list))
			continue;
		if (load_body(list, &one)) {
			exchanged++;
		} else {
			*err = one;
		}
	}
	return exchanged;
}

uint64_t
lists_stamp(const struct lists *l)
{
	uint64_t all = 0;
	for (struct map_item *item = NULL;
		(item = map_next(&l->by_name, item)) != NULL;) {
		struct err ignored = {0};
		struct rule_list *list = CONTAINER_OF(item, struct rule_list, item);
		struct file_walk w = {.list = list, .err = &ignored};
		if (list->path == NULL)
			continue;
		(void)!visit(&w); /* what is gone leaves the stamp as it is so far */
		all = all * 31 + map_hash(span_of(&w.stamp, sizeof(w.stamp)));
	}
	return all;
}

const struct rule_list *
lists_find(const struct lists *l, struct span name)
{
	struct map_item *item = map_get(&l->by_name, name);
	return item == NULL ? NULL : CONTAINER_OF(item, struct rule_list, item);
}

const char *
lists_nearest(const struct lists *l, struct span name)
{
	const char *best = NULL;
	size_t least = name.n / 3 + 1;
	for (struct map_item *item = NULL;
		(item = map_next(&l->by_name, item)) != NULL;) {
		size_t d = text_distance(name, item->key);
		if (d < least) {
			least = d;
			best = CONTAINER_OF(item, struct rule_list, item)->name;
		}
	}
	return best;
}

enum type
list_type(const struct rule_list *l)
{
	return l->type;
}

struct span
list_name(const struct rule_list *l)
{
	return l->item.key;
}

size_t
list_size(const struct rule_list *l)
{
	return l->body.n;
}

size_t
list_cost(const struct rule_list *l)
{
	const struct list_body *b = &l->body;
	return b->strings.cap + b->strings.n_slots * (sizeof(*b->strings.slots) + 1) +
		b->ints.cap * sizeof(*b->ints.ranges) +
		b->ips.cap * sizeof(*b->ips.ranges);
}

size_t
list_skipped(const struct rule_list *l)
{
	return l->body.skipped;
}

bool
list_has(const struct rule_list *l, const struct value *v)
{
	switch (v->kind) {
	case VALUE_STRING:
		return string_set_covers(&l->body.strings, v->s);
	case VALUE_DOMAINS:
		return v->n > 1 ? string_set_covers_any(&l->body.strings, v->s)
				: string_set_has(&l->body.strings, v->s);
	case VALUE_INT:
		return int_set_has(&l->body.ints, v->i);
	case VALUE_IP:
		return ip_set_has(&l->body.ips, &v->ip);
	case VALUE_MISSING:
	case VALUE_BOOL:
	case VALUE_ARRAY:
	case VALUE_ONE_IP:
	case VALUE_MAP:
		break;
	}
	return false;
}
