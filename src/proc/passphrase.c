// SPDX-License-Identifier: Apache-2.0
#include "proc/passphrase_priv.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { PASSPHRASE_MAX = 1024, PLACE = 1024 };

/* systemd puts credentials into a directory of the service's own. */
static bool
place_of(struct span named, char path[PLACE], struct err *err)
{
	static const struct span credential = SPAN_INIT("credential:");
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct text t = text_to(path, PLACE);

	if (!span_starts(named, credential)) {
		text_put(&t, named);
	} else if (dir) {
		text_add(&t, "%s/", dir);
		text_put(&t, span_from(named, credential.n));
	} else {
		return err_set(err, ERR_PKI_PASSPHRASE,
			"systemd has handed over no credentials");
	}
	return !t.cut || err_set(err, ERR_PKI_PASSPHRASE, "its path is too long");
}

bool
passphrase_read(struct span named, struct span *secret, struct err *err)
{
	char place[PLACE];

	*secret = (struct span){0};
	if (named.n == 0)
		return true;
	if (!place_of(named, place, err))
		return false;
	bool is_fd = span_starts(span_str(place), SPAN("/dev/fd/"));
	return (is_fd || file_is_private(place, err)) &&
		file_read(place, PASSPHRASE_MAX, secret, err);
}

void
passphrase_forget(struct span *secret)
{
	if (secret->p)
		secret_wipe((void *)(uintptr_t)secret->p, secret->n);
	mem_free((void *)(uintptr_t)secret->p);
	*secret = (struct span){0};
}
