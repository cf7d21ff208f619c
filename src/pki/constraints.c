// SPDX-License-Identifier: Apache-2.0
/*
 * constraints: name constraints (RFC 5280 §4.2.1.10), every kind that a server or
 * client certificate can carry.
 *
 * A kind we cannot compare is refused when the authority constrains it and the
 * certificate has it. A wildcard name stands for all it could match: it must lie wholly
 * inside what is permitted, and nothing excluded may lie inside it (CVE-2025-61727).
 */
#include "pki/path_priv.h"

enum match { NO, YES, BROKEN };

/* One name of a certificate, however it was given. */
struct named {
	unsigned tag; /* of the GeneralName */
	struct span value;
};

enum {
	TAG_EMAIL = DER_CHOICE + 1,
	TAG_DNS = DER_CHOICE + 2,
	TAG_DIR = DER_EXPLICIT + 4,
	TAG_URI = DER_CHOICE + 6,
	TAG_IP = DER_CHOICE + 7,
};

static bool
is_below(struct span name, struct span domain)
{
	if (domain.n == 0)
		return true;
	if (name.n < domain.n ||
		!span_eq_nocase(span_from(name, name.n - domain.n), domain))
		return false;
	return name.n == domain.n || name.p[name.n - domain.n - 1] == '.';
}

/* A leading dot is no RFC 5280 for DNS names, and yet widely used: below, not itself.
 */
static bool
is_inside_dns(struct span name, struct span base)
{
	if (base.n > 0 && base.p[0] == '.') {
		base = span_from(base, 1);
		return name.n > base.n && is_below(name, base);
	}
	return is_below(name, base);
}

static enum match
match_dns(struct span name, struct span base, bool excluding)
{
	struct span domain = base.n > 0 && base.p[0] == '.' ? span_from(base, 1) : base;

	if (!names_is_dns(name, true) || (base.n > 0 && !names_is_dns(domain, false)))
		return BROKEN;
	if (!span_starts(name, SPAN("*.")))
		return is_inside_dns(name, base) ? YES : NO;

	struct span parent = span_from(name, 2);
	if (is_below(parent, domain))
		return YES; /* all it matches is inside */
	if (!excluding)
		return NO;
	/* It could stand for the excluded name, or for one that leads to it. */
	size_t dot = span_chr(domain, '.');
	return dot < domain.n && span_eq_nocase(span_from(domain, dot + 1), parent)
		? YES
		: NO;
}

static enum match
match_ip(struct span ip, struct span base)
{
	bool zeros = false;

	if ((ip.n != 4 && ip.n != 16) || (base.n != 8 && base.n != 32))
		return BROKEN;
	size_t half = base.n / 2;
	for (size_t i = 0; i < base.n / 2 * 8; i++) {
		bool bit = base.p[half + i / 8] & (0x80u >> (i % 8));
		if (bit && zeros)
			return BROKEN; /* a mask with holes */
		zeros = zeros || !bit;
	}
	if (half != ip.n)
		return NO;
	for (size_t i = 0; i < half; i++) {
		if ((ip.p[i] ^ base.p[i]) & base.p[half + i])
			return NO;
	}
	return YES;
}

/* A host, or with a leading dot all hosts of a domain. */
static bool
is_inside_host(struct span host, struct span base)
{
	if (base.n > 0 && base.p[0] == '.')
		return is_inside_dns(host, base);
	return base.n == 0 || span_eq_nocase(host, base);
}

/* RFC 5280 §4.2.1.10: a mailbox, whose local part keeps its case, or hosts. */
static enum match
match_email(struct span email, struct span base)
{
	size_t at = span_rchr(email, '@');
	size_t base_at = span_rchr(base, '@');
	struct span host = span_from(email, at + 1);

	if (at == 0 || span_chr(email, '@') != at || !names_is_dns(host, false))
		return BROKEN;
	if (base_at < base.n) {
		bool same = span_eq(span_first(email, at), span_first(base, base_at));
		return same && span_eq_nocase(host, span_from(base, base_at + 1)) ? YES
										  : NO;
	}
	struct span domain = base.n > 0 && base.p[0] == '.' ? span_from(base, 1) : base;
	if (base.n > 0 && !names_is_dns(domain, false))
		return BROKEN;
	return is_inside_host(host, base) ? YES : NO;
}

static enum match
match_uri(struct span uri, struct span base)
{
	size_t scheme = span_find(uri, SPAN("://"));

	if (scheme == uri.n)
		return BROKEN;
	struct span host = span_from(uri, scheme + 3);
	size_t end = 0;
	while (end < host.n && host.p[end] != '/' && host.p[end] != '?' &&
		host.p[end] != '#')
		end++;
	host = span_first(host, end);
	size_t user = span_rchr(host, '@');
	if (user < host.n)
		host = span_from(host, user + 1);
	host = span_first(host, span_chr(host, ':'));
	if (!names_is_dns(host, false))
		return BROKEN; /* an address: RFC 5280 says to refuse */
	return is_inside_host(host, base) ? YES : NO;
}

static enum match
match_dir(struct span name, struct span base)
{
	return cert_name_within(name, base) ? YES : NO;
}

static enum match
match_name(const struct named *name, struct span base, bool excluding)
{
	switch (name->tag) {
	case TAG_DNS:
		return match_dns(name->value, base, excluding);
	case TAG_IP:
		return match_ip(name->value, base);
	case TAG_EMAIL:
		return match_email(name->value, base);
	case TAG_URI:
		return match_uri(name->value, base);
	case TAG_DIR:
		return match_dir(name->value, base);
	default: /* a kind of name we cannot compare */
		return BROKEN;
	}
}

/* GeneralSubtree: base, minimum DEFAULT 0, maximum absent (RFC 5280 says so). */
static struct der
next_subtree(struct read *list)
{
	struct read tree = der_take(list, DER_SEQUENCE);
	struct der base = der_any(&tree);

	if (!read_done(&tree))
		der_refuse(list);
	return base;
}

struct verdict_of_list {
	bool any; /* a subtree of this kind */
	bool hit; /* the name is in one */
	bool broken;
};

static struct verdict_of_list
walk(struct read list, const struct named *name, bool excluding, uint32_t *work)
{
	struct verdict_of_list v = {0};

	while (read_more(&list) && !v.broken) {
		struct der base = next_subtree(&list);
		if (*work == 0 || list.bad) {
			v.broken = true;
		} else if (base.tag == name->tag) {
			(*work)--;
			enum match m = match_name(name, base.value.left, excluding);
			v.any = true;
			v.hit = v.hit || m == YES;
			v.broken = m == BROKEN;
		}
	}
	return v;
}

/* The extension, opened. */
struct lists {
	struct read permitted;
	struct read excluded;
	bool ok;
};

static struct lists
open_lists(const struct cert *c)
{
	struct lists l = {0};
	bool has_permitted = false;
	bool has_excluded = false;
	struct read whole = read_from(c->names.value);
	struct read inside = der_take(&whole, DER_SEQUENCE);

	l.permitted = read_from(der_maybe(&inside, DER_EXPLICIT + 0, &has_permitted));
	l.excluded = read_from(der_maybe(&inside, DER_EXPLICIT + 1, &has_excluded));
	l.ok = read_done(&inside) && read_done(&whole) &&
		(has_permitted || has_excluded) &&
		(!has_permitted || l.permitted.left.n > 0) &&
		(!has_excluded || l.excluded.left.n > 0);
	return l;
}

/* Every base must make sense for itself, or one could hide behind another kind. */
static bool
is_sound(struct read list)
{
	while (read_more(&list)) {
		struct der base = next_subtree(&list);
		struct span v = base.value.left;
		static const uint8_t zero[16] = {0};
		if (list.bad)
			return false;
		if (base.tag == TAG_IP &&
			match_ip((struct span){zero, v.n == 32 ? 16 : 4}, v) == BROKEN)
			return false;
		if (base.tag == TAG_DNS && v.n > 0 &&
			!names_is_dns(v.p[0] == '.' ? span_from(v, 1) : v, false))
			return false;
	}
	return !list.bad;
}

static bool
allows(const struct lists *l, const struct named *name, uint32_t *work,
	struct findings *out, int at)
{
	struct verdict_of_list no = walk(l->excluded, name, true, work);
	struct verdict_of_list yes = walk(l->permitted, name, false, work);
	char buf[128];
	struct text t = text_to(buf, sizeof buf);

	if (*work == 0) {
		findings_add(out, VERDICT_TOO_COMPLEX, at,
			"too many names and name constraints");
		return false;
	}
	if (!no.hit && !no.broken && !yes.broken && (!yes.any || yes.hit))
		return true;
	if (name->tag == TAG_DIR) {
		cert_name_text(name->value, &t);
	} else if (name->tag == TAG_IP) {
		text_put_hex(&t, span_first(name->value, 32), false);
	} else {
		text_put_safe(&t, name->value);
	}
	findings_add(out, VERDICT_CA_VIOLATION, at,
		"an authority above may not issue for \"%s\": name constraints", buf);
	return false;
}

static bool
check_subject(const struct lists *l, const struct cert *c, uint32_t *work,
	struct findings *out, int at)
{
	struct named name = {.tag = TAG_DIR, .value = c->subject};

	if (c->subject.n > 2 && !allows(l, &name, work, out, at))
		return false;
	name.tag = TAG_EMAIL;
	for (size_t i = 0; i < 16 && cert_name_next_email(c->subject, i, &name.value);
		i++) {
		if (!allows(l, &name, work, out, at))
			return false;
	}
	return true;
}

static bool
check_cert(const struct lists *l, const struct cert *c, uint32_t *work,
	struct findings *out, int at)
{
	struct read whole = read_from(c->san.value);
	struct read it = der_take(&whole, DER_SEQUENCE);

	if (!check_subject(l, c, work, out, at))
		return false;
	while (c->san.present && read_more(&it)) {
		struct der d = der_any(&it);
		struct named name = {.tag = d.tag, .value = d.value.left};
		if (it.bad || !allows(l, &name, work, out, at))
			return false;
	}
	return true;
}

void
constraints_check(const struct path *p, size_t at, uint32_t *work, struct findings *out)
{
	const struct cert *ca = p->certs[at];

	if (!ca->names.present)
		return;
	struct lists l = open_lists(ca);
	if (!l.ok || !is_sound(l.permitted) || !is_sound(l.excluded)) {
		findings_add(
			out, VERDICT_MALFORMED, (int)at, "malformed name constraints");
		return;
	}
	for (size_t i = 0; i < at; i++) {
		const struct cert *c = p->certs[i];
		/* RFC 5280 §6.1.3 (b): self-issued certificates are exempt, not the
		 * last. */
		if (i > 0 && cert_names_eq(c->issuer, c->subject))
			continue;
		if (!check_cert(&l, c, work, out, (int)i))
			return;
	}
}
