// SPDX-License-Identifier: Apache-2.0
/*
 * print: the canonical text of a tree, and errors with their caret.
 *
 * One tree has one text, and that text parses to the same tree: symbols for
 * comparisons, words for logic, parentheses only where they are needed.
 */
#include "base/must.h"
#include "base/text.h"
#include "rule/func_priv.h"
#include "rule/print_priv.h"

static bool
is_plain(uint8_t c)
{
	return c >= 0x20 && c != 0x7f && c != '"' && c != '\\';
}

/* Quoted, octets that are not text as \xHH. */
static void
put_string(struct text *t, struct span s)
{
	bool utf8 = text_is_utf8(s);
	text_add(t, "\"");
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		if (c == '"' || c == '\\') {
			text_add(t, "\\%c", c);
		} else if (is_plain(c) && (c < 0x80 || utf8)) {
			text_put(t, span_slice(s, i, i + 1));
		} else {
			text_add(t, "\\x%02x", c);
		}
	}
	text_add(t, "\"");
}

/* How many # a raw literal of s needs, or more than 255: then it has no raw form. */
static size_t
hashes_for(struct span s)
{
	size_t most = 0;
	for (size_t i = 0; i < s.n; i++) {
		size_t run = 0;
		if (s.p[i] != '"')
			continue;
		while (i + 1 + run < s.n && s.p[i + 1 + run] == '#')
			run++;
		if (run + 1 > most)
			most = run + 1;
	}
	return most;
}

static void
put_raw(struct text *t, struct span s)
{
	size_t hashes = hashes_for(s);
	text_add(t, "r");
	for (size_t i = 0; i < hashes; i++)
		text_add(t, "#");
	text_add(t, "\"");
	text_put(t, s);
	text_add(t, "\"");
	for (size_t i = 0; i < hashes; i++)
		text_add(t, "#");
}

/*
 * A pattern: quoted when that reads back as the same, raw otherwise. A quote or an
 * unbalanced bracket needs the raw form; so does a backslash at the end.
 */
static void
put_regex(struct text *t, struct span s)
{
	bool simple = true;
	bool in_class = false;
	for (size_t i = 0; i < s.n && simple; i++) {
		uint8_t c = s.p[i];
		if (c == '\\') {
			i++;
			simple = i < s.n && s.p[i] != '"';
		} else if (c == '"') {
			simple = false;
		} else if (c == '[' || c == ']') {
			in_class = c == '[';
		}
	}
	if (!simple || in_class) {
		put_raw(t, s);
		return;
	}
	text_add(t, "\"");
	text_put(t, s);
	text_add(t, "\"");
}

static void
put_literal(struct text *t, const struct value *v)
{
	if (v->kind == VALUE_STRING) {
		put_string(t, v->s);
	} else {
		value_put(t, v);
	}
}

static void
put_path(struct text *t, const struct path *p)
{
	if (p->field != NULL) {
		text_add(t, "%s", p->field->name);
	} else {
		text_add(t, "%s(", p->function->name);
		for (const struct node *arg = p->args; arg != NULL; arg = arg->next) {
			text_add(t, arg == p->args ? "" : ", ");
			print_argument(t, arg);
		}
		text_add(t, ")");
	}
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct step *s = &p->steps[i];
		text_add(t, "[");
		if (s->kind == STEP_EACH) {
			text_add(t, "*");
		} else if (s->kind == STEP_INDEX) {
			text_add(t, "%u", s->index);
		} else {
			put_string(t, s->key);
		}
		text_add(t, "]");
	}
}

static void
put_item(struct text *t, enum type type, const struct set_item *item)
{
	char from[IP_TEXT];
	char to[IP_TEXT];
	if (type == TYPE_STRING) {
		put_string(t, item->s);
		return;
	}
	if (type == TYPE_INT) {
		text_add(t, "%lld", (long long)item->from);
		if (item->to != item->from)
			text_add(t, "..%lld", (long long)item->to);
		return;
	}
	unsigned bits;
	text_add(t, "%s", ip_text(from, &item->ip_from));
	if (ip_eq(&item->ip_from, &item->ip_to))
		return;
	if (print_network_bits(&item->ip_from, &item->ip_to, &bits)) {
		text_add(t, "/%u", bits);
	} else {
		text_add(t, "..%s", ip_text(to, &item->ip_to));
	}
}

bool
print_network_bits(const struct ip *from, const struct ip *to, unsigned *bits)
{
	unsigned n = 0;
	unsigned total = (unsigned)ip_size(from) * 8;
	while (n < total &&
		((from->bytes[n / 8] ^ to->bytes[n / 8]) & 0x80 >> n % 8) == 0)
		n++;
	for (unsigned i = n; i < total; i++) {
		bool low = (from->bytes[i / 8] & 0x80 >> i % 8) != 0;
		bool high = (to->bytes[i / 8] & 0x80 >> i % 8) != 0;
		if (low || !high)
			return false;
	}
	*bits = n;
	return true;
}

static void
put_set(struct text *t, const struct test *test)
{
	text_add(t, "{");
	for (size_t i = 0; i < test->n_items; i++) {
		text_add(t, i == 0 ? "" : " ");
		put_item(t, test->path.element, &test->items[i]);
	}
	text_add(t, "}");
}

static void
put_test(struct text *t, const struct test *test)
{
	text_add(t, test->any ? "any(" : "");
	put_path(t, &test->path);
	if (test->op != TEST_TRUE)
		text_add(t, " %s ", tree_op_name(test->op));
	switch (test->op) {
	case TEST_TRUE:
		break;
	case TEST_EQ:
	case TEST_NE:
	case TEST_GE:
	case TEST_LE:
	case TEST_GT:
	case TEST_LT:
	case TEST_BITS:
	case TEST_CONTAINS:
		put_literal(t, &test->literal);
		break;
	case TEST_MATCHES:
		put_regex(t, test->pattern);
		break;
	case TEST_WILDCARD:
	case TEST_STRICT_WILDCARD:
		put_string(t, test->pattern);
		break;
	case TEST_IN_SET:
		put_set(t, test);
		break;
	case TEST_IN_LIST:
		text_add(t, "$%.*s", SPAN_ARG(test->list_name));
		break;
	}
	text_add(t, test->any ? ")" : "");
}

static bool
is_chain(const struct node *n)
{
	return n->kind == NODE_AND || n->kind == NODE_OR || n->kind == NODE_XOR;
}

static void
put_child(struct text *t, const struct node *n, bool wrap)
{
	text_add(t, wrap ? "(" : "");
	print_node(t, n);
	text_add(t, wrap ? ")" : "");
}

/* A child that is not stronger, other than a first one that would have been merged. */
static void
put_chain(struct text *t, const struct node *n)
{
	const char *op = n->kind == NODE_AND ? "and"
		: n->kind == NODE_OR         ? "or"
					     : "xor";
	for (const struct node *c = n->first; c != NULL; c = c->next) {
		if (c != n->first)
			text_add(t, " %s ", op);
		put_child(t, c, is_chain(c) && c->kind >= n->kind);
	}
}

void
print_node(struct text *t, const struct node *n)
{
	switch (n->kind) {
	case NODE_CONST:
		text_add(t, n->truth ? "true" : "false");
		return;
	case NODE_ANY:
	case NODE_ALL:
		text_add(t, n->kind == NODE_ANY ? "any(" : "all(");
		print_argument(t, n->first);
		text_add(t, ")");
		return;
	case NODE_NOT:
		text_add(t, "not ");
		put_child(t, n->first, is_chain(n->first));
		return;
	case NODE_AND:
	case NODE_XOR:
	case NODE_OR:
		put_chain(t, n);
		return;
	case NODE_TEST:
		put_test(t, n->test);
		return;
	case NODE_PATH:
		put_path(t, n->path);
		return;
	case NODE_LITERAL:
		put_literal(t, &n->literal);
		return;
	case NODE_NAMED:
		text_put(t, n->name);
		return;
	}
	must_not_reach("all kinds are above");
}

void
print_argument(struct text *t, const struct node *n)
{
	put_child(t, n, is_chain(n));
}

void
rule_put(struct text *t, const struct rule_expr *e)
{
	print_node(t, e->root);
}

static struct span
line_of(struct span text, unsigned line)
{
	struct span at = {0};
	for (unsigned i = 0; i < line; i++) {
		if (!span_cut(&text, '\n', &at))
			return (struct span){0};
	}
	return at;
}

/* Tabs are kept, so that the caret stands under what it means. */
static void
put_margin(struct text *t, struct span line, unsigned columns)
{
	size_t i = 0;
	for (unsigned c = 0; c < columns; c++) {
		text_add(t, i < line.n && line.p[i] == '\t' ? "\t" : " ");
		i++;
		while (i < line.n && (line.p[i] & 0xc0) == 0x80)
			i++;
	}
}

void
rule_put_error(struct text *t, struct span text, const struct rule_error *error)
{
	struct span line = line_of(text, error->line);
	text_add(
		t, "line %u, column %u: %s\n", error->line, error->col, error->message);
	if (line.n < 1000) {
		text_add(t, "    ");
		for (size_t i = 0; i < line.n; i++) {
			bool control = line.p[i] < 0x20 && line.p[i] != '\t';
			text_put(t, control ? SPAN(" ") : span_slice(line, i, i + 1));
		}
		text_add(t, "\n    ");
		put_margin(t, line, error->col - 1);
		for (unsigned i = 0; i < error->width && i < 200; i++)
			text_add(t, "^");
		text_add(t, "\n");
	}
	if (error->hint[0] != '\0')
		text_add(t, "hint: %s\n", error->hint);
}
