// SPDX-License-Identifier: Apache-2.0
#include "doctor/issuer.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "tests/test.h"

/* SEQUENCE { SET { SEQUENCE { OID 2.5.4.x, UTF8String } } } */
static struct span
name_of(uint8_t type, const char *value)
{
	static uint8_t der[128];
	uint8_t n = (uint8_t)strlen(value);
	const uint8_t head[] = {0x30, (uint8_t)(n + 11), 0x31, (uint8_t)(n + 9), 0x30,
		(uint8_t)(n + 7), 6, 3, 0x55, 4, type, 0x0c, n};
	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), value, n);
	return span_of(der, sizeof(head) + n);
}

static const char *
product(uint8_t type, const char *value)
{
	const struct issuer_row *r = issuer_of_name(name_of(type, value));
	return r ? r->product : "";
}

static void
products_are_known_by_their_names(void)
{
	CHECK_STR(product(3, "mitmproxy"), "mitmproxy");
	CHECK_STR(product(10, "Zscaler Inc."), "Zscaler");
	CHECK_STR(product(3, "Gateway CA - Cloudflare Managed G2 abc"),
		"Cloudflare Gateway");
	CHECK_STR(product(3, "Cato Networks CA"), "Cato Networks");
	CHECK_STR(product(11, "sekisho inspection"), "sekisho (this gateway)");
	CHECK_STR(product(3, "Not mitmproxy"), "");
	CHECK_STR(product(6, "Zscaler Inc."), "");
}

static void
a_development_ca_is_no_inspection(void)
{
	const struct issuer_row *r = issuer_of_name(name_of(3, "mkcert me@host"));
	CHECK(r && !issuer_is_inspection(r));
	r = issuer_of_name(name_of(3, "mitmproxy"));
	CHECK(r && issuer_is_inspection(r));
}

static void
every_truncation_of_a_name_is_harmless(void)
{
	struct span whole = name_of(3, "mitmproxy");
	for (size_t n = 0; n < whole.n; n++)
		CHECK(!issuer_of_name(span_first(whole, n)));
}

static void
headers_and_processes_name_products_too(void)
{
	CHECK_STR(
		issuer_of_header(SPAN("Via: 1.1 proxy (squid/5.7)"))->product, "Squid");
	CHECK(!issuer_of_header(SPAN("Via: 1.1 varnish")));
	CHECK_STR(
		issuer_of_process(SPAN("warp-svc"))->product, "Cloudflare One client");
	CHECK(!issuer_of_process(SPAN("bash")));
}

/* A row that names a public root would accuse every honest site below it. */
static void
no_pattern_matches_a_carried_root(void)
{
	size_t listed = 0;
	for (const struct root_row *r = root_rows; r->sha256; r++, listed++) {
		struct span rest = span_str(r->name);
		struct span part;
		while (span_cut(&rest, ',', &part)) {
			size_t eq = span_chr(part, '=');
			char value[100] = "";
			CHECK(span_copy(value, sizeof(value),
				span_first(span_from(part, eq + 1), 99)));
			CHECK_STR(product(3, value), "");
			CHECK_STR(product(10, value), "");
			CHECK_STR(product(11, value), "");
		}
	}
	CHECK(listed > 100);
}

/* The same for the certificates of this system, read whole. */
static void
no_pattern_matches_a_root_of_the_system(void)
{
	static const char *const begin = "-----BEGIN CERTIFICATE-----";
	static const char *const end = "-----END CERTIFICATE-----";
	struct span file = {0};
	struct err err = {0};
	size_t n = 0;
	if (!file_read("/etc/ssl/certs/ca-certificates.crt", 8 << 20, &file, &err))
		skip();
	for (struct span rest = file; span_find(rest, span_str(begin)) < rest.n; n++) {
		rest = span_from(rest, span_find(rest, span_str(begin)));
		size_t size = span_find(rest, span_str(end)) + strlen(end);
		struct cert *c = cert_from_text(span_first(rest, size), &err);
		rest = span_from(rest, size);
		if (!c || !issuer_is_public(c->sha256)) {
			cert_put(c);
			continue; /* this machine's own */
		}
		CHECK(!issuer_of_name(c->subject) && !issuer_of_name(c->issuer));
		cert_put(c);
	}
	mem_free((void *)(uintptr_t)file.p);
	CHECK(n > 50);
}

static void
the_carried_list_knows_its_own(void)
{
	uint8_t sha256[CERT_HASH] = {0};
	size_t n = 0;
	CHECK(!issuer_is_public(sha256));
	CHECK(text_unhex(span_str(root_rows[0].sha256), sha256, sizeof(sha256), &n));
	CHECK(n == CERT_HASH && issuer_is_public(sha256));
}

TESTS(products_are_known_by_their_names, a_development_ca_is_no_inspection,
	every_truncation_of_a_name_is_harmless, headers_and_processes_name_products_too,
	no_pattern_matches_a_carried_root, no_pattern_matches_a_root_of_the_system,
	the_carried_list_knows_its_own)
