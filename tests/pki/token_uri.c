// SPDX-License-Identifier: Apache-2.0
#include "pki/token_uri.h"

#include "base/text.h"
#include "tests/test.h"

static bool
parse(const char *text, struct token_uri *u)
{
	struct err err = {0};
	bool ok = token_uri_parse(span_str(text), u, &err);

	CHECK(ok || err.code == ERR_PKI_TOKEN);
	return ok;
}

static void
a_name_says_token_key_and_module(void)
{
	struct token_uri u;

	CHECK(parse("pkcs11:token=My%20office;object=shop;type=private;id=%00%ff%41"
		    "?module-path=/usr/lib/m.so&pin-value=12%2634",
		&u));
	CHECK(span_eq(u.token, SPAN("My office")));
	CHECK(span_eq(u.object, SPAN("shop")));
	CHECK(span_eq(u.id, SPAN("\0\377A")));
	CHECK(span_eq(u.module_path, SPAN("/usr/lib/m.so")));
	CHECK(span_eq(u.pin, SPAN("12&34")));
	CHECK(parse("pkcs11:slot-id=18446744073709551615", &u));
	CHECK(u.has_slot_id && u.slot_id == UINT64_MAX);
	CHECK(parse(
		"pkcs11:serial=0a1b;model=SoftHSM%20v2;manufacturer=x?x-vendor=1", &u));
	CHECK(span_eq(u.serial, SPAN("0a1b")) && u.object.n == 0);
}

static void
a_pin_source_is_a_file_or_a_descriptor(void)
{
	static const char *const files[] = {
		"file:/etc/pin", "file:///etc/pin", "/etc/pin"};
	char text[100];
	struct token_uri u;

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		text_format(
			text, sizeof(text), "pkcs11:token=t?pin-source=%s", files[i]);
		CHECK(parse(text, &u));
		CHECK(span_eq(u.pin_source, SPAN("/etc/pin")));
	}
	CHECK(parse("pkcs11:token=t?pin-source=fd:3", &u));
	CHECK(span_eq(u.pin_source, SPAN("fd:3")));
	CHECK(!parse("pkcs11:token=t?pin-source=%7Cprogram", &u)); /* nothing is run */
	CHECK(!parse("pkcs11:token=t?pin-source=relative", &u));
	CHECK(!parse("pkcs11:token=t?pin-source=/a&pin-value=1", &u));
}

static void
what_is_not_understood_is_refused(void)
{
	static const char *const bad[] = {"", "pkcs11:", "pkcs11", "pkcs12:token=t",
		"pkcs11:object=o",        /* of which token? */
		"pkcs11:token=t;token=u", /* twice */
		"pkcs11:token=t;x-odd=1", /* would change which key is meant */
		"pkcs11:token=t;object",  /* no value */
		"pkcs11:token=",          /* empty */
		"pkcs11:token=a%0",       /* half an escape */
		"pkcs11:token=a%", "pkcs11:token=a%zz", "pkcs11:token=a%00b",
		"pkcs11:token=123456789012345678901234567890123", /* 33 octets */
		"pkcs11:token=t;type=cert", /* only private keys sign */
		"pkcs11:slot-id=x", "pkcs11:slot-id=-1",
		"pkcs11:token=t?pin-value=1&pin-value=2"};
	struct token_uri u;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!parse(bad[i], &u));
}

static void
every_truncation_is_refused_or_shorter(void)
{
	static const char whole[] = "pkcs11:token=t;object=shop?pin-value=1234";
	struct token_uri u;
	struct err err = {0};

	for (size_t n = 0; n + 1 < sizeof(whole); n++) {
		if (token_uri_parse(span_of(whole, n), &u, &err))
			CHECK(u.token.n == 1 && u.object.n <= 4 && u.pin.n < 4);
	}
}

TESTS(a_name_says_token_key_and_module, a_pin_source_is_a_file_or_a_descriptor,
	what_is_not_understood_is_refused, every_truncation_is_refused_or_shorter)
