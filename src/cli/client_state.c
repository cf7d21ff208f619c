// SPDX-License-Identifier: Apache-2.0
/*
 * client_state: taking certificates of clients back, and giving them again.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/client_priv.h"
#include "cli/commands.h"
#include "pki/revoke.h"

static const struct cli_option revoke_options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"reason", 'r', "REASON",
		"unspecified, key-compromise, affiliation-changed, "
		"superseded, cessation-of-operation, hold, "
		"privilege-withdrawn [unspecified]",
		false},
	{"ca-passphrase", 0, "FILE",
		"file or /dev/fd/N with the authority's passphrase", false},
	{0},
};
static const struct cli_option restore_options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"ca-passphrase", 0, "FILE",
		"file or /dev/fd/N with the authority's passphrase", false},
	{0},
};

/* What is asked is looked up within the transaction: two at once cannot both do it. */
static bool
change(const struct cli_call *call, struct client_desk *d, struct client_change *c,
	struct err *err)
{
	struct client_record old = {0};
	bool revoke = c->state == CLIENT_REVOKED;

	if (!client_desk_open(d, call, true, err) ||
		!client_register_begin(d->reg, err) ||
		!client_register_find(
			d->reg, span_str(cli_operand(call, 0)), &d->arena, &old, err))
		return false;
	if (old.state == c->state) {
		return err_set(err, ERR_PKI_CLIENT, "it is %s already",
			revoke ? "revoked" : "good");
	}
	/* RFC 5280 §5.3.1 takes only a hold back; where nothing was said, nobody was
	 * told more than that. */
	if (!revoke && old.reason != CLIENT_HOLD && old.reason != CLIENT_UNSPECIFIED) {
		return err_set(err, ERR_PKI_CLIENT,
			"it was revoked for %s: issue a new one instead",
			client_reason_name(old.reason));
	}
	c->serial = old.serial;
	if (!client_register_change(d->reg, c, err) ||
		!client_desk_commit(d, true, err))
		return false;
	old.state = c->state;
	client_print_line(&old);
	return true;
}

static enum cli_exit
run_change(const struct cli_call *call, enum client_state state, int reason)
{
	struct client_change c = {.state = state, .reason = reason, .at = clock_wall()};
	struct client_desk d = {0};
	struct err err = {0};
	bool ok = change(call, &d, &c, &err);

	client_desk_close(&d);
	return ok ? CLI_GOOD : cli_fail(&err);
}

static enum cli_exit
run_revoke(const struct cli_call *call)
{
	const char *word = cli_get(call, "reason");
	int reason = word ? client_reason_find(span_str(word)) : CLIENT_UNSPECIFIED;
	struct err err = {0};

	if (reason < 0) {
		err_set(&err, ERR_USAGE,
			"--reason %s is none of those that --help lists", word);
		return cli_fail(&err);
	}
	return run_change(call, CLIENT_REVOKED, reason);
}

static enum cli_exit
run_restore(const struct cli_call *call)
{
	return run_change(call, CLIENT_GOOD, 0);
}

const struct command command_client_revoke = {
	.name = "client revoke",
	.operands = "SERIAL",
	.summary = "take a client's certificate back",
	.help = "An edge that says `managed DIR` knows within a second, also on "
		"connections that\n"
		"are open: cf.tls_client_auth.cert_revoked is then true. Others learn "
		"it "
		"from the\n"
		"revocation list and by OCSP.",
	.examples = "sekisho client revoke alice --reason key-compromise\n",
	.options = revoke_options,
	.least = 1,
	.most = 1,
	.run = run_revoke,
};

const struct command command_client_restore = {
	.name = "client restore",
	.operands = "SERIAL",
	.summary = "make a revoked certificate good again",
	.help = "Only what was revoked as a hold or without a reason comes back.",
	.examples = "sekisho client restore alice\n",
	.options = restore_options,
	.least = 1,
	.most = 1,
	.run = run_restore,
};

/* ---- crl ---- */

static const struct cli_option crl_options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"out", 0, "FILE", "also write the list here (DER)", false},
	{"ca-passphrase", 0, "FILE",
		"file or /dev/fd/N with the authority's passphrase", false},
	{0},
};

static bool
copy_list(struct client_desk *d, const char *to, struct err *err)
{
	char path[CLIENT_PATH];
	struct span der = {0};

	if (!client_ca_path(path, d->dir, "clients.crl", err) ||
		!file_read(path, REVOKE_CRL_MAX, &der, err))
		return false;
	bool ok = file_replace(to, der, 0644, err);
	mem_free((void *)(uintptr_t)der.p);
	return ok;
}

static enum cli_exit
run_crl(const struct cli_call *call)
{
	struct client_desk d = {0};
	struct err err = {0};
	const char *out = cli_get(call, "out");
	bool ok = client_desk_open(&d, call, true, &err) &&
		client_register_begin(d.reg, &err) &&
		client_desk_commit(&d, true, &err) &&
		(!out || copy_list(&d, out, &err));

	if (ok) {
		struct span number = client_register_get(d.reg, "crl-number", &d.arena);
		text_out("%s/clients.crl: number %.*s, good for %d days\n", d.dir,
			SPAN_ARG(number), CLIENT_CA_CRL_DAYS);
	}
	client_desk_close(&d);
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_client_crl = {
	.name = "client crl",
	.operands = "",
	.summary = "sign a fresh revocation list",
	.help = "Every change makes one; where nothing changes for weeks this keeps "
		"the "
		"list\n"
		"from ending. Its number rises.",
	.examples = "sekisho client crl\n",
	.options = crl_options,
	.run = run_crl,
};
