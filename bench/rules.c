// SPDX-License-Identifier: Apache-2.0
/*
 * rules: what a policy adds to a request, and how that grows with its rules.
 *
 * Ten lists of 100,000 names; of every ten rules seven are about hosts, one about a
 * list, one about a pattern of the path (100 different ones at most), one about an
 * address and a method. A request is decided in the phases that a real one goes
 * through. Medians of five runs, CPU time of this process.
 */
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "rule/policy.h"
#include "rule/set.h"

enum { LISTS = 10, NAMES = 100000, PATTERNS = 100, REQUESTS = 20000, RUNS = 5 };

struct facts {
	struct facts_base base;
	struct span host;
	struct span path;
};

static struct value
get_host(const struct facts *f, const struct field *row)
{
	(void)row;
	return value_string(f->host);
}

static struct value
get_domains(const struct facts *f, const struct field *row)
{
	(void)row;
	return value_domains(f->host);
}

static struct value
get_path(const struct facts *f, const struct field *row)
{
	(void)row;
	return value_string(f->path);
}

static struct value
get_method(const struct facts *f, const struct field *row)
{
	(void)f, (void)row;
	return value_string(SPAN("GET"));
}

static struct value
get_ip(const struct facts *f, const struct field *row)
{
	(void)f, (void)row;
	return value_ip(ip_v4(0x0a010203));
}

// clang-format off
static const struct field fields[] = {
	{.name = "http.request.host", .type = TYPE_STRING, .phase = PHASE_HELLO, .get = get_host,
		.flags = FIELD_HOST, .again = 1 << PHASE_REQUEST},
	{.name = "http.request.domains", .type = TYPE_STRINGS, .phase = PHASE_HELLO,
		.get = get_domains, .flags = FIELD_HOST, .again = 1 << PHASE_REQUEST},
	{.name = "http.request.uri.path", .type = TYPE_STRING, .phase = PHASE_REQUEST, .get = get_path},
	{.name = "http.request.method", .type = TYPE_STRING, .phase = PHASE_REQUEST, .get = get_method},
	{.name = "ip.src", .type = TYPE_IP, .phase = PHASE_ACCEPT, .get = get_ip},
};
static const struct policy_action block = {"block", PHASE_RESPONSE, PHASE_ACCEPT, true, false};
// clang-format on

static double
cpu_us(void)
{
	struct timespec t;
	must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct lists *
make_lists(void)
{
	struct lists *l = lists_new();
	struct span *names = mem_array(NAMES, sizeof(*names));
	struct err err = {0};
	double start = cpu_us();
	for (unsigned i = 0; i < LISTS; i++) {
		char name[16];
		text_format(name, sizeof(name), "l%u", i);
		for (unsigned k = 0; k < NAMES; k++) {
			char host[64];
			size_t n = text_format(host, sizeof(host),
				"h%u-%u.site-%u.example", i, k, k % 977);
			names[k] = span_of(mem_cstr(span_of(host, n)), n);
		}
		must(lists_add(l,
			&(struct list_source){
				.name = span_str(name), .type = TYPE_STRING},
			names, NAMES, &err));
		for (unsigned k = 0; k < NAMES; k++)
			mem_free((void *)(uintptr_t)names[k].p);
	}
	double took = cpu_us() - start;
	const struct rule_list *first = lists_find(l, SPAN("l0"));
	text_out("a million names in %d lists: %.2f s, %zu octets a name\n", LISTS,
		took / 1e6, list_cost(first) / list_size(first));
	mem_free(names);
	return l;
}

static size_t
make_condition(char *dst, size_t cap, unsigned i)
{
	switch (i % 10) {
	case 7:
		return text_format(dst, cap, "any(http.request.domains[*] in $l%u)",
			i / 10 % LISTS);
	case 8:
		return text_format(dst, cap,
			"http.request.uri.path matches \"^/a%u/[0-9]+/x$\"",
			i / 10 % PATTERNS);
	case 9:
		return text_format(dst, cap,
			"ip.src in {192.168.%u.0/24} and http.request.method == "
			"\"PUT\"",
			i % 256);
	default: /* seven of ten */
		return text_format(dst, cap,
			i % 2 ? "any(http.request.domains[*] == \"r%u.example\")"
			      : "http.request.host in {\"r%u.example\" \"s.example\"}",
			i);
	}
}

static struct policy *
make_policy(const struct scheme *s, unsigned n)
{
	struct policy *p = policy_new(s);
	for (unsigned i = 0; i < n; i++) {
		char text[128];
		struct rule_error error;
		struct policy_rule rule = {.name = SPAN("r"), .action = &block};
		rule.text = span_of(text, make_condition(text, sizeof(text), i));
		must(policy_add(p, &rule, &error));
	}
	policy_seal(p);
	return p;
}

static double
run_once(const struct policy *p)
{
	static const enum phase phases[] = {
		PHASE_ACCEPT, PHASE_HELLO, PHASE_REQUEST, PHASE_RESPONSE};
	struct facts f = {.host = SPAN("www.shop.some-site.example"),
		.path = SPAN("/assets/2026/11/main.css")};
	double start = cpu_us();
	for (unsigned i = 0; i < REQUESTS; i++) {
		struct verdict_record v;
		verdict_init(&v);
		for (size_t k = 0; k < COUNT_OF(phases); k++) {
			f.base.reached = phases[k];
			must(policy_decide(p, phases[k], &f, &v) == RULE_NONE);
		}
	}
	return (cpu_us() - start) / REQUESTS;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;
	return *x < *y ? -1 : *x > *y;
}

int
main(void)
{
	static const unsigned sizes[] = {10, 100, 1000, 10000};
	struct lists *lists = make_lists();
	struct scheme s;
	scheme_init(&s, fields, COUNT_OF(fields), lists);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		double runs[RUNS];
		double start = cpu_us();
		struct policy *p = make_policy(&s, sizes[i]);
		double built = cpu_us() - start;
		for (size_t k = 0; k < RUNS; k++)
			runs[k] = run_once(p);
		qsort(runs, RUNS, sizeof(runs[0]), by_value);
		text_out("%6u rules: %8.2f us a request (compiled in %.0f ms)\n",
			sizes[i], runs[RUNS / 2], built / 1e3);
		policy_free(p);
	}
	scheme_fini(&s);
	lists_free(lists);
	return text_flush() ? 0 : 1;
}
