// SPDX-License-Identifier: Apache-2.0
/*
 * ct: what signed certificate timestamps prove (RFC 6962 §3.2, §3.3).
 */
#include "pki/ct.h"

#include <openssl/sha.h>

#include "base/mem.h"
#include "pki/ct_priv.h"
#include "pki/revoke_priv.h"

enum {
	ENTRY_X509 = 0,
	ENTRY_PRECERT = 1,
	LONG_LIVED_S = 180 * 86400, /* from here on three are wanted, below two */
};

/* What a log signed: made once, used for each of its timestamps. */
struct entry {
	unsigned type;
	uint8_t issuer[CERT_HASH]; /* of a precertificate */
	struct span body;          /* TBSCertificate or certificate */
};

/* What the timestamps come to: a log's word counts once. */
struct tally {
	const struct ctlogs *of;
	struct ct_seen seen;
};

static size_t
length_octets(size_t n)
{
	return n < 0x80 ? 1 : n < 0x100 ? 2 : n < 0x10000 ? 3 : 4;
}

/* Identifier and length of an element whose contents have n octets. */
static void
put_header(struct write *w, unsigned tag, size_t n)
{
	size_t octets = length_octets(n) - 1;

	write_be(w, tag, 1);
	if (octets > 0)
		write_be(w, (uint32_t)(0x80 | octets), 1);
	write_be(w, (uint32_t)n, octets > 0 ? octets : 1); /* under CERT_MAX */
}

/* The extensions of a TBSCertificate without the list of timestamps. */
static void
copy_others(struct read list, struct write *w)
{
	static const struct span scts =
		SPAN_INIT("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02");

	while (read_more(&list)) {
		struct read e = list;
		struct span whole = der_take_whole(&list, DER_SEQUENCE);
		struct read inside = der_take(&e, DER_SEQUENCE);
		if (!span_eq(der_take(&inside, DER_OID).left, scts))
			write_span(w, whole);
	}
}

/*
 * RFC 6962 §3.2: what was signed is the TBSCertificate before the timestamps were put
 * in. dst has room for c->tbs.n octets; the result is empty when it cannot be made.
 */
static struct span
strip_timestamps(const struct cert *c, uint8_t *dst, uint8_t *room)
{
	struct read whole = read_from(c->tbs);
	struct read body = der_take(&whole, DER_SEQUENCE);
	const uint8_t *start = body.left.p;

	while (read_more(&body) && !der_is(&body, DER_EXPLICIT + 3))
		(void)der_any(&body);
	struct span before = {start, (size_t)(body.left.p - start)};
	struct read outer = der_take(&body, DER_EXPLICIT + 3);
	struct read list = der_take(&outer, DER_SEQUENCE);
	if (!read_done(&body))
		return (struct span){0};

	struct write others = write_to(room, c->tbs.n);
	copy_others(list, &others);
	size_t in_outer = 1 + length_octets(others.n) + others.n;
	size_t in_tbs = before.n + 1 + length_octets(in_outer) + in_outer;
	struct write w = write_to(dst, c->tbs.n);
	put_header(&w, DER_SEQUENCE, in_tbs);
	write_span(&w, before);
	put_header(&w, DER_EXPLICIT + 3, in_outer);
	put_header(&w, DER_SEQUENCE, others.n);
	write_span(&w, write_done(&others));
	return write_done(&w);
}

static const struct ctlog *
find_log(const struct ctlogs *l, struct span id)
{
	for (size_t i = 0; i < l->n; i++) {
		if (span_eq(id, span_of(l->logs[i].id, CERT_HASH)))
			return &l->logs[i];
	}
	return NULL;
}

/* One timestamp, opened. */
struct sct {
	uint32_t version;
	struct span log;
	uint64_t when_ms;
	struct span extensions;
	uint32_t hash;
	uint32_t method;
	struct span signature;
};

static bool
open_sct(struct read r, struct sct *s)
{
	s->version = read_be(&r, 1);
	s->log = read_bytes(&r, CERT_HASH);
	s->when_ms = read_be64(&r);
	s->extensions = read_vec(&r, 2).left;
	s->hash = read_be(&r, 1);
	s->method = read_be(&r, 1);
	s->signature = read_vec(&r, 2).left;
	return read_done(&r) && s->version == 0 && s->hash == 4; /* v1, SHA-256 */
}

/* RFC 6962 §3.2: digitally-signed struct. */
static bool
is_signed(const struct sct *s, const struct ctlog *log, const struct entry *e)
{
	size_t cap = e->body.n + s->extensions.n + 64;
	uint8_t *signed_part = mem_alloc(cap);
	struct write w = write_to(signed_part, cap);
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();

	write_be(&w, 0, 1); /* version */
	write_be(&w, 0, 1); /* certificate_timestamp */
	write_be64(&w, s->when_ms);
	write_be(&w, e->type, 2);
	if (e->type == ENTRY_PRECERT)
		write_span(&w, span_of(e->issuer, CERT_HASH));
	size_t body = write_open(&w, 3);
	write_span(&w, e->body);
	write_close(&w, body, 3);
	size_t extensions = write_open(&w, 2);
	write_span(&w, s->extensions);
	write_close(&w, extensions, 2);
	struct span done = write_done(&w);
	bool ok = done.n > 0 && md &&
		EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, log->key) == 1 &&
		EVP_DigestVerify(md, s->signature.p, s->signature.n, done.p, done.n) ==
			1;
	mem_free(signed_part);
	return ok;
}

static bool
is_counted(const struct ct_seen *seen, size_t log)
{
	for (unsigned i = 0; i < seen->n; i++) {
		if (seen->logs[i] == log)
			return true;
	}
	return seen->n == CT_SCTS;
}

static unsigned
count_operators(const struct tally *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->seen.n; i++) {
		unsigned k = 0;
		while (k < i &&
			t->of->logs[t->seen.logs[k]].operator_number !=
				t->of->logs[t->seen.logs[i]].operator_number)
			k++;
		n += k == i;
	}
	return n;
}

static void
count_list(struct tally *t, struct span list, const struct entry *e, int64_t now)
{
	struct read whole = read_from(list);
	struct read r = read_vec(&whole, 2);

	for (unsigned i = 0; i < CT_SCTS && read_more(&r) && e->body.n > 0; i++) {
		struct sct s = {0};
		if (!open_sct(read_vec(&r, 2), &s))
			continue;
		const struct ctlog *log = find_log(t->of, s.log);
		bool in_time = log && s.when_ms <= (uint64_t)log->until_ms &&
			s.when_ms / 1000 <= (uint64_t)now;
		size_t number = log ? (size_t)(log - t->of->logs) : 0;
		if (in_time && !is_counted(&t->seen, number) && is_signed(&s, log, e)) {
			t->seen.logs[t->seen.n++] =
				(uint16_t)number; /* under CT_LOGS */
		}
	}
}

static void
count_embedded(
	struct tally *t, const struct cert *c, const struct cert *issuer, int64_t now)
{
	uint8_t *stripped = mem_alloc(c->tbs.n);
	uint8_t *room = mem_alloc(c->tbs.n);
	struct read value = read_from(c->scts.value);
	struct entry e = {
		.type = ENTRY_PRECERT, .body = strip_timestamps(c, stripped, room)};

	for (size_t i = 0; i < CERT_HASH; i++)
		e.issuer[i] = issuer->spki_sha256[i];
	count_list(t, der_take(&value, DER_OCTETS).left, &e, now);
	mem_free(stripped);
	mem_free(room);
}

void
ct_look(const struct ctlogs *l, int64_t now, struct verdict *v)
{
	struct tally t = {.of = l};

	if (l && v->n_path >= 2 && v->path[0]->scts.present)
		count_embedded(&t, v->path[0], v->path[1], now);
	v->embedded = t.seen;
}

static unsigned
how_many(const struct cert *c)
{
	return c->not_after - c->not_before > LONG_LIVED_S ? 3 : 2;
}

static bool
is_enough(const struct tally *t, const struct cert *c)
{
	return t->seen.n >= how_many(c) && count_operators(t) >= 2;
}

/* Those that came with the handshake are checked only where they are needed. */
static void
count_told(struct tally *t, const struct trust_ask *ask, const struct verdict *v)
{
	const struct cert *c = v->path[0];
	struct entry whole = {.type = ENTRY_X509, .body = c->der};

	if (!is_enough(t, c))
		count_list(t, ask->tls_scts, &whole, ask->now);
	if (!is_enough(t, c))
		count_list(t, ocsp_scts(ask->staple, c, v->path[1]), &whole, ask->now);
}

void
ct_judge(const struct ctlogs *l, const struct trust_ask *ask, bool required,
	struct verdict *v)
{
	struct tally t = {.of = l, .seen = v->embedded};

	if (!l || v->n_path < 2)
		return;
	count_told(&t, ask, v);
	bool enough = is_enough(&t, v->path[0]);
	v->ct = enough         ? "shown to enough logs"
		: t.seen.n > 0 ? "shown to too few logs"
			       : "not shown to a log we know";
	if (enough || !required)
		return;
	char text[128];
	(void)text_format(text, sizeof text,
		"timestamps of %u logs of %u operators are valid; %u of 2 are wanted",
		t.seen.n, count_operators(&t), how_many(v->path[0]));
	bool graver = findings_gravity(VERDICT_CT_MISSING) > findings_gravity(v->class);
	verdict_add(v, VERDICT_CT_MISSING, text);
	if (graver)
		v->at = 0;
}
