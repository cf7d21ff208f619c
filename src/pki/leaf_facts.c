// SPDX-License-Identifier: Apache-2.0
/*
 * leaf_facts: the facts on the wire between a worker and the vault.
 *
 *	version 1 · purpose 1 · kind 1 · days 2 · not_before 8 · not_after 8
 *	· names <2> { name <1> } · addresses <2> { octets <1> }
 */
#include "pki/leaf_priv.h"

#include "base/read.h"

enum { FACTS_VERSION = 1, NAME_MAX_OCTETS = 253, LABEL_MAX = 63 };

static bool
is_label(struct span l)
{
	if (l.n == 0 || l.n > LABEL_MAX || l.p[0] == '-' || l.p[l.n - 1] == '-')
		return false;
	for (size_t i = 0; i < l.n; i++) {
		bool is_lower = l.p[i] >= 'a' && l.p[i] <= 'z';
		/* The underscore is no host name (RFC 5890 §2.3.1), and yet people
		 * have such origins; clients accept it. */
		if (!is_lower && !ascii_is_digit(l.p[i]) && l.p[i] != '-' &&
			l.p[i] != '_')
			return false;
	}
	return true;
}

bool
leaf_name_ok(struct span name)
{
	struct span rest = name;
	struct span label = {0};

	if (name.n == 0 || name.n > NAME_MAX_OCTETS || name.p[name.n - 1] == '.')
		return false;
	if (span_starts(name, SPAN("*.")))
		rest = span_from(name, 2);
	if (rest.n == 0)
		return false;
	while (span_cut(&rest, '.', &label)) {
		if (!is_label(label))
			return false;
	}
	/* A last label of digits only would be read as an address by some (WHATWG URL).
	 */
	for (size_t i = 0; i < label.n; i++) {
		if (!ascii_is_digit(label.p[i]))
			return true;
	}
	return false;
}

static bool
is_kind_of_leaf(uint32_t kind)
{
	return kind == KEY_P256 || kind == KEY_RSA2048;
}

bool
leaf_facts_check(const struct leaf_facts *f, struct err *err)
{
	if (f->n_names + f->n_ips == 0)
		return err_set(err, ERR_PKI_FACTS, "no name at all");
	if (f->n_names > LEAF_NAMES || f->n_ips > LEAF_IPS) {
		return err_set(err, ERR_PKI_FACTS, "%zu names, %zu addresses",
			f->n_names, f->n_ips);
	}
	if (!is_kind_of_leaf(f->kind)) {
		return err_set(err, ERR_PKI_FACTS, "%s is no kind of leaf key",
			key_kind_name(f->kind));
	}
	for (size_t i = 0; i < f->n_names; i++) {
		if (!leaf_name_ok(f->names[i])) {
			return err_set(err, ERR_PKI_FACTS, "\"%.*s\" is no DNS name",
				(int)span_first(f->names[i], 100).n, f->names[i].p);
		}
	}
	for (size_t i = 0; i < f->n_ips; i++) {
		if (ip_size(&f->ips[i]) == 0)
			return err_set(err, ERR_PKI_FACTS, "an address of no family");
	}
	return true;
}

bool
leaf_facts_write(const struct leaf_facts *f, uint8_t *dst, size_t cap, size_t *n)
{
	struct write w = write_to(dst, cap < LEAF_FACTS ? cap : LEAF_FACTS);

	write_be(&w, FACTS_VERSION, 1);
	write_be(&w, (uint32_t)f->purpose, 1);
	write_be(&w, (uint32_t)f->kind, 1);
	write_be(&w, f->days, 2);
	write_be64(&w, (uint64_t)f->not_before);
	write_be64(&w, (uint64_t)f->not_after);
	size_t names = write_open(&w, 2);
	for (size_t i = 0; i < f->n_names; i++) {
		size_t name = write_open(&w, 1);
		write_span(&w, f->names[i]);
		write_close(&w, name, 1);
	}
	write_close(&w, names, 2);
	size_t ips = write_open(&w, 2);
	for (size_t i = 0; i < f->n_ips; i++) {
		size_t ip = write_open(&w, 1);
		write_span(&w, span_of(f->ips[i].bytes, ip_size(&f->ips[i])));
		write_close(&w, ip, 1);
	}
	write_close(&w, ips, 2);
	if (w.bad || f->n_names > LEAF_NAMES || f->n_ips > LEAF_IPS)
		return false;
	*n = w.n;
	return true;
}

static void
read_names(struct read list, struct arena *a, struct leaf_facts *f)
{
	struct span *names = arena_alloc(a, LEAF_NAMES * sizeof *names);

	while (read_more(&list) && f->n_names < LEAF_NAMES)
		names[f->n_names++] = read_vec(&list, 1).left;
	f->names = names;
	if (!read_done(&list))
		f->n_names = LEAF_NAMES + 1; /* leaf_facts_check() says no */
}

static void
read_ips(struct read list, struct arena *a, struct leaf_facts *f)
{
	struct ip *ips = arena_alloc(a, LEAF_IPS * sizeof *ips);
	bool ok = true;

	while (ok && read_more(&list) && f->n_ips < LEAF_IPS)
		ok = ip_from_bytes(read_vec(&list, 1).left, &ips[f->n_ips++]);
	f->ips = ips;
	if (!ok || !read_done(&list))
		f->n_ips = LEAF_IPS + 1;
}

bool
leaf_facts_read(
	struct span wire, struct arena *a, struct leaf_facts *out, struct err *err)
{
	struct leaf_facts f = {0};
	struct read r = read_from(wire);

	if (wire.n > LEAF_FACTS ||
		arena_room(a) < LEAF_NAMES * sizeof(struct span) +
				LEAF_IPS * sizeof(struct ip) + 64)
		return err_set(err, ERR_PKI_FACTS, "%zu octets", wire.n);
	uint32_t version = read_be(&r, 1);
	uint32_t purpose = read_be(&r, 1);
	uint32_t kind = read_be(&r, 1);
	f.days = read_be(&r, 2);
	f.not_before = (int64_t)read_be64(&r);
	f.not_after = (int64_t)read_be64(&r);
	struct read names = read_vec(&r, 2);
	struct read ips = read_vec(&r, 2);
	if (!read_done(&r) || version != FACTS_VERSION || purpose > LEAF_MIRROR ||
		!is_kind_of_leaf(kind))
		return err_set(err, ERR_PKI_FACTS, "malformed, %zu octets", wire.n);

	f.purpose = (enum leaf_purpose)purpose;
	f.kind = (enum key_kind)kind;
	read_names(names, a, &f);
	read_ips(ips, a, &f);
	if (!leaf_facts_check(&f, err))
		return false;
	*out = f;
	return true;
}
