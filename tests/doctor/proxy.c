// SPDX-License-Identifier: Apache-2.0
#include "doctor/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

static struct proxy p;
static struct err err;

static void
host_port_and_credentials_are_read(void)
{
	CHECK_OK(proxy_parse(SPAN("http://me:p%40ss@proxy.example:3128/"), &p, &err),
		&err);
	CHECK_STR(p.host, "proxy.example");
	CHECK_INT(p.port, 3128);
	CHECK_STR(p.auth, "bWU6cEBzcw==");
	CHECK_OK(proxy_parse(SPAN("proxy:8080"), &p, &err), &err);
	CHECK(p.auth[0] == 0 && p.port == 8080);
	CHECK_OK(proxy_parse(SPAN("http://[::1]:3128"), &p, &err), &err);
	CHECK_STR(p.host, "::1");
}

static void
credentials_are_never_shown(void)
{
	CHECK_OK(proxy_parse(SPAN("http://me:secret@proxy:3128"), &p, &err), &err);
	CHECK_STR(p.shown, "http://***@proxy:3128");
	CHECK(!proxy_parse(SPAN("socks5://me:secret@proxy:3128"), &p, &err));
	CHECK(!strstr(err.text, "secret"));
}

static void
what_is_no_http_proxy_is_refused(void)
{
	CHECK(!proxy_parse(SPAN("https://proxy:443"), &p, &err) &&
		err.code == ERR_USAGE);
	CHECK(!proxy_parse(SPAN("http://me:%zz@proxy"), &p, &err));
	CHECK(!proxy_parse(SPAN(""), &p, &err));
	CHECK(!proxy_parse(SPAN("http://proxy:99999"), &p, &err));
}

static void
no_proxy_names_hosts_domains_and_networks(void)
{
	struct span list = SPAN("localhost, .corp.example,*.lab.example,10.0.0.0/8");
	CHECK(proxy_excepts(list, SPAN("localhost")));
	CHECK(proxy_excepts(list, SPAN("a.corp.example")));
	CHECK(proxy_excepts(list, SPAN("Corp.Example")));
	CHECK(proxy_excepts(list, SPAN("x.lab.example")));
	CHECK(proxy_excepts(list, SPAN("10.1.2.3")));
	CHECK(!proxy_excepts(list, SPAN("11.1.2.3")));
	CHECK(!proxy_excepts(list, SPAN("notcorp.example")));
	CHECK(proxy_excepts(SPAN("*"), SPAN("any.example")));
	CHECK(!proxy_excepts(SPAN(""), SPAN("any.example")));
}

static void
the_environment_is_read_lower_case_first(void)
{
	setenv("https_proxy", "http://lower:1", 1);
	setenv("HTTPS_PROXY", "http://upper:2", 1);
	setenv("no_proxy", "out.example", 1);
	CHECK_OK(proxy_for(SPAN("a.example"), &p, &err), &err);
	CHECK_STR(p.host, "lower");
	CHECK_STR(p.from, "https_proxy");
	CHECK_OK(proxy_for(SPAN("out.example"), &p, &err), &err);
	CHECK_STR(p.host, "");
	unsetenv("https_proxy");
	CHECK_OK(proxy_for(SPAN("a.example"), &p, &err), &err);
	CHECK_STR(p.host, "upper");
	unsetenv("HTTPS_PROXY");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	CHECK_OK(proxy_for(SPAN("a.example"), &p, &err), &err);
	CHECK_STR(p.host, "");
}

TESTS(host_port_and_credentials_are_read, credentials_are_never_shown,
	what_is_no_http_proxy_is_refused, no_proxy_names_hosts_domains_and_networks,
	the_environment_is_read_lower_case_first)
