// SPDX-License-Identifier: Apache-2.0
#include "doctor/ca_find.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/run.h"
#include "doctor/setting.h"

enum { SOON_S = 60 * 86400, TOOL_MS = 20000, NICKS = 64 };

void
ca_list_init(struct ca_list *l)
{
	*l = (struct ca_list){.all = mem_array(CA_FOUND, sizeof *l->all)};
}

void
ca_list_fini(struct ca_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		cert_put(l->all[i].cert);
	mem_free(l->all);
	*l = (struct ca_list){0};
}

static struct ca_found *
find_same(const struct ca_list *l, const struct cert *c)
{
	for (size_t i = 0; i < l->n; i++) {
		if (span_eq(span_of(l->all[i].cert->sha256, CERT_HASH),
			    span_of(c->sha256, CERT_HASH)))
			return &l->all[i];
	}
	return NULL;
}

void
ca_list_add(struct ca_list *l, struct cert *c, const char *from, const char *path)
{
	if (l->n == CA_FOUND || find_same(l, c))
		return;
	l->all[l->n++] =
		(struct ca_found){.cert = cert_get(c), .from = from, .path = path};
}

/* What a file has besides what `public` has. */
static bool
add_file(struct ca_list *l, struct home *h, const char *path, const char *from,
	const struct pem_list *public)
{
	const struct home_file *f = home_read(h, path);
	struct pem_list certs = {0};
	struct pem_report report;

	if (!f->readable)
		return false;
	pem_read(f->text, clock_wall(), &certs, &report);
	for (size_t i = 0; i < certs.n; i++) {
		struct cert *c = certs.certs[i];
		if (public && pem_list_has(public, c->sha256))
			continue;
		ca_list_add(l, c, from, path);
		struct ca_found *found = find_same(l, c);
		if (!found || strcmp(found->path, path) != 0)
			continue;
		found->key_beside = (report.faults & 1U << PEM_KEY) != 0;
		found->writable = (f->mode & 2) != 0;
	}
	pem_list_fini(&certs);
	return true;
}

bool
ca_list_add_file(struct ca_list *l, struct home *h, const char *path, const char *from,
	struct err *err)
{
	return add_file(l, h, path, from, NULL) ||
		err_set(err, ERR_FILE_READ, "%s", path);
}

static void
add_files(struct ca_list *l, struct home *h, const char *pattern, const char *from)
{
	const char *paths[HOME_MATCHES];
	size_t n = home_glob(h, pattern, paths);

	for (size_t i = 0; i < n; i++)
		(void)add_file(l, h, paths[i], from, NULL);
}

/* ---- where ---- */

/* Files of agents and of administrators, the most trustworthy first. */
static const struct {
	const char *pattern;
	const char *from;
} places[] = {
	{"/var/lib/cloudflare-warp/installed_certs/*.pem", "Cloudflare's agent"},
	{"/var/lib/cloudflare-warp/installed_cert.pem", "Cloudflare's agent"},
	{"/opt/netskope/stagent/data/nscacert.pem", "Netskope's agent"},
	{"/opt/netskope/stagent/data/nstenantcert.pem", "Netskope's agent"},
	{"/usr/local/share/ca-certificates/*.crt", "added to the system's list"},
	{"/usr/local/share/ca-certificates/*/*.crt", "added to the system's list"},
	{"/etc/pki/ca-trust/source/anchors/*", "added to the system's list"},
	{"/etc/pki/trust/anchors/*", "added to the system's list"},
	{"$DATA/sekisho/ca/org.pem", "taken by `doctor apply`"},
};

/* What the distribution itself ships: no organisation's. */
static void
read_public(struct home *h, struct pem_list *public)
{
	const char *dir = home_path(h, "/usr/share/ca-certificates/mozilla");
	struct pem_report report;
	glob_t g;

	if (glob(home_text(h, "%s/*.crt", dir), 0, NULL, &g) != 0)
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct span text = {0};
		struct err ignored;
		if (!file_read(g.gl_pathv[i], PEM_FILE_MAX, &text, &ignored))
			continue;
		pem_read(text, clock_wall(), public, &report);
		mem_free((void *)(uintptr_t)text.p);
	}
	globfree(&g);
}

/* The system's list without what the distribution ships. Where that is not known, only
 * the places of administrators count. */
static void
add_system(struct ca_list *l, const struct bundle *b, const struct pem_list *public)
{
	for (size_t i = 0; public->n > 0 && i < b->os.n; i++) {
		if (!pem_list_has(public, b->os.certs[i]->sha256))
			ca_list_add(l, b->os.certs[i], "the system's list", b->os_path);
	}
}

/* The files that one setting names, wherever it stands. */
static void
add_setting(struct ca_list *l, struct home *h, const struct setting_row *r,
	const struct pem_list *public)
{
	struct setting_found found[SETTING_FOUND];
	struct setting_ask ask = {r->kind, r->place, r->key};
	size_t n = setting_find(h, &ask, found, COUNT_OF(found));
	const char *from = home_text(h, "named by %s", r->key);

	for (size_t i = 0; i < n; i++) {
		if (found[i].value[0] == '/')
			(void)add_file(l, h, found[i].value, from, public);
	}
}

static void
add_settings(struct ca_list *l, struct home *h, const struct pem_list *public)
{
	for (const struct setting_row *r = setting_rows; r->tools; r++) {
		if (strcmp(r->value, "{org}") == 0 || strcmp(r->value, "{bundle}") == 0)
			add_setting(l, h, r, public);
	}
}

/* ---- stores that only programs read ---- */

static bool
ask_program(struct home *h, const char *const *words, struct run_answer *out)
{
	const char *argv[16] = {home_program(h, words[0])};
	struct run_ask ask = {.argv = argv, .timeout_ms = TOOL_MS};
	struct err ignored;

	for (size_t i = 1; i < COUNT_OF(argv) - 1 && words[i]; i++)
		argv[i] = words[i];
	return argv[0] && run_program(&ask, out, &ignored);
}

static void
add_output(struct ca_list *l, const struct run_answer *a, const struct pem_list *public,
	const char *const where[2])
{
	struct pem_list certs = {0};
	struct pem_report report;

	pem_read(span_of(a->output, a->n), clock_wall(), &certs, &report);
	for (size_t i = 0; i < certs.n; i++) {
		if (!pem_list_has(public, certs.certs[i]->sha256))
			ca_list_add(l, certs.certs[i], where[0], where[1]);
	}
	pem_list_fini(&certs);
}

/* certutil's list: a name, blanks, three sets of flags; "C" in the first is a CA for
 * servers. */
static bool
read_nick(struct span line, struct span *nick)
{
	line = span_trim(line);
	size_t cut = span_rchr(line, ' ');
	struct span flags = span_from(line, cut + 1);

	if (cut >= line.n || span_chr(flags, ',') >= flags.n)
		return false;
	*nick = span_trim(span_first(line, cut));
	return span_chr(span_first(flags, span_chr(flags, ',')), 'C') <
		span_chr(flags, ',');
}

static void
add_nss(struct ca_list *l, struct home *h, const char *dir,
	const struct pem_list *public)
{
	const char *db = home_text(h, "sql:%s", dir);
	const char *list[] = {"certutil", "-L", "-d", db, NULL};
	struct run_answer a = {0};
	struct span line;
	struct span nick;
	size_t n = 0;

	if (!ask_program(h, list, &a))
		return;
	struct span rest = span_of(a.output, a.n);
	while (n < NICKS && span_cut(&rest, '\n', &line)) {
		if (!read_nick(line, &nick))
			continue;
		n++;
		const char *one[] = {"certutil", "-L", "-d", db, "-n",
			arena_cstr(&h->a, nick), "-a", NULL};
		const char *where[2] = {"a browser's store (NSS)", dir};
		struct run_answer pem = {0};
		if (ask_program(h, one, &pem))
			add_output(l, &pem, public, where);
		run_answer_fini(&pem);
	}
	run_answer_fini(&a);
}

static void
add_nss_all(struct ca_list *l, struct home *h, const struct pem_list *public)
{
	static const char *const patterns[] = {"~/.pki/nssdb/cert9.db",
		"~/.mozilla/firefox/*/cert9.db",
		"~/snap/firefox/common/.mozilla/firefox/*/cert9.db",
		"~/snap/chromium/current/.pki/nssdb/cert9.db",
		"~/.thunderbird/*/cert9.db"};

	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		const char *paths[HOME_MATCHES];
		size_t n = home_glob(h, patterns[i], paths);
		for (size_t k = 0; k < n; k++) {
			struct span s = span_str(paths[k]);
			s = span_first(s, span_rchr(s, '/'));
			add_nss(l, h, arena_cstr(&h->a, s), public);
		}
	}
}

/* The distribution's store follows the system's list; others are a JDK's own. */
static void
add_java_all(struct ca_list *l, struct home *h, const struct pem_list *public)
{
	static const char *const patterns[] = {"/usr/lib/jvm/*/lib/security/cacerts",
		"/opt/*/lib/security/cacerts",
		"~/.sdkman/candidates/java/*/lib/security/cacerts",
		"~/.jdks/*/lib/security/cacerts"};

	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		const char *paths[HOME_MATCHES];
		size_t n = home_glob(h, patterns[i], paths);
		for (size_t k = 0; k < n; k++) {
			const char *words[] = {"keytool", "-list", "-rfc", "-keystore",
				paths[k], "-storepass", "changeit", NULL};
			const char *where[2] = {"a JDK's store", paths[k]};
			struct run_answer a = {0};
			char *real = realpath(paths[k], NULL);
			bool shared = real && strncmp(real, "/etc/", 5) == 0;
			free(real);
			if (!shared && ask_program(h, words, &a))
				add_output(l, &a, public, where);
			run_answer_fini(&a);
		}
	}
}

void
ca_find_all(struct ca_list *l, struct home *h, const struct bundle *b, bool deep)
{
	struct pem_list public = {0};

	read_public(h, &public);
	for (size_t i = 0; i < COUNT_OF(places); i++)
		add_files(l, h, places[i].pattern, places[i].from);
	add_system(l, b, &public);
	/* What the system has is no news in other stores. */
	for (size_t i = 0; i < b->os.n; i++)
		pem_list_add(&public, b->os.certs[i]);
	add_settings(l, h, &public);
	if (deep) {
		add_nss_all(l, h, &public);
		add_java_all(l, h, &public);
	}
	pem_list_fini(&public);
}

/* ---- choosing ---- */

const struct ca_found *
ca_list_pick(const struct ca_list *l, const char *fingerprint)
{
	const struct ca_found *found = NULL;
	char want[2 * CERT_HASH + 1];
	char have[2 * CERT_HASH + 1];
	struct text t = text_to(want, sizeof want);

	for (const char *p = fingerprint; *p; p++) {
		if (*p != ':' && *p != ' ')
			text_add(&t, "%c", ascii_lower((uint8_t)*p));
	}
	if (t.n < 8 || t.cut)
		return NULL;
	for (size_t i = 0; i < l->n; i++) {
		struct text hex = text_to(have, sizeof have);
		text_put_hex(&hex, span_of(l->all[i].cert->sha256, CERT_HASH), false);
		if (!span_starts(text_span(&hex), text_span(&t)))
			continue;
		if (found)
			return NULL;
		found = &l->all[i];
	}
	return found;
}

/* ---- checking ---- */

/* Roots that many customers of a product share, or that ought not to exist. */
static const struct {
	const char *name;
	const char *text;
} known_roots[] = {
	{"Zscaler Root CA",
		"all customers of the vendor share this root: outside such a network "
		"it is "
		"a risk and no use"},
	{"Cato Networks",
		"all customers of the vendor share this root: outside such a network "
		"it is "
		"a risk and no use"},
	{"Superfish", "its private key is public: take it out"},
	{"eDellRoot", "its private key is public: take it out"},
	{"DSDTestProvider", "its private key is public: take it out"},
	{"mitmproxy", "a debugging proxy's CA: its key lies on a developer's machine"},
	{"PortSwigger CA",
		"a debugging proxy's CA: its key lies on a developer's machine"},
	{"Charles Proxy",
		"a debugging proxy's CA: its key lies on a developer's machine"},
	{"DO_NOT_TRUST",
		"a debugging proxy's CA: its key lies on a developer's machine"},
};

struct checking {
	struct ca_fault *out;
	size_t n;
};

static void
fault(struct checking *k, bool is_wrong, bool grave, const char *text)
{
	if (is_wrong && k->n < CA_FAULTS)
		k->out[k->n++] = (struct ca_fault){text, grave};
}

static void
check_names(struct checking *k, const struct cert *c)
{
	char name[256] = "";
	struct text t = text_to(name, sizeof name);

	cert_common_name(c->subject, &t);
	for (size_t i = 0; i < COUNT_OF(known_roots); i++) {
		fault(k, strstr(name, known_roots[i].name) != NULL, false,
			known_roots[i].text);
	}
}

static void
check_extensions(struct checking *k, const struct cert *c, bool root)
{
	fault(k, c->basic.present && !c->basic.critical, false,
		"basicConstraints is not critical: Python 3.13 refuses it");
	fault(k, !c->usage.present, false, "no keyUsage: Python 3.13 refuses it");
	fault(k, c->usage.present && !c->usage.critical, false,
		"keyUsage is not critical");
	fault(k, !c->ski.present, false,
		"no subject key identifier: Python 3.13 refuses it");
	fault(k, !c->aki.present && !root, false, "no authority key identifier");
	fault(k, c->names.present, false,
		"its names are limited: all programs but Java hold it to that");
	fault(k, !root, true,
		"an intermediate: as an anchor most programs do nothing with it");
}

size_t
ca_check(const struct ca_found *f, int64_t now, struct ca_fault out[CA_FAULTS])
{
	const struct cert *c = f->cert;
	struct checking k = {.out = out};
	bool root = cert_names_eq(c->subject, c->issuer);
	const char *why = bundle_refuses(c, now);

	fault(&k, why != NULL, true, why ? why : "");
	fault(&k, c->not_before > now, true, "it is not valid yet: look at the clock");
	fault(&k, c->not_after >= now && c->not_after < now + SOON_S, false,
		"it ends within 60 days: ask for its successor");
	fault(&k, f->key_beside, true,
		"a private key lies in the same file: whoever reads it can forge any "
		"site");
	fault(&k, f->writable, true, "everybody may write to the file");
	check_extensions(&k, c, root);
	check_names(&k, c);
	return k.n;
}
