// SPDX-License-Identifier: Apache-2.0
/*
 * ca_priv: between the files of `sekisho ca`.
 */
#pragma once

#include "cli/cli.h"
#include "pki/authority.h"

/* The directory asked for, or the one of an installed gateway. */
const char *ca_dir(const struct cli_call *call, size_t operand);
/* The authority's certificates, without keys; NULL with *err. */
struct authority *ca_load(const struct cli_call *call, struct err *err);
/* A passphrase from a file or /dev/fd/N, for the caller to wipe and free; nothing when
 * path is NULL. An empty one would encrypt nothing, and is refused. */
MUST_USE bool ca_read_secret(const char *path, struct span *out, struct err *err);
/* For a terminal: one certificate under a heading; an authority and its state. */
void ca_print_cert(const char *what, const X509 *x);
void ca_print_authority(const struct authority *a);
