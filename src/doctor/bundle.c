// SPDX-License-Identifier: Apache-2.0
#include "doctor/bundle.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/export.h"

enum { PEM_SIZE = 4 * 1024 };

/* Where distributions keep their list, as Go's crypto/x509 knows them. */
static const char *const os_paths[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
};

static bool
all_in(const struct pem_list *some, const struct pem_list *of)
{
	for (size_t i = 0; i < some->n; i++) {
		if (!pem_list_has(of, some->certs[i]->sha256))
			return false;
	}
	return some->n > 0;
}

void
bundle_open(struct bundle *b, struct home *h)
{
	struct pem_report report;

	*b = (struct bundle){0};
	for (size_t i = 0; i < COUNT_OF(os_paths) && !b->os_path; i++) {
		const struct home_file *f = home_read(h, home_path(h, os_paths[i]));
		if (!f->readable)
			continue;
		b->os_path = f->path;
		pem_read(f->text, clock_wall(), &b->os, &report);
	}
}

void
bundle_close(struct bundle *b)
{
	pem_list_fini(&b->os);
	pem_list_fini(&b->org);
}

const char *
bundle_refuses(const struct cert *c, int64_t now)
{
	if (c->fault[0])
		return "its form is one that no verifier should accept";
	if (!c->is_ca)
		return "it is no CA's certificate: export the root, not the server's";
	if (c->not_after < now)
		return "it has expired";
	if (c->family == KEY_FAMILY_RSA && c->bits < 2048)
		return "its key is too short: 2048 bits are the least";
	if (c->sig && c->sig->weak && !cert_names_eq(c->subject, c->issuer))
		return "it is signed with a broken hash";
	if (c->usage.present && !(c->key_usage & CERT_KEY_CERT_SIGN))
		return "its key may not sign certificates";
	return NULL;
}

static bool
is_root(const struct cert *c)
{
	return cert_names_eq(c->subject, c->issuer);
}

static void
add_kind(struct bundle *b, const struct pem_list *from, bool roots)
{
	for (size_t i = 0; i < from->n; i++) {
		if (is_root(from->certs[i]) == roots)
			pem_list_add(&b->org, from->certs[i]);
	}
}

static bool
refuse(const struct pem_list *l, const char *path, struct err *err)
{
	bool root = false;

	for (size_t i = 0; i < l->n; i++) {
		const char *why = bundle_refuses(l->certs[i], clock_wall());
		char name[256];
		struct text t = text_to(name, sizeof name);
		root |= is_root(l->certs[i]);
		if (!why)
			continue;
		cert_common_name(l->certs[i]->subject, &t);
		return err_set(err, ERR_DOCTOR_CA, "%s: \"%s\": %s", path, name, why);
	}
	return root ||
		err_set(err, ERR_DOCTOR_CA,
			"%s: no root in it; an intermediate alone is no anchor for "
			"most "
			"programs",
			path);
}

bool
bundle_take(struct bundle *b, struct home *h, const char *path, struct err *err)
{
	const struct home_file *f = home_read(h, path);
	struct pem_report report = {0};
	struct pem_list found = {0};
	char why[256] = "";
	struct text t = text_to(why, sizeof why);

	if (!f->readable)
		return err_set(err, ERR_FILE_READ, "%s", path);
	pem_read(f->text, clock_wall(), &found, &report);
	pem_complain(&report, &t);
	bool key = (report.faults & 1U << PEM_KEY) != 0;
	bool ok = found.n > 0 && !key;
	if (!ok) {
		err_set(err, ERR_DOCTOR_CA, "%s: %s", path,
			key ? pem_fault_text(PEM_KEY) : why);
	}
	ok = ok && refuse(&found, path, err);
	if (ok) {
		pem_list_fini(&b->org);
		add_kind(b, &found, true);
		add_kind(b, &found, false);
		b->os_has_org = all_in(&b->org, &b->os);
	}
	pem_list_fini(&found);
	return ok;
}

const char *
bundle_org_path(struct home *h)
{
	return home_path(h, "$DATA/sekisho/ca/org.pem");
}

const char *
bundle_all_path(struct home *h)
{
	return home_path(h, "$DATA/sekisho/ca/bundle.pem");
}

const char *
bundle_java_path(struct home *h)
{
	return home_path(h, "$DATA/sekisho/ca/cacerts.p12");
}

bool
bundle_take_kept(struct bundle *b, struct home *h)
{
	struct err ignored;
	const char *path = bundle_org_path(h);

	return home_read(h, path)->readable && bundle_take(b, h, path, &ignored);
}

/* ---- what is written ---- */

static size_t
put_pem(char *dst, size_t cap, const struct cert *c)
{
	struct text t = text_to(dst, cap);

	cert_pem(c, &t);
	return t.cut ? 0 : t.n;
}

static struct span
text_of(const struct pem_list *l)
{
	size_t cap = 1;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		cap += 2 * l->certs[i]->der.n + PEM_SIZE;
	char *text = mem_alloc(cap);
	for (size_t i = 0; i < l->n; i++)
		n += put_pem(text + n, cap - n, l->certs[i]);
	return span_of(text, n);
}

/* The system's as they are but the dead, then the organisation's. */
static void
join(const struct bundle *b, struct pem_list *all)
{
	for (size_t i = 0; i < b->os.n; i++) {
		if (b->os.certs[i]->not_after >= clock_wall())
			pem_list_add(all, b->os.certs[i]);
	}
	for (size_t i = 0; i < b->org.n; i++)
		pem_list_add(all, b->org.certs[i]);
}

struct span
bundle_org_text(const struct bundle *b)
{
	return text_of(&b->org);
}

struct span
bundle_all_text(const struct bundle *b)
{
	struct pem_list all = {0};

	join(b, &all);
	struct span text = text_of(&all);
	pem_list_fini(&all);
	return text;
}

bool
bundle_java(const struct bundle *b, struct span *out, struct err *err)
{
	struct pem_list all = {0};

	join(b, &all);
	bool ok = export_truststore(all.certs, all.n, NULL, out, err);
	pem_list_fini(&all);
	return ok;
}

bool
bundle_stale(const struct bundle *b, struct home *h)
{
	const struct home_file *f = home_read(h, bundle_all_path(h));

	if (!f->readable)
		return false;
	struct span now = bundle_all_text(b);
	bool same = span_eq(now, f->text);
	mem_free((void *)(uintptr_t)now.p);
	return !same;
}
