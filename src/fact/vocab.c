// SPDX-License-Identifier: Apache-2.0
/*
 * To add a field: a getter, a row. The compiler, `explain`, error hints and the manual
 * read this table. Names and types follow the published rules language; where it has
 * two names for one thing the second is a row with `same`.
 */
#include "fact/vocab.h"

#include "base/clock.h"
#include "fact/catalogue.h"
#include "fact/geo.h"

#define GETTER(name, expression)                                                 \
	static struct value name(const struct facts *f, const struct field *row) \
	{                                                                        \
		(void)f;                                                         \
		(void)row;                                                       \
		return expression;                                               \
	}

/* An empty span is a fact that is not known. */
static struct value
known(struct span s)
{
	return s.n > 0 ? value_string(s) : value_missing();
}

GETTER(get_tls, value_bool(f->tls))
GETTER(get_client_ip, value_ip(f->client.ip))
GETTER(get_client_port, value_int(f->client.port))
GETTER(get_server_ip, value_ip(f->server.ip))
GETTER(get_server_port, value_int(f->server.port))
GETTER(get_port, value_int(f->port))
GETTER(get_connect_host, known(f->connect_host))
GETTER(get_tcp, value_string(SPAN("tcp")))
GETTER(get_sni, known(f->sni))
GETTER(get_sni_domains, value_domains(f->sni))
GETTER(get_host, known(f->host))
GETTER(get_host_domains, value_domains(f->host))
GETTER(get_alpn, f->alpn)
GETTER(get_ja3, known(f->ja3))
GETTER(get_ja4, known(f->ja4))
GETTER(get_ech, f->hello ? value_bool(f->hello->has_ech) : value_missing())
GETTER(get_hello_length,
	f->hello ? value_int((int64_t)f->hello->message.n) : value_missing())
GETTER(get_origin_ip, value_ip(f->origin_ip))
GETTER(get_client_ips, value_one_ip(f->client.ip))
GETTER(get_origin_ips, value_one_ip(f->origin_ip))
GETTER(get_verdict, known(f->origin_verdict))
GETTER(get_tls_version, known(f->tls_version))
GETTER(get_tls_cipher, known(f->tls_cipher))
GETTER(get_method, f->request ? known(f->request->method_name) : value_missing())
GETTER(get_version,
	f->request ? known(span_str(http_version_text(f->request->version)))
		   : value_missing())
GETTER(get_uri, f->request ? known(f->request->path) : value_missing())
GETTER(get_path, known(f->path))
GETTER(get_query, f->request ? value_string(f->query) : value_missing())
GETTER(get_status, f->response ? value_int(f->response->status) : value_missing())

/* row->arg is an enum made. */
static struct value
get_made(const struct facts *f, const struct field *row)
{
	return f->made != NULL ? f->made[row->arg] : value_missing();
}

GETTER(get_detected,
	f->hello             ? value_string(SPAN("tls"))
		: f->request ? value_string(SPAN("http"))
			     : value_missing())
GETTER(get_false, f->request ? value_bool(false) : value_missing())

/* row->arg is an enum category_kind. */
static struct value
get_category(const struct facts *f, const struct field *row)
{
	return f->category.numbers[row->arg];
}

GETTER(get_category_names, f->category.names)

/* row->arg is the enum http_name of a field with a shorthand of its own. */
static struct value
get_one_header(const struct facts *f, const struct field *row)
{
	if (!f->request)
		return value_missing();
	struct span s = http_get_id(&f->request->fields, (enum http_name)row->arg);
	return s.p ? value_string(s) : value_missing();
}

enum cert_truth {
	CERT_PRESENTED,
	CERT_VERIFIED,
	CERT_REVOKED,
	CERT_TOO_LARGE,
	CERT_CHAIN_TOO_LARGE,
};

/* Where none was asked for the answer is no: rules may be shared with such names. */
static struct value
get_cert_truth(const struct facts *f, const struct field *row)
{
	const struct client_cert *c = f->cert;
	if (!c)
		return value_bool(false);
	switch ((enum cert_truth)row->arg) {
	case CERT_PRESENTED:
		return value_bool(c->presented);
	case CERT_VERIFIED:
		return value_bool(c->verified);
	case CERT_REVOKED:
		return value_bool(c->revoked);
	case CERT_TOO_LARGE:
		return value_bool(c->rfc9440_too_large);
	case CERT_CHAIN_TOO_LARGE:
		break;
	}
	return value_bool(c->chain_too_large);
}

/* row->arg is an enum client_cert_text. */
static struct value
get_cert_text(const struct facts *f, const struct field *row)
{
	if (!f->cert)
		return value_missing();
	/* Where none came the edge's fields are empty, not absent: published rules rely
	 * on it in `not (verified and ski eq "…")`. */
	return value_string(f->cert->presented ? f->cert->text[row->arg] : SPAN(""));
}

GETTER(get_forever_true, value_bool(true))
GETTER(get_nothing, value_missing())
GETTER(get_zero, value_int(0))
GETTER(get_seconds, f->request ? value_int(clock_wall()) : value_missing())
GETTER(get_milliseconds,
	f->request ? value_int(clock_wall_ms() % 1000) : value_missing())

static struct catalogue_hit
find_app(const struct facts *f)
{
	if (!f->apps || f->host.n == 0)
		return (struct catalogue_hit){0};
	return catalogue_find(f->apps, f->host);
}

GETTER(get_app_ids, find_app(f).ids)
GETTER(get_app_types, find_app(f).types)

/* row->arg is an enum geo_what. */
static struct value
get_client_geo(const struct facts *f, const struct field *row)
{
	return geo_find(f->geo, &f->client.ip, (enum geo_what)row->arg);
}

static struct value
get_origin_geo(const struct facts *f, const struct field *row)
{
	return geo_find(f->geo, &f->origin_ip, (enum geo_what)row->arg);
}

enum {
	REQUEST_AGAIN = 1 << PHASE_REQUEST,
	HOST = FIELD_HOST,
	GATEWAY_HOST = FIELD_HOST | FIELD_GATEWAY,
	GATEWAY = FIELD_GATEWAY,
};

// clang-format off
const struct field vocab_fields[] = {
	{"ssl", TYPE_BOOL, PHASE_ACCEPT, get_tls, "the client's side is TLS", .again = 1 << PHASE_HELLO | REQUEST_AGAIN},
	{"ip.src", TYPE_IP, PHASE_ACCEPT, get_client_ip, "address of the client"},
	{"http.conn.src_ip", TYPE_IPS, PHASE_ACCEPT, get_client_ips, "address of the client", GATEWAY},
	{"net.src.ip", TYPE_IP, PHASE_ACCEPT, get_client_ip, "address of the client", GATEWAY},
	{"net.src.port", TYPE_INT, PHASE_ACCEPT, get_client_port, "port of the client", GATEWAY},
	{"net.dst.ip", TYPE_IP, PHASE_PEER, get_origin_ip, "address of the origin", GATEWAY},
	{"http.conn.dst_ip", TYPE_IPS, PHASE_PEER, get_origin_ips, "address of the origin", GATEWAY},
	{"net.dst.port", TYPE_INT, PHASE_HELLO, get_port, "port of the destination", GATEWAY},
	{"net.protocol", TYPE_STRING, PHASE_ACCEPT, get_tcp, "tcp", GATEWAY},
	{"cf.edge.server_ip", TYPE_IP, PHASE_ACCEPT, get_server_ip, "address that was connected to"},
	{"cf.edge.server_port", TYPE_INT, PHASE_ACCEPT, get_server_port, "port that was connected to"},
	{"proxy.connect_host", TYPE_STRING, PHASE_HELLO, get_connect_host, "host that CONNECT named, lower case", HOST},
	{"net.sni.host", TYPE_STRING, PHASE_HELLO, get_sni, "server name of the ClientHello, lower case", GATEWAY_HOST},
	{"net.sni.domains", TYPE_STRINGS, PHASE_HELLO, get_sni_domains, "that name and every parent", GATEWAY_HOST},
	{"tls.alpn", TYPE_STRINGS, PHASE_HELLO, get_alpn, "application protocols the client offers"},
	{"tls.ech", TYPE_BOOL, PHASE_HELLO, get_ech, "the ClientHello offers Encrypted Client Hello"},
	{"cf.tls_client_hello_length", TYPE_INT, PHASE_HELLO, get_hello_length, "octets of the ClientHello"},
	{"cf.bot_management.ja3_hash", TYPE_STRING, PHASE_HELLO, get_ja3, "JA3 fingerprint of the ClientHello"},
	{"cf.bot_management.ja4", TYPE_STRING, PHASE_HELLO, get_ja4, "JA4 fingerprint of the ClientHello"},
	{"tls.origin.verdict", TYPE_STRING, PHASE_PEER, get_verdict, "class of the origin's certificate"},
	{"cf.tls_version", TYPE_STRING, PHASE_HANDSHAKE, get_tls_version, "TLS version with the client"},
	{"cf.tls_cipher", TYPE_STRING, PHASE_HANDSHAKE, get_tls_cipher, "cipher suite with the client"},
	{"cf.tls_client_auth.cert_presented", TYPE_BOOL, PHASE_HANDSHAKE, get_cert_truth, "the client showed a certificate", .arg = CERT_PRESENTED, .again = REQUEST_AGAIN},
	{"cf.tls_client_auth.cert_verified", TYPE_BOOL, PHASE_HANDSHAKE, get_cert_truth, "chain, use and dates of it are good", .arg = CERT_VERIFIED, .again = REQUEST_AGAIN},
	{"cf.tls_client_auth.cert_revoked", TYPE_BOOL, PHASE_HANDSHAKE, get_cert_truth, "its issuer took it back", .arg = CERT_REVOKED, .again = REQUEST_AGAIN},
	{"cf.tls_client_auth.cert_rfc9440_too_large", TYPE_BOOL, PHASE_HANDSHAKE, get_cert_truth, "it is too large for Client-Cert", .arg = CERT_TOO_LARGE, .again = REQUEST_AGAIN},
	{"cf.tls_client_auth.cert_chain_rfc9440_too_large", TYPE_BOOL, PHASE_HANDSHAKE, get_cert_truth, "the chain is too large for Client-Cert-Chain", .arg = CERT_CHAIN_TOO_LARGE, .again = REQUEST_AGAIN},
	{"cf.tls_client_auth.cert_subject_dn", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "subject of the client's certificate", .arg = CLIENT_CERT_SUBJECT},
	{"cf.tls_client_auth.cert_issuer_dn", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "its issuer", .arg = CLIENT_CERT_ISSUER},
	{"cf.tls_client_auth.cert_subject_dn_rfc2253", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "its subject in the form of RFC 2253", .arg = CLIENT_CERT_SUBJECT},
	{"cf.tls_client_auth.cert_issuer_dn_rfc2253", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "its issuer in the form of RFC 2253", .arg = CLIENT_CERT_ISSUER},
	{"cf.tls_client_auth.cert_subject_dn_legacy", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "its subject as /O=…/CN=…", .arg = CLIENT_CERT_SUBJECT_LEGACY},
	{"cf.tls_client_auth.cert_issuer_dn_legacy", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "its issuer as /O=…/CN=…", .arg = CLIENT_CERT_ISSUER_LEGACY},
	{"cf.tls_client_auth.cert_serial", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "its serial number, upper-case hex", .arg = CLIENT_CERT_SERIAL},
	{"cf.tls_client_auth.cert_issuer_serial", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "serial number of its issuer's certificate", .arg = CLIENT_CERT_ISSUER_SERIAL},
	{"cf.tls_client_auth.cert_fingerprint_sha256", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "SHA-256 of it, lower-case hex", .arg = CLIENT_CERT_SHA256},
	{"cf.tls_client_auth.cert_fingerprint_sha1", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "SHA-1 of it, lower-case hex", .arg = CLIENT_CERT_SHA1},
	{"cf.tls_client_auth.cert_not_before", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "when its validity begins", .arg = CLIENT_CERT_NOT_BEFORE},
	{"cf.tls_client_auth.cert_not_after", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "when its validity ends", .arg = CLIENT_CERT_NOT_AFTER},
	{"cf.tls_client_auth.cert_ski", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "its subject key identifier, upper-case hex", .arg = CLIENT_CERT_SKI},
	{"cf.tls_client_auth.cert_issuer_ski", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "its issuer's key identifier, upper-case hex", .arg = CLIENT_CERT_ISSUER_SKI},
	{"cf.tls_client_auth.cert_rfc9440", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "it as a value for Client-Cert", .arg = CLIENT_CERT_RFC9440},
	{"cf.tls_client_auth.cert_chain_rfc9440", TYPE_STRING, PHASE_HANDSHAKE, get_cert_text, "what came behind it as a value for Client-Cert-Chain", .arg = CLIENT_CERT_CHAIN_RFC9440},
	{"http.request.host", TYPE_STRING, PHASE_HELLO, get_host, "host asked for", GATEWAY_HOST, .again = REQUEST_AGAIN},
	{"http.conn.hostname", TYPE_STRING, PHASE_HELLO, get_host, "host asked for", GATEWAY_HOST, .again = REQUEST_AGAIN},
	{"http.request.domains", TYPE_STRINGS, PHASE_HELLO, get_host_domains, "the host and every parent", GATEWAY_HOST, .again = REQUEST_AGAIN},
	{"http.conn.domains", TYPE_STRINGS, PHASE_HELLO, get_host_domains, "the host and every parent", GATEWAY_HOST, .again = REQUEST_AGAIN},
	{"http.host", TYPE_STRING, PHASE_REQUEST, get_host, "host asked for, without port", HOST},
	{"http.request.method", TYPE_STRING, PHASE_REQUEST, get_method, "request method as sent"},
	{"http.request.version", TYPE_STRING, PHASE_REQUEST, get_version, "HTTP/1.1, HTTP/2, …"},
	{"http.request.uri", TYPE_STRING, PHASE_REQUEST, get_uri, "path and query"},
	{"http.request.uri.path_and_query", TYPE_STRING, PHASE_REQUEST, get_uri, "path and query", GATEWAY},
	{"http.request.uri.path", TYPE_STRING, PHASE_REQUEST, get_path, "path, without query"},
	{"http.request.uri.query", TYPE_STRING, PHASE_REQUEST, get_query, "query, without question mark"},
	{"http.request.full_uri", TYPE_STRING, PHASE_REQUEST, get_made, "scheme, host, path and query", .arg = MADE_FULL_URI},
	{"http.request.headers", TYPE_STRINGS_MAP, PHASE_REQUEST, get_made, "request fields by lower-case name", .arg = MADE_HEADERS},
	{"http.request.headers.names", TYPE_STRINGS, PHASE_REQUEST, get_made, "names of the request fields as sent", .arg = MADE_HEADER_NAMES},
	{"http.user_agent", TYPE_STRING, PHASE_REQUEST, get_one_header, "User-Agent", .arg = HTTP_NAME_USER_AGENT},
	{"http.referer", TYPE_STRING, PHASE_REQUEST, get_one_header, "Referer", .arg = HTTP_NAME_REFERER},
	{"http.response.code", TYPE_INT, PHASE_RESPONSE, get_status, "status of the response"},
	{"http.response.status_code", TYPE_INT, PHASE_RESPONSE, get_status, "status of the response", GATEWAY},
	{"http.response.headers", TYPE_STRINGS_MAP, PHASE_RESPONSE, get_made, "response fields by lower-case name", .arg = MADE_RESPONSE_HEADERS},
	{"cf.edge.client_tcp", TYPE_BOOL, PHASE_ACCEPT, get_forever_true, "the client came over TCP"},
	{"cf.threat_score", TYPE_INT, PHASE_REQUEST, get_zero, "always 0, as at the cloud", FIELD_CONSTANT},
	{"http.request.timestamp.sec", TYPE_INT, PHASE_REQUEST, get_seconds, "seconds since 1970, UTC"},
	{"http.request.timestamp.msec", TYPE_INT, PHASE_REQUEST, get_milliseconds, "milliseconds of that second"},
	{"app.ids", TYPE_INTS, PHASE_HELLO, get_app_ids, "applications the host belongs to (sekisho apps)", GATEWAY, .again = REQUEST_AGAIN},
	{"app.type.ids", TYPE_INTS, PHASE_HELLO, get_app_types, "types of those; 16 is the do-not-inspect group", GATEWAY, .again = REQUEST_AGAIN},
	{"ip.src.country", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "country, ISO 3166 of the client", .arg = GEO_COUNTRY},
	{"ip.src.continent", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "continent of the client", .arg = GEO_CONTINENT},
	{"ip.src.asnum", TYPE_INT, PHASE_ACCEPT, get_client_geo, "number of the network of the client", .arg = GEO_ASNUM},
	{"ip.src.city", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "city of the client", .arg = GEO_CITY},
	{"ip.src.region", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "region of the client", .arg = GEO_REGION},
	{"ip.src.region_code", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "region, ISO 3166-2 of the client", .arg = GEO_REGION_CODE},
	{"ip.src.postal_code", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "postal code of the client", .arg = GEO_POSTAL_CODE},
	{"ip.src.metro_code", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "metro code of the client", .arg = GEO_METRO_CODE},
	{"ip.src.timezone.name", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "time zone of the client", .arg = GEO_TIMEZONE},
	{"ip.src.is_in_european_union", TYPE_BOOL, PHASE_ACCEPT, get_client_geo, "the client is in the European Union", .arg = GEO_EUROPEAN_UNION},
	{"ip.geoip.is_in_european_union", TYPE_BOOL, PHASE_ACCEPT, .same = "ip.src.is_in_european_union", .help = "older name"},
	{"ip.geoip.country", TYPE_STRING, PHASE_ACCEPT, .same = "ip.src.country", .help = "older name"},
	{"ip.geoip.continent", TYPE_STRING, PHASE_ACCEPT, .same = "ip.src.continent", .help = "older name"},
	{"ip.geoip.asnum", TYPE_INT, PHASE_ACCEPT, .same = "ip.src.asnum", .help = "older name"},
	{"http.src_ip.geo.country", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "country, ISO 3166 of the client", GATEWAY, .arg = GEO_COUNTRY},
	{"http.src_ip.geo.continent", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "continent of the client", GATEWAY, .arg = GEO_CONTINENT},
	{"net.src.geo.country", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "country, ISO 3166 of the client", GATEWAY, .arg = GEO_COUNTRY},
	{"net.src.geo.continent", TYPE_STRING, PHASE_ACCEPT, get_client_geo, "continent of the client", GATEWAY, .arg = GEO_CONTINENT},
	{"http.dst_ip.geo.country", TYPE_STRING, PHASE_PEER, get_origin_geo, "country, ISO 3166 of the origin", GATEWAY, .arg = GEO_COUNTRY},
	{"http.dst_ip.geo.continent", TYPE_STRING, PHASE_PEER, get_origin_geo, "continent of the origin", GATEWAY, .arg = GEO_CONTINENT},
	{"net.dst.geo.country", TYPE_STRING, PHASE_PEER, get_origin_geo, "country, ISO 3166 of the origin", GATEWAY, .arg = GEO_COUNTRY},
	{"net.dst.geo.continent", TYPE_STRING, PHASE_PEER, get_origin_geo, "continent of the origin", GATEWAY, .arg = GEO_CONTINENT},
	{"cf.tls_ciphers_sha1", TYPE_STRING, PHASE_HELLO, get_made, "base64 of SHA-1 over the client's suites", .arg = MADE_CIPHERS_SHA1},
	{"cf.tls_client_extensions_sha1", TYPE_STRING, PHASE_HELLO, get_made, "base64 of SHA-1 over the extension types", .arg = MADE_EXTENSIONS_SHA1},
	{"cf.tls_client_extensions_sha1_le", TYPE_STRING, PHASE_HELLO, get_made, "the same in little-endian order", .arg = MADE_EXTENSIONS_SHA1_LE},
	{"cf.tls_client_random", TYPE_STRING, PHASE_HELLO, get_made, "base64 of the ClientHello's 32 random octets", .arg = MADE_HELLO_RANDOM},
	{"net.detected_protocol", TYPE_STRING, PHASE_HELLO, get_detected, "protocol by content: tls or http", GATEWAY, .again = REQUEST_AGAIN},
	{"net.protocol.detection", TYPE_STRING, PHASE_HELLO, .same = "net.detected_protocol", .help = "other name"},
	{"cf.ray_id", TYPE_STRING, PHASE_REQUEST, get_made, "id of the request, as on pages and in events", .arg = MADE_RAY_ID},
	{"cf.random_seed", TYPE_STRING, PHASE_REQUEST, get_made, "random octets, new for each request", .arg = MADE_SEED},
	{"http.cookie", TYPE_STRING, PHASE_REQUEST, get_made, "Cookie, all of it", .arg = MADE_COOKIE},
	{"http.x_forwarded_for", TYPE_STRING, PHASE_REQUEST, get_made, "X-Forwarded-For as the client sent it", .arg = MADE_FORWARDED_FOR},
	{"http.request.cookies", TYPE_STRINGS_MAP, PHASE_REQUEST, get_made, "cookies by name, the first 1,000; names are decoded", .arg = MADE_COOKIES},
	{"http.request.accepted_languages", TYPE_STRINGS, PHASE_REQUEST, get_made, "languages of Accept-Language, the most wanted first", .arg = MADE_LANGUAGES},
	{"http.request.headers.values", TYPE_STRINGS, PHASE_REQUEST, get_made, "values of the request fields", .arg = MADE_HEADER_VALUES},
	{"http.request.headers.truncated", TYPE_BOOL, PHASE_REQUEST, get_false, "never: a request with too many fields is refused", FIELD_CONSTANT},
	{"http.request.uri.args", TYPE_STRINGS_MAP, PHASE_REQUEST, get_made, "query arguments by name, not decoded, the first 1,000", .arg = MADE_ARGS},
	{"http.request.uri.args.names", TYPE_STRINGS, PHASE_REQUEST, get_made, "their names in order", .arg = MADE_ARG_NAMES},
	{"http.request.uri.args.values", TYPE_STRINGS, PHASE_REQUEST, get_made, "their values in order", .arg = MADE_ARG_VALUES},
	{"http.request.uri.path.extension", TYPE_STRING, PHASE_REQUEST, get_made, "what stands behind the last dot of the path's last part, lower case", .arg = MADE_EXTENSION},
	{"http.response.headers.names", TYPE_STRINGS, PHASE_RESPONSE, get_made, "names of the response fields", .arg = MADE_RESPONSE_NAMES},
	{"http.response.headers.values", TYPE_STRINGS, PHASE_RESPONSE, get_made, "values of the response fields", .arg = MADE_RESPONSE_VALUES},
	{"http.response.content_type.media_type", TYPE_STRING, PHASE_RESPONSE, get_made, "media type of the response, lower case, without parameters", .arg = MADE_MEDIA_TYPE},
	{"raw.http.request.full_uri", TYPE_STRING, PHASE_REQUEST, .same = "http.request.full_uri", .help = "as sent; nothing is rewritten before rules see it"},
	{"raw.http.request.uri", TYPE_STRING, PHASE_REQUEST, .same = "http.request.uri", .help = "as sent; nothing is rewritten before rules see it"},
	{"raw.http.request.uri.path", TYPE_STRING, PHASE_REQUEST, .same = "http.request.uri.path", .help = "as sent; nothing is rewritten before rules see it"},
	{"raw.http.request.uri.path.extension", TYPE_STRING, PHASE_REQUEST, .same = "http.request.uri.path.extension", .help = "as sent; nothing is rewritten before rules see it"},
	{"raw.http.request.uri.query", TYPE_STRING, PHASE_REQUEST, .same = "http.request.uri.query", .help = "as sent; nothing is rewritten before rules see it"},
	{"raw.http.request.uri.args", TYPE_STRINGS_MAP, PHASE_REQUEST, .same = "http.request.uri.args", .help = "as sent; nothing is rewritten before rules see it"},
	{"raw.http.request.uri.args.names", TYPE_STRINGS, PHASE_REQUEST, .same = "http.request.uri.args.names", .help = "as sent; nothing is rewritten before rules see it"},
	{"raw.http.request.uri.args.values", TYPE_STRINGS, PHASE_REQUEST, .same = "http.request.uri.args.values", .help = "as sent; nothing is rewritten before rules see it"},
	{"raw.http.request.headers", TYPE_STRINGS_MAP, PHASE_REQUEST, .same = "http.request.headers", .help = "as sent; nothing is rewritten before rules see it"},
	{"raw.http.request.headers.names", TYPE_STRINGS, PHASE_REQUEST, .same = "http.request.headers.names", .help = "as sent; nothing is rewritten before rules see it"},
	{"raw.http.request.headers.values", TYPE_STRINGS, PHASE_REQUEST, .same = "http.request.headers.values", .help = "as sent; nothing is rewritten before rules see it"},
	{"http.request.categories", TYPE_STRINGS, PHASE_HELLO, get_category_names, "names of the categories the host is in", .again = REQUEST_AGAIN},
	{"http.request.uri.content_category", TYPE_INTS, PHASE_HELLO, get_category, "numbers of the content categories the host is in", GATEWAY, .arg = CATEGORY_CONTENT, .again = REQUEST_AGAIN},
	{"http.request.uri.security_category", TYPE_INTS, PHASE_HELLO, get_category, "numbers of the security categories the host is in", GATEWAY, .arg = CATEGORY_SECURITY, .again = REQUEST_AGAIN},
	{"http.conn.content_category", TYPE_INTS, PHASE_HELLO, get_category, "numbers of the content categories the host is in", GATEWAY, .arg = CATEGORY_CONTENT, .again = REQUEST_AGAIN},
	{"http.conn.security_category", TYPE_INTS, PHASE_HELLO, get_category, "numbers of the security categories the host is in", GATEWAY, .arg = CATEGORY_SECURITY, .again = REQUEST_AGAIN},
	{"net.fqdn.content_category", TYPE_INTS, PHASE_HELLO, get_category, "numbers of the content categories the host is in", GATEWAY, .arg = CATEGORY_CONTENT, .again = REQUEST_AGAIN},
	{"net.fqdn.security_category", TYPE_INTS, PHASE_HELLO, get_category, "numbers of the security categories the host is in", GATEWAY, .arg = CATEGORY_SECURITY, .again = REQUEST_AGAIN},
#define LATER(name, type, phase, help) {name, type, phase, get_nothing, help, FIELD_UNFILLED},
#include "fact/vocab_list.h"
#undef LATER
};
// clang-format on
const size_t vocab_count = COUNT_OF(vocab_fields);
