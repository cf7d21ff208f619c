// SPDX-License-Identifier: Apache-2.0
/*
 * cert_priv: between the files of cert.
 */
#pragma once

#include "pki/cert.h"
#include "pki/der.h"

/* Fills c from c->der; c is zeroed otherwise. ERR_PKI_CERT when it is no certificate.
 */
MUST_USE bool cert_read(struct cert *c, struct err *err);

/* Reads the extensions' contents, after cert_read() found them; faults go to c->fault.
 */
void cert_read_extensions(struct cert *c);

/* Notes the first fault of form. */
void cert_note(struct cert *c, const char *fault);

/* A signature method by its AlgorithmIdentifier; NULL when unknown or oddly
 * parametrised. */
const struct cert_sigalg *cert_sigalg_find(struct span algo);

/* Reads a SubjectPublicKeyInfo's contents into family, bits, exponent, curve. */
MUST_USE bool cert_read_spki(struct cert *c, struct read spki);

/* Whether `name` lies below `base` (RFC 5280 §7.1): its first relative names are
 * base's. */
MUST_USE bool cert_name_within(struct span name, struct span base);
/* The emailAddress attribute number `skip` of a name, counted from 0. */
MUST_USE bool cert_name_next_email(struct span name, size_t skip, struct span *out);
