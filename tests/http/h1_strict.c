// SPDX-License-Identifier: Apache-2.0
/*
 * What the HTTP/1 reader must refuse, and as what: the smuggling corpus. To add a case,
 * add a row; the text between the start line and the body is what varies.
 */
#include "tests/http/h1_play.h"
#include "tests/test.h"

#define POST   "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKS POST "Transfer-Encoding: chunked\r\n\r\n"
#define OK     "HTTP/1.1 200 OK\r\n"
#define C100                                                                           \
	"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" \
	"cccccccc"

// clang-format off
static const struct {
	const char *why;
	enum h1_role role;
	struct span in;
	enum err_code code;
} refused[] = {
	/* RFC 9112 §6.1, §6.3: framing */
	{"CL beside TE", H1_REQUESTS, SPAN_INIT(POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), ERR_HTTP_FRAMING},
	{"TE before CL", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"), ERR_HTTP_FRAMING},
	{"TE beside CL: 0", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL twice, different", H1_REQUESTS, SPAN_INIT(POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL twice, same", H1_REQUESTS, SPAN_INIT(POST "Content-Length: 1\r\ncontent-length: 1\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL list", H1_REQUESTS, SPAN_INIT(POST "Content-Length: 1, 1\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL empty", H1_REQUESTS, SPAN_INIT(POST "Content-Length:\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL with plus", H1_REQUESTS, SPAN_INIT(POST "Content-Length: +1\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL with minus", H1_REQUESTS, SPAN_INIT(POST "Content-Length: -1\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL in hex", H1_REQUESTS, SPAN_INIT(POST "Content-Length: 0x1\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL with point", H1_REQUESTS, SPAN_INIT(POST "Content-Length: 1.0\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL with blank inside", H1_REQUESTS, SPAN_INIT(POST "Content-Length: 1 2\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL overflows 64 bits", H1_REQUESTS, SPAN_INIT(POST "Content-Length: 18446744073709551617\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CL overflows 63 bits", H1_REQUESTS, SPAN_INIT(POST "Content-Length: 9223372036854775808\r\n\r\n"), ERR_HTTP_FRAMING},
	{"TE twice", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), ERR_HTTP_FRAMING},
	{"TE identity", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding: identity\r\n\r\n"), ERR_HTTP_CODING},
	{"TE gzip, chunked", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), ERR_HTTP_CODING},
	{"TE chunked, identity", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding: chunked, identity\r\n\r\n"), ERR_HTTP_CODING},
	{"TE xchunked", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding: xchunked\r\n\r\n"), ERR_HTTP_CODING},
	{"TE quoted", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding: \"chunked\"\r\n\r\n"), ERR_HTTP_CODING},
	{"TE with parameter", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding: chunked;x\r\n\r\n"), ERR_HTTP_CODING},
	{"TE empty", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding:\r\n\r\n"), ERR_HTTP_CODING},
	{"TE with vertical tab", H1_REQUESTS, SPAN_INIT(POST "Transfer-Encoding: \x0b" "chunked\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"TE in HTTP/1.0", H1_REQUESTS, SPAN_INIT("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), ERR_HTTP_FRAMING},
	{"CONNECT with a body", H1_REQUESTS, SPAN_INIT("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 1\r\n\r\n"), ERR_HTTP_FRAMING},
	{"response: CL beside TE", H1_RESPONSES, SPAN_INIT(OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), ERR_HTTP_FRAMING},
	{"response: CL list", H1_RESPONSES, SPAN_INIT(OK "Content-Length: 1,1\r\n\r\n"), ERR_HTTP_FRAMING},
	{"response: TE gzip", H1_RESPONSES, SPAN_INIT(OK "Transfer-Encoding: gzip\r\n\r\n"), ERR_HTTP_CODING},
	{"response: TE in HTTP/1.0", H1_RESPONSES, SPAN_INIT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), ERR_HTTP_FRAMING},

	/* RFC 9112 §7.1: chunks */
	{"chunk size empty", H1_REQUESTS, SPAN_INIT(CHUNKS "\r\n"), ERR_HTTP_FRAMING},
	{"chunk size with plus", H1_REQUESTS, SPAN_INIT(CHUNKS "+1\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk size with minus", H1_REQUESTS, SPAN_INIT(CHUNKS "-1\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk size with 0x", H1_REQUESTS, SPAN_INIT(CHUNKS "0x1\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk size with blank before", H1_REQUESTS, SPAN_INIT(CHUNKS " 1\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk size with blank behind", H1_REQUESTS, SPAN_INIT(CHUNKS "1 \r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk size with blank before extension", H1_REQUESTS, SPAN_INIT(CHUNKS "1 ;x\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk size overflows", H1_REQUESTS, SPAN_INIT(CHUNKS "10000000000000001\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk size of zeros", H1_REQUESTS, SPAN_INIT(CHUNKS "0000000000000001\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk size in decimal with point", H1_REQUESTS, SPAN_INIT(CHUNKS "1.\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk size with underscore", H1_REQUESTS, SPAN_INIT(CHUNKS "1_0\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk size ends in LF", H1_REQUESTS, SPAN_INIT(CHUNKS "1\na\r\n"), ERR_HTTP_SYNTAX},
	{"chunk extension with LF", H1_REQUESTS, SPAN_INIT(CHUNKS "1;\na\r\n"), ERR_HTTP_SYNTAX},
	{"chunk extension with CR", H1_REQUESTS, SPAN_INIT(CHUNKS "1;a\rb\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk extension with NUL", H1_REQUESTS, SPAN_INIT(CHUNKS "1;a\0b\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk extension too long", H1_REQUESTS, SPAN_INIT(CHUNKS "1;" C100 C100 C100 C100 "\r\na\r\n"), ERR_HTTP_FRAMING},
	{"chunk longer than its size", H1_REQUESTS, SPAN_INIT(CHUNKS "1\r\nab\r\n0\r\n\r\n"), ERR_HTTP_FRAMING},
	{"chunk data ends in LF", H1_REQUESTS, SPAN_INIT(CHUNKS "1\r\na\n0\r\n\r\n"), ERR_HTTP_FRAMING},
	{"chunk data ends in CR X", H1_REQUESTS, SPAN_INIT(CHUNKS "1\r\na\rX0\r\n\r\n"), ERR_HTTP_FRAMING},
	{"trailer Content-Length", H1_REQUESTS, SPAN_INIT(CHUNKS "0\r\nContent-Length: 1\r\n\r\n"), ERR_HTTP_FRAMING},
	{"trailer Transfer-Encoding", H1_REQUESTS, SPAN_INIT(CHUNKS "0\r\nTransfer-Encoding: chunked\r\n\r\n"), ERR_HTTP_FRAMING},
	{"trailer Host", H1_REQUESTS, SPAN_INIT(CHUNKS "0\r\nHost: b\r\n\r\n"), ERR_HTTP_FRAMING},
	{"trailer Authorization", H1_REQUESTS, SPAN_INIT(CHUNKS "0\r\nauthorization: b\r\n\r\n"), ERR_HTTP_FRAMING},
	{"trailer Set-Cookie", H1_RESPONSES, SPAN_INIT(OK "Transfer-Encoding: chunked\r\n\r\n0\r\nSet-Cookie: b\r\n\r\n"), ERR_HTTP_FRAMING},
	{"trailer folded", H1_REQUESTS, SPAN_INIT(CHUNKS "0\r\nA: b\r\n c\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"trailer ends in LF", H1_REQUESTS, SPAN_INIT(CHUNKS "0\r\nA: b\n\r\n"), ERR_HTTP_SYNTAX},

	/* RFC 9112 §2.2, §5: lines and fields */
	{"LF alone after the start line", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.1\nHost: a\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"LF alone after a field", H1_REQUESTS, SPAN_INIT(POST "A: b\n\r\n"), ERR_HTTP_SYNTAX},
	{"LF alone ends the head", H1_REQUESTS, SPAN_INIT(POST "\n"), ERR_HTTP_SYNTAX},
	{"CR alone in a value", H1_REQUESTS, SPAN_INIT(POST "A: b\rC: d\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"CR CR LF", H1_REQUESTS, SPAN_INIT(POST "A: b\r\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"CR alone in a name", H1_REQUESTS, SPAN_INIT(POST "A\r: b\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"NUL in a value", H1_REQUESTS, SPAN_INIT(POST "A: b\0c\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"DEL in a value", H1_REQUESTS, SPAN_INIT(POST "A: b\x7f\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"control octet in a value", H1_REQUESTS, SPAN_INIT(POST "A: b\x01\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"blank before the colon", H1_REQUESTS, SPAN_INIT(POST "A : b\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"tab before the colon", H1_REQUESTS, SPAN_INIT(POST "Content-Length\t: 1\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"field without a colon", H1_REQUESTS, SPAN_INIT(POST "A b\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"field without a name", H1_REQUESTS, SPAN_INIT(POST ": b\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"name in quotes", H1_REQUESTS, SPAN_INIT(POST "\"A\": b\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"name with high octet", H1_REQUESTS, SPAN_INIT(POST "A\xe9: b\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"folding with a blank", H1_REQUESTS, SPAN_INIT(POST "A: b\r\n c\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"folding with a tab", H1_REQUESTS, SPAN_INIT(POST "A: b\r\n\tc\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"blank before the first field", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"response: folding", H1_RESPONSES, SPAN_INIT(OK "A: b\r\n c\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"response: blank before the colon", H1_RESPONSES, SPAN_INIT(OK "Content-Length : 1\r\n\r\n"), ERR_HTTP_SYNTAX},

	/* RFC 9112 §3: start lines */
	{"two empty lines first", H1_REQUESTS, SPAN_INIT("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"two blanks", H1_REQUESTS, SPAN_INIT("GET  / HTTP/1.1\r\n"), ERR_HTTP_SYNTAX},
	{"blank behind the version", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.1 \r\n"), ERR_HTTP_SYNTAX},
	{"blank before the method", H1_REQUESTS, SPAN_INIT(" GET / HTTP/1.1\r\n"), ERR_HTTP_SYNTAX},
	{"tab between the parts", H1_REQUESTS, SPAN_INIT("GET\t/ HTTP/1.1\r\n"), ERR_HTTP_SYNTAX},
	{"blank in the target", H1_REQUESTS, SPAN_INIT("GET /a b HTTP/1.1\r\n"), ERR_HTTP_SYNTAX},
	{"no version", H1_REQUESTS, SPAN_INIT("GET /\r\n"), ERR_HTTP_SYNTAX},
	{"HTTP/0.9 version", H1_REQUESTS, SPAN_INIT("GET / HTTP/0.9\r\n"), ERR_HTTP_VERSION},
	{"HTTP/2.0 preface", H1_REQUESTS, SPAN_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ERR_HTTP_VERSION},
	{"HTTP/1.2", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.2\r\n"), ERR_HTTP_VERSION},
	{"HTTP/1.10", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.10\r\n"), ERR_HTTP_SYNTAX},
	{"lower case version", H1_REQUESTS, SPAN_INIT("GET / http/1.1\r\n"), ERR_HTTP_SYNTAX},
	{"method with slash", H1_REQUESTS, SPAN_INIT("G/T / HTTP/1.1\r\n"), ERR_HTTP_SYNTAX},
	{"target empty", H1_REQUESTS, SPAN_INIT("GET  HTTP/1.1\r\n"), ERR_HTTP_TARGET},
	{"target with fragment", H1_REQUESTS, SPAN_INIT("GET /a#b HTTP/1.1\r\n"), ERR_HTTP_TARGET},
	{"target with high octet", H1_REQUESTS, SPAN_INIT("GET /\xc3\xa4 HTTP/1.1\r\n"), ERR_HTTP_TARGET},
	{"target with tab", H1_REQUESTS, SPAN_INIT("GET /\t HTTP/1.1\r\n"), ERR_HTTP_TARGET},
	{"target without slash", H1_REQUESTS, SPAN_INIT("GET a HTTP/1.1\r\n"), ERR_HTTP_TARGET},
	{"asterisk with GET", H1_REQUESTS, SPAN_INIT("GET * HTTP/1.1\r\n"), ERR_HTTP_TARGET},
	{"CONNECT without port", H1_REQUESTS, SPAN_INIT("CONNECT a HTTP/1.1\r\n"), ERR_HTTP_TARGET},
	{"CONNECT with path", H1_REQUESTS, SPAN_INIT("CONNECT /a HTTP/1.1\r\n"), ERR_HTTP_HOST},
	{"status of two digits", H1_RESPONSES, SPAN_INIT("HTTP/1.1 20 OK\r\n"), ERR_HTTP_SYNTAX},
	{"status of four digits", H1_RESPONSES, SPAN_INIT("HTTP/1.1 2000 OK\r\n"), ERR_HTTP_SYNTAX},
	{"status below 100", H1_RESPONSES, SPAN_INIT("HTTP/1.1 099 OK\r\n"), ERR_HTTP_SYNTAX},
	{"status with letters", H1_RESPONSES, SPAN_INIT("HTTP/1.1 2xx OK\r\n"), ERR_HTTP_SYNTAX},
	{"status behind two blanks", H1_RESPONSES, SPAN_INIT("HTTP/1.1  200 OK\r\n"), ERR_HTTP_SYNTAX},
	{"reason with control octet", H1_RESPONSES, SPAN_INIT("HTTP/1.1 200 O\x01K\r\n"), ERR_HTTP_SYNTAX},
	{"not HTTP at all", H1_RESPONSES, SPAN_INIT("ICY 200 OK\r\n"), ERR_HTTP_SYNTAX},
	{"response version 2.0", H1_RESPONSES, SPAN_INIT("HTTP/2.0 200 OK\r\n"), ERR_HTTP_VERSION},
	{"empty line before a response", H1_RESPONSES, SPAN_INIT("\r\nHTTP/1.1 200 OK\r\n"), ERR_HTTP_SYNTAX},
	{"101 unasked", H1_RESPONSES, SPAN_INIT("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"), ERR_HTTP_UNASKED},

	/* RFC 9112 §3.2: Host */
	{"no Host", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.1\r\n\r\n"), ERR_HTTP_HOST},
	{"no Host in absolute form", H1_REQUESTS, SPAN_INIT("GET http://a/ HTTP/1.1\r\n\r\n"), ERR_HTTP_HOST},
	{"Host twice", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), ERR_HTTP_HOST},
	{"Host empty", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.1\r\nHost:\r\n\r\n"), ERR_HTTP_HOST},
	{"Host list", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), ERR_HTTP_HOST},
	{"Host with userinfo", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.1\r\nHost: x@a\r\n\r\n"), ERR_HTTP_HOST},
	{"Host with path", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), ERR_HTTP_HOST},
	{"Host other than the target", H1_REQUESTS, SPAN_INIT("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"), ERR_HTTP_HOST},
	{"Host with other port", H1_REQUESTS, SPAN_INIT("GET http://a/ HTTP/1.1\r\nHost: a:81\r\n\r\n"), ERR_HTTP_HOST},
	{"CONNECT with a Host that is none", H1_REQUESTS, SPAN_INIT("CONNECT a:443 HTTP/1.1\r\nHost: b c\r\n\r\n"), ERR_HTTP_HOST},
	{"Host twice in HTTP/1.0", H1_REQUESTS, SPAN_INIT("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), ERR_HTTP_HOST},

	/* RFC 9110 §7.6.1, §7.8 */
	{"Connection lists no token", H1_REQUESTS, SPAN_INIT(POST "Connection: a b\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"Upgrade twice", H1_REQUESTS, SPAN_INIT(POST "Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"Upgrade to nothing", H1_REQUESTS, SPAN_INIT(POST "Connection: upgrade\r\nUpgrade:\r\n\r\n"), ERR_HTTP_SYNTAX},
	{"Connection with 40 names", H1_REQUESTS, SPAN_INIT(POST "Connection: a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a\r\n\r\n"), ERR_HTTP_TOO_LARGE},
};
// clang-format on

static void
check_refused(size_t i, size_t piece)
{
	struct h1_play p = {.role = refused[i].role, .asked = HTTP_GET, .piece = piece};
	struct span said = span_str(h1_play(&p, refused[i].in));

	if (!span_ends(said, SPAN("FAILED")) || p.err.code != refused[i].code)
		print_error("%s: %s: %s %s\n", refused[i].why, p.said,
			err_id(p.err.code), p.err.text);
	CHECK(span_ends(said, SPAN("FAILED")));
	CHECK_INT(p.err.code, refused[i].code);
}

static void
what_two_readers_could_read_differently_is_refused(void)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		check_refused(i, 0);
}

static void
segments_do_not_help_to_get_it_through(void)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		check_refused(i, 1);
		check_refused(i, 5);
	}
}

TESTS(what_two_readers_could_read_differently_is_refused,
	segments_do_not_help_to_get_it_through)
