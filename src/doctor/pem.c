// SPDX-License-Identifier: Apache-2.0
#include "doctor/pem.h"

#include "base/mem.h"
#include "base/text.h"

#define BEGIN SPAN("-----BEGIN ")
#define END   SPAN("-----END ")
#define DASH  SPAN("-----")

/* The gravest first: pem_complain() names one. */
static const struct {
	enum pem_fault fault;
	const char *text;
} faults[] = {
	{PEM_EMPTY, "the file is empty"},
	{PEM_UTF16,
		"the file is UTF-16 (made with \">\" of Windows PowerShell): no "
		"program reads it"},
	{PEM_DER, "the file is binary (DER), where programs want PEM"},
	{PEM_GLUED,
		"two blocks are glued together (a file without its last line end): "
		"most programs drop the whole file"},
	{PEM_OPEN, "a block begins and does not end"},
	{PEM_BASE64, "a block is not base64"},
	{PEM_BROKEN, "a block is no certificate"},
	{PEM_KEY, "a private key is in the same file"},
	{PEM_BOM, "a byte order mark stands in front: deno and bun do not read on"},
	{PEM_NONE, "no certificate is in it"},
	{PEM_TRUSTED, "a TRUSTED CERTIFICATE is OpenSSL's own form: others skip it"},
	{PEM_LEAF, "a certificate is no CA's: as a root it does nothing"},
	{PEM_EXPIRED, "a certificate has expired"},
};

const char *
pem_fault_text(enum pem_fault fault)
{
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		if (faults[i].fault == fault)
			return faults[i].text;
	}
	return "";
}

enum pem_fault
pem_gravest(const struct pem_report *report)
{
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		if (report->faults & 1U << faults[i].fault)
			return faults[i].fault;
	}
	return PEM_FAULTS;
}

void
pem_complain(const struct pem_report *report, struct text *t)
{
	enum pem_fault f = pem_gravest(report);

	if (f == PEM_FAULTS)
		return;
	if (report->line[f] > 0)
		text_add(t, "line %u: ", report->line[f]);
	text_add(t, "%s", pem_fault_text(f));
}

bool
pem_is_broken(const struct pem_report *report)
{
	unsigned grave = 1U << PEM_EMPTY | 1U << PEM_NONE | 1U << PEM_DER |
		1U << PEM_UTF16 | 1U << PEM_BOM | 1U << PEM_GLUED | 1U << PEM_BASE64 |
		1U << PEM_OPEN | 1U << PEM_BROKEN;

	return (report->faults & grave) != 0;
}

/* ---- the list ---- */

void
pem_list_fini(struct pem_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		cert_put(l->certs[i]);
	mem_free(l->certs);
	*l = (struct pem_list){0};
}

bool
pem_list_has(const struct pem_list *l, const uint8_t sha256[CERT_HASH])
{
	for (size_t i = 0; i < l->n; i++) {
		if (span_eq(span_of(l->certs[i]->sha256, CERT_HASH),
			    span_of(sha256, CERT_HASH)))
			return true;
	}
	return false;
}

void
pem_list_add(struct pem_list *l, struct cert *c)
{
	if (l->n >= PEM_CERTS || pem_list_has(l, c->sha256))
		return;
	l->certs = mem_grow(l->certs, &l->cap, l->n + 1, sizeof(struct cert *));
	l->certs[l->n++] = cert_get(c);
}

/* ---- reading ---- */

struct reading {
	struct span text;
	size_t at;
	size_t counted; /* lines are counted up to here */
	unsigned line;
	int64_t now;
	struct pem_list *list;
	struct pem_report *report;
};

static unsigned
line_at(struct reading *r, size_t at)
{
	for (; r->counted < at && r->counted < r->text.n; r->counted++)
		r->line += r->text.p[r->counted] == '\n';
	return r->line;
}

static void
note(struct reading *r, enum pem_fault fault, unsigned line)
{
	if (!(r->report->faults & 1U << fault))
		r->report->line[fault] = line;
	r->report->faults |= 1U << fault;
}

static void
take_cert(struct reading *r, struct span der, unsigned line)
{
	struct err ignored;
	struct cert *c = cert_parse(der, &ignored);

	if (!c) {
		note(r, PEM_BROKEN, line);
		return;
	}
	r->report->certs++;
	/* Version 1 has no extensions: old roots are CAs by being roots. */
	if (!c->is_ca && c->version > 1)
		note(r, PEM_LEAF, line);
	if (c->not_after < r->now)
		note(r, PEM_EXPIRED, line);
	if (r->list)
		pem_list_add(r->list, c);
	cert_put(c);
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 7468 §3: the reader of a body skips white space. */
static void
take_body(struct reading *r, struct span body, unsigned line)
{
	uint8_t *packed = mem_alloc(body.n + 1);
	uint8_t *der = mem_alloc(body.n + 1);
	size_t n = 0;
	size_t got = 0;

	for (size_t i = 0; i < body.n; i++) {
		if (!is_space(body.p[i]))
			packed[n++] = body.p[i];
	}
	if (n > 0 && text_unbase64(span_of(packed, n), der, body.n, &got)) {
		take_cert(r, span_of(der, got), line);
	} else {
		note(r, PEM_BASE64, line);
	}
	mem_free(packed);
	mem_free(der);
}

static void
take_block(struct reading *r, struct span label, struct span body, unsigned line)
{
	if (span_ends(label, SPAN("PRIVATE KEY"))) {
		note(r, PEM_KEY, line);
	} else if (span_eq(label, SPAN("TRUSTED CERTIFICATE"))) {
		note(r, PEM_TRUSTED, line);
	} else if (span_eq(label, SPAN("CERTIFICATE")) ||
		span_eq(label, SPAN("X509 CERTIFICATE"))) {
		take_body(r, body, line);
	}
}

/* From one BEGIN to behind its END; false when no more begins. */
static bool
read_block(struct reading *r)
{
	struct span rest = span_from(r->text, r->at);
	size_t begin = span_find(rest, BEGIN);

	if (begin >= rest.n)
		return false;
	size_t at = r->at + begin;
	unsigned line = line_at(r, at);
	if (at > 0 && r->text.p[at - 1] == '-')
		note(r, PEM_GLUED, line);
	struct span label = span_from(r->text, at + BEGIN.n);
	label = span_first(label, span_find(label, DASH));
	size_t body_at = at + BEGIN.n + label.n + DASH.n;
	struct span body = span_from(r->text, body_at);
	size_t end = span_find(body, END);
	struct span tail = span_from(body, end + END.n);
	bool same =
		span_starts(tail, label) && span_starts(span_from(tail, label.n), DASH);
	if (end >= body.n || !same || span_find(span_first(body, end), BEGIN) < end) {
		note(r, PEM_OPEN, line);
		r->at = at + BEGIN.n;
		return true;
	}
	take_block(r, label, span_first(body, end), line);
	r->at = body_at + end + END.n + label.n + DASH.n;
	return true;
}

/* UTF-16 of either order, with a mark or without: every other octet of ASCII is zero.
 */
static bool
is_utf16(struct span s)
{
	if (s.n < 4)
		return false;
	return span_starts(s, SPAN("\xff\xfe")) || span_starts(s, SPAN("\xfe\xff")) ||
		(s.p[0] == '-' && s.p[1] == 0) || (s.p[0] == 0 && s.p[1] == '-');
}

void
pem_read(
	struct span text, int64_t now, struct pem_list *list, struct pem_report *report)
{
	struct reading r = {
		.text = text, .line = 1, .now = now, .list = list, .report = report};

	*report = (struct pem_report){0};
	if (text.n == 0) {
		note(&r, PEM_EMPTY, 0);
		return;
	}
	if (is_utf16(text)) {
		note(&r, PEM_UTF16, 0);
		return;
	}
	if (text.p[0] == 0x30 && (text.n < 2 || text.p[1] >= 0x80)) {
		note(&r, PEM_DER, 0);
		take_cert(&r, text, 0);
		return;
	}
	if (span_starts(text, SPAN("\xef\xbb\xbf")))
		note(&r, PEM_BOM, 1);
	while (read_block(&r))
		;
	if (report->certs == 0 && !pem_is_broken(report))
		note(&r, PEM_NONE, 0);
}
