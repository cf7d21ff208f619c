// SPDX-License-Identifier: Apache-2.0
/*
 * regex_octets: sets of octets and the named ones.
 */
#include "rule/regex_tree_priv.h"

void
octets_add(struct octet_set *s, uint8_t c)
{
	s->bits[c / 64] |= UINT64_C(1) << c % 64;
}

void
octets_add_range(struct octet_set *s, uint8_t from, uint8_t to)
{
	for (unsigned c = from; c <= to; c++)
		octets_add(s, (uint8_t)c);
}

bool
octets_has(const struct octet_set *s, uint8_t c)
{
	return (s->bits[c / 64] >> c % 64 & 1) != 0;
}

void
class_negate(struct octet_set *s)
{
	for (size_t i = 0; i < COUNT_OF(s->bits); i++)
		s->bits[i] = ~s->bits[i];
}

void
class_join(struct octet_set *s, const struct octet_set *other)
{
	for (size_t i = 0; i < COUNT_OF(s->bits); i++)
		s->bits[i] |= other->bits[i];
}

void
class_fold_case(struct octet_set *s)
{
	for (unsigned i = 0; i < 26; i++) {
		uint8_t lower = (uint8_t)('a' + i);
		uint8_t upper = (uint8_t)('A' + i);
		if (octets_has(s, lower) || octets_has(s, upper)) {
			octets_add(s, lower);
			octets_add(s, upper);
		}
	}
}

struct named_class {
	const char *name;
	const char *ranges; /* pairs: from, to */
};

/* Without Unicode these are ASCII in the dialect, vertical tab a blank included. */
static const struct named_class posix_classes[] = {
	{"alnum", "09AZaz"},
	{"alpha", "AZaz"},
	{"ascii", "\001\177"}, /* and NUL, added below */
	{"blank", "  \t\t"},
	{"cntrl", "\001\037\177\177"},
	{"digit", "09"},
	{"graph", "!~"},
	{"lower", "az"},
	{"print", " ~"},
	{"punct", "!/:@[`{~"},
	{"space", "\t\r  "},
	{"upper", "AZ"},
	{"word", "09AZaz__"},
	{"xdigit", "09AFaf"},
};

bool
class_posix(struct span name, struct octet_set *out)
{
	for (size_t i = 0; i < COUNT_OF(posix_classes); i++) {
		const struct named_class *c = &posix_classes[i];
		if (!span_eq(name, span_str(c->name)))
			continue;
		*out = (struct octet_set){0};
		struct span ranges = span_str(c->ranges);
		for (size_t at = 0; at < ranges.n; at += 2)
			octets_add_range(out, ranges.p[at], ranges.p[at + 1]);
		if (ranges.p[0] == 1)
			octets_add(out, 0);
		return true;
	}
	return false;
}

bool
class_perl(uint8_t c, struct octet_set *out)
{
	uint8_t small = ascii_lower(c);
	const char *name = small == 'd' ? "digit"
		: small == 's'          ? "space"
		: small == 'w'          ? "word"
					: "";
	if (!class_posix(span_str(name), out))
		return false;
	if (small != c)
		class_negate(out);
	return true;
}
