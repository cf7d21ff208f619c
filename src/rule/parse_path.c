// SPDX-License-Identifier: Apache-2.0
/*
 * parse_path: fields, their indexes, and function calls.
 */
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "rule/parse_priv.h"
#include "rule/regex_priv.h"
#include "rule/scratch_priv.h"
#include "rule/wildcard_priv.h"

static bool
fail_name(struct parser *p, size_t from, struct span name)
{
	lex_fail(&p->lex, from, from + name.n, "unknown name \"%.*s\"", SPAN_ARG(name));
	if (span_eq_nocase(name, SPAN("and")) || span_eq_nocase(name, SPAN("or")) ||
		span_eq_nocase(name, SPAN("eq")))
		return lex_hint(&p->lex, "an operator stands between two conditions");
	for (const struct rule_let *l = p->lets; l != NULL; l = l->next) {
		if (text_distance(name, l->name) <= name.n / 4) {
			return lex_hint(
				&p->lex, "did you mean %.*s?", SPAN_ARG(l->name));
		}
	}
	const char *near = scheme_nearest(p->scheme, name);
	if (near == NULL)
		near = function_nearest(name);
	return near == NULL ? false : lex_hint(&p->lex, "did you mean %s?", near);
}

static void
warn_unfilled(struct parser *p, const struct field *f, size_t from)
{
	if (f->flags & FIELD_UNFILLED) {
		lex_warn(&p->lex, from, p->lex.at,
			"%s is known, but not filled yet: it is always missing",
			f->name);
	}
	if (f->flags & FIELD_CONSTANT) {
		lex_warn(&p->lex, from, p->lex.at, "%s always has the same value",
			f->name);
	}
}

/* Gateway: identity.groups[*].name is identity.groups.name[*]. */
static const struct field *
find_member(struct parser *p, struct span name)
{
	char joined[128];
	struct lexer ahead = p->lex;
	struct span member;
	if (p->dialect != RULE_GATEWAY || !lex_take(&ahead, "[*].") ||
		!lex_name(&ahead, &member))
		return NULL;
	struct text t = text_to(joined, sizeof(joined));
	text_put(&t, name);
	text_add(&t, ".");
	text_put(&t, member);
	const struct field *f = t.cut ? NULL : scheme_field(p->scheme, text_span(&t));
	if (f != NULL)
		p->lex.at = ahead.at;
	return f;
}

/* Without its own steps; the element type is the field's. */
static void
set_field(struct parser *p, struct path *out, const struct field *f, size_t from)
{
	if (f->same != NULL)
		f = scheme_field(p->scheme, span_str(f->same));
	*out = (struct path){.field = f, .element = f->type};
	warn_unfilled(p, f, from);
}

static bool
read_index(struct parser *p, struct step *step)
{
	size_t from = p->lex.at;
	int64_t index;
	if (lex_take(&p->lex, "*")) {
		step->kind = STEP_EACH;
		return true;
	}
	if (span_starts(lex_left(&p->lex), SPAN("\""))) {
		step->kind = STEP_KEY;
		if (!lex_string(&p->lex, &step->key))
			return false;
		return text_is_utf8(step->key) ||
			lex_fail(&p->lex, from, p->lex.end, "a key is valid UTF-8");
	}
	step->kind = STEP_INDEX;
	if (lex_int(&p->lex, &index) && index >= 0 && index <= UINT32_MAX) {
		step->index = (uint32_t)index;
		return true;
	}
	lex_fail(&p->lex, from, p->lex.end,
		"expected a key in quotes, a position from 0 on, or *");
	struct span rest = span_slice(p->lex.text, from, p->lex.end);
	if (span_starts(rest, SPAN("]")))
		return lex_hint(&p->lex, "write [*] for every element");
	return span_starts(rest, SPAN("r\""))
		? lex_hint(&p->lex, "a key has no raw form")
		: false;
}

/* The type behind the step, or TYPE_NONE when it cannot be taken. */
static enum type
step_type(enum type t, const struct step *step)
{
	bool fits = step->kind == STEP_EACH ||
		(step->kind == STEP_INDEX) == type_is_array(t);
	return fits ? type_inner(t) : TYPE_NONE;
}

static void
warn_capitals(
	struct parser *p, const struct path *path, const struct step *s, size_t from)
{
	if (s->kind != STEP_KEY || path->field == NULL ||
		!span_ends(span_str(path->field->name), SPAN(".headers")))
		return;
	for (size_t i = 0; i < s->key.n; i++) {
		if (s->key.p[i] >= 'A' && s->key.p[i] <= 'Z') {
			lex_warn(&p->lex, from, p->lex.at,
				"names of headers are in small letters here: this "
				"never matches");
			return;
		}
	}
}

static bool
parse_step(struct parser *p, struct path *path, size_t from)
{
	struct step step = {0};
	lex_blanks(&p->lex);
	if (!read_index(p, &step))
		return false;
	lex_blanks(&p->lex);
	if (!lex_expect(&p->lex, "]"))
		return false;
	enum type inner = step_type(path->element, &step);
	if (inner == TYPE_NONE) {
		char name[64];
		struct text t = text_to(name, sizeof(name));
		type_put(&t, path->element);
		return lex_fail(&p->lex, from, p->lex.at, "%s has no such index", name);
	}
	warn_capitals(p, path, &step, from);
	struct step *steps =
		arena_alloc(p->lex.arena, (path->n_steps + 1) * sizeof(struct step));
	if (path->n_steps > 0)
		memcpy(steps, path->steps, path->n_steps * sizeof(struct step));
	steps[path->n_steps++] = step;
	path->steps = steps;
	path->element = inner;
	path->stars += step.kind == STEP_EACH;
	return true;
}

static bool
parse_steps(struct parser *p, struct path *path)
{
	for (;;) {
		size_t from = p->lex.at;
		if (!lex_take(&p->lex, "["))
			return true;
		if (!parse_step(p, path, from))
			return false;
	}
}

static bool
is_literal(const struct node *n)
{
	return n->kind == NODE_LITERAL;
}

static bool
fits_types(enum type t, unsigned types)
{
	if (type_is_array(t)) {
		return (types & ARG_ARRAY) != 0 ||
			((types & ARG_STRINGS) != 0 && t == TYPE_STRINGS);
	}
	return type_inner(t) == TYPE_NONE && (types & 1U << t) != 0;
}

static bool
fail_argument(struct parser *p, const struct node *arg, size_t i, const char *why)
{
	return lex_fail(&p->lex, arg->from, arg->to, "argument %zu %s", i + 1, why);
}

static bool
fail_argument_type(struct parser *p, const struct node *arg, size_t i)
{
	char name[64];
	struct text t = text_to(name, sizeof(name));
	type_put(&t, arg->type);
	lex_fail(&p->lex, arg->from, arg->to, "argument %zu cannot be of type %s",
		i + 1, name);
	if (type_is_array(arg->type) && arg->kind == NODE_PATH)
		return lex_hint(&p->lex, "write [*] behind it for every element");
	return false;
}

/* The literals of the two replacing functions are prepared here. */
static bool
prepare_literal(struct parser *p, struct path *call, const struct node *arg, size_t i)
{
	if (i != 1 || !is_literal(arg))
		return true;
	if (call->function->run == function_regex_replace) {
		struct regex_fault fault;
		call->regex =
			regex_get(p->scheme->scratch->patterns, arg->literal.s, &fault);
		if (call->regex == NULL)
			return fail_argument(p, arg, i, fault.reason);
		regex_prepare_find(call->regex);
	}
	return true;
}

static bool
is_query(const struct path *path)
{
	return path->field != NULL && path->n_steps == 0 &&
		(strcmp(path->field->name, "http.request.uri.query") == 0 ||
			strcmp(path->field->name, "raw.http.request.uri.query") == 0);
}

static bool
check_argument(struct parser *p, struct path *call, const struct node *arg, size_t i)
{
	const struct function *f = call->function;
	struct arg_spec spec = function_arg(f, i);

	if (spec.kind == ARG_FIELD && is_literal(arg)) {
		fail_argument(p, arg, i, "must be a field, not a literal");
		return false;
	}
	if (spec.kind == ARG_LITERAL && !is_literal(arg))
		return fail_argument(p, arg, i, "must be a literal");
	if (!fits_types(arg->type, spec.types))
		return fail_argument_type(p, arg, i);
	if (f->result == TYPE_NONE && i > 0 && arg->type != call->args->type)
		return fail_argument(p, arg, i, "must be of the type of the first");
	const char *why =
		is_literal(arg) && f->refuse ? f->refuse(i, &arg->literal) : NULL;
	if (why != NULL)
		return fail_argument(p, arg, i, why);
	if (f->run == function_remove_query_args && i == 0 && !is_query(arg->path))
		return fail_argument(p, arg, i, "must be http.request.uri.query");
	return prepare_literal(p, call, arg, i);
}

static bool
fail_count(struct parser *p, const struct function *f)
{
	if (f->most == SIZE_MAX) {
		return lex_fail(&p->lex, p->lex.at, p->lex.end,
			"%s takes at least %zu arguments", f->name, f->least);
	}
	if (f->least == f->most) {
		return lex_fail(&p->lex, p->lex.at, p->lex.end,
			"%s takes %zu argument%s", f->name, f->least,
			f->least == 1 ? "" : "s");
	}
	return lex_fail(&p->lex, p->lex.at, p->lex.end, "%s takes %zu to %zu arguments",
		f->name, f->least, f->most);
}

static bool
too_many(struct parser *p, const struct path *call, size_t from)
{
	size_t most = call->function->most;
	if (call->n_args < most && call->n_args < FUNCTION_ARGS_MAX)
		return false;
	p->lex.at = from;
	fail_count(p, call->function);
	return true;
}

static bool
parse_call_argument(struct parser *p, struct path *call, struct node **last)
{
	size_t from = p->lex.at;
	struct node *arg = NULL;
	if (!parse_argument(p, &arg))
		return false;
	must(arg != NULL);
	if (arg->kind == NODE_PATH && arg->path->stars > 0 && call->n_args > 0) {
		return fail_argument(p, arg, call->n_args,
			"cannot have [*]: only the first one can");
	}
	if (too_many(p, call, from))
		return false;
	if (call->n_args == 0) {
		call->args = arg;
	} else {
		(*last)->next = arg;
	}
	*last = arg;
	if (!check_argument(p, call, arg, call->n_args))
		return false;
	call->n_args++;
	return true;
}

static bool
parse_arguments(struct parser *p, struct path *call)
{
	struct node *last = NULL;
	lex_blanks(&p->lex);
	while (p->lex.at < p->lex.end && p->lex.text.p[p->lex.at] != ')') {
		if (call->n_args > 0 && !lex_expect(&p->lex, ","))
			return false;
		lex_blanks(&p->lex);
		if (!parse_call_argument(p, call, &last))
			return false;
		lex_blanks(&p->lex);
	}
	if (call->n_args < call->function->least)
		return fail_count(p, call->function);
	return lex_expect(&p->lex, ")");
}

/* Some functions may only stand in value expressions, or only once. */
static bool
check_function(struct parser *p, const struct function *f, size_t from)
{
	if ((f->flags & FUNCTION_VALUE_ONLY) && !p->is_value) {
		return lex_fail(&p->lex, from, p->lex.at,
			"%s rewrites: it stands in value expressions only", f->name);
	}
	if (!(f->flags & FUNCTION_ONCE))
		return true;
	if (p->in_replace) {
		return lex_fail(&p->lex, from, p->lex.at,
			"%s cannot stand inside a function that replaces", f->name);
	}
	for (size_t i = 0; i < COUNT_OF(p->once); i++) {
		if (p->once[i] == f) {
			return lex_fail(&p->lex, from, p->lex.at,
				"%s may stand only once in an expression", f->name);
		}
	}
	p->once[p->once[0] == NULL ? 0 : 1] = f;
	return true;
}

static bool
prepare_wildcard(struct parser *p, struct path *call)
{
	if (call->function->run != function_wildcard_replace)
		return true;
	const struct node *pattern = call->args == NULL ? NULL : call->args->next;
	must(pattern != NULL); /* three arguments at least were counted */
	struct wildcard *w;
	const char *why;
	if (!wildcard_parse(
		    p->lex.arena, pattern->literal.s, call->n_args == 4, &w, &why))
		return fail_argument(p, pattern, 1, why);
	call->wildcard = w;
	return true;
}

static bool
parse_call(struct parser *p, const struct function *f, size_t from, struct path *out)
{
	*out = (struct path){.function = f};
	if (!check_function(p, f, from))
		return false;
	lex_blanks(&p->lex);
	if (!parse_sink(p, p->lex.at) || !lex_expect(&p->lex, "("))
		return false;
	bool outer = p->in_quantifier;
	bool replaced = p->in_replace;
	p->in_quantifier = false;
	p->in_replace = replaced || (f->flags & FUNCTION_ONCE) != 0;
	bool ok = parse_arguments(p, out) && prepare_wildcard(p, out);
	p->in_quantifier = outer;
	p->in_replace = replaced;
	if (!ok)
		return false;
	parse_rise(p);
	const struct node *first = out->args;
	must(first != NULL); /* no function takes none */
	out->element = f->result == TYPE_NONE ? first->type : f->result;
	if (first->kind == NODE_PATH && first->path->stars > 0)
		out->element = type_array(out->element);
	return true;
}

bool
parse_path(struct parser *p, struct path *out)
{
	size_t from = p->lex.at;
	struct span name = {0};
	if (!lex_name(&p->lex, &name))
		return false;
	const struct field *f = scheme_field(p->scheme, name);
	if (f != NULL) {
		set_field(p, out, f, from);
		return parse_steps(p, out);
	}
	const struct function *call = function_find(name);
	if (call != NULL)
		return parse_call(p, call, from, out) && parse_steps(p, out);

	size_t behind = p->lex.at;
	f = find_member(p, name);
	if (f == NULL) {
		p->lex.at = behind;
		return fail_name(p, from, name);
	}
	set_field(p, out, f, from);
	struct step *each = arena_alloc(p->lex.arena, sizeof(*each));
	each->kind = STEP_EACH;
	out->steps = each;
	out->n_steps = out->stars = 1;
	out->element = type_inner(f->type);
	return parse_steps(p, out);
}

/*
 * Whether an argument can only be a name: a letter beyond f, or an underscore, within
 * its first three characters, so that it is neither a number nor octets.
 */
static bool
must_be_name(struct span s)
{
	for (size_t i = 0; i < 3 && i < s.n; i++) {
		uint8_t c = s.p[i];
		bool word = ascii_is_alpha(c) || ascii_is_digit(c) || c == '_';
		if (!word)
			return false;
		if (ascii_hex(c) < 0)
			return true;
	}
	return false;
}

/* What follows the path of an argument: a comparison, or nothing. */
static bool
finish_named_argument(
	struct parser *p, const struct path *path, size_t from, struct node **out)
{
	if (parse_sees_operator(p))
		return parse_test(p, path, from, out);
	*out = parse_node(p, NODE_PATH, path->element, from);
	(*out)->path = arena_alloc(p->lex.arena, sizeof(*path));
	*(*out)->path = *path;
	return true;
}

static bool
parse_string_argument(struct parser *p, struct node **out)
{
	size_t from = p->lex.at;
	struct span s = {0};
	if (!lex_string(&p->lex, &s))
		return false;
	*out = parse_node(p, NODE_LITERAL, TYPE_STRING, from);
	(*out)->literal = value_string(s);
	return true;
}

/* An address, else a number, else octets: digits below 255 would pass as octets. */
static bool
parse_bare_literal(struct parser *p, struct node **out)
{
	size_t from = p->lex.at;
	size_t warned = p->lex.n_warnings;
	struct ip ip;
	int64_t number;

	if (lex_ip(&p->lex, &ip)) {
		*out = parse_node(p, NODE_LITERAL, TYPE_IP, from);
		(*out)->literal = value_ip(ip);
		return true;
	}
	p->lex.at = from;
	if (lex_int(&p->lex, &number)) {
		*out = parse_node(p, NODE_LITERAL, TYPE_INT, from);
		(*out)->literal = value_int(number);
		return true;
	}
	p->lex.at = from;
	p->lex.n_warnings = warned;
	if (parse_string_argument(p, out))
		return true;
	p->lex.at = from;
	return lex_fail(&p->lex, from, p->lex.end, "expected an argument");
}

bool
parse_argument(struct parser *p, struct node **out)
{
	size_t from = p->lex.at;
	struct span left = lex_left(&p->lex);
	bool raw = span_starts(left, SPAN("r\"")) || span_starts(left, SPAN("r#"));

	if (raw || span_starts(left, SPAN("\"")))
		return parse_string_argument(p, out);
	if (span_starts(left, SPAN("(")) || span_starts(left, SPAN("!")))
		return parse_logical(p, out);
	if (parse_sees_let(p) != NULL)
		return parse_logical(p, out);
	if (!parse_sees_field(p) &&
		(span_starts(left, SPAN("not")) || parse_sees_quantifier(p)))
		return parse_logical(p, out);
	struct path path = {0};
	if (must_be_name(left)) {
		return parse_path(p, &path) &&
			finish_named_argument(p, &path, from, out);
	}

	size_t warned = p->lex.n_warnings;
	const struct function *once[2] = {p->once[0], p->once[1]};
	unsigned depth = p->depth;
	if (parse_path(p, &path))
		return finish_named_argument(p, &path, from, out);
	p->lex.at = from;
	p->lex.n_warnings = warned;
	p->depth = depth;
	memcpy(p->once, once, sizeof(once));
	return parse_bare_literal(p, out);
}
