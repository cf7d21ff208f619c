// SPDX-License-Identifier: Apache-2.0
/*
 * passphrase: of an encrypted key, from where the configuration says: a file that
 * others cannot read, /dev/fd/N, or "credential:NAME" of systemd.
 */
#pragma once

#include "base/err.h"

/* All octets of it, for passphrase_forget(); empty when nothing is named.
 * ERR_PKI_PASSPHRASE, ERR_FILE_READ, ERR_FILE_NOT_PRIVATE. */
MUST_USE bool passphrase_read(struct span named, struct span *secret, struct err *err);
/* Wipes and frees. */
void passphrase_forget(struct span *secret);
