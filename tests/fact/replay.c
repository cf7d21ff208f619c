// SPDX-License-Identifier: Apache-2.0
#include "fact/replay.h"

#include "base/text.h"
#include "fact/vocab.h"
#include "rule/expr.h"
#include "tests/test.h"

static struct arena arena;
static struct event e;
static struct event_view view;
static struct facts f;
static struct replay r;
static struct scheme scheme;

static bool
holds(const char *text)
{
	struct rule_expr *rule = NULL;
	struct rule_error error = {0};
	const struct rule_options options = {.dialect = RULE_GATEWAY};
	if (!rule_compile(&scheme, span_str(text), options, &rule, &error))
		print_error("%s: %s\n", text, error.message);
	CHECK(rule != NULL);
	bool yes = rule_eval(rule, &f);
	if (!yes)
		print_error("does not hold: %s\n", text);
	rule_free(rule);
	return yes;
}

static void
look(void)
{
	struct err err = {0};
	struct span bytes = event_bytes(&e);
	CHECK_OK(event_read(&bytes, &view, &err), &err);
}

static void
make_session(void)
{
	const struct ip client = ip_v4(0xc0000201);
	const struct ip origin = ip_v4(0xcb007107);
	event_init(&e, EVENT_KIND_SESSION);
	event_ip(&e, EVENT_CLIENT, &client);
	event_int(&e, EVENT_CLIENT_PORT, 40000);
	event_cstr(&e, EVENT_LISTENER, "198.51.100.1:8080");
	event_cstr(&e, EVENT_HOST, "www.a.example");
	event_cstr(&e, EVENT_SNI, "www.a.example");
	event_int(&e, EVENT_PORT, 443);
	event_cstr(&e, EVENT_JA4, "t13d");
	event_cstr(&e, EVENT_ALPN_OFFERED, "h2,http/1.1");
	event_ip(&e, EVENT_ORIGIN_IP, &origin);
	event_cstr(&e, EVENT_ORIGIN_VERDICT, "trusted");
	event_cstr(&e, EVENT_CLIENT_TLS, "TLSv1.3");
}

static void
a_session_is_asked_again(void)
{
	f = (struct facts){0};
	arena_init(&arena, 1 << 20);
	scheme_init(&scheme, vocab_fields, vocab_count, NULL);
	make_session();
	look();
	replay_session(&f, &r, &view, &arena);
	CHECK_INT(f.base.reached, PHASE_HANDSHAKE);
	CHECK(holds("ip.src == 192.0.2.1 and net.src.port == 40000"));
	CHECK(holds("cf.edge.server_ip == 198.51.100.1"));
	CHECK(holds("any(net.sni.domains[*] == \"a.example\") and ssl"));
	CHECK(holds("any(tls.alpn[*] == \"h2\")"));
	CHECK(holds("net.dst.ip in {203.0.113.0/24}"));
	CHECK(holds("tls.origin.verdict == \"trusted\""));
	CHECK(holds("cf.tls_version == \"TLSv1.3\""));
	CHECK(holds("not cf.tls_client_auth.cert_presented"));
	CHECK(holds("not http.request.method != \"x\""));
	scheme_fini(&scheme);
	arena_fini(&arena);
}

static void
a_request_is_asked_again_over_its_session(void)
{
	f = (struct facts){0};
	const struct facts_wanted all = {true, true, UINT32_MAX};
	arena_init(&arena, 1 << 20);
	scheme_init(&scheme, vocab_fields, vocab_count, NULL);
	make_session();
	look();
	replay_session(&f, &r, &view, &arena);
	event_init(&e, EVENT_KIND_REQUEST);
	event_cstr(&e, EVENT_HOST, "api.a.example");
	event_cstr(&e, EVENT_METHOD, "POST");
	event_cstr(&e, EVENT_SCHEME, "https");
	event_cstr(&e, EVENT_PATH, "/v1");
	event_cstr(&e, EVENT_QUERY, "debug=1");
	event_cstr(&e, EVENT_CLIENT_HTTP, "HTTP/2");
	event_cstr(&e, EVENT_USER_AGENT, "curl/8");
	event_int(&e, EVENT_STATUS, 200);
	event_cstr(&e, EVENT_RESPONSE_TYPE, "text/html; charset=utf-8");
	look();
	CHECK(replay_request(&f, &r, &all, &view, &arena));
	CHECK_INT(f.base.reached, PHASE_RESPONSE);
	CHECK(holds("http.host == \"api.a.example\""));
	CHECK(holds("http.request.method == \"POST\""));
	CHECK(holds("http.request.full_uri == \"https://api.a.example/v1?debug=1\""));
	CHECK(holds("http.request.uri.args[\"debug\"][0] == \"1\""));
	CHECK(holds("http.request.version == \"HTTP/2\""));
	CHECK(holds("http.user_agent contains \"curl\""));
	CHECK(holds("http.response.code == 200"));
	CHECK(holds("http.response.content_type.media_type == \"text/html\""));
	scheme_fini(&scheme);
	arena_fini(&arena);
}

static void
a_redacted_request_says_so(void)
{
	f = (struct facts){0};
	const struct facts_wanted none = {0};
	arena_init(&arena, 1 << 20);
	event_init(&e, EVENT_KIND_REQUEST);
	event_cstr(&e, EVENT_METHOD, "GET");
	look();
	CHECK(!replay_request(&f, &r, &none, &view, &arena));
	arena_fini(&arena);
}

TESTS(a_session_is_asked_again, a_request_is_asked_again_over_its_session,
	a_redacted_request_says_so)
