// SPDX-License-Identifier: Apache-2.0
/*
 * key: making a key tunnel's certificates, and looking at keys.
 */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/key_priv.h"
#include "pki/cert.h"
#include "pki/token.h"
#include "pki/tunnel.h"

enum { NAMES = 16, DAYS_MAX = 3650, SKI_HEX = 2 * WIRE_SKI + 1 };

/* ---- key init ---- */

static const struct cli_option init_options[] = {
	{"server", 's', "NAME", "name or address edges dial", true},
	{"client", 'c', "NAME", "an edge; its files get this name [edge]", true},
	{"days", 0, "DAYS", "lifetime of both ends' certificates [365]", false},
	{0},
};

static bool
issue_server(
	const struct cli_call *call, const char *dir, unsigned days, struct err *err)
{
	const char *names[NAMES + 1] = {"localhost"};
	struct tunnel_wish wish = {.file = "server",
		.end = TUNNEL_SERVER,
		.names = names,
		.n_names = 1,
		.days = days};
	const char *name = cli_get_nth(call, "server", 0);

	for (size_t i = 0; name && i < NAMES; i++) {
		names[i] = name;
		wish.n_names = i + 1;
		name = cli_get_nth(call, "server", i + 1);
	}
	return tunnel_issue(dir, &wish, err);
}

/* A name becomes two file names. */
static bool
is_plain(const char *name)
{
	struct span s = span_str(name);

	return s.n > 0 && s.n < 64 && span_chr(s, '/') == s.n && s.p[0] != '.';
}

static bool
issue_clients(
	const struct cli_call *call, const char *dir, unsigned days, struct err *err)
{
	const char *name = cli_get_nth(call, "client", 0);

	if (!name)
		name = "edge";
	for (size_t i = 1; name; i++) {
		const char *names[] = {name};
		struct tunnel_wish wish = {.file = name,
			.end = TUNNEL_CLIENT,
			.names = names,
			.n_names = 1,
			.days = days};

		if (!is_plain(name)) {
			return err_set(
				err, ERR_USAGE, "--client %s is no plain name", name);
		}
		if (!tunnel_issue(dir, &wish, err))
			return false;
		name = cli_get_nth(call, "client", i);
	}
	return true;
}

/* The two configurations, to be copied: nobody has to know the words to begin. */
static void
say_next(const struct cli_call *call, const char *dir)
{
	const char *edge = cli_get_nth(call, "client", 0);
	const char *server = cli_get_nth(call, "server", 0);

	text_out("%s/ca.crt        both ends trust it\n"
		 "%s/ca.key        keep it offline; it is needed only to add an end\n"
		 "%s/server.*      for the key server\n"
		 "%s/*.crt, *.key  of the edges: give each edge its own and ca.crt\n\n",
		dir, dir, dir, dir);
	text_out("On the key server put the private keys into a directory, each with "
		 "mode "
		 "0400, and\n`sekisho run -c keyserver.conf`:\n\n"
		 "listen    :2407 as keyserver use keys\n"
		 "keyserver keys {\n"
		 "\tkeys        KEYS\n"
		 "\tcertificate %s/server.crt\n"
		 "\tkey         %s/server.key\n"
		 "\tauthority   %s/ca.crt\n"
		 "}\n\n",
		dir, dir, dir);
	text_out("On an edge, in its `edge` block; then `keyless CERTIFICATE` instead "
		 "of "
		 "`certificate`:\n\n"
		 "keys { server %s; certificate %s.crt; key %s.key; authority ca.crt "
		 "}\n",
		server ? server : "localhost", edge ? edge : "edge",
		edge ? edge : "edge");
}

static enum cli_exit
run_init(const struct cli_call *call)
{
	const char *dir = cli_operand(call, 0);
	uint64_t days = 0;
	struct err err = {0};

	if (!cli_number(call, "days", DAYS_MAX, &days, &err) ||
		!tunnel_make(dir, &err) ||
		!issue_server(call, dir, (unsigned)days, &err) || /* at most DAYS_MAX */
		!issue_clients(call, dir, (unsigned)days, &err))
		return cli_fail(&err);
	say_next(call, dir);
	return CLI_GOOD;
}

const struct command command_key_init = {
	.name = "key init",
	.operands = "DIR",
	.summary = "make the certificates of a key tunnel",
	.help = "Makes a small CA and a certificate for each end: the key server's, "
		"and one\n"
		"per edge. Nothing that is there already is overwritten.\n",
	.examples = "sekisho key init tunnel --server keys.internal --client edge1\n",
	.options = init_options,
	.least = 1,
	.most = 1,
	.run = run_init,
};

/* ---- key list, key show ---- */

static const char *
type_name(uint8_t type)
{
	static const char *const names[] = {
		[WIRE_KEY_NONE] = "?",
		[WIRE_KEY_RSA] = "RSA",
		[WIRE_KEY_EC] = "EC",
		[WIRE_KEY_ED25519] = "Ed25519",
	};

	return names[type];
}

static const char *
hex_of(char *dst, size_t cap, const uint8_t *p, size_t n)
{
	struct text t = text_to(dst, cap);

	text_put_hex(&t, span_of(p, n), false);
	return dst;
}

static bool
read_passphrase(const struct cli_call *call, struct keys *k, struct err *err)
{
	const char *path = cli_get(call, "passphrase");
	struct span text = {0};

	if (!path)
		return true;
	if (!file_read(path, 4096, &text, err))
		return false;
	k->passphrase = mem_cstr(span_trim(text));
	secret_wipe((void *)(uintptr_t)text.p, text.n);
	mem_free((void *)(uintptr_t)text.p);
	return true;
}

static const struct cli_option list_options[] = {
	{"passphrase", 0, "FILE", "file with the passphrase of encrypted keys", false},
	{0},
};

static enum cli_exit
run_list(const struct cli_call *call)
{
	struct keys keys;
	struct err err = {0};
	char hex[SKI_HEX];

	keys_init(&keys);
	if (!read_passphrase(call, &keys, &err) ||
		!keys_add_dir(&keys, cli_operand(call, 0), &err)) {
		keys_fini(&keys);
		return cli_fail(&err);
	}
	text_out("%-40s  %-7s  %5s  %s\n", "SKI", "TYPE", "BITS", "ID");
	LIST_EACH (it, &keys.all) {
		const struct keys_entry *e = CONTAINER_OF(it, struct keys_entry, all);

		text_out("%s  %-7s  %5u  %s\n",
			hex_of(hex, sizeof(hex), e->ski, WIRE_SKI), type_name(e->type),
			e->bits, e->id ? e->id : "-");
	}
	keys_fini(&keys);
	return CLI_GOOD;
}

const struct command command_key_list = {
	.name = "key list",
	.operands = "DIR",
	.summary =
		"list the private keys of a directory, as a key server would load them",
	.help = "Reads every *.key, and every *.pem that holds a private key. A file "
		"that\n"
		"others can read, or that cannot be served, is an error, as at a "
		"start.\n",
	.examples = "sekisho key list /etc/sekisho/keys\n",
	.options = list_options,
	.least = 1,
	.most = 1,
	.run = run_list,
};

static const struct cli_option show_options[] = {
	{"passphrase", 0, "FILE", "file with the passphrase of an encrypted key",
		false},
	{"module", 0, "FILE", "PKCS#11 module of a URI without module-path", false},
	{"pin", 0, "FILE", "file with the PIN of a URI without one", false},
	{0},
};

static void
show_entry(const struct keys_entry *e)
{
	char hex[2 * WIRE_DIGEST + 1];

	text_out("type    %s, %u bits\n", type_name(e->type), e->bits);
	text_out("ski     %s\n", hex_of(hex, sizeof(hex), e->ski, WIRE_SKI));
	if (e->has_digest) {
		text_out("digest  %s\n",
			hex_of(hex, sizeof(hex), e->digest, WIRE_DIGEST));
	}
}

static bool
show_certificate(const char *path, struct err *err)
{
	struct cert *c = cert_load(path, err);
	EVP_PKEY *key = c ? cert_key(c, err) : NULL;
	uint8_t ski[KEY_SKI];
	char hex[SKI_HEX];
	char name[256] = "";
	struct text t = text_to(name, sizeof(name));
	bool ok = key && key_ski(key, ski, err);

	if (ok) {
		cert_name_text(c->subject, &t);
		text_out("subject %s\n", name);
		text_out("ski     %s\n", hex_of(hex, sizeof(hex), ski, KEY_SKI));
	}
	cert_put(c);
	return ok;
}

/* The public half is all that comes out of a token. */
static enum cli_exit
show_token(const struct cli_call *call)
{
	struct token_box *box = token_box_new(cli_get(call, "module"));
	const char *file = cli_get(call, "pin");
	char pin[TOKEN_PIN_MAX] = "";
	struct token_uri uri;
	struct token *token = NULL;
	struct keys keys;
	struct err err = {0};

	keys_init(&keys);
	if (token_uri_parse(span_str(cli_operand(call, 0)), &uri, &err) &&
		token_read_pin(&uri, pin, &err) &&
		(pin[0] || !file || token_load_pin(file, pin, &err)))
		token = token_open(box, &uri, span_str(pin), &err);
	bool ok = token && keys_add_token(&keys, token, &err);
	if (ok)
		show_entry(CONTAINER_OF(list_first(&keys.all), struct keys_entry, all));
	secret_wipe(pin, sizeof(pin));
	secret_wipe(&uri, sizeof(uri));
	keys_fini(&keys);
	token_box_free(box);
	return ok ? CLI_GOOD : cli_fail(&err);
}

static enum cli_exit
run_show(const struct cli_call *call)
{
	const char *path = cli_operand(call, 0);
	struct keys keys;
	struct err err = {0};
	struct err not_key = {0};

	if (token_uri_is(span_str(path)))
		return show_token(call);
	keys_init(&keys);
	bool ok = read_passphrase(call, &keys, &err);
	if (ok && keys_add_file(&keys, path, &not_key)) {
		show_entry(CONTAINER_OF(list_first(&keys.all), struct keys_entry, all));
	} else if (ok) {
		ok = show_certificate(path, &err);
	}
	keys_fini(&keys);
	if (ok)
		return CLI_GOOD;
	/* A file that holds neither is more likely meant to be a key. */
	return cli_fail(not_key.code ? &not_key : &err);
}

const struct command command_key_show = {
	.name = "key show",
	.operands = "FILE|URI",
	.summary = "show how a key is named by the key protocol",
	.help = "For a private key or a certificate: its SKI (SHA-1 of the public "
		"key), and\n"
		"for keys the older digest. Both ends of a tunnel must print the same "
		"SKI.\n"
		"A key in a PKCS#11 token is named by its URI (RFC 7512).\n",
	.examples = "sekisho key show shop.crt\n"
		    "sekisho key show 'pkcs11:token=office;object=shop' --pin pin.txt "
		    "\\\n"
		    "    --module /usr/lib/softhsm/libsofthsm2.so\n",
	.options = show_options,
	.least = 1,
	.most = 1,
	.run = run_show,
};
