// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz doctor_pem: files of certificates from anywhere. Whatever is in them, the report
 * is consistent with the list.
 */
#include "base/must.h"
#include "base/text.h"
#include "doctor/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct pem_list list = {0};
	struct pem_report report;
	char why[256];
	struct text t = text_to(why, sizeof why);

	pem_read(span_of(p, n), 1800000000, &list, &report);
	must(list.n <= report.certs);
	must(report.certs > 0 || pem_is_broken(&report) || report.faults != 0);
	pem_complain(&report, &t);
	must((report.faults != 0) == (t.n > 0));
	for (size_t i = 0; i < list.n; i++)
		must(pem_list_has(&list, list.certs[i]->sha256));
	pem_list_fini(&list);
	return 0;
}
