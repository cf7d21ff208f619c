// SPDX-License-Identifier: Apache-2.0
#include "pki/suffix.h"

#include "base/file.h"
#include "base/mem.h"

enum { LIST_MAX = 4 * 1024 * 1024, NAME_MAX_OCTETS = 253 };

struct suffix {
	struct map_item by_rule;
};

struct suffixes {
	struct span text; /* owned; rules are spans of it, lower case */
	struct map rules;
	struct suffix *items; /* owned */
};

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 0x80)
			return false;
	}
	return true;
}

/* A line up to the first white space is a rule; U-labels are passed over, since names
 * are compared as A-labels. */
static bool
next_rule(struct span *text, struct span *rule)
{
	struct span line = {0};

	while (span_cut(text, '\n', &line)) {
		if (span_find(line, SPAN("===END ICANN DOMAINS===")) < line.n)
			return false;
		*rule = span_first(line, span_chr(line, ' '));
		*rule = span_trim(*rule);
		if (rule->n > 0 && !span_starts(*rule, SPAN("//")) && is_ascii(*rule))
			return true;
	}
	return false;
}

static void
add_rules(struct suffixes *s)
{
	struct span rest = s->text;
	struct span rule = {0};
	size_t n = 0;

	while (next_rule(&rest, &rule))
		n++;
	s->items = mem_array(n, sizeof *s->items);
	rest = s->text;
	for (size_t i = 0; i < n && next_rule(&rest, &rule); i++) {
		if (!map_get(&s->rules, rule))
			map_add(&s->rules, &s->items[i].by_rule, rule);
	}
}

struct suffixes *
suffixes_load(const char *path)
{
	struct suffixes *s = mem_alloc(sizeof *s);
	struct err ignored = {0};

	map_init(&s->rules);
	if (!file_read(path, LIST_MAX, &s->text, &ignored)) {
		suffixes_free(s);
		return NULL;
	}
	add_rules(s);
	return s;
}

void
suffixes_free(struct suffixes *s)
{
	if (!s)
		return;
	map_fini(&s->rules);
	mem_free(s->items);
	mem_free((void *)(uintptr_t)s->text.p);
	mem_free(s);
}

const struct suffixes *
suffixes_system(void)
{
	static struct suffixes *list;
	static bool tried;

	if (!tried)
		list = suffixes_load("/usr/share/publicsuffix/public_suffix_list.dat");
	tried = true;
	return list;
}

/* The rules "co.uk", "*.ck" and "!www.ck" as the list's own page explains them. */
bool
suffixes_has(const struct suffixes *s, struct span name)
{
	uint8_t buf[NAME_MAX_OCTETS + 2];

	if (!s || name.n == 0 || name.n > NAME_MAX_OCTETS)
		return false;
	span_lower(buf + 1, name);
	struct span plain = {buf + 1, name.n};
	buf[0] = '!';
	if (map_get(&s->rules, (struct span){buf, name.n + 1}))
		return false;
	if (map_get(&s->rules, plain))
		return true;
	size_t dot = span_chr(plain, '.');
	if (dot == 0 || dot == plain.n)
		return false;
	/* "x.ck" becomes "*.ck" in place. */
	buf[dot] = '*';
	return map_get(&s->rules, span_from(plain, dot - 1)) != NULL;
}
