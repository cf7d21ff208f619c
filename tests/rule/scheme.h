// SPDX-License-Identifier: Apache-2.0
/*
 * scheme: a small scheme with one of everything, for tests of the language.
 */
#pragma once

#include "base/must.h"
#include "rule/expr.h"
#include "rule/set.h"

struct facts {
	struct facts_base base;
	const char *host;
	const char *path;
	int64_t port;
};

static struct value
get_host(const struct facts *f, const struct field *row)
{
	(void)row;
	return f->host == NULL ? value_missing() : value_string(span_str(f->host));
}

static struct value
get_domains(const struct facts *f, const struct field *row)
{
	(void)row;
	return f->host == NULL ? value_missing() : value_domains(span_str(f->host));
}

static struct value
get_path(const struct facts *f, const struct field *row)
{
	(void)row;
	return f->path == NULL ? value_missing() : value_string(span_str(f->path));
}

static struct value
get_port(const struct facts *f, const struct field *row)
{
	(void)row;
	return value_int(f->port);
}

static struct value
get_ip(const struct facts *f, const struct field *row)
{
	(void)f, (void)row;
	return value_ip(ip_v4(0xcb007109));
}

static struct value
get_true(const struct facts *f, const struct field *row)
{
	(void)f, (void)row;
	return value_bool(true);
}

static struct value
get_headers(const struct facts *f, const struct field *row)
{
	static const struct value accept[] = {
		{.kind = VALUE_STRING, .s = SPAN_INIT("text/html")},
		{.kind = VALUE_STRING, .s = SPAN_INIT("*/*")}};
	static const struct value_pair pairs[] = {
		{SPAN_INIT("accept"), {.kind = VALUE_ARRAY, .n = 2, .items = accept}}};
	(void)f, (void)row;
	return value_map(pairs, 1);
}

static struct value
get_missing(const struct facts *f, const struct field *row)
{
	(void)f, (void)row;
	return value_missing();
}

// clang-format off
static const struct field test_fields[] = {
	{.name = "http.host", .type = TYPE_STRING, .phase = PHASE_REQUEST, .get = get_host, .flags = FIELD_HOST},
	{.name = "http.request.host", .type = TYPE_STRING, .phase = PHASE_HELLO, .get = get_host, .flags = FIELD_HOST},
	{.name = "http.request.domains", .type = TYPE_STRINGS, .phase = PHASE_HELLO, .get = get_domains, .flags = FIELD_HOST},
	{.name = "http.request.uri.path", .type = TYPE_STRING, .phase = PHASE_REQUEST, .get = get_path},
	{.name = "http.request.uri.query", .type = TYPE_STRING, .phase = PHASE_REQUEST, .get = get_path},
	{.name = "http.request.headers", .type = TYPE_STRINGS_MAP, .phase = PHASE_REQUEST, .get = get_headers},
	{.name = "cf.edge.server_port", .type = TYPE_INT, .phase = PHASE_ACCEPT, .get = get_port},
	{.name = "app.type.ids", .type = TYPE_INTS, .phase = PHASE_HELLO, .get = get_missing, .flags = FIELD_GATEWAY},
	{.name = "cf.tls_client_auth.cert_verified", .type = TYPE_BOOL, .phase = PHASE_HANDSHAKE, .get = get_true},
	{.name = "cf.tls_client_auth.cert_revoked", .type = TYPE_BOOL, .phase = PHASE_HANDSHAKE, .get = get_true},
	{.name = "identity.groups.name", .type = TYPE_STRINGS, .phase = PHASE_ACCEPT, .get = get_missing, .flags = FIELD_GATEWAY | FIELD_UNFILLED},
	{.name = "ip.src", .type = TYPE_IP, .phase = PHASE_ACCEPT, .get = get_ip},
	{.name = "notice", .type = TYPE_STRING, .phase = PHASE_ACCEPT, .get = get_missing},
	{.name = "ssl", .type = TYPE_BOOL, .phase = PHASE_ACCEPT, .get = get_true},
	{.name = "old.host", .type = TYPE_STRING, .phase = PHASE_REQUEST, .same = "http.host"},
};
// clang-format on
