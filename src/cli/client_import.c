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
#include "pki/revoke.h"

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
	if (ok)
		text_out("%zu certificates stay revoked.\n", n);
	return ok || err_within(err, "%s", path);
}
