// SPDX-License-Identifier: Apache-2.0
/*
 * name: the words of HTTP, and which octets may stand in them.
 *
 * Every field of every message is looked up here once, so the lookup goes by length
 * first: there are at most six names of one length.
 */
#include <string.h>

#include "http/msg.h"

#define HOP      HTTP_HOP
#define GUARD    HTTP_GUARD
#define NO_TRAIL HTTP_NO_TRAIL

static const struct {
	struct span text;
	unsigned flags;
} names[HTTP_NAME_COUNT + 1] = {
	{{NULL, 0}, 0},
#define NAME(id, text, flags) {SPAN_INIT(text), flags},
#include "http/name_list.h"
#undef NAME
	{{NULL, 0}, 0},
};

/* The first name of each length that occurs; 0 where there is none. */
static const uint8_t starts[] = {
	[2] = HTTP_NAME_TE,
	[3] = HTTP_NAME_VIA,
	[4] = HTTP_NAME_HOST,
	[5] = HTTP_NAME_RANGE,
	[6] = HTTP_NAME_EXPECT,
	[7] = HTTP_NAME_UPGRADE,
	[8] = HTTP_NAME_PRIORITY,
	[9] = HTTP_NAME_FORWARDED,
	[10] = HTTP_NAME_CONNECTION,
	[11] = HTTP_NAME_CLIENT_CERT,
	[12] = HTTP_NAME_MAX_FORWARDS,
	[13] = HTTP_NAME_AUTHORIZATION,
	[14] = HTTP_NAME_HTTP2_SETTINGS,
	[15] = HTTP_NAME_X_FORWARDED_FOR,
	[16] = HTTP_NAME_PROXY_CONNECTION,
	[17] = HTTP_NAME_TRANSFER_ENCODING,
	[18] = HTTP_NAME_PROXY_AUTHENTICATE,
	[19] = HTTP_NAME_PROXY_AUTHORIZATION,
	[20] = HTTP_NAME_SEC_WEBSOCKET_ACCEPT,
	[21] = HTTP_NAME_SEC_WEBSOCKET_VERSION,
	[23] = HTTP_NAME_CONTENT_SECURITY_POLICY,
	[25] = HTTP_NAME_PROXY_AUTHENTICATION_INFO,
};

enum http_name
http_name_find(struct span name)
{
	if (name.n >= COUNT_OF(starts) || starts[name.n] == 0)
		return HTTP_NAME_OTHER;

	uint8_t first = ascii_lower(name.p[0]);
	uint8_t last = ascii_lower(name.p[name.n - 1]);
	for (unsigned i = starts[name.n]; names[i].text.n == name.n; i++) {
		const uint8_t *p = names[i].text.p;
		if (p[0] == first && p[name.n - 1] == last &&
			span_eq_nocase(names[i].text, name))
			return (enum http_name)i;
	}
	return HTTP_NAME_OTHER;
}

struct span
http_name_text(enum http_name id)
{
	return names[id].text;
}

unsigned
http_name_flags(enum http_name id)
{
	return names[id].flags;
}

static const struct {
	struct span text;
	bool repeats; /* RFC 9110 §9.2.2 */
} methods[] = {
	[HTTP_OTHER] = {SPAN_INIT(""), false},
	[HTTP_GET] = {SPAN_INIT("GET"), true},
	[HTTP_HEAD] = {SPAN_INIT("HEAD"), true},
	[HTTP_POST] = {SPAN_INIT("POST"), false},
	[HTTP_PUT] = {SPAN_INIT("PUT"), true},
	[HTTP_DELETE] = {SPAN_INIT("DELETE"), true},
	[HTTP_CONNECT] = {SPAN_INIT("CONNECT"), false},
	[HTTP_OPTIONS] = {SPAN_INIT("OPTIONS"), true},
	[HTTP_TRACE] = {SPAN_INIT("TRACE"), true},
	[HTTP_PATCH] = {SPAN_INIT("PATCH"), false},
};

enum http_method
http_method_find(struct span name)
{
	for (unsigned i = HTTP_GET; i < COUNT_OF(methods); i++) {
		if (span_eq(methods[i].text, name))
			return (enum http_method)i;
	}
	return HTTP_OTHER;
}

struct span
http_method_text(enum http_method m)
{
	return methods[m].text;
}

bool
http_method_repeats(enum http_method m)
{
	return methods[m].repeats;
}

const char *
http_version_text(enum http_version v)
{
	static const char *const texts[] = {"", "HTTP/1.0", "HTTP/1.1", "HTTP/2"};
	return texts[v];
}

/* IANA HTTP Status Code Registry, sorted. */
static const struct {
	unsigned status;
	struct span text;
} reasons[] = {
	{100, SPAN_INIT("Continue")},
	{101, SPAN_INIT("Switching Protocols")},
	{102, SPAN_INIT("Processing")},
	{103, SPAN_INIT("Early Hints")},
	{200, SPAN_INIT("OK")},
	{201, SPAN_INIT("Created")},
	{202, SPAN_INIT("Accepted")},
	{203, SPAN_INIT("Non-Authoritative Information")},
	{204, SPAN_INIT("No Content")},
	{205, SPAN_INIT("Reset Content")},
	{206, SPAN_INIT("Partial Content")},
	{207, SPAN_INIT("Multi-Status")},
	{208, SPAN_INIT("Already Reported")},
	{226, SPAN_INIT("IM Used")},
	{300, SPAN_INIT("Multiple Choices")},
	{301, SPAN_INIT("Moved Permanently")},
	{302, SPAN_INIT("Found")},
	{303, SPAN_INIT("See Other")},
	{304, SPAN_INIT("Not Modified")},
	{307, SPAN_INIT("Temporary Redirect")},
	{308, SPAN_INIT("Permanent Redirect")},
	{400, SPAN_INIT("Bad Request")},
	{401, SPAN_INIT("Unauthorized")},
	{402, SPAN_INIT("Payment Required")},
	{403, SPAN_INIT("Forbidden")},
	{404, SPAN_INIT("Not Found")},
	{405, SPAN_INIT("Method Not Allowed")},
	{406, SPAN_INIT("Not Acceptable")},
	{407, SPAN_INIT("Proxy Authentication Required")},
	{408, SPAN_INIT("Request Timeout")},
	{409, SPAN_INIT("Conflict")},
	{410, SPAN_INIT("Gone")},
	{411, SPAN_INIT("Length Required")},
	{412, SPAN_INIT("Precondition Failed")},
	{413, SPAN_INIT("Content Too Large")},
	{414, SPAN_INIT("URI Too Long")},
	{415, SPAN_INIT("Unsupported Media Type")},
	{416, SPAN_INIT("Range Not Satisfiable")},
	{417, SPAN_INIT("Expectation Failed")},
	{421, SPAN_INIT("Misdirected Request")},
	{422, SPAN_INIT("Unprocessable Content")},
	{423, SPAN_INIT("Locked")},
	{424, SPAN_INIT("Failed Dependency")},
	{425, SPAN_INIT("Too Early")},
	{426, SPAN_INIT("Upgrade Required")},
	{428, SPAN_INIT("Precondition Required")},
	{429, SPAN_INIT("Too Many Requests")},
	{431, SPAN_INIT("Request Header Fields Too Large")},
	{451, SPAN_INIT("Unavailable For Legal Reasons")},
	{500, SPAN_INIT("Internal Server Error")},
	{501, SPAN_INIT("Not Implemented")},
	{502, SPAN_INIT("Bad Gateway")},
	{503, SPAN_INIT("Service Unavailable")},
	{504, SPAN_INIT("Gateway Timeout")},
	{505, SPAN_INIT("HTTP Version Not Supported")},
	{506, SPAN_INIT("Variant Also Negotiates")},
	{507, SPAN_INIT("Insufficient Storage")},
	{508, SPAN_INIT("Loop Detected")},
	{511, SPAN_INIT("Network Authentication Required")},
};

struct span
http_reason(unsigned status)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return SPAN("");
}

unsigned
http_error_status(enum err_code code)
{
	switch ((int)code) {
	case ERR_HTTP_TARGET_TOO_LONG:
		return 414;
	case ERR_HTTP_TOO_LARGE:
		return 431;
	case ERR_HTTP_CODING:
		return 501;
	case ERR_HTTP_VERSION:
		return 505;
	default: /* of the other codes those that a request can cause */
		return 400;
	}
}

// clang-format off
/* RFC 9110 §5.6.2 tchar. */
static const uint8_t tchar[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,
	0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0,
};
// clang-format on

bool
http_is_token(struct span s)
{
	uint8_t all = 1;

	for (size_t i = 0; i < s.n; i++)
		all &= tchar[s.p[i]];
	return s.n > 0 && all;
}

static bool
is_value_slow(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f)
			return false;
	}
	return true;
}

/* Eight octets at a time: a word with an octet below 0x20, or with 0x7f, is looked at
 * again octet by octet, since the tab is allowed. */
bool
http_is_value(struct span s)
{
	const uint64_t ones = 0x0101010101010101U;
	const uint64_t tops = 0x8080808080808080U;
	size_t i = 0;

	for (; i + 8 <= s.n; i += 8) {
		uint64_t w = 0;
		memcpy(&w, s.p + i, 8);
		uint64_t low = (w - ones * 0x20) & ~w;
		uint64_t x = w ^ (ones * 0x7f);
		uint64_t del = (x - ones) & ~x;
		if (((low | del) & tops) != 0 && !is_value_slow(s.p + i, 8))
			return false;
	}
	return s.n == i || is_value_slow(s.p + i, s.n - i);
}
