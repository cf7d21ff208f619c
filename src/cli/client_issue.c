// SPDX-License-Identifier: Apache-2.0
/*
 * client_issue: certificates for clients, new ones and next ones.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/client_priv.h"
#include "cli/commands.h"
#include "pki/cert.h"
#include "pki/client_name.h"

enum { ID_DIGITS = 33, DER_MOST = 64 * 1024, SERIAL_ROOM = 96, KEY_ROOM = 48 };

static const struct cli_option issue_options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"csr", 0, "FILE", "for the key of this request (- reads standard input)",
		false},
	{"key", 'k', "KIND", "p256, p384, rsa2048, rsa3072, rsa4096, ed25519 [p256]",
		false},
	{"valid", 'v', "TIME", "1h to 10y [90d]", false},
	{"label", 'l', "TEXT", "what it is for, to find it again", false},
	{"subject", 's', "TEMPLATE", "the name in it [as init says, else CN={name}]",
		false},
	{"san", 0, "TEMPLATE", "further names: email: dns: uri: ip: [as init says]",
		true},
	{"form", 'f', "FORM", "pem, der, pkcs12, pkcs12-legacy, apple [pem]", true},
	{"out", 0, "PREFIX", "beginning of the files' names [./NAME]", false},
	{"passphrase", 0, "FILE", "file or /dev/fd/N with the new key's passphrase",
		false},
	{"ca-passphrase", 0, "FILE", "the same for the authority's key", false},
	{0},
};

/* One certificate under way. */
struct issuing {
	struct client_desk desk;
	struct client_csr csr;
	EVP_PKEY *key;          /* owned; NULL with a request */
	struct span passphrase; /* owned, wiped */
	struct span der;        /* owned */
	struct span name;
	char subject[CLIENT_TEXT];
	char san_text[CLIENT_SANS][CLIENT_TEXT];
	struct span sans[CLIENT_SANS];
	struct client_wish wish;
	struct client_record made;
	char prefix[CLIENT_PATH];
};

static void
fini(struct issuing *i)
{
	EVP_PKEY_free(i->key);
	client_csr_fini(&i->csr);
	client_forget(&i->passphrase);
	mem_free((void *)(uintptr_t)i->der.p);
	client_desk_close(&i->desk);
}

static bool
read_csr(struct issuing *i, const char *path, struct err *err)
{
	struct span text = {0};

	if (!file_read(path, (size_t)2 * CLIENT_CSR_MAX, &text, err))
		return false;
	bool ok = client_csr_read(text, &i->csr, err);
	mem_free((void *)(uintptr_t)text.p);
	return ok;
}

static bool
read_key(const struct cli_call *call, struct issuing *i, struct err *err)
{
	const char *csr = cli_get(call, "csr");
	const char *word = cli_get(call, "key");
	enum key_kind kind = word ? key_kind_find(span_str(word)) : KEY_P256;

	if (csr && (word || cli_has(call, "passphrase"))) {
		return err_set(err, ERR_USAGE,
			"with --csr the key is elsewhere: no --key, no --passphrase");
	}
	if (csr)
		return read_csr(i, csr, err);
	if (kind == KEY_OTHER)
		return err_set(err, ERR_USAGE, "--key %s is no kind of key", word);
	i->key = key_new(kind, err);
	return i->key != NULL;
}

static bool
add_san(struct issuing *i, struct span template, const struct client_words *words,
	struct err *err)
{
	struct client_wish *w = &i->wish;

	if (w->n_sans == CLIENT_SANS)
		return err_set(err, ERR_PKI_CLIENT, "over %d names", CLIENT_SANS);
	if (!client_fill_san(i->san_text[w->n_sans], template, words, err))
		return false;
	i->sans[w->n_sans] = span_str(i->san_text[w->n_sans]);
	w->n_sans++;
	return true;
}

static bool
add_sans(const struct cli_call *call, struct issuing *i,
	const struct client_words *words, struct err *err)
{
	struct span lines = client_register_get(i->desk.reg, "san", &i->desk.arena);
	struct span line;

	for (size_t n = 0; cli_get_nth(call, "san", n); n++) {
		if (!add_san(i, span_str(cli_get_nth(call, "san", n)), words, err))
			return false;
	}
	if (cli_has(call, "san"))
		return true;
	while (span_cut(&lines, '\n', &line)) {
		if (line.n > 0 && !add_san(i, line, words, err))
			return false;
	}
	return true;
}

/* From a request without a NAME beside it, what it says itself. */
static bool
take_csr_names(struct issuing *i, struct err *err)
{
	i->name = span_str(i->csr.subject);
	i->wish.subject = i->name;
	for (size_t n = 0; n < i->csr.n_sans; n++)
		i->sans[n] = span_str(i->csr.sans[n]);
	i->wish.n_sans = i->csr.n_sans;
	if (i->name.n == 0 && i->wish.n_sans > 0)
		i->name = i->sans[0];
	return i->name.n > 0 ||
		err_set(err, ERR_PKI_CSR, "it names nobody: give a NAME");
}

static bool
fill_names(const struct cli_call *call, struct issuing *i, struct err *err)
{
	const char *label = cli_get(call, "label");
	const char *subject = cli_get(call, "subject");
	uint8_t random[(ID_DIGITS - 1) / 2];
	char id[ID_DIGITS];
	struct text t = text_to(id, sizeof(id));

	i->name = span_str(cli_operand(call, 0));
	i->wish.sans = i->sans;
	if (i->name.n == 0)
		return take_csr_names(i, err);
	secret_random(random, sizeof random);
	text_put_hex(&t, span_of(random, sizeof random), false);
	const struct client_words words = {
		.name = i->name, .label = span_str(label), .id = text_span(&t)};
	struct span template = subject
		? span_str(subject)
		: client_register_get(i->desk.reg, "subject", &i->desk.arena);
	if (template.n == 0)
		template = SPAN("CN={name}");
	if (!client_fill_subject(i->subject, template, &words, err))
		return false;
	i->wish.subject = span_str(i->subject);
	return add_sans(call, i, &words, err);
}

static const char *
url(struct client_desk *d, const char *name)
{
	struct span s = client_register_get(d->reg, name, &d->arena);
	return s.n > 0 ? arena_cstr(&d->arena, s) : NULL;
}

void
client_read_urls(struct client_desk *d, struct client_wish *w)
{
	w->crl_url = url(d, "crl-url");
	w->ocsp_url = url(d, "ocsp-url");
	w->issuer_url = url(d, "issuer-url");
}

/* The record says what the certificate says, read back from it. */
static void
describe(struct client_desk *d, const struct cert *c, struct client_record *r)
{
	struct arena *a = &d->arena;
	char *serial = arena_alloc(a, SERIAL_ROOM);
	char *name = arena_alloc(a, CLIENT_TEXT);
	char *subject = arena_alloc(a, CLIENT_TEXT);
	char *key = arena_alloc(a, KEY_ROOM);
	struct text ts = text_to(serial, SERIAL_ROOM);
	struct text tn = text_to(name, CLIENT_TEXT);
	struct text tk = text_to(key, KEY_ROOM);
	struct read it = cert_sans(c);
	struct cert_san san;

	cert_serial_text(c, &ts);
	cert_common_name(c->subject, &tn);
	if (tn.n == 0 && cert_next_san(&it, &san))
		cert_san_text(&san, &tn);
	cert_key_text(c, &tk);
	if (client_name_text(c->subject, subject))
		r->subject = span_str(subject);
	r->serial = text_span(&ts);
	r->name = text_span(&tn);
	r->key = text_span(&tk);
	r->not_before = c->not_before;
	r->not_after = c->not_after;
	r->created = clock_wall();
	r->der = arena_copy(a, c->der);
}

bool
client_record_add(struct client_desk *d, struct span der,
	const struct client_record *like, struct client_record *out, struct err *err)
{
	struct client_record r = {.label = like->label, .renews = like->renews};
	struct cert *c = cert_parse(der, err);

	if (!c)
		return false;
	if (c->der.n > DER_MOST || arena_room(&d->arena) < (size_t)2 * DER_MOST) {
		cert_put(c);
		return err_set(err, ERR_PKI_CLIENT, "the certificate is too large");
	}
	describe(d, c, &r);
	cert_put(c);
	*out = r;
	return client_register_add(d->reg, &r, err);
}

/* With a request only the certificate is written, and to standard output unless a place
 * is named. */
static bool
write_out(const struct cli_call *call, struct issuing *i, struct err *err)
{
	unsigned forms = 0;
	char name[CLIENT_TEXT];
	struct client_bundle bundle = {.der = i->der,
		.key = i->key,
		.name = name,
		.passphrase = span_trim(i->passphrase)};
	struct span pem = {0};

	if (!span_copy(name, sizeof(name), i->made.name) ||
		!client_read_forms(call, 1u << CLIENT_PEM, &forms, err)) {
		return err->code != ERR_NONE ? false
					     : err_set(err, ERR_PKI_CLIENT, "its name");
	}
	if (!i->csr.key || cli_has(call, "out"))
		return client_write_forms(i->desk.ca, i->prefix, forms, &bundle, err);
	if (!client_export(i->desk.ca, CLIENT_PEM, &bundle, &pem, err))
		return false;
	text_out_span(pem);
	mem_free((void *)(uintptr_t)pem.p);
	return true;
}

static bool
issue(const struct cli_call *call, struct issuing *i, struct err *err)
{
	const struct client_record like = {.label = span_str(cli_get(call, "label"))};

	if (like.label.n >= CLIENT_LABEL)
		return err_set(err, ERR_USAGE, "--label is too long");
	if (!cli_operand(call, 0) && !cli_has(call, "csr"))
		return err_set(err, ERR_USAGE, "a certificate for whom?");
	if (!client_read_valid(call, &i->wish.valid_s, err) ||
		!client_read_secret(call, "passphrase", &i->passphrase, err) ||
		!client_desk_open(&i->desk, call, true, err) ||
		!read_key(call, i, err) || !fill_names(call, i, err))
		return false;
	client_read_urls(&i->desk, &i->wish);
	i->wish.key = i->csr.key ? i->csr.key : i->key;
	return client_prefix(i->prefix, call, i->name, err) &&
		client_ca_issue(i->desk.ca, &i->wish, &i->der, err) &&
		client_register_begin(i->desk.reg, err) &&
		client_record_add(&i->desk, i->der, &like, &i->made, err) &&
		write_out(call, i, err) && client_desk_commit(&i->desk, false, err);
}

static enum cli_exit
run_issue(const struct cli_call *call)
{
	struct issuing *i = mem_alloc(sizeof *i);
	struct err err = {0};
	bool ok = issue(call, i, &err);

	if (ok && (!i->csr.key || cli_has(call, "out")))
		client_print_line(&i->made);
	fini(i);
	mem_free(i);
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_client_issue = {
	.name = "client issue",
	.operands = "[NAME]",
	.summary = "issue a certificate to a client",
	.help = "Makes a key and a certificate, PREFIX.crt and PREFIX.key (or "
		"PREFIX.p12 "
		"with\n"
		"--form pkcs12; give --form more than once for more files). With --csr "
		"the "
		"key\n"
		"stays where the request was made: its signature is checked, and the "
		"certificate\n"
		"is printed; without NAME the request's own names are used, and "
		"nothing "
		"else of\n"
		"it. Keychains of macOS before 15 and old Windows need pkcs12-legacy.",
	.examples =
		"sekisho client issue alice --valid 90d --label laptop\n"
		"sekisho client issue alice --form pkcs12 --passphrase /dev/fd/3 3< "
		"secret\n"
		"sekisho client issue --csr device.csr > device.crt\n",
	.options = issue_options,
	.least = 0,
	.most = 1,
	.run = run_issue,
};

/* ---- renew ---- */

static const struct cli_option renew_options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"valid", 'v', "TIME", "1h to 10y [90d]", false},
	{"csr", 0, "FILE", "for the key of this request instead of the same key",
		false},
	{"out", 0, "FILE", "write here instead of to standard output", false},
	{"revoke-old", 0, NULL, "revoke the one before as superseded", false},
	{"ca-passphrase", 0, "FILE",
		"file or /dev/fd/N with the authority's passphrase", false},
	{0},
};

static bool
find_old(const struct cli_call *call, struct issuing *i, struct client_record *old,
	struct err *err)
{
	if (!client_register_find(i->desk.reg, span_str(cli_operand(call, 0)),
		    &i->desk.arena, old, err) ||
		!client_is_known(old, err))
		return false;
	return old->state == CLIENT_GOOD ||
		err_set(err, ERR_PKI_CLIENT, "it is revoked: issue a new one instead");
}

static bool
write_renewed(const struct cli_call *call, struct issuing *i, struct err *err)
{
	const struct client_bundle bundle = {.der = i->der, .name = ""};
	const char *path = cli_get(call, "out");
	struct span pem = {0};

	if (!client_export(i->desk.ca, CLIENT_PEM, &bundle, &pem, err))
		return false;
	bool ok = true;
	if (path) {
		ok = file_replace(path, pem, 0644, err);
	} else {
		text_out_span(pem);
	}
	mem_free((void *)(uintptr_t)pem.p);
	return ok;
}

static bool
renew(const struct cli_call *call, struct issuing *i, struct err *err)
{
	struct client_record old = {0};
	const char *csr = cli_get(call, "csr");
	bool revoke = cli_has(call, "revoke-old");

	if (!client_read_valid(call, &i->wish.valid_s, err) ||
		!client_desk_open(&i->desk, call, true, err) ||
		!find_old(call, i, &old, err) || (csr && !read_csr(i, csr, err)))
		return false;
	client_read_urls(&i->desk, &i->wish);
	i->wish.key = i->csr.key;
	const struct client_record like = {.label = old.label, .renews = old.serial};
	const struct client_change gone = {.serial = old.serial,
		.state = CLIENT_REVOKED,
		.reason = CLIENT_SUPERSEDED,
		.at = clock_wall()};
	return client_ca_reissue(i->desk.ca, old.der, &i->wish, &i->der, err) &&
		client_register_begin(i->desk.reg, err) &&
		client_record_add(&i->desk, i->der, &like, &i->made, err) &&
		(!revoke || client_register_change(i->desk.reg, &gone, err)) &&
		write_renewed(call, i, err) &&
		client_desk_commit(&i->desk, revoke, err);
}

static enum cli_exit
run_renew(const struct cli_call *call)
{
	struct issuing *i = mem_alloc(sizeof *i);
	struct err err = {0};
	bool ok = renew(call, i, &err);

	if (ok && cli_has(call, "out"))
		client_print_line(&i->made);
	fini(i);
	mem_free(i);
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_client_renew = {
	.name = "client renew",
	.operands = "SERIAL",
	.summary = "issue the next certificate to the same client",
	.help = "The same names and key, a new serial number and new dates; the older "
		"one "
		"stays\n"
		"good until its end unless --revoke-old is given.",
	.examples = "sekisho client renew alice --out alice.crt\n",
	.options = renew_options,
	.least = 1,
	.most = 1,
	.run = run_renew,
};
