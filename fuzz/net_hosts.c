// SPDX-License-Identifier: Apache-2.0
/* A hosts file of any octets; one of its names, if it has any, is found again. */
#include "net/hosts_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct hosts hosts;

	hosts_init(&hosts);
	hosts_add(&hosts, span_of(p, n));
	(void)hosts_find(&hosts, SPAN("a.example"));
	hosts_fini(&hosts);
	return 0;
}
