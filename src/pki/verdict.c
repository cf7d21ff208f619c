// SPDX-License-Identifier: Apache-2.0
/*
 * verdict: the classes, and how grave each is.
 */
#include "base/must.h"
#include "pki/path_priv.h"

static const struct {
	const char *id;
	const char *sentence;
} classes[] = {
#define VERDICT(name, id, sentence) [VERDICT_##name] = {id, sentence},
#include "pki/verdict_list.h"
#undef VERDICT
};

/*
 * Gravest first: what leaves the peer's identity unproven, then what an authority may
 * not do, then what is merely old. An operator who allows "expired" must not thereby
 * allow an expired forgery.
 */
static const enum verdict_class gravest_first[] = {
	VERDICT_BLOCKED,
	VERDICT_OWN_AUTHORITY,
	VERDICT_MALFORMED,
	VERDICT_TOO_COMPLEX,
	VERDICT_BAD_SIGNATURE,
	VERDICT_UNKNOWN_ISSUER,
	VERDICT_SELF_SIGNED,
	VERDICT_INCOMPLETE,
	VERDICT_REVOKED,
	VERDICT_CA_VIOLATION,
	VERDICT_WEAK_KEY,
	VERDICT_WEAK_SIGNATURE,
	VERDICT_WRONG_USE,
	VERDICT_WRONG_NAME,
	VERDICT_OTHER,
	VERDICT_REVOCATION_UNKNOWN,
	VERDICT_OLD_TLS,
	VERDICT_CT_MISSING,
	VERDICT_NOT_YET,
	VERDICT_EXPIRED,
};

const char *verdict_id(enum verdict_class class)
{
	must((unsigned)class < VERDICT_COUNT);
	return classes[class].id;
}

const char *verdict_sentence(enum verdict_class class)
{
	must((unsigned)class < VERDICT_COUNT);
	return classes[class].sentence;
}

enum verdict_class
verdict_find(struct span id)
{
	for (size_t i = 0; i < VERDICT_COUNT; i++) {
		if (span_eq(id, span_str(classes[i].id)))
			return (enum verdict_class)i;
	}
	return VERDICT_COUNT;
}

int findings_gravity(enum verdict_class class)
{
	for (size_t i = 0; i < COUNT_OF(gravest_first); i++) {
		if (gravest_first[i] == class)
			return (int)(COUNT_OF(gravest_first) - i);
	}
	return 0; /* good */
}

void
findings_add(struct findings *f, enum verdict_class class, int at, const char *fmt, ...)
{
	va_list ap;

	f->mask |= 1u << class;
	if (findings_gravity(class) <= findings_gravity(f->worst))
		return;
	f->worst = class;
	f->at = at;
	struct text t = text_to(f->text, sizeof f->text);
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
}

void
verdict_add(struct verdict *v, enum verdict_class class, const char *text)
{
	v->faults |= 1u << class;
	if (findings_gravity(class) <= findings_gravity(v->class))
		return;
	v->class = class;
	v->at = -1;
	(void)text_format(v->text, sizeof v->text, "%s", text);
}

void
verdict_fini(struct verdict *v)
{
	for (size_t i = 0; i < v->n_path; i++)
		cert_put(v->path[i]);
	v->n_path = 0;
}

void
verdict_json(const struct verdict *v, struct json_out *j, const char *key)
{
	json_object(j, key);
	json_str(j, "verdict", verdict_id(v->class));
	json_bool(j, "good", v->class == VERDICT_GOOD);
	json_str(j, "sentence", verdict_sentence(v->class));
	json_str(j, "text", v->text);
	json_int(j, "at", v->at);
	json_array(j, "faults");
	for (unsigned i = 0; i < VERDICT_COUNT; i++) {
		if (v->faults & (1u << i))
			json_str(j, NULL, verdict_id((enum verdict_class)i));
	}
	json_end(j);
	json_str(j, "revocation", v->revocation ? v->revocation : "not asked");
	json_str(j, "ct", v->ct ? v->ct : "");
	json_uint(j, "paths", v->paths);
	json_uint(j, "signatures", v->signatures);
	json_array(j, "path");
	for (size_t i = 0; i < v->n_path; i++)
		cert_json(v->path[i], j, NULL);
	json_end(j);
	json_end(j);
}
