// SPDX-License-Identifier: Apache-2.0
/*
 * verify: the gateway's own verifier, on files.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/verify_priv.h"
#include "pki/ct.h"
#include "pki/revoke.h"
#include "pki/trust.h"

enum { MOST_FILES = 16, JSON_MAX = 4 * 1024 * 1024, PRINT_MAX = 16 * 1024 };

static const struct cli_option options[] = {
	{"name", 'n', "HOST", "DNS name or address the peer should have", false},
	{"roots", 'r', "FILE", "trust these roots (PEM) instead of the system's", true},
	{"time", 't', "TIME", "verify as of this time (RFC 3339 or seconds since 1970)",
		false},
	{"crl", 0, "FILE", "certificate revocation list, PEM or DER", true},
	{"staple", 0, "FILE", "OCSP response as stapled, DER", false},
	{"extra", 0, "FILE", "further issuers that were not sent (PEM)", false},
	{"logs", 0, "FILE", "transparency logs (JSON): timestamps must be theirs",
		false},
	{"client", 0, NULL, "verify a client's certificate instead of a server's",
		false},
	{"hard", 0, NULL, "refuse when revocation cannot be learned", false},
	{"private-names", 0, NULL, "let public roots certify private names", false},
	{"strict", 0, NULL, "also refuse what a well-kept authority would not issue",
		false},
	{"json", 'j', NULL, "print JSON", false},
	{"cases", 0, "FILE", "run all cases of a file in x509-limbo form", false},
	{"differences", 0, NULL, "with --cases: print only those that ended otherwise",
		false},
	{0},
};

/* What the command line asks; freed by fini(). */
struct question {
	struct chain chain;
	struct chain extra;
	struct trust *trust;
	struct revoke *revoke;
	struct ctlogs *logs;
	struct span staple; /* owned */
	struct trust_ask ask;
};

static bool
read_time(const char *text, int64_t *now, struct err *err)
{
	int64_t ms = 0;

	if (!text) {
		*now = clock_wall();
		return true;
	}
	if (text_i64(span_str(text), now))
		return true;
	if (!clock_parse(span_str(text), &ms)) {
		return err_set(err, ERR_USAGE,
			"--time %s is neither 2026-01-31T12:00:00Z nor seconds", text);
	}
	*now = ms / 1000;
	return true;
}

static bool
load_roots(const struct cli_call *call, struct question *q, struct err *err)
{
	const char *files[MOST_FILES + 1] = {NULL};

	for (size_t i = 0; i < MOST_FILES; i++)
		files[i] = cli_get_nth(call, "roots", i);
	q->trust = trust_new(files[0] == NULL, files, err);
	return q->trust != NULL;
}

static bool
load_crl(struct question *q, const char *path, struct err *err)
{
	struct span crl = {0};

	if (!file_read(path, REVOKE_CRL_MAX, &crl, err))
		return false;
	bool ok = revoke_add_crl(q->revoke, crl, err);
	mem_free((void *)(uintptr_t)crl.p);
	return ok || err_within(err, "%s", path);
}

static bool
load_revocation(const struct cli_call *call, struct question *q, struct err *err)
{
	const char *staple = cli_get(call, "staple");

	if (cli_has(call, "crl"))
		q->revoke = revoke_new((size_t)4 * REVOKE_CRL_MAX);
	for (size_t i = 0; cli_get_nth(call, "crl", i); i++) {
		if (!load_crl(q, cli_get_nth(call, "crl", i), err))
			return false;
	}
	return !staple || file_read(staple, REVOKE_OCSP_MAX, &q->staple, err);
}

static bool
load(const struct cli_call *call, struct question *q, struct err *err)
{
	const char *extra = cli_get(call, "extra");

	if (!read_time(cli_get(call, "time"), &q->ask.now, err) ||
		!chain_load(&q->chain, cli_operand(call, 0), err) ||
		(extra && !chain_load(&q->extra, extra, err)) ||
		!load_roots(call, q, err) || !load_revocation(call, q, err))
		return false;
	if (cli_get(call, "logs")) {
		q->logs = ctlogs_load(cli_get(call, "logs"), err);
		if (!q->logs)
			return false;
		trust_set_logs(q->trust, q->logs);
		q->ask.options.ct = TRUST_CT_ALL;
	}
	q->ask.chain = &q->chain;
	q->ask.extra = &q->extra;
	q->ask.host = span_str(cli_get(call, "name"));
	enum trust_ct ct = q->ask.options.ct;
	q->ask.options = trust_options_default();
	q->ask.options.ct = ct;
	q->ask.options.private_names = cli_has(call, "private-names");
	q->ask.options.strict = cli_has(call, "strict");
	if (cli_has(call, "client"))
		q->ask.options.use = TRUST_CLIENT;
	if (cli_has(call, "hard"))
		q->ask.options.revocation = TRUST_REVOCATION_HARD;
	q->ask.revoke = q->revoke;
	q->ask.staple = q->staple;
	return true;
}

static void
fini(struct question *q)
{
	chain_fini(&q->chain);
	chain_fini(&q->extra);
	trust_free(q->trust);
	revoke_free(q->revoke);
	ctlogs_free(q->logs);
	mem_free((void *)(uintptr_t)q->staple.p);
}

static void
print_path(const struct verdict *v)
{
	char buf[PRINT_MAX / 4];

	for (size_t i = 0; i < v->n_path; i++) {
		struct text t = text_to(buf, sizeof buf);
		cert_print(v->path[i], &t);
		text_out("\n%zu%s\n%s", i, (int)i == v->at ? "  <- here" : "", buf);
	}
}

static void
print_text(const struct verdict *v)
{
	bool good = v->class == VERDICT_GOOD;

	text_out("%s%s%s: %s\n", cli_colour(good ? CLI_GREEN : CLI_RED),
		verdict_id(v->class), cli_colour(CLI_PLAIN),
		verdict_sentence(v->class));
	if (v->text[0])
		text_out("  %s\n", v->text);
	for (unsigned i = 0; i < VERDICT_COUNT; i++) {
		if ((v->faults & (1u << i)) && i != (unsigned)v->class)
			text_out("  also: %s\n", verdict_id((enum verdict_class)i));
	}
	if (v->ct[0])
		text_out("  transparency: %s\n", v->ct);
	text_out("  revocation %s; %u paths tried, %u signatures checked\n",
		v->revocation, v->paths, v->signatures);
	print_path(v);
}

static void
print_json(const struct verdict *v)
{
	struct json_out j;

	json_init(&j, JSON_MAX);
	j.pretty = true;
	verdict_json(v, &j, NULL);
	cli_print_json(&j);
}

static enum cli_exit
run_verify(const struct cli_call *call)
{
	struct question q = {0};
	struct verdict v = {0};
	struct err err = {0};
	const char *cases = cli_get(call, "cases");

	if (cases) {
		return verify_cases(cases,
			&(struct verify_wish){.json = cli_has(call, "json"),
				.only_differences = cli_has(call, "differences"),
				.strict = cli_has(call, "strict")});
	}
	if (!cli_operand(call, 0)) {
		err_set(&err, ERR_USAGE, "which file of certificates?");
		return cli_fail(&err);
	}
	if (!load(call, &q, &err)) {
		fini(&q);
		return cli_fail(&err);
	}
	trust_check(q.trust, &q.ask, &v);
	if (cli_has(call, "json")) {
		print_json(&v);
	} else {
		print_text(&v);
	}
	enum cli_exit code = v.class == VERDICT_GOOD ? CLI_GOOD : CLI_FAILED;
	verdict_fini(&v);
	fini(&q);
	return code;
}

const struct command command_verify = {
	.name = "verify",
	.operands = "CHAIN",
	.summary = "check a certificate chain as the gateway would",
	.help = "Reads certificates (PEM, leaf first, or one in DER), searches every "
		"path to a\n"
		"trusted root, and says which check failed, where, and why. The exit "
		"code is 0\n"
		"for a good chain and 1 for any other.\n"
		"\n"
		"Without --name the name is not checked. Without --roots the system's "
		"are used.\n"
		"\n"
		"--cases runs a whole file of test cases in the form of x509-limbo.",
	.examples = "sekisho verify chain.pem --name www.example.org\n"
		    "sekisho verify chain.pem --name 192.0.2.1 --roots ca.pem --time "
		    "2026-01-31T12:00:00Z --json\n",
	.options = options,
	.least = 0,
	.most = 1,
	.run = run_verify,
};
