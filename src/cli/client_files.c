// SPDX-License-Identifier: Apache-2.0
/*
 * client_files: what clients get, as files.
 */
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/client_priv.h"
#include "cli/commands.h"

bool
client_prefix(char dst[CLIENT_PATH], const struct cli_call *call, struct span name,
	struct err *err)
{
	const char *out = cli_get(call, "out");
	struct text t = text_to(dst, CLIENT_PATH);

	if (out) {
		text_add(&t, "%s", out);
		return !t.cut || err_set(err, ERR_USAGE, "--out is too long");
	}
	for (size_t i = 0; i < name.n && i < 100; i++) {
		uint8_t c = name.p[i];
		bool plain = ascii_is_alpha(c) || ascii_is_digit(c) || c == '@' ||
			c == '-' || c == '_' || (c == '.' && i > 0);
		text_add(&t, "%c", plain ? c : '_');
	}
	return t.n > 0 ||
		err_set(err, ERR_USAGE, "how are the files to be called? --out");
}

bool
client_write_file(const char *prefix, const char *suffix, struct span data,
	unsigned mode, struct err *err)
{
	char path[CLIENT_PATH + 16];
	size_t n = text_format(path, sizeof(path), "%s%s", prefix, suffix);

	if (n + 1 >= sizeof(path))
		return err_set(err, ERR_FILE_WRITE, "the path is too long");
	if (access(path, F_OK) == 0) {
		return err_set(
			err, ERR_FILE_WRITE, "%s exists; nothing is overwritten", path);
	}
	if (!file_replace(path, data, mode, err))
		return false;
	text_out("wrote %s\n", path);
	return true;
}

bool
client_read_forms(const struct cli_call *call, unsigned otherwise, unsigned *forms,
	struct err *err)
{
	*forms = 0;
	for (size_t i = 0; cli_get_nth(call, "form", i); i++) {
		const char *word = cli_get_nth(call, "form", i);
		enum client_form form = client_form_find(span_str(word));
		if (form == CLIENT_FORMS) {
			return err_set(err, ERR_USAGE,
				"--form %s is none of pem, der, pkcs12, pkcs12-legacy, "
				"apple",
				word);
		}
		*forms |= 1u << form;
	}
	if (*forms == 0)
		*forms = otherwise;
	return true;
}

static bool
write_key(const char *prefix, const struct client_bundle *from, struct err *err)
{
	char path[CLIENT_PATH + 16];
	size_t n = text_format(path, sizeof(path), "%s.key", prefix);

	if (n + 1 >= sizeof(path))
		return err_set(err, ERR_FILE_WRITE, "the path is too long");
	if (access(path, F_OK) == 0) {
		return err_set(
			err, ERR_FILE_WRITE, "%s exists; nothing is overwritten", path);
	}
	if (!key_save(path, from->key, from->passphrase, err))
		return false;
	text_out("wrote %s\n", path);
	return true;
}

bool
client_write_forms(const struct client_ca *ca, const char *prefix, unsigned forms,
	const struct client_bundle *from, struct err *err)
{
	bool has_key_inside = false;

	for (int f = 0; f < CLIENT_FORMS; f++) {
		enum client_form form = (enum client_form)f;
		bool plain = form == CLIENT_PEM || form == CLIENT_DER;
		struct span file = {0};
		if (!(forms & (1u << f)))
			continue;
		if (!client_export(ca, form, from, &file, err))
			return false;
		bool ok = client_write_file(prefix, client_form_suffix(form), file,
			plain ? 0644 : 0600, err);
		client_forget(&file);
		if (!ok)
			return false;
		has_key_inside = has_key_inside || !plain;
	}
	/* A key that is in no other file is lost. */
	bool wants_key = from->key && (!has_key_inside || (forms & (1u << CLIENT_PEM)));
	return !wants_key || write_key(prefix, from, err);
}

/* ---- export ---- */

static const struct cli_option options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"form", 'f', "FORM", "pem, der, pkcs12, pkcs12-legacy, apple [pem]", false},
	{"key", 'k', "FILE", "the client's private key, for pkcs12 and apple", false},
	{"key-passphrase", 0, "FILE", "file or /dev/fd/N with that key's passphrase",
		false},
	{"passphrase", 0, "FILE", "the same for the file that is made", false},
	{"out", 0, "FILE", "write here instead of to standard output", false},
	{0},
};

struct exporting {
	struct client_desk desk;
	struct span key_passphrase; /* owned, wiped */
	struct span passphrase;     /* owned, wiped */
	EVP_PKEY *key;              /* owned */
	struct span file;           /* owned, wiped */
};

static void
fini(struct exporting *e)
{
	client_forget(&e->key_passphrase);
	client_forget(&e->passphrase);
	client_forget(&e->file);
	EVP_PKEY_free(e->key);
	client_desk_close(&e->desk);
}

static bool
read_key(const struct cli_call *call, struct exporting *e, struct err *err)
{
	const char *path = cli_get(call, "key");

	if (!path)
		return true;
	e->key = key_load(path, span_trim(e->key_passphrase), err);
	return e->key != NULL;
}

static bool
export_one(const struct cli_call *call, struct exporting *e, struct err *err)
{
	const char *word = cli_get(call, "form");
	enum client_form form = word ? client_form_find(span_str(word)) : CLIENT_PEM;
	const char *out = cli_get(call, "out");
	struct client_record c = {0};
	char name[CLIENT_TEXT];

	if (form == CLIENT_FORMS)
		return err_set(err, ERR_USAGE, "--form %s is unknown", word);
	if (!client_read_secret(call, "key-passphrase", &e->key_passphrase, err) ||
		!client_read_secret(call, "passphrase", &e->passphrase, err) ||
		!client_desk_open(&e->desk, call, false, err) ||
		!client_register_find(e->desk.reg, span_str(cli_operand(call, 0)),
			&e->desk.arena, &c, err) ||
		!client_is_known(&c, err) || !read_key(call, e, err))
		return false;
	if (!span_copy(name, sizeof(name), c.name))
		return err_set(err, ERR_PKI_CLIENT, "its name");
	const struct client_bundle bundle = {.der = c.der,
		.key = e->key,
		.name = name,
		.passphrase = span_trim(e->passphrase)};
	if (!client_export(e->desk.ca, form, &bundle, &e->file, err))
		return false;
	if (out)
		return file_replace(out, e->file, e->key ? 0600 : 0644, err);
	text_out_span(e->file);
	return true;
}

static enum cli_exit
run_export(const struct cli_call *call)
{
	struct exporting e = {0};
	struct err err = {0};
	bool ok = export_one(call, &e, &err);

	fini(&e);
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_client_export = {
	.name = "client export",
	.operands = "SERIAL",
	.summary = "print a client's certificate in the form a program takes",
	.help = "pem, der      the certificate alone\n"
		"pkcs12        with its key, AES-256: browsers and systems of today\n"
		"pkcs12-legacy with its key, 3DES and SHA-1: old keychains\n"
		"apple         configuration profile with the identity for macOS and "
		"iOS\n"
		"The authority keeps no keys of clients: --key names the file.",
	.examples = "sekisho client export alice > alice.crt\n"
		    "sekisho client export alice --form pkcs12 --key alice.key "
		    "--passphrase /dev/fd/3 --out alice.p12 3< secret\n",
	.options = options,
	.least = 1,
	.most = 1,
	.run = run_export,
};
