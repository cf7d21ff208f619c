// SPDX-License-Identifier: Apache-2.0
#include "gate/advise.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pki/authority.h"
#include "tests/test.h"

static struct conf_report report;
static struct settings settings;

static void
advice_stands_at_the_place_in_the_configuration(void)
{
	char dir[] = "/tmp/sekisho-advise-XXXXXX";
	char path[64];
	char text[1024];
	struct err err = {0};
	const struct authority_wish wish = {.name = "Test"};
	CHECK(mkdtemp(dir) != NULL);
	text_format(path, sizeof(path), "%s/ca", dir);
	CHECK_OK(authority_init(path, &wish, &err), &err);
	text_format(text, sizeof(text),
		"listen 127.0.0.1:8080 as proxy use g\n"
		"gateway g { authority %s; upstream { trust %s/root.crt }\n"
		"let own = http.request.host matches \"^www.example.org$\"\n"
		"rule one when http.request.host matches \"^www.example.com$\" do "
		"block\n"
		"rule two when own and any(http.request.domains[*] == \"co.uk\") do "
		"bypass\n}\n",
		path, path);
	conf_report_init(&report);
	CHECK(settings_parse(&settings, "test", span_str(text), &report));
	size_t before = report.n;
	settings_advise(&settings, &report);
	CHECK(report.n >= before + 1 && report.errors == 0);
	CHECK_INT(report.list[before].at.line, 3);
	CHECK_INT(report.list[before].at.column, 11);
	CHECK(strstr(report.list[before].text, "[regex-dots]") != NULL);
	before++; /* the one that has a name comes first */
	CHECK_INT(report.list[before].at.line, 4);
	CHECK_INT(report.list[before].at.column, 15);
	CHECK(strstr(report.list[before].text, "[regex-dots]") != NULL);
	settings_fini(&settings);
}

TESTS(advice_stands_at_the_place_in_the_configuration)
