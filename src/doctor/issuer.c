// SPDX-License-Identifier: Apache-2.0
#include "doctor/issuer.h"

#include <regex.h>
#include <string.h>

#include "pki/der.h"

enum { VALUE = 256 };

/* 2.5.4.3, .10, .11: commonName, organizationName, organizationalUnitName. */
static const struct {
	const char *suffix; /* of the table's field */
	struct span oid;
} attributes[] = {
	{"-cn", SPAN_INIT("\x55\x04\x03")},
	{"-o", SPAN_INIT("\x55\x04\x0a")},
	{"-ou", SPAN_INIT("\x55\x04\x0b")},
};

static bool
matches(const char *pattern, const char *value)
{
	regex_t re;
	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	bool ok = regexec(&re, value, 0, NULL, 0) == 0;
	regfree(&re);
	return ok;
}

static int
confidence_of(const struct issuer_row *r)
{
	switch (r->confidence[0]) {
	case 'h':
	case '-': /* our own */
		return 3;
	case 'm':
		return 2;
	default:
		return 1;
	}
}

static const struct issuer_row *
better(const struct issuer_row *a, const struct issuer_row *b)
{
	if (!a || !b)
		return a ? a : b;
	return confidence_of(b) > confidence_of(a) ? b : a;
}

/* field is "-cn", "-o" or "-ou"; rows speak of issuers and of roots. */
static const struct issuer_row *
find_value(const char *field, const char *value)
{
	const struct issuer_row *best = NULL;
	for (const struct issuer_row *r = issuer_rows; r->product; r++) {
		struct span f = span_str(r->field);
		bool fits =
			span_starts(f, SPAN("issuer")) || span_starts(f, SPAN("root"));
		size_t dash = span_chr(f, '-');
		if (fits && span_eq(span_from(f, dash), span_str(field)) &&
			matches(r->regex, value))
			best = better(best, r);
	}
	return best;
}

static const struct issuer_row *
find_attribute(struct span oid, struct span value)
{
	char text[VALUE];
	if (!span_copy(text, sizeof(text), value))
		return NULL;
	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		if (span_eq(oid, attributes[i].oid))
			return find_value(attributes[i].suffix, text);
	}
	return NULL;
}

/* Name ::= SEQUENCE OF SET OF SEQUENCE { type OID, value } */
const struct issuer_row *
issuer_of_name(struct span name)
{
	struct read whole = read_from(name);
	struct read sets = der_take(&whole, DER_SEQUENCE);
	const struct issuer_row *best = NULL;
	while (read_more(&sets)) {
		struct read set = der_take(&sets, DER_SET);
		while (read_more(&set)) {
			struct read pair = der_take(&set, DER_SEQUENCE);
			struct span oid = der_take(&pair, DER_OID).left;
			struct der value = der_any(&pair);
			best = better(best, find_attribute(oid, value.value.left));
		}
	}
	return best;
}

const struct issuer_row *
issuer_of_chain(const struct chain *chain)
{
	const struct issuer_row *best = NULL;
	for (size_t i = 0; i < chain->n; i++) {
		struct err err = {0};
		struct cert *c = cert_parse(chain->der[i], &err);
		if (!c)
			continue;
		best = better(best, issuer_of_name(c->issuer));
		if (i > 0)
			best = better(best, issuer_of_name(c->subject));
		cert_put(c);
	}
	return best;
}

static const struct issuer_row *
find_field(const char *field, struct span value)
{
	char text[VALUE];
	if (!span_copy(text, sizeof(text), span_first(value, VALUE - 1)))
		return NULL;
	for (const struct issuer_row *r = issuer_rows; r->product; r++) {
		if (strcmp(r->field, field) == 0 && matches(r->regex, text))
			return r;
	}
	return NULL;
}

const struct issuer_row *
issuer_of_header(struct span line)
{
	return find_field("http-header", line);
}

const struct issuer_row *
issuer_of_process(struct span name)
{
	return find_field("process", name);
}

bool
issuer_is_inspection(const struct issuer_row *r)
{
	struct span product = span_str(r->product);
	return span_find(product, SPAN("not inspection")) == product.n &&
		!span_starts(product, SPAN("National root"));
}

bool
issuer_is_public(const uint8_t sha256[CERT_HASH])
{
	for (const struct root_row *r = root_rows; r->sha256; r++) {
		uint8_t known[CERT_HASH];
		size_t n = 0;
		if (text_unhex(span_str(r->sha256), known, sizeof(known), &n) &&
			memcmp(known, sha256, CERT_HASH) == 0)
			return true;
	}
	return false;
}
