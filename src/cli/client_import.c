// SPDX-License-Identifier: Apache-2.0
/*
 * client_import: `sekisho client init --import`, for an authority that there is
 * already.
 */
#include "pki/client_import.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/client_priv.h"
#include "cli/commands.h"
#include "pki/cert.h"
#include "pki/revoke.h"

enum { CERTIFICATE_MAX = 64 * 1024 };

bool
client_is_known(const struct client_record *c, struct err *err)
{
	return c->der.n > 0 ||
		err_set(err, ERR_PKI_CLIENT,
			"it was imported with a list: only its number is known");
}

/* What only makes sense for an authority that is made here. */
static bool
refuse_wishes(const struct cli_call *call, const struct client_desk *d, struct err *err)
{
	static const char *const names[] = {"name", "organisation", "key", "days"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (cli_has(call, names[i])) {
			return err_set(err, ERR_USAGE,
				"with --import the authority is made: no --%s",
				names[i]);
		}
	}
	return !d->where ||
		err_set(err, ERR_USAGE,
			"ca.where says that the key is elsewhere: copy ca.crt there "
			"instead of --import");
}

/* The file of an option, or nothing. */
static bool
read_option(const struct cli_call *call, const char *option, struct span *out,
	struct err *err)
{
	const char *path = cli_get(call, option);

	return !path || file_read(path, REVOKE_CRL_MAX, out, err);
}

static bool
import_files(const struct cli_call *call, struct client_desk *d,
	struct client_brought *b, struct err *err)
{
	struct span secret = {0};
	const char *crt = cli_get(call, "import");
	const char *key = cli_get(call, "import-key");

	b->passphrase = span_trim(d->passphrase);
	if (!read_option(call, "import", &b->certificate, err) ||
		!read_option(call, "import-crl", &b->list, err) ||
		!client_read_secret(call, "key-passphrase", &secret, err))
		return false;
	b->key = key_load(key ? key : crt, span_trim(secret), err);
	client_forget(&secret);
	return b->key &&
		(client_import_ca(d->dir, b, err) || err_within(err, "%s", crt));
}

bool
client_import(const struct cli_call *call, struct client_desk *d, struct err *err)
{
	struct client_brought b = {0};
	bool ok = refuse_wishes(call, d, err) && import_files(call, d, &b, err);

	EVP_PKEY_free(b.key);
	client_forget(&b.certificate); /* there may be a key beside it */
	mem_free((void *)(uintptr_t)b.list.p);
	return ok;
}

bool
client_import_revoked(
	const struct cli_call *call, struct client_desk *d, struct err *err)
{
	const char *path = cli_get(call, "import-crl");
	struct span text = {0};
	size_t n = 0;

	if (!path) {
		if (cli_has(call, "import")) {
			text_out("What it has taken back before is not known here: its "
				 "last list, --import-crl, would tell.\n");
		}
		return true;
	}
	if (!cli_has(call, "import"))
		return err_set(err, ERR_USAGE, "--import-crl belongs to --import");
	if (!read_option(call, "import-crl", &text, err))
		return false;
	bool ok = client_import_list(d->reg, d->ca, text, &n, err);
	mem_free((void *)(uintptr_t)text.p);
	if (ok) {
		text_out("%zu certificate%s revoked.\n", n,
			n == 1 ? " stays" : "s stay");
	}
	return ok || err_within(err, "%s", path);
}

/* ---- add ---- */

static const struct cli_option add_options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"label", 'l', "TEXT", "what it is for, to find it again", false},
	{"ca-passphrase", 0, "FILE",
		"file or /dev/fd/N with the authority's passphrase", false},
	{0},
};

static bool
add_file(const struct cli_call *call, struct client_desk *d, struct client_record *made,
	struct err *err)
{
	const struct client_record like = {.label = span_str(cli_get(call, "label"))};
	struct span text = {0};

	if (like.label.n >= CLIENT_LABEL)
		return err_set(err, ERR_USAGE, "--label is too long");
	if (!file_read(cli_operand(call, 0), CERTIFICATE_MAX, &text, err))
		return false;
	struct cert *c = cert_from_text(text, err);
	bool ok = c && client_import_is_ours(d->ca, c, err) &&
		client_register_begin(d->reg, err) &&
		client_record_add(d, c->der, &like, made, err) &&
		client_register_find(d->reg, made->serial, &d->arena, made, err) &&
		client_desk_commit(d, false, err);
	cert_put(c);
	mem_free((void *)(uintptr_t)text.p);
	return ok;
}

static enum cli_exit
run_add(const struct cli_call *call)
{
	struct client_desk d = {0};
	struct client_record made = {0};
	struct err err = {0};
	bool ok = client_desk_open(&d, call, true, &err) &&
		add_file(call, &d, &made, &err);

	if (ok)
		client_print_line(&made);
	client_desk_close(&d);
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_client_add = {
	.name = "client add",
	.operands = "FILE",
	.summary = "record a certificate that the authority issued elsewhere",
	.help = "For an authority that was imported: what it issued before can then be "
		"listed,\n"
		"revoked and renewed here, and OCSP answers for it.",
	.examples = "sekisho client add old-laptop.crt --label laptop\n",
	.options = add_options,
	.least = 1,
	.most = 1,
	.run = run_add,
};
