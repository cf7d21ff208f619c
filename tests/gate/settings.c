// SPDX-License-Identifier: Apache-2.0
#include "gate/settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "pki/authority.h"
#include "tests/test.h"

static char dir[64];
static struct conf_report report;
static struct settings settings;

static bool
parse(const char *listen, const char *lines)
{
	static char text[4096];
	text_format(text, sizeof(text),
		"%s\ngateway g { authority %s/ca; upstream { trust %s/ca/root.crt "
		"}\n%s }\n",
		listen, dir, dir, lines);
	conf_report_init(&report);
	return settings_parse(&settings, "test", span_str(text), &report);
}

static void
the_authority_is_made(void)
{
	char path[80];
	struct err err = {0};
	const struct authority_wish wish = {.name = "Test"};
	text_format(dir, sizeof(dir), "/tmp/sekisho-test-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	text_format(path, sizeof(path), "%s/ca", dir);
	CHECK_OK(authority_init(path, &wish, &err), &err);
}

static void
a_small_configuration_has_presets_for_the_rest(void)
{
	CHECK(parse("listen 127.0.0.1:8080 as proxy use g", ""));
	const struct gateway *g = settings_gateway(&settings, SPAN("g"));
	CHECK(g != NULL && g->leaf_days == 30 && g->upstream.reuse);
	CHECK(gateway_port_allowed(g, 443) && !gateway_port_allowed(g, 22));
	CHECK(settings_gateway(&settings, SPAN("h")) == NULL);
	settings_fini(&settings);
}

static void
private_addresses_and_our_own_ports_are_refused(void)
{
	struct err err = {0};
	const struct addr public = {ip_v4(0x01010101), 443};
	const struct addr loopback = {ip_v4(0x7f000001), 443};
	const struct addr metadata = {ip_v4(0xa9fea9fe), 80};
	const struct addr own = {ip_v4(0x7f000001), 8080};
	CHECK(parse(
		"listen 127.0.0.1:8080 as proxy use g", "reach { allow 127.0.0.0/8 }"));
	const struct gateway *g = settings_gateway(&settings, SPAN("g"));
	CHECK(gateway_address_allowed(g, &settings, &public, &err));
	CHECK(gateway_address_allowed(g, &settings, &loopback, &err));
	CHECK(!gateway_address_allowed(g, &settings, &metadata, &err));
	CHECK(!gateway_address_allowed(g, &settings, &own, &err));
	CHECK_INT(err.code, ERR_GATE_SELF);
	settings_fini(&settings);
}

static void
each_mistake_is_told_at_its_place(void)
{
	static const struct {
		const char *lines;
		const char *says;
	} rows[] = {
		{"rule a when http.hst == \"x\" do block", "unknown"},
		{"rule a when http.request.method == \"GET\" do bypass", "phase"},
		{"rule a when ssl do blok", "no action"},
		{"reach { ports 0 }", "a port is"},
		{"reach { ports 90-80 }", "a port is"},
		{"leaf-days 200", "199"},
		{"nonsense on", "nonsense"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		CHECK(!parse("listen 127.0.0.1:8080 as proxy use g", rows[i].lines));
		CHECK(report.errors >= 1);
		if (span_find(span_str(report.list[0].text), span_str(rows[i].says)) ==
			span_str(report.list[0].text).n)
			print_error("%s: %s\n", rows[i].lines, report.list[0].text);
		CHECK(span_find(span_str(report.list[0].text), span_str(rows[i].says)) <
			span_str(report.list[0].text).n);
		CHECK(report.list[0].at.line >= 3);
		settings_fini(&settings);
	}
}

static void
a_listener_needs_an_address_and_a_gateway(void)
{
	CHECK(!parse("listen localhost:8080 as proxy use g", ""));
	settings_fini(&settings);
	CHECK(!parse("listen 127.0.0.1:8080 as proxy use nobody", ""));
	settings_fini(&settings);
}

static void
the_authority_is_removed(void)
{
	static const char *const files[] = {
		"ca/root.crt", "ca/root.key", "ca/node.crt", "ca/node.key", "ca", ""};
	char path[80];
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		text_format(path, sizeof(path), "%s/%s", dir, files[i]);
		CHECK(remove(path) == 0);
	}
}

TESTS(the_authority_is_made, a_small_configuration_has_presets_for_the_rest,
	private_addresses_and_our_own_ports_are_refused,
	each_mistake_is_told_at_its_place, a_listener_needs_an_address_and_a_gateway,
	the_authority_is_removed)
