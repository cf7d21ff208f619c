// SPDX-License-Identifier: Apache-2.0
/*
 * ca: making an authority, looking at it, renewing it.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/ca_priv.h"
#include "cli/commands.h"
#include "pki/cert.h"

enum {
	JSON_MAX = 1024 * 1024,
	PASSPHRASE_MAX = 1024,
	TEXT_MAX = 64 * 1024,
	PEM_MAX = 256 * 1024,
	PERMITTED = 16,
	DAYS_MAX = 36500,
};

#define CA_DIR "/var/lib/sekisho/ca"

const char *
ca_dir(const struct cli_call *call, size_t operand)
{
	const char *dir = cli_operand(call, operand);
	return dir ? dir : CA_DIR;
}

bool
ca_read_secret(const char *path, struct span *out, struct err *err)
{
	if (!path)
		return true;
	if (!file_read(path, PASSPHRASE_MAX, out, err))
		return false;
	return span_trim(*out).n > 0 ||
		err_set(err, ERR_PKI_PASSPHRASE, "%s: it is empty", path);
}

struct authority *
ca_load(const struct cli_call *call, struct err *err)
{
	return authority_load(ca_dir(call, 0), false, (struct span){0}, err);
}

/* What all commands that make or sign a CA take. */
/* clang-format off */
#define MAKE_OPTIONS \
	{"name", 'n', "TEXT", "common name of the root [sekisho CA]", false}, \
	{"organisation", 'o', "TEXT", "organisation in both names", false}, \
	{"node", 0, "TEXT", "name of this node [the host's name]", false}, \
	{"key", 'k', "KIND", "p256, p384, rsa2048, rsa3072, rsa4096, ed25519 [p256]", false}, \
	{"root-days", 0, "DAYS", "lifetime of the root [3650]", false}, \
	{"node-days", 0, "DAYS", "lifetime of the node CA [365]", false}, \
	{"root-only", 0, NULL, "make no node CA; it comes by `ca node request`", false}, \
	{"permit", 0, "DOMAIN", "certify only below this domain (lab use)", true}, \
	{"passphrase", 0, "FILE", "file or /dev/fd/N with the root key's passphrase", false}, \
	{"node-passphrase", 0, "FILE", "the same for the node's key [not encrypted]", false}, \
	{"from-days", 0, "DAYS", "first day of the node CA, from now [0]", false}
/* clang-format on */

static const struct cli_option make_options[] = {MAKE_OPTIONS, {0}};

static const struct cli_option rotate_options[] = {MAKE_OPTIONS,
	{"prepare", 0, NULL, "only make it; `ca activate` puts it to use", false},
	{"root", 0, NULL, "a new root too, and cross certificates", false}, {0}};

/* What was asked, with what it borrows. */
struct wished {
	struct authority_wish wish;
	const char *permitted[PERMITTED + 1];
	struct span passphrase; /* owned; wiped */
	struct span node_passphrase;
};

static void
fini_wish(struct wished *w)
{
	const struct span secrets[] = {w->passphrase, w->node_passphrase};
	for (size_t i = 0; i < COUNT_OF(secrets); i++) {
		if (secrets[i].p)
			secret_wipe((void *)(uintptr_t)secrets[i].p, secrets[i].n);
		mem_free((void *)(uintptr_t)secrets[i].p);
	}
}

static bool
read_days(
	const struct cli_call *call, const char *name, unsigned *days, struct err *err)
{
	uint64_t n = 0;

	if (!cli_number(call, name, DAYS_MAX, &n, err))
		return false;
	*days = (unsigned)n; /* at most DAYS_MAX */
	return true;
}

static bool
read_wish(const struct cli_call *call, struct wished *w, struct err *err)
{
	const char *kind = cli_get(call, "key");
	const char *pass = cli_get(call, "passphrase");
	const char *node_pass = cli_get(call, "node-passphrase");

	w->wish.name = cli_get(call, "name");
	w->wish.organisation = cli_get(call, "organisation");
	w->wish.node = cli_get(call, "node");
	w->wish.root_only = cli_has(call, "root-only");
	if (cli_get_nth(call, "permit", PERMITTED))
		return err_set(err, ERR_USAGE, "--permit over %d times", PERMITTED);
	for (size_t i = 0; i < PERMITTED; i++)
		w->permitted[i] = cli_get_nth(call, "permit", i);
	w->wish.permitted = w->permitted;
	if (kind) {
		w->wish.kind = key_kind_find(span_str(kind));
		if (w->wish.kind == KEY_OTHER) {
			return err_set(
				err, ERR_USAGE, "--key %s is no kind of key", kind);
		}
	}
	if (!read_days(call, "root-days", &w->wish.root_days, err) ||
		!read_days(call, "node-days", &w->wish.node_days, err))
		return false;
	if (!read_days(call, "from-days", &w->wish.from_days, err))
		return false;
	if (!ca_read_secret(pass, &w->passphrase, err) ||
		!ca_read_secret(node_pass, &w->node_passphrase, err))
		return false;
	w->wish.passphrase = span_trim(w->passphrase);
	w->wish.node_passphrase = span_trim(w->node_passphrase);
	return true;
}

void
ca_print_cert(const char *what, const X509 *x)
{
	char *buf = mem_alloc(TEXT_MAX);
	struct text t = text_to(buf, TEXT_MAX);
	struct err ignored = {0};
	struct cert *c = x ? cert_from_x509(x, &ignored) : NULL;

	if (c) {
		cert_print(c, &t);
		text_out("%s%s%s\n%s", cli_colour(CLI_BOLD), what,
			cli_colour(CLI_PLAIN), buf);
	}
	cert_put(c);
	mem_free(buf);
}

static const char *
state_word(const struct authority *a)
{
	switch (authority_state(a, clock_wall())) {
	case AUTHORITY_PENDING:
		return "pending";
	case AUTHORITY_IN_USE:
		return "in use";
	case AUTHORITY_RENEW:
		return "renew soon";
	case AUTHORITY_EXPIRED:
		return "expired";
	}
	return "unknown";
}

static void
print_next(const char *dir)
{
	enum authority_next next = authority_next(dir, clock_wall());

	if (next != AUTHORITY_NEXT_NONE)
		text_out("next node CA: %s\n", authority_next_word(next));
}

void
ca_print_authority(const struct authority *a)
{
	ca_print_cert("root", a->root);
	ca_print_cert("node CA", a->node);
	text_out("%s, %lld days left\n", state_word(a),
		(long long)authority_days_left(a, clock_wall()));
}

static enum cli_exit
run_init(const struct cli_call *call)
{
	struct wished w = {0};
	struct err err = {0};
	const char *dir = ca_dir(call, 0);
	bool ok = read_wish(call, &w, &err) &&
		(w.wish.from_days == 0 ||
			err_set(&err, ERR_USAGE,
				"--from-days is for a node CA after the first")) &&
		authority_init(dir, &w.wish, &err);

	fini_wish(&w);
	struct authority *a = ok ? ca_load(call, &err) : NULL;
	if (!a)
		return cli_fail(&err);
	ca_print_authority(a);
	text_out(
		"\nMade in %s. Keep root.key elsewhere: the gateway does not need it.\n"
		"Next: `sekisho ca install %s` on the clients, or `sekisho ca "
		"export`.\n",
		dir, dir);
	authority_free(a);
	return CLI_GOOD;
}

const struct command command_ca_init = {
	.name = "ca init",
	.operands = "[DIR]",
	.summary = "make an authority: a root, and this node's CA below it",
	.help = "Writes root.crt, root.key, node.crt and node.key into DIR\n"
		"(" CA_DIR
		"); nothing is ever overwritten. Clients trust the root; the\n"
		"gateway signs with the node's key alone, so root.key can be kept "
		"offline.",
	.examples =
		"sekisho ca init\n"
		"sekisho ca init ./root --root-only --name 'Example CA' --key p384\n",
	.options = make_options,
	.least = 0,
	.most = 1,
	.run = run_init,
};

static void
put_cert(struct json_out *j, const char *key, const X509 *x)
{
	struct err ignored = {0};
	struct cert *c = x ? cert_from_x509(x, &ignored) : NULL;

	if (c) {
		cert_json(c, j, key);
	} else {
		json_null(j, key);
	}
	cert_put(c);
}

static void
print_json(const struct authority *a, const char *dir)
{
	struct json_out j;

	json_init(&j, JSON_MAX);
	j.pretty = true;
	json_object(&j, NULL);
	json_str(&j, "state", state_word(a));
	json_str(&j, "next", authority_next_word(authority_next(dir, clock_wall())));
	json_int(&j, "days_left", authority_days_left(a, clock_wall()));
	put_cert(&j, "root", a->root);
	put_cert(&j, "node", a->node);
	json_end(&j);
	cli_print_json(&j);
}

static enum cli_exit
run_show(const struct cli_call *call)
{
	struct err err = {0};
	struct authority *a = ca_load(call, &err);

	if (!a)
		return cli_fail(&err);
	if (cli_has(call, "json")) {
		print_json(a, ca_dir(call, 0));
	} else {
		ca_print_authority(a);
		print_next(ca_dir(call, 0));
	}
	authority_free(a);
	return CLI_GOOD;
}

static const struct cli_option show_options[] = {
	{"json", 'j', NULL, "print JSON", false},
	{0},
};

const struct command command_ca_show = {
	.name = "ca show",
	.operands = "[DIR]",
	.summary = "show the authority's certificates and how long they last",
	.help = "The JSON form has, for root and node, the fields of cfssl's certinfo "
		"and more.",
	.examples = "sekisho ca show\nsekisho ca show ./ca --json\n",
	.options = show_options,
	.least = 0,
	.most = 1,
	.run = run_show,
};

static enum cli_exit
run_request(const struct cli_call *call)
{
	struct wished w = {0};
	struct span csr = {0};
	struct err err = {0};
	bool ok = read_wish(call, &w, &err) &&
		authority_request(ca_dir(call, 0), &w.wish, &csr, &err);

	fini_wish(&w);
	if (!ok)
		return cli_fail(&err);
	text_out_span(csr);
	mem_free((void *)(uintptr_t)csr.p);
	return CLI_GOOD;
}

const struct command command_ca_request = {
	.name = "ca node request",
	.operands = "[DIR]",
	.summary = "make a node's key and print a request for its CA certificate",
	.help = "The key stays in DIR as next.key. Take the request to where the root "
		"is and\n"
		"sign it with `sekisho ca node sign`; bring the answer to `ca node "
		"adopt`.",
	.examples = "sekisho ca node request > gw1.csr\n",
	.options = make_options,
	.least = 0,
	.most = 1,
	.run = run_request,
};

static enum cli_exit
run_sign(const struct cli_call *call)
{
	struct wished w = {0};
	struct span csr = {0};
	struct span pem = {0};
	struct err err = {0};
	bool ok = read_wish(call, &w, &err) &&
		file_read(cli_operand(call, 0), PEM_MAX, &csr, &err) &&
		authority_sign(ca_dir(call, 1), csr, &w.wish, &pem, &err);

	fini_wish(&w);
	mem_free((void *)(uintptr_t)csr.p);
	if (!ok)
		return cli_fail(&err);
	text_out_span(pem);
	mem_free((void *)(uintptr_t)pem.p);
	return CLI_GOOD;
}

const struct command command_ca_sign = {
	.name = "ca node sign",
	.operands = "REQUEST [DIR]",
	.summary = "sign a node's request with the root of DIR",
	.help = "Only the key is taken from the request; names and dates come from the "
		"options.",
	.examples = "sekisho ca node sign gw1.csr ./root --node gw1 > gw1.crt\n",
	.options = make_options,
	.least = 1,
	.most = 2,
	.run = run_sign,
};

static const struct cli_option activate_options[] = {
	{"node-passphrase", 0, "FILE",
		"file or /dev/fd/N with the passphrase of the node's key", false},
	{0},
};

static const struct cli_option adopt_options[] = {
	{"cross", 0, "FILE",
		"the root under an older root's signature: sent to clients", false},
	{"node-passphrase", 0, "FILE",
		"file or /dev/fd/N with the passphrase of the node's key", false},
	{0},
};

static bool
read_secret(const struct cli_call *call, struct wished *w, struct err *err)
{
	const char *path = cli_get(call, "node-passphrase");

	if (!ca_read_secret(path, &w->node_passphrase, err))
		return false;
	w->wish.node_passphrase = span_trim(w->node_passphrase);
	return true;
}

static enum cli_exit
run_adopt(const struct cli_call *call)
{
	struct wished w = {0};
	struct authority_answer a = {0};
	const char *cross = cli_get(call, "cross");
	struct err err = {0};
	bool ok = read_secret(call, &w, &err) &&
		file_read(cli_operand(call, 0), PEM_MAX, &a.node, &err) &&
		file_read(cli_operand(call, 1), PEM_MAX, &a.root, &err) &&
		(!cross || file_read(cross, PEM_MAX, &a.cross, &err));

	a.passphrase = w.wish.node_passphrase;
	ok = ok && authority_adopt(ca_dir(call, 2), &a, &err);
	fini_wish(&w);
	mem_free((void *)(uintptr_t)a.node.p);
	mem_free((void *)(uintptr_t)a.root.p);
	mem_free((void *)(uintptr_t)a.cross.p);
	if (!ok)
		return cli_fail(&err);
	if (authority_next(ca_dir(call, 2), clock_wall()) == AUTHORITY_NEXT_NONE) {
		text_out("Adopted. A running gateway takes it at its next reload.\n");
	} else {
		text_out("Adopted. Its first day has not come: it is pending.\n");
	}
	return CLI_GOOD;
}

const struct command command_ca_adopt = {
	.name = "ca node adopt",
	.operands = "NODE.crt ROOT.crt [DIR]",
	.summary = "take the certificate that answers this node's request",
	.help = "The node's older certificate and key are kept as previous.crt and "
		"previous.key.",
	.examples = "sekisho ca node adopt gw1.crt root.crt\n",
	.options = adopt_options,
	.least = 2,
	.most = 3,
	.run = run_adopt,
};

static bool
rotate(const struct cli_call *call, const char *dir, const struct authority_wish *wish,
	struct err *err)
{
	if (!cli_has(call, "root")) {
		return cli_has(call, "prepare") ? authority_prepare(dir, wish, err)
						: authority_rotate(dir, wish, err);
	}
	if (cli_has(call, "prepare"))
		return err_set(err, ERR_USAGE, "--root cannot be only prepared");
	return authority_rotate_root(dir, wish, err);
}

static void
tell_new_root(const struct cli_call *call, const struct authority *a)
{
	const char *dir = ca_dir(call, 0);

	ca_print_cert("root", a->root);
	text_out(
		"Clients that have only the old root are led to it by cross.crt, which "
		"is sent to all;\nother nodes below the old root take %s/cross-old.crt "
		"as their cross.crt.\n"
		"Next: `sekisho ca export %s` to the clients. Keep root.key and "
		"previous-root.key elsewhere.\n",
		dir, dir);
}

static enum cli_exit
run_rotate(const struct cli_call *call)
{
	struct wished w = {0};
	struct err err = {0};
	bool prepares = cli_has(call, "prepare");
	bool ok = read_wish(call, &w, &err) &&
		rotate(call, ca_dir(call, 0), &w.wish, &err);

	fini_wish(&w);
	if (ok && prepares) {
		print_next(ca_dir(call, 0));
		return CLI_GOOD;
	}
	struct authority *a = ok ? ca_load(call, &err) : NULL;
	if (!a)
		return cli_fail(&err);
	ca_print_cert("node CA", a->node);
	if (cli_has(call, "root")) {
		tell_new_root(call, a);
	} else {
		text_out("Made. A running gateway takes it at its next reload; clients "
			 "see the same root.\n");
	}
	authority_free(a);
	return CLI_GOOD;
}

const struct command command_ca_rotate = {
	.name = "ca rotate",
	.operands = "[DIR]",
	.summary = "make a new node key and certificate under the same root",
	.help = "Needs root.key in DIR. The older pair is kept as previous.crt and "
		"previous.key.\n"
		"With --prepare the gateway puts it to use by itself when the one in "
		"use nears\n"
		"its end (`authority-activate`). With --root there is a new root too, "
		"which each\n"
		"root signs for the other: clients with either believe what follows.",
	.examples = "sekisho ca rotate --node-days 90\n"
		    "sekisho ca rotate --root --name 'Example CA 2'\n",
	.options = rotate_options,
	.least = 0,
	.most = 1,
	.run = run_rotate,
};

static enum cli_exit
run_activate(const struct cli_call *call)
{
	struct wished w = {0};
	struct err err = {0};
	bool ok = read_secret(call, &w, &err) &&
		authority_activate(ca_dir(call, 0), w.wish.node_passphrase, &err);

	fini_wish(&w);
	if (!ok)
		return cli_fail(&err);
	text_out("In use from the gateway's next reload on.\n");
	return CLI_GOOD;
}

const struct command command_ca_activate = {
	.name = "ca activate",
	.operands = "[DIR]",
	.summary = "put the node CA that was prepared to use",
	.help = "It must be available: `sekisho ca status` tells its state (inactive,\n"
		"pending, available). The older pair is kept as previous.crt and "
		"previous.key.",
	.examples = "sekisho ca rotate --prepare --from-days 7\nsekisho ca activate\n",
	.options = activate_options,
	.least = 0,
	.most = 1,
	.run = run_activate,
};
