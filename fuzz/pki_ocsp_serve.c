// SPDX-License-Identifier: Apache-2.0
/*
 * An OCSP request from a stranger.
 */
#include "pki/ocsp_serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ocsp_serve_ask ask;
	struct err err = {0};

	(void)!ocsp_serve_read(span_of(p, n), &ask, &err);
	return 0;
}
