// SPDX-License-Identifier: Apache-2.0
#include "doctor/explain.h"

#include <string.h>

#include "doctor/near.h"
#include "doctor/sign.h"

enum {
	TENTHS = 10,
	SURE = 50,     /* from here on, a sign tells that something failed */
	REASON = 85,   /* from here on, a sign names the reason itself */
	BESIDE = 600,  /* letters within which signs speak of one failure */
	FOUND_MAX = 96 /* signs of one text that are looked at */
};

struct found {
	const struct sign_row *sign;
	uint32_t weight; /* in tenths */
	size_t at;
	bool ours; /* the client can print it */
};

struct search {
	bool named; /* the user said whose output it is */
	struct found found[FOUND_MAX];
	size_t n;
};

/* "9" is 90, "9.5" is 95. */
static uint32_t
weight_of(const struct sign_row *s)
{
	const char *w = s->weight;
	uint32_t v = 0;
	for (; ascii_is_digit((uint8_t)*w); w++)
		v = v * 10 + (uint32_t)(*w - '0');
	v *= TENTHS;
	return w[0] == '.' && ascii_is_digit((uint8_t)w[1]) ? v + (uint32_t)(w[1] - '0')
							    : v;
}

static bool
is_hidden(const struct sign_row *s)
{
	return span_ends(span_str(s->class), SPAN("?")) ||
		span_eq(span_str(s->class), SPAN("misleading"));
}

static bool
same_class(const char *a, const char *b)
{
	struct span x = span_str(a);
	struct span y = span_str(b);
	return span_eq(
		span_first(x, span_chr(x, '?')), span_first(y, span_chr(y, '?')));
}

const struct class_row *
explain_class(const char *name)
{
	for (const struct class_row *r = class_rows; r->class; r++) {
		if (same_class(r->class, name))
			return r;
	}
	return NULL;
}

static void
search_signs(struct search *s, const struct plain *p, const struct client_row *client)
{
	for (const struct sign_row *r = sign_rows; r->engine && s->n < FOUND_MAX; r++) {
		size_t at = 0;
		if (!sign_find(p, r->sign, &at))
			continue;
		s->found[s->n++] = (struct found){.sign = r,
			.weight = weight_of(r),
			.at = at,
			.ours = client_has_engine(client, span_str(r->engine))};
	}
}

/* What the client itself prints goes before what others in the same log print; then the
 * heavier; then the later. */
static bool
is_better(const struct found *a, const struct found *b)
{
	if (a->ours != b->ours)
		return a->ours;
	if (a->weight != b->weight)
		return a->weight > b->weight;
	return a->at > b->at;
}

static const struct found *
best_of(const struct search *s)
{
	const struct found *best = NULL;
	for (size_t i = 0; i < s->n; i++) {
		if (!best || is_better(&s->found[i], best))
			best = &s->found[i];
	}
	return best;
}

/* These differ in what the peer sent along, not in what failed. */
static bool
is_family(const char *class)
{
	static const char *const family[] = {"unknown-issuer", "self-signed-in-chain",
		"missing-intermediate", "stale-ca", "mitm-detected"};
	for (size_t i = 0; i < COUNT_OF(family); i++) {
		if (same_class(class, family[i]))
			return true;
	}
	return false;
}

/* curl -v and its like print the alert that they sent because of the reason; and who
 * wants a client certificate refuses the handshake without one. */
static bool
is_its_alert(const struct found *f, const struct found *best)
{
	if (same_class(best->sign->class, "client-cert-required"))
		return same_class(f->sign->class, "no-shared-cipher");
	return same_class(f->sign->class, "alert-from-peer") &&
		span_eq(span_str(f->sign->engine), SPAN("openssl"));
}

/* Whether f is the same failure as best, told in other words: what lies beside a reason
 * and refines it, or the alert that was sent because of it. */
static bool
is_same_failure(const struct found *f, const struct found *best)
{
	size_t apart = f->at > best->at ? f->at - best->at : best->at - f->at;
	bool family = is_family(f->sign->class);

	if (same_class(f->sign->class, best->sign->class))
		return true;
	if (f->weight == best->weight)
		return family && is_family(best->sign->class);
	if (family || apart >= BESIDE)
		return family;
	return best->weight < REASON || f->weight >= REASON || is_its_alert(f, best);
}

static bool
contradicts(const struct found *f, const struct found *best)
{
	if (f->ours != best->ours || f->weight < SURE || best->weight < SURE)
		return false;
	return !is_hidden(f->sign) && !is_same_failure(f, best);
}

static void
add_also(struct explanation *e, const struct found *f)
{
	const struct class_row *c = explain_class(f->sign->class);
	if (!c || c == e->class || e->n_also == EXPLAIN_ALSO)
		return;
	for (size_t i = 0; i < e->n_also; i++) {
		if (e->also[i] == c)
			return;
	}
	e->also[e->n_also++] = c;
}

static void
decide(struct explanation *e, const struct search *s)
{
	const struct found *best = best_of(s);

	e->class = explain_class("misleading");
	e->hidden = true;
	e->nothing = !best;
	if (!best)
		return;
	e->sign = best->sign;
	e->class = explain_class(best->sign->class);
	/* Another program's words in this client's log: perhaps not its failure. */
	e->hidden = is_hidden(best->sign) || (s->named && !best->ours);
	for (size_t i = 0; i < s->n; i++) {
		if (contradicts(&s->found[i], best)) {
			e->hidden = true;
			add_also(e, &s->found[i]);
		}
	}
}

/* The measured row with the same class whose text stands here. Fixed strings only: they
 * are nearly all of them, and the signs have decided already. */
static const struct error_row *
known_row(const struct plain *p, const char *class)
{
	for (const struct error_row *r = error_rows; r->client; r++) {
		uint8_t letters[256];
		struct span match = span_str(r->match);
		if (r->cause[0] == 0 || span_starts(match, SPAN("re:")) ||
			!same_class(r->class, class))
			continue;
		size_t n = plain_letters(match, letters, sizeof(letters));
		if (plain_find(p, span_of(letters, n), 0) < p->n)
			return r;
	}
	return NULL;
}

static void
explain_plain(
	struct span text, bool drop_prefixes, struct explanation *e, struct search *s)
{
	struct plain p;
	plain_init(&p, text, drop_prefixes);
	if (!e->client)
		e->client = client_seen(&p);
	search_signs(s, &p, e->client);
	decide(e, s);
	if (e->sign) {
		e->known = known_row(&p, e->class->class);
	} else {
		e->n_near = near_rows(&p, e->near, EXPLAIN_NEAR);
	}
	plain_fini(&p);
}

/* The host of the first https URL, "host='...'" or "connection to ...:443". */
static void
find_host(struct span text, char dst[EXPLAIN_HOST])
{
	static const char *const marks[] = {"https://", "host='", "connect to host ",
		"connection to ", "x509: certificate for "};
	dst[0] = 0;
	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		struct span mark = span_str(marks[i]);
		size_t at = span_find(text, mark);
		if (at == text.n)
			continue;
		struct span rest = span_from(text, at + mark.n);
		size_t n = 0;
		while (n < rest.n && n < EXPLAIN_HOST - 1 &&
			(ascii_is_alpha(rest.p[n]) || ascii_is_digit(rest.p[n]) ||
				(rest.p[n] != 0 && strchr(".-:", rest.p[n]))))
			n++;
		while (n > 0 && !ascii_is_alpha(rest.p[n - 1]) &&
			!ascii_is_digit(rest.p[n - 1]))
			n--;
		if (n > 0 && span_copy(dst, EXPLAIN_HOST, span_first(rest, n)))
			return;
	}
}

void
explain_text(struct span text, struct span client, struct explanation *out)
{
	struct explanation e = {.client = client_named(client)};
	struct search s = {.named = e.client != NULL};

	if (text.n > PLAIN_MAX)
		text = span_from(text, text.n - PLAIN_MAX);
	explain_plain(text, false, &e, &s);
	/* A wrapped message with a prefix on each line is whole only without them. */
	if (!e.sign || e.hidden) {
		struct explanation again = {.client = e.client};
		struct search more = {.named = s.named};
		explain_plain(text, true, &again, &more);
		if (again.sign && (!e.sign || !again.hidden))
			e = again;
	}
	find_host(text, e.host);
	*out = e;
}
