// SPDX-License-Identifier: Apache-2.0
/* token_pin: where a token's PIN comes from. */
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/token.h"

enum { PIN_FILE_MOST = 1024, FD_MOST = 1023 };

/* The first line; wipes nothing of text. */
static bool
take_line(struct span text, char dst[TOKEN_PIN_MAX], struct err *err)
{
	struct span line = span_first(text, span_chr(text, '\n'));

	if (span_ends(line, SPAN("\r")))
		line.n--;
	if (line.n > 0 && span_copy(dst, TOKEN_PIN_MAX, line))
		return true;
	return err_set(err, ERR_PKI_TOKEN, "the PIN is empty or too long");
}

static bool
read_descriptor(struct span number, char dst[TOKEN_PIN_MAX], struct err *err)
{
	uint8_t bytes[TOKEN_PIN_MAX];
	uint64_t fd = 0;

	if (!text_u64(number, FD_MOST, &fd))
		return err_set(err, ERR_PKI_TOKEN, "fd: wants a number");
	ssize_t n = read((int)fd, bytes, sizeof(bytes)); /* at most FD_MOST */
	bool ok = n > 0 ? take_line(span_of(bytes, (size_t)n), dst, err)
			: err_set(err, ERR_PKI_TOKEN, "the descriptor gives no PIN");
	secret_wipe(bytes, sizeof(bytes));
	return ok;
}

bool
token_load_pin(const char *path, char dst[TOKEN_PIN_MAX], struct err *err)
{
	struct span text = {0};

	if (!file_is_private(path, err) || !file_read(path, PIN_FILE_MOST, &text, err))
		return false;
	bool ok = take_line(text, dst, err);
	secret_wipe((void *)(uintptr_t)text.p, text.n);
	mem_free((void *)(uintptr_t)text.p);
	return ok || err_within(err, "%s", path);
}

bool
token_read_pin(const struct token_uri *uri, char dst[TOKEN_PIN_MAX], struct err *err)
{
	char path[256];

	dst[0] = '\0';
	if (uri->pin.n > 0)
		return take_line(uri->pin, dst, err);
	if (uri->pin_source.n == 0)
		return true;
	if (span_starts(uri->pin_source, SPAN("fd:")))
		return read_descriptor(span_from(uri->pin_source, 3), dst, err);
	if (!span_copy(path, sizeof(path), uri->pin_source))
		return err_set(err, ERR_PKI_TOKEN, "the path of the PIN is too long");
	return token_load_pin(path, dst, err);
}
