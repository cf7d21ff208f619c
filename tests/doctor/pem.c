// SPDX-License-Identifier: Apache-2.0
#include "doctor/pem.h"

#include "tests/doctor/shed.h"

static struct shed shed;
static char room[32 * 1024];

/* A text made of the CA, as "%s" each. */
static struct span
text_of(const char *fmt)
{
	struct text t = text_to(room, sizeof room);
	struct span rest = span_str(fmt);

	while (rest.n > 0) {
		size_t n = span_find(rest, SPAN("%s"));
		text_put(&t, span_first(rest, n));
		if (n < rest.n)
			text_add(&t, "%s", shed.pem);
		rest = span_from(rest, n + 2);
	}
	CHECK(!t.cut);
	return text_span(&t);
}

static unsigned
faults_of(struct span s, size_t certs)
{
	struct pem_report report;
	struct pem_list list = {0};

	pem_read(s, 1800000000, &list, &report);
	CHECK_INT(report.certs, certs);
	CHECK(list.n <= certs);
	pem_list_fini(&list);
	return report.faults;
}

static void
a_clean_file_has_no_fault_and_one_certificate(void)
{

	shed_open(&shed);
	CHECK_INT(faults_of(text_of("# root\n%s"), 1), 0);
	/* Twice the same is one. */
	struct pem_list list = {0};
	struct pem_report report;
	pem_read(text_of("%s%s"), 1800000000, &list, &report);
	CHECK_INT(report.certs, 2);
	CHECK_INT(list.n, 1);
	CHECK(pem_list_has(&list, list.certs[0]->sha256));
	CHECK(!pem_is_broken(&report));
	pem_list_fini(&list);
	shed_close(&shed);
}

static void
each_way_to_spoil_a_file_has_its_sentence(void)
{
	static const struct {
		const char *text;
		size_t certs;
		enum pem_fault fault;
		bool broken;
	} rows[] = {
		{"", 0, PEM_EMPTY, true},
		{"hello\n", 0, PEM_NONE, true},
		{"\xef\xbb\xbf%s", 1, PEM_BOM, true},
		{"-----BEGIN CERTIFICATE-----\nAAAA", 0, PEM_OPEN, true},
		{"-----BEGIN CERTIFICATE-----\n%s", 1, PEM_OPEN, true},
		{"-----BEGIN CERTIFICATE-----\nA*A\n-----END CERTIFICATE-----\n%s", 1,
			PEM_BASE64, true},
		{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0,
			PEM_BROKEN, true},
		{"%s-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE "
		 "KEY-----\n",
			1, PEM_KEY, false},
		{"-----BEGIN TRUSTED CERTIFICATE-----\nAA==\n"
		 "-----END TRUSTED CERTIFICATE-----\n%s",
			1, PEM_TRUSTED, false},
	};

	shed_open(&shed);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct pem_report report;
		char why[256] = "";
		struct text t = text_to(why, sizeof why);
		struct span s = text_of(rows[i].text);
		CHECK(faults_of(s, rows[i].certs) & 1U << rows[i].fault);
		pem_read(s, 1800000000, NULL, &report);
		CHECK_INT(pem_is_broken(&report), rows[i].broken);
		pem_complain(&report, &t);
		CHECK(strstr(why, pem_fault_text(rows[i].fault)));
	}
	shed_close(&shed);
}

static void
glued_blocks_binary_and_utf16_are_told_apart(void)
{
	struct pem_report report;

	shed_open(&shed);
	struct span two = text_of("%s%s");
	size_t cut = span_find(two, SPAN("-----END CERTIFICATE-----\n"));
	for (size_t i = cut + 25; i + 1 < two.n; i++)
		room[i] = room[i + 1];
	two.n--;
	pem_read(two, 1800000000, NULL, &report);
	CHECK(report.faults & 1U << PEM_GLUED);
	CHECK_INT(report.certs, 2);
	CHECK(report.line[PEM_GLUED] > 5);

	CHECK_INT(faults_of(SPAN("-\0-\0-\0-\0"), 0), 1U << PEM_UTF16);
	CHECK_INT(faults_of(SPAN("\xff\xfe-\0"), 0), 1U << PEM_UTF16);
	CHECK(faults_of(SPAN("\x30\x82\x01\x02"), 0) & 1U << PEM_DER);
	shed_close(&shed);
}

static void
an_expired_one_is_named(void)
{
	struct pem_report report;

	shed_open(&shed);
	pem_read(text_of("%s"), 4000000000, NULL, &report);
	CHECK_INT(report.faults, 1U << PEM_EXPIRED);
	CHECK(!pem_is_broken(&report));
	shed_close(&shed);
}

static void
every_truncation_is_read_to_its_end(void)
{
	struct pem_report report;

	shed_open(&shed);
	struct span whole = text_of("x\n%s\n");
	for (size_t n = 0; n < whole.n - 3; n++) {
		pem_read(span_first(whole, n), 1800000000, NULL, &report);
		CHECK(report.faults != 0 || n + 2 >= whole.n - 3);
	}
	shed_close(&shed);
}

TESTS(a_clean_file_has_no_fault_and_one_certificate,
	each_way_to_spoil_a_file_has_its_sentence,
	glued_blocks_binary_and_utf16_are_told_apart, an_expired_one_is_named,
	every_truncation_is_read_to_its_end)
