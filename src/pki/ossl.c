// SPDX-License-Identifier: Apache-2.0
#include "pki/ossl.h"

#include <openssl/err.h>

#include "base/text.h"

/* OpenSSL says what it looks like. */
// NOLINTBEGIN(readability-non-const-parameter)
int
ossl_no_passphrase(char *dst, int cap, int writing, void *arg)
// NOLINTEND(readability-non-const-parameter)
{
	(void)dst, (void)cap, (void)writing, (void)arg;
	return -1;
}

bool
ossl_err(struct err *err, enum err_code code, const char *fmt, ...)
{
	char what[sizeof err->text];
	struct text t = text_to(what, sizeof what);
	va_list ap;

	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);

	unsigned long reason = ERR_peek_last_error();
	const char *why = reason ? ERR_reason_error_string(reason) : NULL;
	ERR_clear_error();
	if (why)
		return err_set(err, code, "%s: %s", what, why);
	return err_set(err, code, "%s", what);
}
