// SPDX-License-Identifier: Apache-2.0
/* token_slot: modules, tokens and sessions; see token.h. */
#include <dlfcn.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/token_priv.h"

enum { SLOTS_MOST = 64 };

/* What people look up; others by number. */
static const struct {
	CK_RV rv;
	const char *text;
} failures[] = {
	{CKR_PIN_INCORRECT, "the PIN is wrong"},
	{CKR_PIN_LOCKED, "the PIN is locked"},
	{CKR_PIN_EXPIRED, "the PIN has expired"},
	{CKR_PIN_LEN_RANGE, "the PIN is too long or too short"},
	{CKR_USER_NOT_LOGGED_IN, "a PIN is needed"},
	{CKR_USER_PIN_NOT_INITIALIZED, "the token has no PIN yet"},
	{CKR_TOKEN_NOT_PRESENT, "there is no token"},
	{CKR_TOKEN_NOT_RECOGNIZED, "the token is not recognised"},
	{CKR_DEVICE_ERROR, "device error"},
	{CKR_DEVICE_REMOVED, "the device is gone"},
	{CKR_MECHANISM_INVALID, "the token does not know this operation"},
	{CKR_KEY_FUNCTION_NOT_PERMITTED, "the key may not do this"},
	{CKR_KEY_TYPE_INCONSISTENT, "the key is of another type"},
	{CKR_SESSION_COUNT, "too many sessions are open"},
	{CKR_GENERAL_ERROR, "general error"},
	{CKR_FUNCTION_FAILED, "function failed"},
};

bool
token_fail(struct err *err, const char *call, CK_RV rv)
{
	for (size_t i = 0; i < COUNT_OF(failures); i++) {
		if (failures[i].rv == rv) {
			return err_set(
				err, ERR_PKI_TOKEN, "%s: %s", call, failures[i].text);
		}
	}
	return err_set(err, ERR_PKI_TOKEN, "%s: error 0x%lx", call, rv);
}

/* ---- modules ---- */

/* The module stays loaded: what it left running must find its code. */
static CK_FUNCTION_LIST *
load_functions(const char *path, struct err *err)
{
	CK_C_GetFunctionList get = NULL;
	CK_FUNCTION_LIST *f = NULL;
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void *symbol = library ? dlsym(library, "C_GetFunctionList") : NULL;

	if (!symbol) {
		const char *why = dlerror();

		err_set(err, ERR_PKI_TOKEN, "%s", why ? why : "no PKCS#11 module");
		return NULL;
	}
	memcpy(&get, &symbol, sizeof(get)); /* C forbids the cast, POSIX demands it */
	CK_RV rv = get(&f);
	if (rv == CKR_OK)
		rv = f->C_Initialize(NULL);
	if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return f;
	(void)token_fail(err, path, rv);
	return NULL;
}

static struct token_module *
open_module(struct token_box *b, struct span path, struct err *err)
{
	LIST_EACH (it, &b->modules) {
		struct token_module *m = CONTAINER_OF(it, struct token_module, in);

		if (span_eq(span_str(m->path), path))
			return m;
	}

	struct token_module *m = mem_alloc(sizeof(*m));

	if (!span_copy(m->path, sizeof(m->path), path) || path.n == 0) {
		err_set(err, ERR_PKI_TOKEN, "no module is named, or its path is long");
	} else {
		m->f = load_functions(m->path, err);
	}
	if (!m->f) {
		mem_free(m);
		return NULL;
	}
	list_push(&b->modules, &m->in);
	return m;
}

/* ---- tokens ---- */

/* PKCS#11 pads with blanks. */
static bool
is_named(struct span want, const CK_UTF8CHAR *p, size_t n)
{
	while (n > 0 && p[n - 1] == ' ')
		n--;
	return want.n == 0 || span_eq(want, span_of(p, n));
}

static bool
fits(const struct token_uri *u, CK_SLOT_ID id, const CK_TOKEN_INFO *i)
{
	return (i->flags & CKF_TOKEN_INITIALIZED) &&
		(!u->has_slot_id || u->slot_id == id) &&
		is_named(u->token, i->label, sizeof(i->label)) &&
		is_named(u->serial, i->serialNumber, sizeof(i->serialNumber)) &&
		is_named(u->manufacturer, i->manufacturerID,
			sizeof(i->manufacturerID)) &&
		is_named(u->model, i->model, sizeof(i->model));
}

static bool
find_slot(const struct token_module *m, const struct token_uri *u,
	struct token_slot *out, struct err *err)
{
	CK_SLOT_ID ids[SLOTS_MOST];
	CK_ULONG n = SLOTS_MOST;
	size_t found = 0;
	CK_RV rv = m->f->C_GetSlotList(CK_TRUE, ids, &n);

	if (rv != CKR_OK)
		return token_fail(err, "looking for tokens", rv);
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info;

		if (m->f->C_GetTokenInfo(ids[i], &info) != CKR_OK ||
			!fits(u, ids[i], &info))
			continue;
		out->id = ids[i];
		out->info = info;
		found++;
	}
	return found == 1 ||
		err_set(err, ERR_PKI_TOKEN, "%zu tokens have this name", found);
}

static bool
login(const struct token_slot *s, struct err *err)
{
	size_t n = strlen(s->pin);

	if (n == 0) /* perhaps it needs none; finding the key will tell */
		return true;
	CK_RV rv = s->module->f->C_Login(
		s->session, CKU_USER, (CK_UTF8CHAR_PTR)(uintptr_t)s->pin, n);
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		return true;
	return token_fail(err, "logging in", rv);
}

bool
token_slot_again(struct token_slot *s, struct err *err)
{
	const CK_FUNCTION_LIST *f = s->module->f;

	if (s->session_number > 0)
		(void)f->C_CloseSession(s->session);
	CK_RV rv = f->C_OpenSession(s->id, CKF_SERIAL_SESSION, NULL, NULL, &s->session);
	if (rv != CKR_OK)
		return token_fail(err, "opening a session", rv);
	s->session_number++;
	return login(s, err);
}

static struct token_slot *
find_known(const struct token_box *b, const struct token_module *m, CK_SLOT_ID id)
{
	LIST_EACH (it, &b->slots) {
		struct token_slot *s = CONTAINER_OF(it, struct token_slot, in);

		if (s->module == m && s->id == id)
			return s;
	}
	return NULL;
}

static void
close_slot(struct token_slot *s)
{
	if (s->session_number > 0)
		(void)s->module->f->C_CloseSession(s->session);
	secret_wipe(s->pin, sizeof(s->pin));
	list_leave(&s->in);
	mem_free(s);
}

struct token_slot *
token_slot_open(struct token_box *b, const struct token_uri *uri, struct span pin,
	struct err *err)
{
	struct span path =
		uri->module_path.n > 0 ? uri->module_path : span_str(b->module);
	struct token_module *m = open_module(b, path, err);
	struct token_slot wanted = {.module = m};

	if (!m || !find_slot(m, uri, &wanted, err))
		return NULL;
	struct token_slot *s = find_known(b, m, wanted.id);
	if (s)
		return s;
	s = mem_alloc(sizeof(*s));
	*s = wanted;
	list_push(&b->slots, &s->in);
	if (!span_copy(s->pin, sizeof(s->pin), uri->pin.n > 0 ? uri->pin : pin)) {
		(void)token_fail(err, "logging in", CKR_PIN_LEN_RANGE);
	} else if (token_slot_again(s, err)) {
		return s;
	}
	close_slot(s);
	return NULL;
}

/* ---- all of them ---- */

struct token_box *
token_box_new(const char *module)
{
	struct token_box *b = mem_alloc(sizeof(*b));

	b->module = module;
	list_init(&b->modules);
	list_init(&b->slots);
	return b;
}

void
token_box_free(struct token_box *b)
{
	if (!b)
		return;
	LIST_EACH (it, &b->slots)
		close_slot(CONTAINER_OF(it, struct token_slot, in));
	LIST_EACH (it, &b->modules) {
		struct token_module *m = CONTAINER_OF(it, struct token_module, in);

		(void)m->f->C_Finalize(NULL);
		list_leave(&m->in);
		mem_free(m);
	}
	mem_free(b);
}
