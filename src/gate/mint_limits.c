// SPDX-License-Identifier: Apache-2.0
#include "gate/mint_limits.h"

#include "base/clock.h"
#include "pki/suffix.h"

static const struct conf_row words[] = {
	{"rate", CONF_INT, CONF_AT(struct mint_limits, rate), .preset = "200", .min = 1,
		.max = 100000,
		.help = "New certificates a second that the vault makes for each "
			"worker."},
	{"burst", CONF_INT, CONF_AT(struct mint_limits, burst), .preset = "5000",
		.min = 1, .max = 1000000, .help = "So many at once, after a rest."},
	{"never", CONF_TEXTS, CONF_AT(struct mint_limits, never),
		.help = "Names for which, and below which, nothing is minted: those "
			"that "
			"rules bypass, such as banks. Whoever owns a worker does not "
			"get them either."},
	{"only", CONF_TEXTS, CONF_AT(struct mint_limits, only),
		.help = "If there are some, names elsewhere than at and below these "
			"are "
			"not minted."},
};

const struct conf_table mint_limits_block = {
	.help = "What the vault lets a worker have minted. It checks by itself; a "
		"worker "
		"cannot argue.",
	.size = sizeof(struct mint_limits),
	CONF_WORDS_OF(words),
};

static bool
is_at_or_below(struct span name, struct span top)
{
	if (span_eq_nocase(name, top))
		return true;
	return name.n > top.n && name.p[name.n - top.n - 1] == '.' &&
		span_eq_nocase(span_from(name, name.n - top.n), top);
}

/* "*.example" also stands for "bank.example". */
static bool
stands_for(struct span wildcard, struct span top)
{
	struct span base = span_from(wildcard, 2);
	return is_at_or_below(base, top) ||
		span_eq_nocase(span_from(top, span_chr(top, '.') + 1), base);
}

static bool
touches(struct span name, struct span top)
{
	return span_starts(name, SPAN("*.")) ? stands_for(name, top)
					     : is_at_or_below(name, top);
}

static bool
is_within(struct span name, const struct conf_texts *list)
{
	struct span base = span_starts(name, SPAN("*.")) ? span_from(name, 2) : name;
	for (size_t i = 0; i < list->n; i++) {
		if (is_at_or_below(base, list->p[i]))
			return true;
	}
	return false;
}

static bool
may_name(const struct mint_limits *l, struct span name, struct err *err)
{
	for (size_t i = 0; i < l->never.n; i++) {
		if (touches(name, l->never.p[i])) {
			return err_set(err, ERR_VAULT_NAME, "%.*s is never minted",
				SPAN_ARG(name));
		}
	}
	if (l->only.n > 0 && !is_within(name, &l->only)) {
		return err_set(err, ERR_VAULT_NAME, "%.*s is not among those that are",
			SPAN_ARG(name));
	}
	/* No honest origin has it, and it would do for half the world. */
	if (span_starts(name, SPAN("*.")) &&
		suffixes_has(suffixes_system(), span_from(name, 2))) {
		return err_set(err, ERR_VAULT_NAME, "%.*s stands for everybody",
			SPAN_ARG(name));
	}
	return true;
}

static bool
may_names(const struct mint_limits *l, const struct leaf_facts *f, struct err *err)
{
	for (size_t i = 0; i < f->n_names; i++) {
		if (!may_name(l, f->names[i], err))
			return false;
	}
	return l->only.n == 0 || f->n_ips == 0 ||
		err_set(err, ERR_VAULT_NAME, "an address is not among `only`");
}

static void
refill(const struct mint_limits *l, struct mint_budget *b)
{
	uint64_t now = clock_now();
	uint64_t most = l->burst * 1000;
	uint64_t since = b->begun ? now - b->at_ms : 0;

	b->milli = b->begun ? b->milli + since * l->rate : most;
	b->milli = b->milli > most ? most : b->milli;
	b->at_ms = now;
	b->begun = true;
}

static bool
same_texts(const struct conf_texts *a, const struct conf_texts *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = span_eq(a->p[i], b->p[i]);
	return same;
}

bool
mint_limits_eq(const struct mint_limits *a, const struct mint_limits *b)
{
	return a->rate == b->rate && a->burst == b->burst &&
		same_texts(&a->never, &b->never) && same_texts(&a->only, &b->only);
}

bool
mint_limits_take(const struct mint_limits *l, struct mint_budget *b,
	const struct leaf_facts *f, struct err *err)
{
	refill(l, b);
	if (f->purpose != LEAF_MIRROR && !may_names(l, f, err))
		return false;
	if (b->milli < 1000) {
		return err_set(err, ERR_VAULT_RATE, "over %llu a second",
			(unsigned long long)l->rate);
	}
	b->milli -= 1000;
	return true;
}

bool
mint_limits_tell(struct mint_budget *b, enum err_code why)
{
	uint64_t *told = &b->told_ms[why == ERR_VAULT_RATE];

	if (*told != 0 && clock_now() - *told < 1000)
		return false;
	*told = clock_now();
	return true;
}
