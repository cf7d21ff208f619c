// SPDX-License-Identifier: Apache-2.0
/*
 * client: the managed authority for certificates of clients: making it, and looking at
 * what it has issued.
 */
#include "cli/client_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "conf/value.h"
#include "pki/cert.h"
#include "pki/client_name.h"

enum {
	ARENA_MOST = 512 * 1024,
	SECRET_MAX = 4096,
	PRINT_MAX = 16384,
	JSON_MAX = 64 * 1024 * 1024,
	DAYS_MAX = 36500,
	YEAR_D = 365,
};

const char *
client_dir(const struct cli_call *call)
{
	const char *dir = cli_get(call, "dir");
	return dir ? dir : CLIENT_DIR;
}

bool
client_read_secret(const struct cli_call *call, const char *option, struct span *out,
	struct err *err)
{
	const char *path = cli_get(call, option);

	return !path || file_read(path, SECRET_MAX, out, err);
}

void
client_forget(struct span *secret)
{
	if (secret->p)
		secret_wipe((void *)(uintptr_t)secret->p, secret->n);
	mem_free((void *)(uintptr_t)secret->p);
	*secret = (struct span){0};
}

static struct client_ca *
load_ca(struct client_desk *d, bool with_key, struct err *err)
{
	struct client_ca *ca = NULL;

	if (!with_key)
		return client_ca_load(d->dir, false, (struct span){0}, err);
	if (!d->where && !client_where_open(d->dir, &d->where, err))
		return NULL;
	if (!d->where)
		return client_ca_load(d->dir, true, span_trim(d->passphrase), err);
	ca = client_ca_load_elsewhere(d->dir, &d->where->signer, err);
	if (ca)
		client_where_expect(d->where, X509_get0_pubkey(ca->crt));
	return ca;
}

bool
client_desk_open(struct client_desk *d, const struct cli_call *call, bool with_key,
	struct err *err)
{
	*d = (struct client_desk){.dir = client_dir(call)};
	arena_init(&d->arena, ARENA_MOST);
	if (with_key && !client_read_secret(call, "ca-passphrase", &d->passphrase, err))
		return false;
	d->ca = load_ca(d, with_key, err);
	d->reg = d->ca ? client_register_open(d->dir, false, err) : NULL;
	return d->reg != NULL;
}

void
client_desk_close(struct client_desk *d)
{
	client_register_close(d->reg);
	client_ca_free(d->ca);
	client_where_close(d->where);
	client_forget(&d->passphrase);
	arena_fini(&d->arena);
}

bool
client_desk_commit(struct client_desk *d, bool with_list, struct err *err)
{
	return client_ca_renew_ocsp(d->ca, d->dir, err) &&
		client_register_publish(d->reg, d->ca, with_list, err) &&
		client_register_commit(d->reg, err);
}

bool
client_valid_of(struct span text, int64_t *valid_s)
{
	uint64_t v = 0;
	bool years = span_ends(text, SPAN("y"));
	bool ok = years ? text_u64(span_first(text, text.n - 1), 10, &v)
			: conf_read_duration(text, &v);

	v = years ? v * YEAR_D * 86400 : v / 1000;
	if (!ok || v < CLIENT_VALID_MIN_S || v > CLIENT_VALID_MAX_S)
		return false;
	*valid_s = (int64_t)v; /* at most CLIENT_VALID_MAX_S */
	return true;
}

bool
client_read_valid(const struct cli_call *call, int64_t *valid_s, struct err *err)
{
	const char *text = cli_get(call, "valid");

	if (!text) {
		*valid_s = CLIENT_VALID_S;
		return true;
	}
	return client_valid_of(span_str(text), valid_s) ||
		err_set(err, ERR_USAGE,
			"--valid %s is not between 1h and 10y (say 90d)", text);
}

/* ---- init ---- */

static const struct cli_option init_options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"name", 'n', "TEXT", "common name [sekisho client CA]", false},
	{"organisation", 'o', "TEXT", "organisation in its name", false},
	{"key", 'k', "KIND", "p256, p384, rsa2048, rsa3072, rsa4096, ed25519 [p256]",
		false},
	{"days", 0, "DAYS", "its lifetime [3650]", false},
	{"subject", 0, "TEMPLATE", "of certificates that say nothing else [CN={name}]",
		false},
	{"san", 0, "TEMPLATE", "the same for further names: email:{name}@a.example",
		true},
	{"import", 0, "FILE", "take this authority (PEM) instead of making one", false},
	{"import-key", 0, "FILE", "its private key [in the same file]", false},
	{"key-passphrase", 0, "FILE", "file or /dev/fd/N with that key's passphrase",
		false},
	{"import-crl", 0, "FILE", "its last revocation list: what it names stays so",
		false},
	{"crl-url", 0, "URL", "where clients.crl is served", false},
	{"ocsp-url", 0, "URL", "where OCSP is answered", false},
	{"issuer-url", 0, "URL", "where ca.crt is served", false},
	{"ca-passphrase", 0, "FILE", "file or /dev/fd/N with ca.key's passphrase",
		false},
	{0},
};

static bool
read_init(const struct cli_call *call, struct client_ca_wish *w, struct err *err)
{
	const char *kind = cli_get(call, "key");
	uint64_t days = 0;

	w->name = cli_get(call, "name");
	w->organisation = cli_get(call, "organisation");
	w->kind = kind ? key_kind_find(span_str(kind)) : KEY_P256;
	if (w->kind == KEY_OTHER)
		return err_set(err, ERR_USAGE, "--key %s is no kind of key", kind);
	if (!cli_number(call, "days", DAYS_MAX, &days, err))
		return false;
	w->days = (unsigned)days; /* at most DAYS_MAX */
	return true;
}

/* A template that cannot be filled in is found now, not at the first certificate. */
static bool
try_templates(const struct cli_call *call, struct err *err)
{
	static const struct client_words words = {
		SPAN_INIT("alice"), SPAN_INIT("label"), SPAN_INIT("0123456789abcdef")};
	char filled[CLIENT_TEXT];
	const char *subject = cli_get(call, "subject");

	if (subject && !client_fill_subject(filled, span_str(subject), &words, err))
		return false;
	for (size_t i = 0; cli_get_nth(call, "san", i); i++) {
		struct span san = span_str(cli_get_nth(call, "san", i));
		if (!client_fill_san(filled, san, &words, err))
			return false;
	}
	return true;
}

/* The templates for further names are kept as lines. */
static bool
save_sans(const struct cli_call *call, struct client_register *r, struct err *err)
{
	char lines[4 * CLIENT_TEXT];
	struct text t = text_to(lines, sizeof(lines));

	for (size_t i = 0; cli_get_nth(call, "san", i); i++)
		text_add(&t, "%s\n", cli_get_nth(call, "san", i));
	return !t.cut ? client_register_set(r, "san", text_span(&t), err)
		      : err_set(err, ERR_USAGE, "too many --san");
}

static bool
save_settings(const struct cli_call *call, struct client_register *r, struct err *err)
{
	static const char *const names[] = {
		"subject", "crl-url", "ocsp-url", "issuer-url"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct span value = span_str(cli_get(call, names[i]));
		if (value.n >= CLIENT_URL && i > 0)
			return err_set(err, ERR_USAGE, "--%s is too long", names[i]);
		if (!client_register_set(r, names[i], value, err))
			return false;
	}
	return save_sans(call, r, err);
}

/* With ca.where in the directory already, the key it names becomes the authority's. */
static bool
take_key_elsewhere(struct client_desk *d, struct client_ca_wish *w, struct err *err)
{
	if (!client_where_open(d->dir, &d->where, err))
		return false;
	if (!d->where)
		return true;
	w->signer = &d->where->signer;
	w->public = client_where_public(d->where, err);
	return w->public != NULL;
}

static bool
init(const struct cli_call *call, struct client_desk *d, struct err *err)
{
	struct client_ca_wish wish = {0};

	d->dir = client_dir(call);
	arena_init(&d->arena, ARENA_MOST);
	if (!read_init(call, &wish, err) || !try_templates(call, err) ||
		!client_read_secret(call, "ca-passphrase", &d->passphrase, err))
		return false;
	wish.passphrase = span_trim(d->passphrase);
	if (!take_key_elsewhere(d, &wish, err) ||
		!(cli_has(call, "import") ? client_import(call, d, err)
					  : client_ca_make(d->dir, &wish, err)))
		return false;
	d->ca = load_ca(d, true, err);
	d->reg = d->ca ? client_register_open(d->dir, true, err) : NULL;
	return d->reg && client_register_begin(d->reg, err) &&
		save_settings(call, d->reg, err) &&
		client_import_revoked(call, d, err) && client_desk_commit(d, true, err);
}

static enum cli_exit
run_init(const struct cli_call *call)
{
	struct client_desk d = {0};
	struct err err = {0};
	bool ok = init(call, &d, &err);

	if (ok) {
		text_out("Made in %s.\n"
			 "Next: in the edge, `clients NAME { managed %s }`, and\n"
			 "`sekisho client issue alice`.\n",
			d.dir, d.dir);
	}
	client_desk_close(&d);
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_client_init = {
	.name = "client init",
	.operands = "",
	.summary = "make an authority for certificates of clients",
	.help = "Writes ca.crt, ca.key, a certificate that answers OCSP, the register "
		"and an\n"
		"empty revocation list; nothing is ever overwritten. An edge that "
		"says\n"
		"`managed DIR` asks clients for certificates of this authority. In "
		"templates\n"
		"{name}, {label} and {id} (32 random hex digits) are filled in. With "
		"--import an\n"
		"authority that there is already goes on here; it must be allowed to "
		"sign\n"
		"certificates of clients, and lists.",
	.examples = "sekisho client init\n"
		    "sekisho client init --import ca.crt --import-key ca.key "
		    "--import-crl last.crl\n"
		    "sekisho client init --dir ./ca --subject "
		    "'CN={name},O=Example' --san 'uri:spiffe://example/{name}'\n",
	.options = init_options,
	.run = run_init,
};

/* ---- list ---- */

const char *
client_state_word(const struct client_record *c)
{
	if (c->state == CLIENT_REVOKED)
		return "revoked";
	return c->not_after < clock_wall() ? "expired" : "good";
}

void
client_print_line(const struct client_record *c)
{
	char date[CLOCK_TEXT];
	char name[128];
	struct text t = text_to(name, sizeof(name));

	text_put_safe(&t, span_first(c->name, 60));
	text_out("%.*s  %-8s  %.16s  %s\n", SPAN_ARG(c->serial), client_state_word(c),
		clock_text(date, c->not_after * 1000), name);
}

static void
put_time(struct json_out *j, const char *key, int64_t wall)
{
	char text[CLOCK_TEXT];
	json_str(j, key, clock_text(text, wall * 1000));
}

static void
put_record(struct json_out *j, const struct client_record *c)
{
	json_object(j, NULL);
	json_span(j, "serial", c->serial);
	json_span(j, "name", c->name);
	json_span(j, "label", c->label);
	json_span(j, "subject", c->subject);
	json_span(j, "key", c->key);
	json_str(j, "state", client_state_word(c));
	put_time(j, "not_before", c->not_before);
	put_time(j, "not_after", c->not_after);
	if (c->state == CLIENT_REVOKED) {
		put_time(j, "revoked_at", c->revoked_at);
		json_str(j, "reason", client_reason_name(c->reason));
	}
	if (c->renews.n > 0)
		json_span(j, "renews", c->renews);
	json_end(j);
}

static bool
is_wanted(const struct cli_call *call, const struct client_record *c)
{
	const char *state = cli_get(call, "state");
	const char *label = cli_get(call, "label");

	return (!state || span_eq(span_str(state), span_str(client_state_word(c)))) &&
		(!label || span_eq(span_str(label), c->label));
}

static void
list(const struct cli_call *call, struct client_desk *d)
{
	struct client_rows rows = client_register_all(d->reg);
	struct client_record c;
	struct json_out j;
	bool json = cli_has(call, "json");

	json_init(&j, JSON_MAX);
	j.pretty = true;
	json_array(&j, NULL);
	for (; client_register_next(&rows, &d->arena, &c); arena_reset(&d->arena)) {
		if (!is_wanted(call, &c))
			continue;
		if (json) {
			put_record(&j, &c);
		} else {
			client_print_line(&c);
		}
	}
	json_end(&j);
	if (json) {
		cli_print_json(&j);
	} else {
		json_fini(&j);
	}
}

static enum cli_exit
run_list(const struct cli_call *call)
{
	static const char *const states[] = {"good", "revoked", "expired"};
	struct client_desk d = {0};
	struct err err = {0};
	struct span state = span_str(cli_get(call, "state"));
	bool known = state.n == 0;

	for (size_t i = 0; i < COUNT_OF(states); i++)
		known = known || span_eq(state, span_str(states[i]));
	bool ok = known ||
		err_set(&err, ERR_USAGE, "--state is good, revoked or expired");
	ok = ok && client_desk_open(&d, call, false, &err);
	if (ok)
		list(call, &d);
	client_desk_close(&d);
	return ok ? CLI_GOOD : cli_fail(&err);
}

static const struct cli_option list_options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"state", 0, "STATE", "only these: good, revoked, expired", false},
	{"label", 'l', "TEXT", "only those with this label", false},
	{"json", 'j', NULL, "print JSON", false},
	{0},
};

const struct command command_client_list = {
	.name = "client list",
	.operands = "",
	.summary = "list the certificates of clients",
	.help = "One line each: serial number, state, last moment of validity, name.",
	.examples = "sekisho client list --state revoked\n",
	.options = list_options,
	.run = run_list,
};

/* ---- show ---- */

/* The register's part of it goes beside what the certificate says itself. */
static void
show_record(const struct client_record *c, const struct cert *cert, bool text)
{
	char *buf = text ? mem_alloc(PRINT_MAX) : NULL;
	struct json_out j;

	if (text) {
		struct text t = text_to(buf, PRINT_MAX);
		cert_print(cert, &t);
		client_print_line(c);
		text_out("%s", buf);
		mem_free(buf);
		return;
	}
	json_init(&j, JSON_MAX);
	j.pretty = true;
	cert_json_open(cert, &j, NULL);
	json_str(&j, "state", client_state_word(c));
	json_span(&j, "label", c->label);
	if (c->state == CLIENT_REVOKED) {
		put_time(&j, "revoked_at", c->revoked_at);
		json_str(&j, "reason", client_reason_name(c->reason));
	}
	if (c->renews.n > 0)
		json_span(&j, "renews", c->renews);
	json_end(&j);
	cli_print_json(&j);
}

static enum cli_exit
run_show(const struct cli_call *call)
{
	struct client_desk d = {0};
	struct client_record c = {0};
	struct err err = {0};
	bool ok = client_desk_open(&d, call, false, &err) &&
		client_register_find(
			d.reg, span_str(cli_operand(call, 0)), &d.arena, &c, &err) &&
		client_is_known(&c, &err);
	struct cert *cert = ok ? cert_parse(c.der, &err) : NULL;

	if (cert)
		show_record(&c, cert, cli_has(call, "text"));
	cert_put(cert);
	client_desk_close(&d);
	return cert ? CLI_GOOD : cli_fail(&err);
}

static const struct cli_option show_options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"text", 't', NULL, "lines for people instead of JSON", false},
	{0},
};

const struct command command_client_show = {
	.name = "client show",
	.operands = "SERIAL",
	.summary = "show one certificate of a client",
	.help = "JSON with the fields of cfssl's certinfo, and key, uses, constraints, "
		"addresses\n"
		"of lists and responders, state and label. Instead of the serial "
		"number "
		"a name\n"
		"or label will do that only one certificate has.",
	.examples = "sekisho client show alice\n",
	.options = show_options,
	.least = 1,
	.most = 1,
	.run = run_show,
};
