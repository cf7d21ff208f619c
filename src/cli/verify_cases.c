// SPDX-License-Identifier: Apache-2.0
/*
 * verify_cases: conformance data in the form of x509-limbo, thousands of cases a
 * second.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/verify_priv.h"
#include "pki/revoke.h"
#include "pki/trust.h"

enum {
	ARENA_LEAST = 64 * 1024 * 1024,
	FILE_LIMIT = 512 * 1024 * 1024,
	CRL_BUDGET = 16 * 1024 * 1024,
	LINE_LIMIT = 1024 * 1024,
};

struct tally {
	size_t cases;
	size_t agree;
	size_t accepted_wrongly;
	size_t refused_wrongly;
};

/* One case, as loaded. */
struct trial {
	struct chain roots;
	struct chain chain;
	struct trust *trust;
	struct revoke *revoke;
	struct trust_ask ask;
	struct verdict verdict;
	bool expects_good;
};

static bool
add_pems(struct chain *chain, const struct json *list, struct err *err)
{
	for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
		if (!chain_add_text(chain, json_string(j), err))
			return false;
	}
	return true;
}

/* "2024-01-01T00:00:00+00:00", as Python writes UTC. */
static bool
read_time(struct span s, int64_t *now)
{
	char buf[48];
	struct text t = text_to(buf, sizeof buf);
	int64_t ms = 0;

	*now = clock_wall();
	if (s.n == 0)
		return true;
	if (span_ends(s, SPAN("+00:00"))) {
		s = span_first(s, s.n - 6);
	} else if (span_ends(s, SPAN("Z"))) {
		s = span_first(s, s.n - 1);
	}
	text_put(&t, s);
	text_add(&t, "Z");
	if (!clock_parse(text_span(&t), &ms))
		return false;
	*now = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
	return true;
}

static bool
add_crls(struct trial *c, const struct json *list, struct err *err)
{
	if (!list || !list->first)
		return true;
	c->revoke = revoke_new(CRL_BUDGET);
	c->ask.options.revocation = TRUST_REVOCATION_HARD;
	for (const struct json *j = list->first; j; j = j->next) {
		if (!revoke_add_crl(c->revoke, json_string(j), err))
			return false;
	}
	return true;
}

static bool
load_trial(const struct json *j, struct trial *c, struct err *err)
{
	int64_t depth = -1;

	bool strict = c->ask.options.strict;

	c->ask.options = trust_options_default();
	c->ask.options.strict = strict;
	c->ask.chain = &c->chain;
	c->ask.revoke = c->revoke;
	c->expects_good =
		span_eq(json_string(json_get(j, "expected_result")), SPAN("SUCCESS"));
	if (span_eq(json_string(json_get(j, "validation_kind")), SPAN("CLIENT"))) {
		c->ask.options.use = TRUST_CLIENT;
	} else {
		c->ask.host = json_string(
			json_get(json_get(j, "expected_peer_name"), "value"));
	}
	if (json_integer(json_get(j, "max_chain_depth"), &depth) && depth >= 0 &&
		depth < 256)
		c->ask.options.max_depth = (int)depth;
	if (!read_time(json_string(json_get(j, "validation_time")), &c->ask.now))
		return err_set(err, ERR_JSON, "validation_time");
	if (!add_pems(&c->roots, json_get(j, "trusted_certs"), err) ||
		!chain_add_text(
			&c->chain, json_string(json_get(j, "peer_certificate")), err) ||
		!add_pems(&c->chain, json_get(j, "untrusted_intermediates"), err) ||
		!add_crls(c, json_get(j, "crls"), err))
		return false;
	c->ask.revoke = c->revoke;
	c->trust = trust_new_chain(&c->roots, err);
	return c->trust != NULL;
}

/* What cannot even be loaded is refused, as a connection would be. */
static void
run_trial(const struct json *j, struct trial *c)
{
	struct err err = {0};

	if (load_trial(j, c, &err)) {
		trust_check(c->trust, &c->ask, &c->verdict);
		return;
	}
	c->verdict.class = VERDICT_MALFORMED;
	(void)text_format(c->verdict.text, sizeof c->verdict.text, "%s", err.text);
}

static void
fini_trial(struct trial *c)
{
	verdict_fini(&c->verdict);
	trust_free(c->trust);
	revoke_free(c->revoke);
	chain_fini(&c->roots);
	chain_fini(&c->chain);
}

static void
count(struct tally *t, bool good, bool expects_good)
{
	t->cases++;
	t->agree += good == expects_good;
	t->accepted_wrongly += good && !expects_good;
	t->refused_wrongly += !good && expects_good;
}

static void
print_line(struct span id, const struct trial *c, bool json)
{
	bool good = c->verdict.class == VERDICT_GOOD;
	bool agrees = good == c->expects_good;
	struct json_out j;

	if (!json) {
		text_out("%s\t%.*s\t%s\t%s\n", agrees ? "agrees" : "DIFFERS",
			SPAN_ARG(id), verdict_id(c->verdict.class), c->verdict.text);
		return;
	}
	json_init(&j, LINE_LIMIT);
	json_object(&j, NULL);
	json_span(&j, "id", id);
	json_bool(&j, "accepted", good);
	json_bool(&j, "expected", c->expects_good);
	json_bool(&j, "agrees", agrees);
	json_str(&j, "verdict", verdict_id(c->verdict.class));
	json_str(&j, "text", c->verdict.text);
	json_end(&j);
	cli_print_json(&j);
}

static bool
has_safe_id(const struct json *j)
{
	struct span id = json_string(json_get(j, "id"));

	for (size_t i = 0; i < id.n; i++) {
		if (id.p[i] < 0x20 || id.p[i] == 0x7f)
			return false;
	}
	return id.n > 0;
}

static void
run_all(const struct json *root, const struct verify_wish *wish, struct tally *t)
{
	const struct json *list = json_get(root, "testcases");

	for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
		struct trial c = {0};
		if (!has_safe_id(j))
			continue;
		c.ask.options.strict = wish->strict;
		run_trial(j, &c);
		bool good = c.verdict.class == VERDICT_GOOD;
		count(t, good, c.expects_good);
		if (!wish->only_differences || good != c.expects_good)
			print_line(json_string(json_get(j, "id")), &c, wish->json);
		fini_trial(&c);
	}
}

enum cli_exit
verify_cases(const char *path, const struct verify_wish *wish)
{
	struct tally t = {0};
	struct span text = {0};
	struct json *root = NULL;
	struct arena arena;
	struct err err = {0};

	if (!file_read(path, FILE_LIMIT, &text, &err))
		return cli_fail(&err);
	arena_init(&arena, 4 * text.n + ARENA_LEAST);
	bool ok = json_parse(text, &arena, &root, &err);
	if (ok) {
		uint64_t start = clock_us();
		run_all(root, wish, &t);
		uint64_t us = clock_us() - start;
		text_err("%zu cases, %zu agree, %zu accepted wrongly, %zu refused "
			 "wrongly; "
			 "%llu µs each\n",
			t.cases, t.agree, t.accepted_wrongly, t.refused_wrongly,
			(unsigned long long)(t.cases ? us / t.cases : 0));
	}
	arena_fini(&arena);
	mem_free((void *)(uintptr_t)text.p);
	if (!ok)
		return cli_fail(&err);
	return t.agree == t.cases ? CLI_GOOD : CLI_FAILED;
}
