// SPDX-License-Identifier: Apache-2.0
#include "doctor/client.h"

#include "base/text.h"
#include "doctor/sign.h"

/* "aws-cli" is "aws", "go1.19" is "go", "google" is not. */
static bool
is_name(struct span given, struct span name)
{
	return span_eq_nocase(span_first(given, name.n), name) &&
		(given.n == name.n || !ascii_is_alpha(given.p[name.n]));
}

/* Length of the row's longest name that fits, or 0. */
static size_t
fit(const struct client_row *r, struct span given)
{
	struct span names = span_str(r->names);
	struct span name;
	size_t best = 0;
	while (span_cut(&names, ',', &name)) {
		if (name.n > best && name.n <= given.n && is_name(given, name))
			best = name.n;
	}
	return best;
}

const struct client_row *
client_named(struct span name)
{
	const struct client_row *best = NULL;
	size_t longest = 0;

	name = span_trim(name);
	for (const struct client_row *r = client_rows; r->client; r++) {
		size_t n = fit(r, name);
		if (n > longest) {
			longest = n;
			best = r;
		}
	}
	return best;
}

static bool
is_one_word(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]))
			return false;
	}
	return true;
}

/* A sign begins where a word begins; one that is a word itself also ends there: "apt"
 * does not stand in "adaptive". */
static bool
is_seen(const struct client_row *r, const struct plain *p)
{
	struct span signs = span_str(r->signs);
	struct span sign;
	char text[160];
	size_t at = 0;
	while (span_cut(&signs, '|', &sign)) {
		text_format(text, sizeof(text), "^%.*s%s", SPAN_ARG(sign),
			is_one_word(sign) ? "$" : "");
		if (sign_find(p, text, &at))
			return true;
	}
	return false;
}

const struct client_row *
client_seen(const struct plain *p)
{
	for (const struct client_row *r = client_rows; r->client; r++) {
		if (is_seen(r, p))
			return r;
	}
	return NULL;
}

bool
client_has_engine(const struct client_row *c, struct span engine)
{
	if (!c || span_eq(engine, SPAN("any")))
		return true;
	struct span engines = span_str(c->engines);
	struct span e;
	while (span_cut(&engines, ',', &e)) {
		if (span_eq(e, engine))
			return true;
	}
	return false;
}
