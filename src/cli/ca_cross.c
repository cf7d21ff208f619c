// SPDX-License-Identifier: Apache-2.0
/*
 * ca_cross: one root signs another, so that clients with either believe both.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/ca_priv.h"
#include "cli/commands.h"

enum { PEM_MAX = 256 * 1024 };

static const struct cli_option cross_options[] = {
	{"passphrase", 0, "FILE", "file or /dev/fd/N with the root key's passphrase",
		false},
	{"out", 'o', "FILE", "write here instead of to standard output", false},
	{0},
};

static bool
sign(const struct cli_call *call, struct span *pem, struct err *err)
{
	const char *path = cli_get(call, "passphrase");
	struct span other = {0};
	struct span passphrase = {0};
	bool ok = file_read(cli_operand(call, 0), PEM_MAX, &other, err) &&
		ca_read_secret(path, &passphrase, err);

	ok = ok &&
		authority_cross_sign(
			ca_dir(call, 1), other, span_trim(passphrase), pem, err);
	if (passphrase.p)
		secret_wipe((void *)(uintptr_t)passphrase.p, passphrase.n);
	mem_free((void *)(uintptr_t)passphrase.p);
	mem_free((void *)(uintptr_t)other.p);
	return ok;
}

static enum cli_exit
run_cross(const struct cli_call *call)
{
	const char *path = cli_get(call, "out");
	struct span pem = {0};
	struct err err = {0};
	bool ok = sign(call, &pem, &err);

	if (ok && path) {
		ok = file_replace(path, pem, 0644, &err);
	} else if (ok) {
		text_out_span(pem);
	}
	mem_free((void *)(uintptr_t)pem.p);
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_ca_cross = {
	.name = "ca cross-sign",
	.operands = "ROOT.crt [DIR]",
	.summary = "sign another root's key with the root of DIR",
	.help = "Prints a certificate of the other root's name and key, below the root "
		"of DIR.\n"
		"As cross.crt in the directory of that other authority it is sent "
		"behind its\n"
		"leafs, as long as it is valid: clients that have only the root of DIR "
		"believe\n"
		"them then. `ca rotate --root` does all of it for one directory.",
	.examples = "sekisho ca cross-sign new/root.crt old --out new/cross.crt\n"
		    "sekisho ca cross-sign old/root.crt new --out old/cross.crt\n",
	.options = cross_options,
	.least = 1,
	.most = 2,
	.run = run_cross,
};
