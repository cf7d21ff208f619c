// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz http_url: targets and hosts. A host that is accepted must be the same host when
 * its normal form is read again, and no target may hide another host.
 */
#include "base/must.h"
#include "base/text.h"
#include "http/msg.h"
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check_host(struct span s, struct arena *a)
{
	struct url_host host;
	struct url_host again;
	struct err err;
	char text[300];

	if (!url_host_parse(s, 443, a, &host, &err))
		return;
	bool v6 = host.ip.family == IP_V6;
	text_format(text, sizeof(text), v6 ? "[%.*s]:%u" : "%.*s:%u",
		SPAN_ARG(host.name), host.port);
	must(url_host_parse(span_str(text), 0, a, &again, &err));
	must(span_eq(host.name, again.name) && host.port == again.port);
	must(url_host_same(s, span_str(text), 443));
	must(host.ip.family != IP_NONE || url_name_check(host.name));
}

static void
split_query(struct span path, struct arena *a)
{
	struct span query;
	struct span key;
	struct span value;
	struct span plain;

	(void)url_split(path, &path, &query);
	while (url_query_next(&query, &key, &value))
		must(!url_unescape(a, value, true, &plain) || plain.n <= value.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct url_target target;
	struct err err;
	struct arena a;

	if (n < 1)
		return 0;
	struct span s = span_of(p + 1, n - 1);
	arena_init(&a, 256 * 1024);
	check_host(s, &a);
	if (url_target_parse(s, p[0] % (HTTP_PATCH + 1), &target, &err)) {
		if (target.authority.n > 0)
			must(url_host_check(target.authority, &err));
		split_query(target.path, &a);
	}
	arena_fini(&a);
	return 0;
}
