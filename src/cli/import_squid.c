// SPDX-License-Identifier: Apache-2.0
/*
 * import_squid: ssl_bump rules of a squid.conf.
 *
 * There the first line that matches decides; here a rule can only bypass or block, and
 * all else is inspected. So a `bump` line becomes an exception of the lines behind it.
 */
#include "base/text.h"
#include "cli/import_priv.h"

enum { ACLS_MAX = 512 };

struct acl {
	struct span name;
	struct span hosts;   /* "a" "b": these names */
	struct span domains; /* "a" "b": these names and all below */
	struct span sources; /* networks */
	struct span text;    /* the rest, as an expression */
	struct span refuse;  /* why it cannot be said here */
	bool always;         /* all, and steps of the handshake */
};

struct squid {
	struct import *im;
	struct acl acls[ACLS_MAX];
	size_t n;
	struct span bumped; /* what earlier lines inspect, as one expression */
};

static bool
take_word(struct span *rest, struct span *word)
{
	*rest = span_trim(*rest);
	size_t n = 0;
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	*word = span_first(*rest, n);
	*rest = span_from(*rest, n);
	return n > 0;
}

static struct acl *
find_acl(struct squid *q, struct span name)
{
	for (size_t i = 0; i < q->n; i++) {
		if (span_eq(q->acls[i].name, name))
			return &q->acls[i];
	}
	return NULL;
}

static void
either(struct squid *q, struct span *all, struct span part)
{
	*all = all->n == 0
		? part
		: import_format(q->im, "%.*s or %.*s", SPAN_ARG(*all), SPAN_ARG(part));
}

/* "file" in quotes: a list. */
static struct span
file_value(struct squid *q, const struct acl *a, struct span value)
{
	struct span path = span_slice(value, 1, value.n - 1);
	import_list(q->im, a->name, path);
	return import_format(
		q->im, "any(http.request.domains[*] in $%.*s)", SPAN_ARG(a->name));
}

static void
item(struct squid *q, struct span *items, struct span value)
{
	*items = import_format(q->im, "%.*s%s%.*s", SPAN_ARG(*items),
		items->n > 0 ? " " : "", SPAN_ARG(value));
}

/* A leading dot stands for the name and all below it. */
static void
add_name(struct squid *q, struct acl *a, struct span value)
{
	bool below = value.p[0] == '.';
	if (value.p[0] == '"' && value.n > 2) {
		either(q, &a->text, file_value(q, a, value));
		return;
	}
	item(q, below ? &a->domains : &a->hosts,
		import_format(
			q->im, "\"%.*s\"", SPAN_ARG(span_from(value, below ? 1 : 0))));
}

/* 10.0.0.1-10.0.0.9 and 10.0.0.0/255.0.0.0 are written our way. */
static void
add_source(struct squid *q, struct acl *a, struct span value)
{
	size_t dash = span_chr(value, '-');
	size_t slash = span_chr(value, '/');
	struct ip mask;
	if (dash < value.n) {
		value = import_format(q->im, "%.*s..%.*s",
			SPAN_ARG(span_first(value, dash)),
			SPAN_ARG(span_from(value, dash + 1)));
	} else if (slash < value.n && ip_parse(span_from(value, slash + 1), &mask)) {
		unsigned bits = 0;
		while (bits < 32 && (mask.bytes[bits / 8] & 0x80 >> bits % 8))
			bits++;
		value = import_format(
			q->im, "%.*s/%u", SPAN_ARG(span_first(value, slash)), bits);
	}
	item(q, &a->sources, value);
}

static void
add_value(struct squid *q, struct acl *a, struct span type, struct span value)
{
	if (span_eq(type, SPAN("dstdomain")) ||
		span_eq(type, SPAN("ssl::server_name"))) {
		add_name(q, a, value);
	} else if (span_eq(type, SPAN("src"))) {
		add_source(q, a, value);
	} else {
		either(q, &a->text,
			import_format(q->im,
				"http.request.host matches r#\"(?i)%.*s\"#",
				SPAN_ARG(value)));
	}
}

/* Its values are alternatives. */
static struct span
acl_text(struct squid *q, const struct acl *a)
{
	struct span text = {0};
	if (a->hosts.n > 0) {
		either(q, &text,
			import_format(q->im, "http.request.host in {%.*s}",
				SPAN_ARG(a->hosts)));
	}
	if (a->domains.n > 0) {
		either(q, &text,
			import_format(q->im, "any(http.request.domains[*] in {%.*s})",
				SPAN_ARG(a->domains)));
	}
	if (a->sources.n > 0) {
		either(q, &text,
			import_format(q->im, "ip.src in {%.*s}", SPAN_ARG(a->sources)));
	}
	if (a->text.n > 0)
		either(q, &text, a->text);
	return text.n > 0 ? text : SPAN("false");
}

static bool
is_known_type(struct span type)
{
	static const char *const known[] = {"dstdomain", "ssl::server_name", "src",
		"dstdom_regex", "ssl::server_name_regex"};
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (span_eq(type, span_str(known[i])))
			return true;
	}
	return false;
}

/* acl NAME TYPE [-i] VALUE...; several lines of one name add up. */
static void
read_acl(struct squid *q, struct span rest)
{
	struct span name;
	struct span type;
	struct span value;
	if (!take_word(&rest, &name) || !take_word(&rest, &type) || q->n == ACLS_MAX)
		return;
	struct acl *a = find_acl(q, name);
	if (a == NULL) {
		a = &q->acls[q->n++];
		*a = (struct acl){.name = name};
	}
	a->always = a->always || span_eq(type, SPAN("at_step"));
	if (a->always)
		return;
	if (!is_known_type(type)) {
		a->refuse = import_format(q->im, "acl %.*s is of type %.*s",
			SPAN_ARG(name), SPAN_ARG(type));
		return;
	}
	while (take_word(&rest, &value)) {
		if (value.p[0] != '-' || value.n != 2)
			add_value(q, a, type, value);
	}
}

/* One name of an ssl_bump line; all, and a handshake's step, say nothing here. */
static bool
read_name(struct squid *q, struct span word, struct import_rule *r)
{
	bool negated = word.p[0] == '!';
	struct span name = span_from(word, negated ? 1 : 0);
	const struct acl *a = find_acl(q, name);
	if (span_eq(name, SPAN("all")) || (a != NULL && a->always))
		return true;
	if (a == NULL || a->refuse.n > 0) {
		r->refuse = a != NULL
			? a->refuse
			: import_format(q->im, "there is no acl %.*s", SPAN_ARG(name));
		return false;
	}
	struct span part = import_format(
		q->im, "%s(%.*s)", negated ? "not " : "", SPAN_ARG(acl_text(q, a)));
	r->text = r->text.n == 0 ? part
				 : import_format(q->im, "%.*s and %.*s",
					   SPAN_ARG(r->text), SPAN_ARG(part));
	return true;
}

static void
read_condition(struct squid *q, struct span rest, struct import_rule *r)
{
	struct span word;
	while (take_word(&rest, &word)) {
		if (!read_name(q, word, r))
			return;
	}
}

static struct span
our_action(struct span action)
{
	if (span_eq(action, SPAN("splice")) || span_eq(action, SPAN("none")))
		return SPAN("bypass");
	return span_eq(action, SPAN("terminate")) ? SPAN("block") : (struct span){0};
}

static void
read_bump(struct squid *q, struct span rest)
{
	struct import_rule r = {
		.name = import_format(q->im, "ssl_bump%.*s", SPAN_ARG(rest))};
	struct span action;
	if (!take_word(&rest, &action) || span_eq(action, SPAN("peek")) ||
		span_eq(action, SPAN("stare")))
		return; /* looking at the handshake is what we always do */
	read_condition(q, rest, &r);
	r.action = our_action(action);
	if (r.text.n == 0)
		r.text = SPAN("true");
	if (r.action.n == 0) { /* bump, server-first, client-first: inspected */
		if (r.refuse.n == 0) {
			either(q, &q->bumped,
				import_format(q->im, "(%.*s)", SPAN_ARG(r.text)));
		}
		import_note(q->im,
			import_format(q->im,
				"default  %.*s: inspecting is what happens here unless "
				"a "
				"rule says otherwise",
				SPAN_ARG(r.name)));
		return;
	}
	if (q->bumped.n > 0) {
		r.text = import_format(q->im, "(%.*s) and not (%.*s)", SPAN_ARG(r.text),
			SPAN_ARG(q->bumped));
	}
	import_write(q->im, &r);
}

bool
import_squid(struct import *im, struct span text, struct err *err)
{
	struct squid *q = arena_alloc(&im->arena, sizeof(*q));
	struct span line;
	size_t bumps = 0;
	q->im = im;
	while (span_cut(&text, '\n', &line)) {
		struct span word;
		struct span rest = span_first(line, span_chr(line, '#'));
		if (!take_word(&rest, &word))
			continue;
		if (span_eq(word, SPAN("acl")))
			read_acl(q, rest);
		if (span_eq(word, SPAN("ssl_bump"))) {
			read_bump(q, rest);
			bumps++;
		}
	}
	return bumps > 0 ||
		err_set(err, ERR_RULE_IMPORT, "there is no line with ssl_bump");
}
