// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <stdarg.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"

static const struct {
	const char *id;
	const char *sentence;
	const char *hint;
} rows[ERR_COUNT] = {
	[ERR_NONE] = {"none", "Nothing went wrong.", ""},
#define ERR(name, id, sentence, hint) [ERR_##name] = {id, sentence, hint},
#include "base/err_list.h"
#undef ERR
};

/* Bytes of peers get into texts; they must not get into terminals. */
static void
make_printable(char *text)
{
	for (; *text; text++) {
		uint8_t c = (uint8_t)*text;
		if (c < 0x20 || c == 0x7f)
			*text = '?';
	}
}

PRINTF(2, 0)
static void
set_text(struct err *err, const char *fmt, va_list ap)
{
	struct text t = text_to(err->text, sizeof(err->text));
	text_addv(&t, fmt, ap);
	make_printable(err->text);
}

bool
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err->code = code;
	set_text(err, fmt, ap);
	va_end(ap);
	return false;
}

bool
err_within(struct err *err, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	bool fits = span_copy(inner, sizeof(inner), span_str(err->text));
	must(fits);
	va_list ap;
	va_start(ap, fmt);
	set_text(err, fmt, ap);
	va_end(ap);
	struct text t = {
		.p = err->text, .n = strlen(err->text), .cap = sizeof(err->text)};
	text_add(&t, ": %s", inner);
	return false;
}

bool
err_errno(struct err *err, enum err_code code, int number, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err->code = code;
	set_text(err, fmt, ap);
	va_end(ap);
	struct text t = {
		.p = err->text, .n = strlen(err->text), .cap = sizeof(err->text)};
	const char *why = strerrordesc_np(number);
	text_add(&t, ": %s", why ? why : "unknown error");
	return false;
}

const char *
err_id(enum err_code code)
{
	return rows[code].id;
}

const char *
err_sentence(enum err_code code)
{
	return rows[code].sentence;
}

const char *
err_hint(enum err_code code)
{
	return rows[code].hint;
}

enum err_code
err_find(struct span id)
{
	for (int i = 0; i < ERR_COUNT; i++) {
		if (span_eq(span_str(rows[i].id), id))
			return (enum err_code)i;
	}
	return ERR_NONE;
}
