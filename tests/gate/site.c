// SPDX-License-Identifier: Apache-2.0
#include "gate/site.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "gate/settings.h"
#include "pki/tunnel.h"
#include "tests/test.h"
#include "tls/engine.h"

enum { CONFIG = 4096, MANY = 20000 };

static char dir[64];

static void
certificates_are_made(void)
{
	static char top[] = "/tmp/sekisho-site-XXXXXX";
	const char *names[] = {"a.example"};
	struct err err = {0};

	CHECK(mkdtemp(top) != NULL);
	text_format(dir, sizeof(dir), "%s/pki", top);
	CHECK_OK(tunnel_make(dir, &err), &err);
	for (int i = 0; i < 2; i++) {
		CHECK_OK(tunnel_issue(dir,
				 &(struct tunnel_wish){.file = i ? "b" : "a",
					 .end = TUNNEL_SERVER,
					 .names = names,
					 .n_names = 1},
				 &err),
			&err);
	}
}

/* An edge of these lines; every $ is the certificate's line and an origin, every % the
 * directory. Whether it compiles. */
static bool
load(struct settings *s, struct conf_report *report, const char *lines)
{
	static char text[CONFIG];
	struct text t = text_to(text, sizeof(text));

	text_add(&t, "edge shop {\n");
	for (; *lines; lines++) {
		if (*lines == '$')
			text_add(&t,
				"certificate %s/a.crt key %s/a.key; origin "
				"http://127.0.0.1:80",
				dir, dir);
		else if (*lines == '%')
			text_add(&t, "%s", dir);
		else
			text_add(&t, "%c", *lines);
	}
	text_add(&t, "\n}\n");
	CHECK(!t.cut);
	conf_report_init(report);
	return settings_parse(s, "site.conf", text_span(&t), report);
}

static const struct gateway *
edge_of(const struct settings *s)
{
	return (const struct gateway *)(const void *)s->edges;
}

static void
names_are_found_exactly_then_by_wildcard(void)
{
	static struct settings s;
	static struct conf_report report;

	CHECK(load(&s, &report,
		"site a.example { also *.b.example B.example; $ }\n"
		"site *.a.example { $ }"));
	const struct gateway *g = edge_of(&s);
	const struct site_name *a = site_find(g, SPAN("a.example"));
	CHECK(a && span_eq(a->site->name, SPAN("a.example")));
	CHECK(site_find(g, SPAN("b.example"))->site == a->site);
	CHECK(site_find(g, SPAN("x.b.example"))->site == a->site);
	CHECK(site_find(g, SPAN("x.a.example"))->site != a->site);
	CHECK(site_find(g, SPAN("x.y.a.example")) == NULL);
	CHECK(site_find(g, SPAN("example")) == NULL);
	CHECK(site_find(g, SPAN(".a.example")) == NULL);
	CHECK(site_find(g, SPAN("")) == NULL);
	settings_fini(&s);
}

static void
a_default_must_be_chosen(void)
{
	static struct settings s;
	static struct conf_report report;

	CHECK(load(&s, &report, "unknown-name default\nsite a.example { $; default }"));
	CHECK(site_find(edge_of(&s), SPAN("zzz.example")) != NULL);
	CHECK(site_find(edge_of(&s), SPAN("")) != NULL);
	settings_fini(&s);
	CHECK(load(&s, &report, "site a.example { $; default }"));
	CHECK(site_find(edge_of(&s), SPAN("")) == NULL);
	settings_fini(&s);
}

static void
demands_bind_and_are_inherited(void)
{
	static struct settings s;
	static struct conf_report report;

	CHECK(load(&s, &report,
		"site *.a.example { also a.example b.a.example; $ }\n"
		"clients *.a.example { authority %/ca.crt }\n"
		"clients c.a.example { authority %/ca.crt; certificate require }"));
	const struct gateway *g = edge_of(&s);
	const struct site_name *a = site_find(g, SPAN("a.example"));
	const struct site_name *b = site_find(g, SPAN("b.a.example"));
	const struct site_name *c = site_find(g, SPAN("c.a.example"));
	const struct site_name *d = site_find(g, SPAN("d.a.example"));
	CHECK(a && !a->clients);
	CHECK(b && b->clients && b->clients->certificate == CLIENT_CERT_ASK);
	CHECK(c && c->clients && c->clients->certificate == CLIENT_CERT_REQUIRE);
	CHECK(d && d->clients == b->clients);
	CHECK(memcmp(b->binding, d->binding, sizeof(b->binding)) == 0);
	CHECK(memcmp(a->binding, b->binding, sizeof(a->binding)) != 0);
	CHECK(memcmp(b->binding, c->binding, sizeof(b->binding)) != 0);
	CHECK_INT(b->clients->n_ca_names, 1);
	settings_fini(&s);
}

/* A session brings its suite and its time along: what an edge does no more, is not
 * done in a session of before either. */
static void
a_reload_that_speaks_otherwise_binds_otherwise(void)
{
	static const char *const lines[] = {
		"site a.example { $ }",
		"client { profile compat-2026 }\nsite a.example { $ }",
		"client { min-version 1.3 }\nsite a.example { $ }",
		"client { insecure-rsa-key-exchange on }\nsite a.example { $ }",
		"site a.example { $; session-time 1h }",
		"site a.example { $; session-time 0 }",
	};
	static uint8_t seen[COUNT_OF(lines)][PROFILE_POLICY];

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		static struct settings s;
		static struct conf_report report;
		CHECK(load(&s, &report, lines[i]));
		memcpy(seen[i], site_find(edge_of(&s), SPAN("a.example"))->binding,
			PROFILE_POLICY);
		for (size_t k = 0; k < i; k++)
			CHECK(memcmp(seen[i], seen[k], PROFILE_POLICY) != 0);
		settings_fini(&s);
	}
}

/* What a site cannot be, and what of it is complained about. */
static const struct {
	const char *lines;
	const char *says;
} unservable[] = {
	{"site a.example { origin http://127.0.0.1:80 }", "needs a certificate"},
	{"site a.example { certificate %/a.crt key %/a.key }", "needs an origin"},
	{"site a.example { certificate %/a.crt key %/b.key; origin http://x }",
		"not the first certificate's"},
	{"site a.example { certificate %/none.crt; origin http://x }", "none.crt"},
	{"site a.example { $; certificate %/b.crt key %/b.key }", "such a key already"},
	{"site a.example { $; origin ftp://x }", "begins with http"},
	{"site a.example { $; origin http://u@x }", "site.conf"},
	{"site a..example { $ }", "DNS name"},
	{"site *.*.example { $ }", "DNS name"},
	{"site a.example { $ }\nsite b.example { also A.example; $ }",
		"has this name already"},
	{"site a.example { $; default }\nsite b.example { $; default }",
		"is the default"},
	{"unknown-name default\nsite a.example { $ }", "no site says"},
	{"site a.example { $ }\nclients b.example { authority %/ca.crt }",
		"no site has this name"},
	{"site a.example { $ }\nclients a.example { certificate ask }", "who signs"},
	{"site a.example { keyless %/a.crt; origin http://x }", "where its `keys` are"},
	{"keys { server 127.0.0.1 }\nsite a.example { $ }",
		"a certificate and an authority"},
	{"site a.example { $; session-time 10s }", "5min to 48h"},
	{"site a.example { $; session-time 49h }", "5min to 48h"},
	{"client { session-time 4min }\nsite a.example { $ }", "5min to 48h"},
	{"site a.example { $; hsts 30d; hsts-subdomains on; hsts-preload on }",
		"preloading needs"},
	{"site a.example { $; hsts 365d; hsts-preload on }", "preloading needs"},
	{"site a.example { $ }\nclients a.example { authority %/ca.crt; "
	 "crl-url "
	 "https://x/y }",
		"over http://"},
	{"site a.example { $ }\nclients a.example { managed %/nowhere }",
		"nowhere/ca.crt"},
};

static void
what_cannot_be_served_is_complained_about(void)
{
	for (size_t i = 0; i < COUNT_OF(unservable); i++) {
		static struct settings s;
		static struct conf_report report;
		static char line[CONF_COMPLAINT_TEXT];
		bool said = false;
		CHECK(!load(&s, &report, unservable[i].lines));
		for (size_t k = 0; k < report.n; k++) {
			(void)conf_complaint_text(line, &report.list[k], false);
			said = said || strstr(line, unservable[i].says);
		}
		if (!said)
			print_error("row %zu: %s", i, line);
		CHECK(said);
		settings_fini(&s);
	}
}

static void
sessions_last_as_long_as_the_site_says(void)
{
	static const struct {
		const char *lines;
		uint32_t seconds;
	} rows[] = {
		{"site a.example { $ }", 0}, /* as the edge says */
		{"site a.example { $; session-time 5min }", 300},
		{"site a.example { $; session-time 48h }", 48 * 3600},
		{"site a.example { $; session-time 0 }", TLS_NO_SESSION},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static struct settings s;
		static struct conf_report report;
		CHECK(load(&s, &report, rows[i].lines));
		const struct gateway *g = (const struct gateway *)(const void *)s.edges;
		CHECK_INT(site_find(g, SPAN("a.example"))->site->session_s,
			rows[i].seconds);
		settings_fini(&s);
	}
}

static void
a_key_elsewhere_needs_only_the_certificate_here(void)
{
	static struct settings s;
	static struct conf_report report;

	CHECK(load(&s, &report,
		"keys { server 127.0.0.1:2407 called keys.example; certificate "
		"%/b.crt; "
		"key %/b.key; authority %/ca.crt }\n"
		"site a.example { keyless %/a.crt; origin https://o.example }"));
	const struct site *site = site_find(edge_of(&s), SPAN("a.example"))->site;
	CHECK(site->ecdsa && !site->rsa);
	CHECK_SPAN(site->at[0]->host, "o.example");
	CHECK_INT(site->at[0]->port, 443);
	CHECK(site->at[0]->tls);
	settings_fini(&s);
}

/* One look-up, however many there are. */
static void
many_names_are_one_look_up(void)
{
	static struct settings s;
	static struct conf_report report;
	char *text = mem_alloc(64 * MANY);
	struct text t = text_to(text, 64 * MANY);

	text_add(&t,
		"edge shop { site a.example { certificate %s/a.crt key %s/a.key\n"
		"origin http://127.0.0.1\n",
		dir, dir);
	for (int i = 0; i < MANY; i++)
		text_add(&t, "also n%d.example\n", i);
	text_add(&t, "} }\n");
	CHECK(!t.cut);
	conf_report_init(&report);
	CHECK(settings_parse(&s, "many.conf", text_span(&t), &report));
	CHECK(site_find(edge_of(&s), SPAN("n19999.example")) != NULL);
	CHECK(site_find(edge_of(&s), SPAN("n20000.example")) == NULL);
	settings_fini(&s);
	mem_free(text);
}

TESTS(certificates_are_made, names_are_found_exactly_then_by_wildcard,
	a_default_must_be_chosen, demands_bind_and_are_inherited,
	a_reload_that_speaks_otherwise_binds_otherwise,
	what_cannot_be_served_is_complained_about,
	sessions_last_as_long_as_the_site_says,
	a_key_elsewhere_needs_only_the_certificate_here, many_names_are_one_look_up)
