// SPDX-License-Identifier: Apache-2.0
/*
 * doctor_ca: the organisation's CA: where it is, whether it is sound, in every form.
 */
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/doctor_priv.h"
#include "cli/doctor_tools.h"
#include "doctor/ca_find.h"
#include "doctor/probe.h"
#include "doctor/say.h"
#include "pki/export.h"

enum { PRINT_MAX = 64 * 1024, HTTPS = 443, PROBE_MS = 15000, HEX = 2 * CERT_HASH + 1 };

/* What was found, and where it was looked for. */
struct desk {
	struct doctor_scene scene;
	struct ca_list list;
	bool presented; /* from the wire: nobody vouches for it */
};

static void
close_desk(struct desk *d)
{
	ca_list_fini(&d->list);
	doctor_scene_close(&d->scene);
}

/* "HOST[:PORT]" or an address. */
static bool
read_host(const char *text, struct probe *p, struct err *err)
{
	struct span s = span_str(text);
	size_t colon = span_rchr(s, ':');
	uint64_t port = HTTPS;

	if (span_chr(s, ':') == colon && colon < s.n &&
		!text_u64(span_from(s, colon + 1), 65535, &port))
		return err_set(err, ERR_USAGE, "--from %s: no port", text);
	if (span_chr(s, ':') == colon)
		s = span_first(s, colon);
	p->port = (uint16_t)port; /* at most 65535 */
	return (s.n > 0 && span_copy(p->host, sizeof p->host, s)) ||
		err_set(err, ERR_USAGE, "--from %s: no host", text);
}

/* The CAs that a host shows, the topmost first. The leaf is of no use to anybody. */
static void
take_chain(struct desk *d, const struct probe *p, const char *from)
{
	for (size_t i = p->chain.n; i > 0; i--) {
		struct err ignored;
		struct cert *c = cert_parse(p->chain.der[i - 1], &ignored);
		if (c && (i > 1 || c->is_ca))
			ca_list_add(&d->list, c, "shown by the host", from);
		cert_put(c);
	}
}

static bool
ask_host(struct desk *d, const char *host, struct err *err)
{
	struct probe *p = mem_alloc(sizeof *p);
	struct probe *const all[] = {p};
	bool ok = read_host(host, p, err);

	ok = ok && proxy_for(span_str(p->host), &p->proxy, err) &&
		probe_all(all, 1, clock_tick() + PROBE_MS, err);
	if (ok && p->end == PROBE_SHOWN) {
		take_chain(d, p, host);
	} else if (ok) {
		ok = err_set(err, ERR_DOCTOR_CA, "%s showed no certificate: %s", host,
			p->err.text);
	}
	probe_fini(p);
	mem_free(p);
	return ok;
}

static bool
open_desk(const struct cli_call *call, struct desk *d, struct err *err)
{
	const char *file = cli_get(call, "ca");
	const char *host = cli_get(call, "from");
	struct home *h = &d->scene.home;

	*d = (struct desk){0};
	if (!doctor_home_open(call, h, err))
		return false;
	bundle_open(&d->scene.bundle, h);
	ca_list_init(&d->list);
	bool ok = true;
	if (file) {
		ok = ca_list_add_file(&d->list, h, file, "named by you", err);
	} else if (host) {
		d->presented = true;
		ok = ask_host(d, host, err);
	} else {
		ca_find_all(&d->list, h, &d->scene.bundle, !cli_has(call, "quick"));
	}
	if (!ok)
		close_desk(d);
	return ok;
}

static void
warn_presented(const struct desk *d)
{
	if (!d->presented)
		return;
	text_err(
		"%sWARNING: this came over the network. Whoever is on the path can "
		"show "
		"any certificate.\nCompare the SHA-256 with one that your organisation "
		"publishes elsewhere; if it\ndiffers, or nobody knows it, do not trust "
		"it.%s\n",
		cli_colour(CLI_RED), cli_colour(CLI_PLAIN));
}

static void
put_hex(char dst[HEX], const struct cert *c)
{
	struct text t = text_to(dst, HEX);

	text_put_hex(&t, span_of(c->sha256, CERT_HASH), false);
}

static void
put_dates(char dst[2 * CLOCK_TEXT], const struct cert *c)
{
	char from[CLOCK_TEXT];
	char to[CLOCK_TEXT];

	clock_text(from, c->not_before * 1000);
	clock_text(to, c->not_after * 1000);
	text_format(dst, (size_t)2 * CLOCK_TEXT, "%.10s to %.10s", from, to);
}

/* Prints the faults; how many are grave. */
static size_t
print_faults(const struct home *h, const struct ca_found *f)
{
	struct ca_fault faults[CA_FAULTS];
	size_t n = ca_check(f, clock_wall(), faults);
	size_t grave = 0;

	for (size_t i = 0; i < n; i++) {
		grave += faults[i].grave;
		doctor_print_label(h, faults[i].grave ? "refused" : "note",
			faults[i].grave ? CLI_RED : CLI_YELLOW);
		text_out("%s\n", say(h, faults[i].text));
	}
	return grave;
}

static size_t
print_found(struct home *h, const struct ca_found *f)
{
	char name[512] = "";
	char hex[HEX];
	char dates[2 * CLOCK_TEXT];
	struct text t = text_to(name, sizeof name);

	cert_name_text(f->cert->subject, &t);
	put_hex(hex, f->cert);
	put_dates(dates, f->cert);
	text_out("%s%s%s\n  %-9s %s\n  %-9s %s\n  %-9s %s: %s\n", cli_colour(CLI_BOLD),
		name, cli_colour(CLI_PLAIN), "sha256", hex, "valid", dates, "from",
		say(h, f->from), home_short(h, f->path));
	return print_faults(h, f);
}

static size_t
put_found(struct json_out *j, const struct ca_found *f)
{
	struct ca_fault faults[CA_FAULTS];
	size_t n = ca_check(f, clock_wall(), faults);
	size_t grave = 0;

	json_object(j, NULL);
	json_str(j, "from", f->from);
	json_str(j, "file", f->path);
	cert_json(f->cert, j, "certificate");
	json_array(j, "faults");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "text", faults[i].text);
		json_bool(j, "refused", faults[i].grave);
		json_end(j);
		grave += faults[i].grave;
	}
	json_end(j);
	json_end(j);
	return grave;
}

/* ---- doctor ca list ---- */

static enum cli_exit
run_list(const struct cli_call *call)
{
	struct desk d;
	struct err err = {0};
	size_t grave = 0;

	if (!open_desk(call, &d, &err))
		return cli_fail(&err);
	warn_presented(&d);
	if (cli_has(call, "json")) {
		struct json_out j;
		json_init(&j, DOCTOR_JSON);
		j.pretty = true;
		json_array(&j, NULL);
		for (size_t i = 0; i < d.list.n; i++)
			grave += put_found(&j, &d.list.all[i]);
		json_end(&j);
		cli_print_json(&j);
	} else {
		for (size_t i = 0; i < d.list.n; i++)
			grave += print_found(&d.scene.home, &d.list.all[i]);
		if (d.list.n == 0) {
			text_out("%s\n",
				say(&d.scene.home,
					"No CA besides the public ones is here."));
		}
	}
	size_t n = d.list.n;
	close_desk(&d);
	if (n == 0)
		return CLI_UNKNOWN;
	return grave > 0 ? CLI_FAILED : CLI_GOOD;
}

/* ---- choosing one ---- */

/* By fingerprint; without one, the only one that can be used. */
static const struct ca_found *
choose(const struct cli_call *call, struct desk *d, struct err *err)
{
	const char *want = cli_operand(call, 0);
	const struct ca_found *found = NULL;
	size_t usable = 0;

	if (!want)
		want = cli_get(call, "fingerprint");
	if (want) {
		found = ca_list_pick(&d->list, want);
		if (!found) {
			err_set(err, ERR_DOCTOR_CA,
				"%s: none, or several, begin so; give at least 8 "
				"digits",
				want);
		}
		return found;
	}
	for (size_t i = 0; i < d->list.n; i++) {
		struct ca_fault faults[CA_FAULTS];
		size_t n = ca_check(&d->list.all[i], clock_wall(), faults);
		bool grave = false;
		for (size_t k = 0; k < n; k++)
			grave |= faults[k].grave;
		if (grave)
			continue;
		found = &d->list.all[i];
		usable++;
		/* What somebody chose before needs no choosing. */
		if (strcmp(found->path, bundle_org_path(&d->scene.home)) == 0)
			return found;
	}
	if (usable == 1)
		return found;
	err_set(err, ERR_DOCTOR_CA,
		"%zu certificates could be meant: give a SHA-256 as `doctor ca list` "
		"prints it",
		usable);
	return NULL;
}

static enum cli_exit
run_show(const struct cli_call *call)
{
	struct desk d;
	struct err err = {0};

	if (!open_desk(call, &d, &err))
		return cli_fail(&err);
	warn_presented(&d);
	const struct ca_found *f = choose(call, &d, &err);
	enum cli_exit end = CLI_UNKNOWN;
	if (!f) {
		cli_fail(&err);
	} else if (cli_has(call, "json")) {
		struct json_out j;
		json_init(&j, DOCTOR_JSON);
		j.pretty = true;
		end = put_found(&j, f) > 0 ? CLI_FAILED : CLI_GOOD;
		cli_print_json(&j);
	} else {
		char *text = mem_alloc(PRINT_MAX);
		struct text t = text_to(text, PRINT_MAX);
		end = print_found(&d.scene.home, f) > 0 ? CLI_FAILED : CLI_GOOD;
		cert_print(f->cert, &t);
		text_out("%s", text);
		mem_free(text);
	}
	close_desk(&d);
	return end;
}

/* ---- doctor ca export ---- */

/* What nobody vouches for is exported only when its fingerprint was compared. */
static bool
may_export(const struct cli_call *call, const struct desk *d, const struct ca_found *f,
	struct err *err)
{
	struct ca_fault faults[CA_FAULTS];
	size_t n = ca_check(f, clock_wall(), faults);
	const char *want = cli_get(call, "fingerprint");

	if (d->presented && (!want || span_str(want).n < (size_t)2 * CERT_HASH)) {
		return err_set(err, ERR_DOCTOR_CA,
			"from the network only with --fingerprint and all of the "
			"SHA-256, "
			"compared with a published one");
	}
	for (size_t i = 0; i < n; i++) {
		if (faults[i].grave)
			return err_set(err, ERR_DOCTOR_CA, "%s", faults[i].text);
	}
	return true;
}

static bool
write_out(const struct cli_call *call, const struct ca_found *f, enum export_form form,
	struct err *err)
{
	const char *path = cli_get(call, "out");
	struct span out = {0};

	if (!export_cert(f->cert, form, cli_get(call, "password"), &out, err))
		return false;
	bool ok = !path || file_replace(path, out, 0644, err);
	if (!path)
		text_out_span(out);
	mem_free((void *)(uintptr_t)out.p);
	return ok;
}

static enum cli_exit
run_export(const struct cli_call *call)
{
	const char *word = cli_get(call, "form");
	enum export_form form = word ? export_find(span_str(word)) : EXPORT_PEM;
	struct desk d;
	struct err err = {0};

	if (form == EXPORT_FORMS) {
		err_set(&err, ERR_USAGE,
			"--form %s is none of pem, der, pkcs12, apple, windows, "
			"chrome, "
			"firefox, kubernetes",
			word);
		return cli_fail(&err);
	}
	if (!open_desk(call, &d, &err))
		return cli_fail(&err);
	warn_presented(&d);
	const struct ca_found *f = choose(call, &d, &err);
	bool ok = f && may_export(call, &d, f, &err) && write_out(call, f, form, &err);
	close_desk(&d);
	if (ok)
		return CLI_GOOD;
	cli_fail(&err);
	return f ? CLI_FAILED : CLI_UNKNOWN;
}

#define SOURCES                                                                       \
	{"ca", 'c', "FILE", "look into this file only", false},                       \
		{"from", 0, "HOST[:PORT]",                                            \
			"what this host shows (nobody vouches for it)", false},       \
		{"quick", 0, NULL, "do not ask browsers' and Java's stores", false},  \
	{                                                                             \
		"root", 0, "DIR",                                                     \
			"look for the system's files below DIR (an image, a chroot)", \
			false                                                         \
	}

static const struct cli_option list_options[] = {
	SOURCES,
	DOCTOR_OPTIONS,
	{0},
};

static const struct cli_option export_options[] = {
	SOURCES,
	{"form", 'f', "FORM",
		"pem, der, pkcs12, apple, windows, chrome, firefox, kubernetes [pem]",
		false},
	{"fingerprint", 0, "SHA256", "the one to take", false},
	{"out", 'o', "FILE", "write here instead of to standard output", false},
	{"password", 0, "TEXT", "of the PKCS#12 file, which holds no secret [changeit]",
		false},
	{0},
};

static const struct cli_option show_options[] = {
	SOURCES,
	{"fingerprint", 0, "SHA256", "the one to show", false},
	DOCTOR_OPTIONS,
	{0},
};

const struct command command_doctor_ca_list = {
	.name = "doctor ca list",
	.operands = "",
	.summary = "find the organisation's CA on this machine",
	.help = "Looks at files of network agents, at what was added to the system's "
		"list, at\n"
		"browsers' (NSS) and Java's stores, and at files that trust settings "
		"name; leaves\n"
		"out public roots. Says of each what programs will not like. Exit code "
		"1 "
		"when one\n"
		"would be refused, 3 when there is none.",
	.examples =
		"sekisho doctor ca list\nsekisho doctor ca list --from example.org\n",
	.options = list_options,
	.least = 0,
	.most = 0,
	.run = run_list,
};

const struct command command_doctor_ca_show = {
	.name = "doctor ca show",
	.operands = "[SHA256]",
	.summary = "show one CA and what programs will not like about it",
	.help = "Name it by the beginning of its SHA-256, or a file with --ca.",
	.examples = "sekisho doctor ca show --ca corp.pem\n",
	.options = show_options,
	.least = 0,
	.most = 1,
	.run = run_show,
};

const struct command command_doctor_ca_export = {
	.name = "doctor ca export",
	.operands = "[SHA256]",
	.summary = "print the organisation's CA in the form a client takes",
	.help = "A leaf, an intermediate, an expired or a weak certificate is refused, "
		"and "
		"so is\n"
		"a file with a private key in it. From a host (--from) only with "
		"--fingerprint and\n"
		"the whole SHA-256. The forms are those of `sekisho ca export`.",
	.examples = "sekisho doctor ca export --out corp.crt\n"
		    "sekisho doctor ca export --form kubernetes | kubectl apply -f -\n",
	.options = export_options,
	.least = 0,
	.most = 1,
	.run = run_export,
};
