// SPDX-License-Identifier: Apache-2.0
/*
 * A certificate request from a stranger, and the file that says what was issued.
 */
#include "pki/client_ca.h"
#include "pki/client_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct client_csr csr;
	struct client_status s;
	struct client_status_row row;
	struct err err = {0};

	if (client_csr_read(span_of(p, n), &csr, &err))
		client_csr_fini(&csr);
	if (client_status_read(span_of(p, n), &s, &err))
		(void)!client_status_find(&s, span_of(p, n < 16 ? n : 16), &row);
	return 0;
}
