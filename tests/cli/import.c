// SPDX-License-Identifier: Apache-2.0
#include "cli/import_priv.h"

#include "base/text.h"
#include "tests/test.h"

static struct import im;

static void
take(bool (*read)(struct import *im, struct span text, struct err *err),
	const char *text)
{
	struct err err = {0};
	import_init(&im);
	CHECK_OK(read(&im, span_str(text), &err), &err);
	import_settle(&im);
}

static const struct import_done *
nth(size_t i)
{
	const struct import_done *d = im.done;
	while (d && i-- > 0)
		d = d->next;
	CHECK(d != NULL);
	return d;
}

static void
a_gateway_rule_keeps_its_three_conditions(void)
{
	take(import_gateway,
		"{\"result\":[{\"name\":\"A b\",\"precedence\":2,\"action\":\"block\","
		"\"traffic\":\"http.request.host == \\\"a.example\\\"\","
		"\"identity\":\"\",\"device_posture\":\"net.dst.port in {443}\","
		"\"rule_settings\":{\"block_reason\":\"say \\\"no\\\"\"}},"
		"{\"name\":\"first\",\"precedence\":1,\"action\":\"off\","
		"\"traffic\":\"any(app.type.ids[*] in {16})\"}]}");
	CHECK_SPAN(nth(0)->name, "first-1");
	CHECK_SPAN(nth(0)->given.action, "bypass");
	CHECK_SPAN(nth(1)->name, "a-b-2");
	CHECK_SPAN(nth(1)->text,
		"http.request.host == \"a.example\" and net.dst.port in {443}");
	CHECK_SPAN(nth(1)->given.action, "block \"say \\\"no\\\"\"");
	CHECK_INT(im.fates[IMPORT_CARRIED], 2);
	import_fini(&im);
}

static void
what_cannot_work_says_why(void)
{
	static const struct {
		const char *rule;
		const char *why;
	} rows[] = {
		{"\"action\":\"isolate\",\"traffic\":\"\"", "isolation"},
		{"\"action\":\"block\",\"traffic\":\"any(dns.domains[*] == "
		 "\\\"a\\\")\"",
			"dns.domains is not filled"},
		{"\"action\":\"block\",\"traffic\":\"identity.email == \\\"a\\\"\"",
			"identity.email"},
		{"\"action\":\"off\",\"traffic\":\"http.request.method == "
		 "\\\"GET\\\"\"",
			"bypass must be decided in phase hello"},
		{"\"action\":\"block\",\"traffic\":\"http.request.hst == 1\"", "1:1:"},
		{"\"action\":\"redirect\",\"traffic\":\"\"", "target_uri"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[300];
		text_format(text, sizeof(text), "[{\"name\":\"x\",%s}]", rows[i].rule);
		take(import_gateway, text);
		CHECK_INT(im.fates[IMPORT_REFUSED], 1);
		CHECK(span_find(nth(0)->why, span_str(rows[i].why)) < nth(0)->why.n);
		import_fini(&im);
	}
}

static void
an_order_that_phases_change_is_told(void)
{
	take(import_gateway,
		"[{\"name\":\"pass\",\"precedence\":1,\"action\":\"allow\",\"traffic\":"
		"\"http.request.host == \\\"a.example\\\"\"},"
		"{\"name\":\"stop\",\"precedence\":2,\"action\":\"block\",\"traffic\":"
		"\"http.request.method == \\\"POST\\\"\"},"
		"{\"name\":\"last\",\"precedence\":3,\"action\":\"block\",\"traffic\":"
		"\"net.dst.port == 1\"}]");
	CHECK_INT(nth(0)->fate, IMPORT_CHANGED);
	CHECK(span_find(nth(0)->given.change, SPAN("lets pass")) <
		nth(0)->given.change.n);
	CHECK_INT(nth(1)->fate, IMPORT_CARRIED); /* who is blocked first is blocked */
	import_fini(&im);
}

static void
terraform_keeps_blocks_as_lists_of_one(void)
{
	take(import_terraform,
		"{\"resources\":[{\"type\":\"other\",\"instances\":[{\"attributes\":{}}"
		"]},"
		"{\"type\":\"cloudflare_zero_trust_gateway_policy\",\"instances\":["
		"{\"attributes\":{\"name\":\"r\",\"action\":\"allow\",\"precedence\":1,"
		"\"traffic\":\"any(http.request.domains[*] in $$a-1)\","
		"\"rule_settings\":[{\"add_headers\":{\"X-A\":\"b\"}}]}}]}]}");
	CHECK_INT(im.fates[IMPORT_CARRIED] + im.fates[IMPORT_REFUSED], 1);
	import_fini(&im);
	take(import_terraform,
		"{\"resources\":[{\"type\":\"cloudflare_teams_rule\",\"instances\":["
		"{\"attributes\":{\"name\":\"r\",\"action\":\"allow\",\"precedence\":1,"
		"\"traffic\":\"any(http.request.domains[*] in $a-1)\","
		"\"rule_settings\":[{\"add_headers\":{\"X-A\":\"b\"}}]}}]}]}");
	CHECK_SPAN(im.files->path, "lists/a-1.txt");
	CHECK_SPAN(nth(1)->given.action, "request-header set X-A \"b\"");
	CHECK_INT(im.fates[IMPORT_CARRIED], 1); /* the header is a part of it */
	import_fini(&im);
}

static void
squid_lines_become_sets_and_exceptions(void)
{
	take(import_squid,
		"acl step1 at_step SslBump1\n"
		"acl banks ssl::server_name .bank.example pay.example # why\n"
		"acl banks ssl::server_name \"/etc/squid/banks.txt\"\n"
		"acl guests src 10.1.0.0/255.255.0.0 10.2.0.1-10.2.0.9\n"
		"acl odd time MTWHF\n"
		"ssl_bump peek step1\n"
		"ssl_bump bump guests\n"
		"ssl_bump splice banks !guests\n"
		"ssl_bump terminate odd\n"
		"ssl_bump bump all\n");
	CHECK_SPAN(nth(0)->text,
		"(http.request.host in {\"pay.example\"} or "
		"any(http.request.domains[*] in {\"bank.example\"}) or "
		"any(http.request.domains[*] in $banks)) and not ip.src in "
		"{10.1.0.0/16 10.2.0.1..10.2.0.9} and not ip.src in {10.1.0.0/16 "
		"10.2.0.1..10.2.0.9}");
	CHECK_SPAN(nth(0)->given.action, "bypass");
	CHECK_INT(nth(1)->fate, IMPORT_REFUSED);
	import_fini(&im);
}

static void
what_is_no_export_is_refused(void)
{
	struct err err = {0};
	import_init(&im);
	CHECK(!import_gateway(&im, SPAN("{}"), &err));
	CHECK(!import_gateway(&im, SPAN("{"), &err));
	CHECK(!import_terraform(&im, SPAN("[]"), &err));
	CHECK(!import_squid(&im, SPAN("http_port 3128\n"), &err));
	import_fini(&im);
}

/* Cut anywhere, it is refused or read, and nothing is left behind. */
static void
every_truncation_ends_well(void)
{
	static const char text[] = "acl a dstdomain .b.example \"f\" -n x\nacl a src "
				   "1.2.3.4/255.0.0.0\nssl_bump splice a !b all\n";
	for (size_t n = 0; n < sizeof(text); n++) {
		struct err err = {0};
		import_init(&im);
		(void)!import_squid(&im, span_of(text, n), &err);
		import_settle(&im);
		import_fini(&im);
	}
}

TESTS(a_gateway_rule_keeps_its_three_conditions, what_cannot_work_says_why,
	an_order_that_phases_change_is_told, terraform_keeps_blocks_as_lists_of_one,
	squid_lines_become_sets_and_exceptions, what_is_no_export_is_refused,
	every_truncation_ends_well)
