// SPDX-License-Identifier: Apache-2.0
/*
 * ca_export: the root's certificate for each kind of client.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/ca_priv.h"
#include "cli/commands.h"
#include "pki/export.h"

static const struct cli_option options[] = {
	{"form", 'f', "FORM",
		"pem, der, pkcs12, apple, windows, chrome, firefox, kubernetes [pem]",
		false},
	{"out", 'o', "FILE", "write here instead of to standard output", false},
	{"password", 0, "TEXT", "of the PKCS#12 file, which holds no secret [changeit]",
		false},
	{0},
};

static enum cli_exit
run_export(const struct cli_call *call)
{
	const char *word = cli_get(call, "form");
	const char *path = cli_get(call, "out");
	enum export_form form = word ? export_find(span_str(word)) : EXPORT_PEM;
	struct span out = {0};
	struct err err = {0};

	if (form == EXPORT_FORMS) {
		err_set(&err, ERR_USAGE,
			"--form %s is none of pem, der, pkcs12, apple, "
			"windows, chrome, firefox, kubernetes",
			word);
		return cli_fail(&err);
	}
	struct authority *a = ca_load(call, &err);
	bool ok = a && export_root(a, form, cli_get(call, "password"), &out, &err);
	if (ok && path) {
		ok = file_replace(path, out, 0644, &err);
	} else if (ok) {
		text_out_span(out);
	}
	mem_free((void *)(uintptr_t)out.p);
	authority_free(a);
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_ca_export = {
	.name = "ca export",
	.operands = "[DIR]",
	.summary = "print the root's certificate in the form a client takes",
	.help = "pem      most programs\n"
		"der      Windows, Android: import by hand\n"
		"pkcs12   a truststore for Java (-Djavax.net.ssl.trustStore)\n"
		"apple    configuration profile for macOS and iOS\n"
		"windows  PowerShell for a group policy\n"
		"chrome   enterprise policy JSON\n"
		"firefox  policies.json; put the DER file beside it as sekisho.crt\n"
		"kubernetes a ConfigMap",
	.examples = "sekisho ca export > root.pem\n"
		    "sekisho ca export --form pkcs12 --out trust.p12\n",
	.options = options,
	.least = 0,
	.most = 1,
	.run = run_export,
};
