// SPDX-License-Identifier: Apache-2.0
/*
 * ca_import: an issuing authority that was made elsewhere.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/ca_priv.h"
#include "cli/commands.h"

enum { PEM_MAX = 256 * 1024 };

static const struct cli_option import_options[] = {
	{"key", 'k', "FILE", "the key, when it is not in BUNDLE", false},
	{"root", 'r', "FILE", "the root, when it is not in BUNDLE", false},
	{"passphrase", 0, "FILE", "file or /dev/fd/N with the key's passphrase", false},
	{"node-passphrase", 0, "FILE",
		"the same for the key as it is kept here [not encrypted]", false},
	{0},
};

static bool
read_option(const struct cli_call *call, const char *name, struct span *out,
	struct err *err)
{
	const char *path = cli_get(call, name);
	return !path || file_read(path, PEM_MAX, out, err);
}

/* The octets of all files; wiped by forget(). */
struct given {
	struct authority_bundle from;
	struct span passphrase;
	struct span node_passphrase;
};

static bool
read_given(const struct cli_call *call, struct given *g, struct err *err)
{
	struct authority_bundle *from = &g->from;

	if (!file_read(cli_operand(call, 0), PEM_MAX, &from->bundle, err) ||
		!read_option(call, "key", &from->key, err) ||
		!read_option(call, "root", &from->root, err) ||
		!ca_read_secret(cli_get(call, "passphrase"), &g->passphrase, err) ||
		!ca_read_secret(
			cli_get(call, "node-passphrase"), &g->node_passphrase, err))
		return false;
	from->passphrase = span_trim(g->passphrase);
	from->node_passphrase = span_trim(g->node_passphrase);
	return true;
}

static void
forget(struct given *g)
{
	const struct span owned[] = {g->from.bundle, g->from.key, g->from.root,
		g->passphrase, g->node_passphrase};
	for (size_t i = 0; i < COUNT_OF(owned); i++) {
		if (owned[i].p)
			secret_wipe((void *)(uintptr_t)owned[i].p, owned[i].n);
		mem_free((void *)(uintptr_t)owned[i].p);
	}
}

/* It is taken all the same: what was readable cannot be undone here. */
static void
warn_of_readers(const struct cli_call *call)
{
	const char *key = cli_get(call, "key");
	const char *path = key ? key : cli_operand(call, 0);
	struct err why = {0};

	if (cli_get(call, "passphrase") || file_is_private(path, &why))
		return;
	text_err("sekisho: warning: %s: whoever has read it can sign as this "
		 "authority\n",
		why.text);
}

static enum cli_exit
run_import(const struct cli_call *call)
{
	struct given g = {0};
	struct err err = {0};
	bool ok = read_given(call, &g, &err) &&
		authority_import(ca_dir(call, 1), &g.from, &err);

	forget(&g);
	struct authority *a = ok
		? authority_load(ca_dir(call, 1), false, (struct span){0}, &err)
		: NULL;
	if (!a)
		return cli_fail(&err);
	warn_of_readers(call);
	ca_print_authority(a);
	authority_free(a);
	return CLI_GOOD;
}

const struct command command_ca_import = {
	.name = "ca import",
	.operands = "BUNDLE [DIR]",
	.summary = "use an issuing authority that was made elsewhere",
	.help = "BUNDLE is PEM (the issuing certificate first, those above it, its "
		"key) or\n"
		"PKCS#12; with --key it may be one certificate in DER. It is linted "
		"first, and\n"
		"tried with a leaf: what clients would refuse is refused here, with "
		"the fault\n"
		"named, and nothing is written. The key is stored as node.key, for the "
		"gateway\n"
		"alone.",
	.examples = "sekisho ca import issuing.p12 --passphrase /dev/fd/3 3< secret\n"
		    "sekisho ca import issuing.pem --key issuing.key --root root.pem\n",
	.options = import_options,
	.least = 1,
	.most = 2,
	.run = run_import,
};
