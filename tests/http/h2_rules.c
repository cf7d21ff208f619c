// SPDX-License-Identifier: Apache-2.0
/*
 * RFC 9113, rule by rule: what a peer must not do, and how it is told. Frame by frame,
 * as a client of our server side and as a server of our client side. To add a case, add
 * a row: up to three frames, and the answer.
 */
#include "base/mem.h"
#include "http/h2.h"
#include "tests/http/h2_frames.h"

enum answer {
	FINE,   /* neither stream nor connection is hurt */
	STREAM, /* RST_STREAM with the code; the connection lives */
	WHOLE,  /* GOAWAY with the code */
	EITHER, /* one of both, with the code */
};

enum {
	PROTOCOL = 1,
	FLOW = 3,
	STREAM_CLOSED = 5,
	SIZE = 6,
	REFUSED = 7,
	COMPRESSION = 9
};

struct frame {
	uint8_t type;
	uint8_t flags;
	uint32_t id;
	struct span body;
};

struct rule {
	const char *section;
	const char *what;
	enum answer answer;
	uint32_t code;
	struct frame frames[3]; /* those with an id or a body or a type are sent */
};

/* HPACK: :method GET, :scheme https, :path /, :authority a.example */
#define GET                    \
	"\x82\x87\x84\x41\x09" \
	"a.example"
#define POST                   \
	"\x83\x87\x84\x41\x09" \
	"a.example"
#define OK_200                       "\x88"
/* A literal field: lengths of name and value are octets. */
#define LITERAL(nl, name, vl, value) "\x00" nl name vl value
#define H(b)                         SPAN_INIT(b)
#define ASK                                                        \
	{                                                          \
		FRAME_HEADERS, END_HEADERS | END_STREAM, 1, H(GET) \
	}
#define ASK_OPEN                                       \
	{                                              \
		FRAME_HEADERS, END_HEADERS, 1, H(POST) \
	}
#define HEAD(b)                                                  \
	{                                                        \
		FRAME_HEADERS, END_HEADERS | END_STREAM, 1, H(b) \
	}
#define HEAD_OPEN(b)                                \
	{                                           \
		FRAME_HEADERS, END_HEADERS, 1, H(b) \
	}

// clang-format off
static const struct rule towards_server[] = {
	{"3.4", "a request", FINE, 0, {ASK}},
	{"4.1", "frames of unknown type are ignored", FINE, 0, {{0x42, 0xff, 1, H("abc")}, ASK}},
	{"4.1", "the reserved bit is ignored", FINE, 0, {{FRAME_HEADERS, END_HEADERS | END_STREAM, 0x80000001, H(GET)}}},
	{"4.3", "a block that does not decompress", WHOLE, COMPRESSION, {HEAD("\xff\xff\xff\xff\xff\xff\xff\xff")}},
	{"4.3", "an index out of the table", WHOLE, COMPRESSION, {HEAD(GET "\xfe")}},
	{"4.3", "a table size over the limit", WHOLE, COMPRESSION, {HEAD("\x3f\xff\xff\x03" GET)}},
	{"5.1", "DATA on an idle stream", WHOLE, PROTOCOL, {{FRAME_DATA, 0, 1, H("abc")}}},
	{"5.1", "RST_STREAM on an idle stream", WHOLE, PROTOCOL, {{FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}}},
	{"5.1", "WINDOW_UPDATE on an idle stream", WHOLE, PROTOCOL, {{FRAME_WINDOW_UPDATE, 0, 1, H("\0\0\0\x08")}}},
	{"5.1", "CONTINUATION on an idle stream", WHOLE, PROTOCOL, {{FRAME_CONTINUATION, END_HEADERS, 1, H(GET)}}},
	{"5.1", "DATA on a half-closed stream", EITHER, STREAM_CLOSED, {ASK, {FRAME_DATA, END_STREAM, 1, H("abc")}}},
	{"5.1", "HEADERS on a half-closed stream", EITHER, STREAM_CLOSED, {ASK, ASK}},
	{"5.1", "CONTINUATION on a half-closed stream", WHOLE, PROTOCOL, {ASK, {FRAME_CONTINUATION, END_HEADERS, 1, H(GET)}}},
	{"5.1", "DATA on a closed stream", EITHER, STREAM_CLOSED, {ASK_OPEN, {FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}, {FRAME_DATA, END_STREAM, 1, H("abc")}}},
	{"5.1", "HEADERS behind one's own RST_STREAM", STREAM, STREAM_CLOSED, {ASK_OPEN, {FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}, ASK}},
	{"5.1", "PRIORITY on an idle stream", FINE, 0, {{FRAME_PRIORITY, 0, 3, H("\0\0\0\0\x10")}}},
	{"5.1", "WINDOW_UPDATE on a half-closed stream", FINE, 0, {ASK, {FRAME_WINDOW_UPDATE, 0, 1, H("\0\0\0\x08")}}},
	{"5.1.1", "an even stream", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_HEADERS | END_STREAM, 2, H(GET)}}},
	{"5.1.1", "a lower stream than before", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_HEADERS | END_STREAM, 5, H(GET)}, {FRAME_HEADERS, END_HEADERS | END_STREAM, 3, H(GET)}}},
	{"5.3.1 of 7540", "HEADERS that depend on themselves", EITHER, PROTOCOL, {{FRAME_HEADERS, END_HEADERS | PRIORITY, 1, H("\0\0\0\x01\x10" GET)}}},
	{"5.3.1 of 7540", "PRIORITY that depends on itself", EITHER, PROTOCOL, {{FRAME_PRIORITY, 0, 1, H("\0\0\0\x01\x10")}}},
	{"6.1", "DATA on stream 0", WHOLE, PROTOCOL, {{FRAME_DATA, 0, 0, H("abc")}}},
	{"6.1", "DATA with too much padding", WHOLE, PROTOCOL, {ASK_OPEN, {FRAME_DATA, END_STREAM | PADDED, 1, H("\x05" "abc")}}},
	{"6.1", "DATA with padding", FINE, 0, {ASK_OPEN, {FRAME_DATA, END_STREAM | PADDED, 1, H("\x02" "abc\0\0")}}},
	{"6.2", "HEADERS on stream 0", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_HEADERS, 0, H(GET)}}},
	{"6.2", "HEADERS with too much padding", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_HEADERS | PADDED, 1, H("\x20" GET)}}},
	{"6.2", "HEADERS interrupted by DATA", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(GET)}, {FRAME_DATA, 0, 1, H("abc")}}},
	{"6.2", "HEADERS interrupted by PING", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(GET)}, {FRAME_PING, 0, 0, H("12345678")}}},
	{"6.2", "HEADERS interrupted by an unknown frame", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(GET)}, {0x42, 0, 1, H("")}}},
	{"6.2", "HEADERS interrupted by HEADERS of another stream", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(GET)}, {FRAME_HEADERS, END_HEADERS, 3, H(GET)}}},
	{"6.2", "HEADERS that are too short for their priority", WHOLE, SIZE, {{FRAME_HEADERS, END_HEADERS | PRIORITY, 1, H("\0\0\0")}}},
	{"6.3", "PRIORITY on stream 0", WHOLE, PROTOCOL, {{FRAME_PRIORITY, 0, 0, H("\0\0\0\0\x10")}}},
	{"6.3", "PRIORITY of a wrong size", EITHER, SIZE, {ASK_OPEN, {FRAME_PRIORITY, 0, 1, H("\0\0\0\0")}}},
	{"6.4", "RST_STREAM on stream 0", WHOLE, PROTOCOL, {{FRAME_RST_STREAM, 0, 0, H("\0\0\0\x08")}}},
	{"6.4", "RST_STREAM of a wrong size", WHOLE, SIZE, {ASK_OPEN, {FRAME_RST_STREAM, 0, 1, H("\0\0\x08")}}},
	{"6.5", "SETTINGS acknowledged with a payload", WHOLE, SIZE, {{FRAME_SETTINGS, ACK, 0, H("\0\0\0\0\0\0")}}},
	{"6.5", "SETTINGS on a stream", WHOLE, PROTOCOL, {{FRAME_SETTINGS, 0, 1, H("")}}},
	{"6.5", "SETTINGS of a wrong size", WHOLE, SIZE, {{FRAME_SETTINGS, 0, 0, H("\0\0\0")}}},
	{"6.5.2", "ENABLE_PUSH of 2", WHOLE, PROTOCOL, {{FRAME_SETTINGS, 0, 0, H("\0\x02\0\0\0\x02")}}},
	{"6.5.2", "a window over 2^31-1", WHOLE, FLOW, {{FRAME_SETTINGS, 0, 0, H("\0\x04\x80\0\0\0")}}},
	{"6.5.2", "a frame size under 16384", WHOLE, PROTOCOL, {{FRAME_SETTINGS, 0, 0, H("\0\x05\0\0\x3f\xff")}}},
	{"6.5.2", "a frame size over 2^24-1", WHOLE, PROTOCOL, {{FRAME_SETTINGS, 0, 0, H("\0\x05\x01\0\0\0")}}},
	{"6.5.2", "unknown settings are ignored", FINE, 0, {{FRAME_SETTINGS, 0, 0, H("\x42\x42\0\0\0\x01")}, ASK}},
	{"6.6", "PUSH_PROMISE from a client", WHOLE, PROTOCOL, {ASK_OPEN, {FRAME_PUSH_PROMISE, END_HEADERS, 1, H("\0\0\0\x02" GET)}}},
	{"6.7", "PING on a stream", WHOLE, PROTOCOL, {{FRAME_PING, 0, 1, H("12345678")}}},
	{"6.7", "PING of a wrong size", WHOLE, SIZE, {{FRAME_PING, 0, 0, H("123456")}}},
	{"6.8", "GOAWAY on a stream", WHOLE, PROTOCOL, {{FRAME_GOAWAY, 0, 1, H("\0\0\0\0\0\0\0\0")}}},
	{"6.9", "WINDOW_UPDATE of 0 for the connection", WHOLE, PROTOCOL, {{FRAME_WINDOW_UPDATE, 0, 0, H("\0\0\0\0")}}},
	{"6.9", "WINDOW_UPDATE of 0 for a stream", EITHER, PROTOCOL, {ASK_OPEN, {FRAME_WINDOW_UPDATE, 0, 1, H("\0\0\0\0")}}},
	{"6.9", "WINDOW_UPDATE of a wrong size", WHOLE, SIZE, {{FRAME_WINDOW_UPDATE, 0, 0, H("\0\0\x01")}}},
	{"6.9.1", "a connection's window over 2^31-1", WHOLE, FLOW, {{FRAME_WINDOW_UPDATE, 0, 0, H("\x7f\xff\xff\xff")}, {FRAME_WINDOW_UPDATE, 0, 0, H("\x7f\xff\xff\xff")}}},
	{"6.9.1", "a stream's window over 2^31-1", EITHER, FLOW, {ASK_OPEN, {FRAME_WINDOW_UPDATE, 0, 1, H("\x7f\xff\xff\xff")}, {FRAME_WINDOW_UPDATE, 0, 1, H("\x7f\xff\xff\xff")}}},
	{"6.9.2", "windows of open streams over 2^31-1 by SETTINGS", EITHER, FLOW, {ASK_OPEN, {FRAME_WINDOW_UPDATE, 0, 1, H("\x7f\xff\0\0")}, {FRAME_SETTINGS, 0, 0, H("\0\x04\x7f\xff\xff\xff")}}},
	{"6.10", "CONTINUATION", FINE, 0, {{FRAME_HEADERS, END_STREAM, 1, H("\x82\x87")}, {FRAME_CONTINUATION, END_HEADERS, 1, H("\x84\x41\x09" "a.example")}}},
	{"6.10", "CONTINUATION on stream 0", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_STREAM, 1, H("\x82\x87")}, {FRAME_CONTINUATION, END_HEADERS, 0, H("\x84")}}},
	{"6.10", "CONTINUATION of another stream", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_STREAM, 1, H("\x82\x87")}, {FRAME_CONTINUATION, END_HEADERS, 3, H("\x84")}}},
	{"6.10", "CONTINUATION behind END_HEADERS", WHOLE, PROTOCOL, {ASK_OPEN, {FRAME_CONTINUATION, END_HEADERS, 1, H("\x84")}}},
	{"8.1", "trailers without END_STREAM", STREAM, PROTOCOL, {ASK_OPEN, HEAD_OPEN(LITERAL("\x01", "a", "\x01", "b"))}},
	{"8.1", "trailers", FINE, 0, {ASK_OPEN, HEAD(LITERAL("\x01", "a", "\x01", "b"))}},
	{"8.1", "a pseudo-field in trailers", STREAM, PROTOCOL, {ASK_OPEN, HEAD("\x82")}},
	{"8.1", "content-length in trailers", STREAM, PROTOCOL, {ASK_OPEN, HEAD(LITERAL("\x0e", "content-length", "\x01", "0"))}},
	{"8.1.1", "content-length over the body", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x01", "4")), {FRAME_DATA, END_STREAM, 1, H("abc")}}},
	{"8.1.1", "content-length under the body", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x01", "2")), {FRAME_DATA, END_STREAM, 1, H("abc")}}},
	{"8.1.1", "content-length without a body", STREAM, PROTOCOL, {HEAD(POST LITERAL("\x0e", "content-length", "\x01", "2"))}},
	{"8.1.1", "content-length twice", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x01", "3") LITERAL("\x0e", "content-length", "\x01", "3"))}},
	{"8.1.1", "content-length with a sign", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x02", "+3"))}},
	{"8.2.1", "a name in upper case", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x01", "A", "\x01", "b"))}},
	{"8.2.1", "a name with a blank", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x03", "a b", "\x01", "b"))}},
	{"8.2.1", "a name with a colon", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x03", "a:b", "\x01", "b"))}},
	{"8.2.1", "a name with a line end", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x03", "a\r\n", "\x01", "b"))}},
	{"8.2.1", "an empty name", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x00", "", "\x01", "b"))}},
	{"8.2.1", "a value with LF", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x01", "a", "\x03", "b\nc"))}},
	{"8.2.1", "a value with CR", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x01", "a", "\x03", "b\rc"))}},
	{"8.2.1", "a value with NUL", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x01", "a", "\x03", "b\0c"))}},
	{"8.2.1", "a value with a blank before it", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x01", "a", "\x02", " b"))}},
	{"8.2.1", "a value with a blank behind it", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x01", "a", "\x02", "b "))}},
	{"8.2.2", "connection", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x0a", "connection", "\x05", "close"))}},
	{"8.2.2", "transfer-encoding", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x11", "transfer-encoding", "\x07", "chunked"))}},
	{"8.2.2", "upgrade", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x07", "upgrade", "\x03", "h2c"))}},
	{"8.2.2", "keep-alive", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x0a", "keep-alive", "\x01", "1"))}},
	{"8.2.2", "proxy-connection", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x10", "proxy-connection", "\x01", "1"))}},
	{"8.2.2", "te other than trailers", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x02", "te", "\x04", "gzip"))}},
	{"8.2.2", "te: trailers", FINE, 0, {HEAD(GET LITERAL("\x02", "te", "\x08", "trailers"))}},
	{"8.3", "an unknown pseudo-field", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x02", ":a", "\x01", "b"))}},
	{"8.3", "a pseudo-field of responses", STREAM, PROTOCOL, {HEAD(GET "\x88")}},
	{"8.3", "a pseudo-field behind a field", STREAM, PROTOCOL, {HEAD("\x82\x87\x84" LITERAL("\x01", "a", "\x01", "b") "\x41\x09" "a.example")}},
	{"8.3.1", "no :method", STREAM, PROTOCOL, {HEAD("\x87\x84\x41\x09" "a.example")}},
	{"8.3.1", "no :scheme", STREAM, PROTOCOL, {HEAD("\x82\x84\x41\x09" "a.example")}},
	{"8.3.1", "no :path", STREAM, PROTOCOL, {HEAD("\x82\x87\x41\x09" "a.example")}},
	{"8.3.1", "an empty :path", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x00\x41\x09" "a.example")}},
	{"8.3.1", ":method twice", STREAM, PROTOCOL, {HEAD("\x82" GET)}},
	{"8.3.1", ":path twice", STREAM, PROTOCOL, {HEAD(GET "\x84")}},
	{"8.3.1", ":authority twice", STREAM, PROTOCOL, {HEAD(GET "\x41\x09" "a.example")}},
	{"8.3.1", "neither :authority nor host", STREAM, PROTOCOL, {HEAD("\x82\x87\x84")}},
	{"8.3.1", "host instead of :authority", FINE, 0, {HEAD("\x82\x87\x84" LITERAL("\x04", "host", "\x01", "a"))}},
	{"8.3.1", "host other than :authority", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x04", "host", "\x01", "b"))}},
	{"8.3.1", ":authority with userinfo", STREAM, PROTOCOL, {HEAD("\x82\x87\x84\x41\x03" "u@a")}},
	{"8.3.1", ":authority with a path", STREAM, PROTOCOL, {HEAD("\x82\x87\x84\x41\x03" "a/b")}},
	{"8.3.1", ":path that is a whole URL", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x09" "http://b/" "\x41\x09" "a.example")}},
	{"8.3.1", ":path with a blank", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x0b" "/ HTTP/1.1\r" "\x41\x09" "a.example")}},
	{"8.3.1", ":path of *", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x01" "*" "\x41\x09" "a.example")}},
	{"8.3.1", ":method with a blank", STREAM, PROTOCOL, {HEAD("\x42\x03" "G T" "\x87\x84\x41\x09" "a.example")}},
	{"8.3.1", ":scheme with a colon", STREAM, PROTOCOL, {HEAD("\x82\x46\x06" "https:" "\x84\x41\x09" "a.example")}},
	{"8.5", "CONNECT", FINE, 0, {HEAD_OPEN("\x42\x07" "CONNECT" "\x41\x05" "a:443")}},
	{"8.5", "CONNECT with a path", STREAM, PROTOCOL, {HEAD_OPEN("\x42\x07" "CONNECT" "\x84\x41\x05" "a:443")}},
	{"8.5", "CONNECT without a port", STREAM, PROTOCOL, {HEAD_OPEN("\x42\x07" "CONNECT" "\x41\x01" "a")}},
	{"8441 4", ":protocol without CONNECT", STREAM, PROTOCOL, {HEAD_OPEN(GET LITERAL("\x09", ":protocol", "\x01", "a"))}},
	{"8441 4", ":protocol", FINE, 0, {HEAD_OPEN("\x42\x07" "CONNECT" "\x87\x84\x41\x01" "a" LITERAL("\x09", ":protocol", "\x09", "websocket"))}},
	{"8441 4", ":protocol without :path", STREAM, PROTOCOL, {HEAD_OPEN("\x42\x07" "CONNECT" "\x87\x41\x01" "a" LITERAL("\x09", ":protocol", "\x09", "websocket"))}},
	{"4.1", "unknown flags are ignored", FINE, 0, {{FRAME_HEADERS, END_HEADERS | END_STREAM | 0xc2, 1, H(GET)}}},
	{"4.3", "an index of 0", WHOLE, COMPRESSION, {HEAD(GET "\x80")}},
	{"4.3", "a table size behind a field", WHOLE, COMPRESSION, {HEAD(GET "\x20")}},
	{"4.3", "two table sizes in front", FINE, 0, {HEAD("\x20\x3f\xe1\x1f" GET)}},
	{"4.3", "a block that ends within a field", WHOLE, COMPRESSION, {HEAD(GET "\x00\x05" "ab")}},
	{"4.3", "an integer without an end", WHOLE, COMPRESSION, {HEAD(GET "\x7f\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")}},
	{"4.3", "Huffman padding of ones missing", WHOLE, COMPRESSION, {HEAD(GET "\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90")}},
	{"4.3", "Huffman with EOS", WHOLE, COMPRESSION, {HEAD(GET "\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f")}},
	{"5.1", "PUSH_PROMISE on an idle stream", WHOLE, PROTOCOL, {{FRAME_PUSH_PROMISE, END_HEADERS, 1, H("\0\0\0\x02" GET)}}},
	{"5.1", "RST_STREAM on an open stream", FINE, 0, {ASK_OPEN, {FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}}},
	{"5.1", "RST_STREAM on a half-closed stream", FINE, 0, {ASK, {FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}}},
	{"5.1", "PRIORITY on a half-closed stream", FINE, 0, {ASK, {FRAME_PRIORITY, 0, 1, H("\0\0\0\0\x10")}}},
	{"5.1", "PRIORITY on a closed stream", FINE, 0, {ASK, {FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}, {FRAME_PRIORITY, 0, 1, H("\0\0\0\0\x10")}}},
	{"5.1", "WINDOW_UPDATE on a closed stream", FINE, 0, {ASK, {FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}, {FRAME_WINDOW_UPDATE, 0, 1, H("\0\0\0\x08")}}},
	{"5.1", "RST_STREAM on a closed stream", FINE, 0, {ASK, {FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}, {FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}}},
	{"5.1.1", "a stream that was passed over", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_HEADERS | END_STREAM, 7, H(GET)}, {FRAME_HEADERS, END_HEADERS | END_STREAM, 5, H(GET)}}},
	{"5.1.1", "DATA on an even stream", WHOLE, PROTOCOL, {{FRAME_DATA, 0, 2, H("abc")}}},
	{"5.5", "an unknown frame on stream 0", FINE, 0, {{0xee, 0xff, 0, H("abc")}, ASK}},
	{"6.1", "DATA that is all padding", FINE, 0, {ASK_OPEN, {FRAME_DATA, END_STREAM | PADDED, 1, H("\x03\0\0\0")}}},
	{"6.1", "DATA as long as its padding", WHOLE, PROTOCOL, {ASK_OPEN, {FRAME_DATA, END_STREAM | PADDED, 1, H("\x05" "abc\0")}}},
	{"6.1", "DATA padded without a length of it", WHOLE, SIZE, {ASK_OPEN, {FRAME_DATA, END_STREAM | PADDED, 1, H("")}}},
	{"6.1", "empty DATA that ends the stream", FINE, 0, {ASK_OPEN, {FRAME_DATA, END_STREAM, 1, H("")}}},
	{"6.2", "HEADERS with padding and priority", FINE, 0, {{FRAME_HEADERS, END_HEADERS | END_STREAM | PADDED | PRIORITY, 1, H("\x02\0\0\0\0\x10" GET "\0\0")}}},
	{"6.2", "HEADERS padded without a length of it", WHOLE, SIZE, {{FRAME_HEADERS, END_HEADERS | PADDED, 1, H("")}}},
	{"6.2", "HEADERS interrupted by SETTINGS", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(GET)}, {FRAME_SETTINGS, 0, 0, H("\0\x04\0\0\x80\0")}}},
	{"6.2", "HEADERS interrupted by RST_STREAM", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(GET)}, {FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}}},
	{"6.2", "HEADERS interrupted by WINDOW_UPDATE", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(GET)}, {FRAME_WINDOW_UPDATE, 0, 0, H("\0\0\0\x08")}}},
	{"6.2", "HEADERS interrupted by GOAWAY", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(GET)}, {FRAME_GOAWAY, 0, 0, H("\0\0\0\0\0\0\0\0")}}},
	{"6.2", "HEADERS interrupted by PRIORITY", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(GET)}, {FRAME_PRIORITY, 0, 1, H("\0\0\0\0\x10")}}},
	{"6.3", "PRIORITY that is too long", EITHER, SIZE, {ASK_OPEN, {FRAME_PRIORITY, 0, 1, H("\0\0\0\0\x10\0")}}},
	{"6.4", "RST_STREAM that is too long", WHOLE, SIZE, {ASK_OPEN, {FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08\0")}}},
	{"6.5", "SETTINGS acknowledged on a stream", WHOLE, PROTOCOL, {{FRAME_SETTINGS, ACK, 1, H("")}}},
	{"6.5.2", "a table of 0", FINE, 0, {{FRAME_SETTINGS, 0, 0, H("\0\x01\0\0\0\0")}, ASK}},
	{"6.5.2", "ENABLE_PUSH of 1 from a client", FINE, 0, {{FRAME_SETTINGS, 0, 0, H("\0\x02\0\0\0\x01")}, ASK}},
	{"6.5.2", "no streams of ours", FINE, 0, {{FRAME_SETTINGS, 0, 0, H("\0\x03\0\0\0\0")}, ASK}},
	{"6.5.2", "a window of 0", FINE, 0, {{FRAME_SETTINGS, 0, 0, H("\0\x04\0\0\0\0")}, ASK}},
	{"6.5.2", "the largest window", FINE, 0, {{FRAME_SETTINGS, 0, 0, H("\0\x04\x7f\xff\xff\xff")}, ASK}},
	{"6.5.2", "the largest frame size", FINE, 0, {{FRAME_SETTINGS, 0, 0, H("\0\x05\0\xff\xff\xff")}, ASK}},
	{"6.5.2", "the same setting twice", FINE, 0, {{FRAME_SETTINGS, 0, 0, H("\0\x04\0\0\0\x01\0\x04\0\0\xff\xff")}, ASK}},
	{"6.7", "PING that is too long", WHOLE, SIZE, {{FRAME_PING, 0, 0, H("123456789")}}},
	{"6.7", "PING acknowledged on a stream", WHOLE, PROTOCOL, {{FRAME_PING, ACK, 1, H("12345678")}}},
	{"6.8", "GOAWAY that is too short", WHOLE, SIZE, {{FRAME_GOAWAY, 0, 0, H("\0\0\0\0\0\0\0")}}},
	{"6.9", "WINDOW_UPDATE that is too long", WHOLE, SIZE, {{FRAME_WINDOW_UPDATE, 0, 0, H("\0\0\0\x01\0")}}},
	{"6.9", "WINDOW_UPDATE whose reserved bit is set", FINE, 0, {ASK_OPEN, {FRAME_WINDOW_UPDATE, 0, 1, H("\x80\0\0\x01")}}},
	{"6.10", "CONTINUATION interrupted by DATA", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H("\x83")}, {FRAME_CONTINUATION, 0, 1, H("\x87")}, {FRAME_DATA, 0, 1, H("a")}}},
	{"6.10", "CONTINUATION behind DATA", WHOLE, PROTOCOL, {ASK_OPEN, {FRAME_DATA, 0, 1, H("a")}, {FRAME_CONTINUATION, END_HEADERS, 1, H("\x84")}}},
	{"8.1", "HEADERS behind trailers", EITHER, STREAM_CLOSED, {ASK_OPEN, HEAD(LITERAL("\x01", "a", "\x01", "b")), HEAD(LITERAL("\x01", "a", "\x01", "b"))}},
	{"8.1", "DATA behind trailers", EITHER, STREAM_CLOSED, {ASK_OPEN, HEAD(LITERAL("\x01", "a", "\x01", "b")), {FRAME_DATA, END_STREAM, 1, H("abc")}}},
	{"8.1", "transfer-encoding in trailers", STREAM, PROTOCOL, {ASK_OPEN, HEAD(LITERAL("\x11", "transfer-encoding", "\x07", "chunked"))}},
	{"8.1", "host in trailers", STREAM, PROTOCOL, {ASK_OPEN, HEAD(LITERAL("\x04", "host", "\x01", "b"))}},
	{"8.1", "authorization in trailers", STREAM, PROTOCOL, {ASK_OPEN, HEAD(LITERAL("\x0d", "authorization", "\x01", "b"))}},
	{"8.1", "a trailer in upper case", STREAM, PROTOCOL, {ASK_OPEN, HEAD(LITERAL("\x01", "A", "\x01", "b"))}},
	{"8.1.1", "content-length that is no number", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x02", "3a"))}},
	{"8.1.1", "content-length as a list", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x03", "3,3"))}},
	{"8.1.1", "content-length below 0", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x02", "-1"))}},
	{"8.1.1", "an empty content-length", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x00", ""))}},
	{"8.1.1", "content-length over 2^64", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x14", "18446744073709551617"))}},
	{"8.1.1", "two lengths that differ", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x01", "3") LITERAL("\x0e", "content-length", "\x01", "4"))}},
	{"8.1.1", "content-length over two DATA", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x01", "4")), {FRAME_DATA, 0, 1, H("abc")}, {FRAME_DATA, END_STREAM, 1, H("de")}}},
	{"8.1.1", "content-length and padding", FINE, 0, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x01", "3")), {FRAME_DATA, END_STREAM | PADDED, 1, H("\x02" "abc\0\0")}}},
	{"8.1.1", "content-length of 0", FINE, 0, {HEAD(GET LITERAL("\x0e", "content-length", "\x01", "0"))}},
	{"8.2.1", "a name with NUL", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x03", "a\0b", "\x01", "b"))}},
	{"8.2.1", "a name with DEL", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x02", "a\x7f", "\x01", "b"))}},
	{"8.2.1", "a name with an octet over 127", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x02", "a\xe9", "\x01", "b"))}},
	{"8.2.1", "a name that ends with a colon", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x02", "a:", "\x01", "b"))}},
	{"8.2.1", "a value that is another field", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x01", "a", "\x0d", "b\r\nHost: evil"))}},
	{"8.2.1", "a value with a control octet", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x01", "a", "\x03", "b\x01" "c"))}},
	{"8.2.1", "a value with a tab before it", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x01", "a", "\x02", "\tb"))}},
	{"8.2.1", "a value with a tab inside", FINE, 0, {HEAD(GET LITERAL("\x01", "a", "\x03", "b\tc"))}},
	{"8.2.1", "a value with octets over 127", FINE, 0, {HEAD(GET LITERAL("\x01", "a", "\x02", "\xc3\xa9"))}},
	{"8.2.1", "an empty value", FINE, 0, {HEAD(GET LITERAL("\x01", "a", "\x00", ""))}},
	{"8.2.2", "te: trailers and more", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x02", "te", "\x0e", "trailers, gzip"))}},
	{"8.2.2", "transfer-encoding with a length", STREAM, PROTOCOL, {HEAD_OPEN(POST LITERAL("\x0e", "content-length", "\x01", "3") LITERAL("\x11", "transfer-encoding", "\x07", "chunked"))}},
	{"8.2.2", "transfer-encoding: identity", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x11", "transfer-encoding", "\x08", "identity"))}},
	{"8.2.2", "connection: keep-alive", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x0a", "connection", "\x0a", "keep-alive"))}},
	{"8.2.3", "cookie crumbs", FINE, 0, {HEAD(GET LITERAL("\x06", "cookie", "\x03", "a=1") LITERAL("\x06", "cookie", "\x03", "b=2"))}},
	{"8.3", "a pseudo-field in upper case", STREAM, PROTOCOL, {HEAD("\x82\x87\x84" LITERAL("\x0a", ":Authority", "\x01", "a"))}},
	{"8.3", "a name of one colon", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x01", ":", "\x01", "b"))}},
	{"8.3.1", ":scheme twice", STREAM, PROTOCOL, {HEAD(GET "\x87")}},
	{"8.3.1", "an empty :method", STREAM, PROTOCOL, {HEAD("\x42\x00" "\x87\x84\x41\x01" "a")}},
	{"8.3.1", "an empty :scheme", STREAM, PROTOCOL, {HEAD("\x82\x46\x00" "\x84\x41\x01" "a")}},
	{"8.3.1", "an empty :authority", STREAM, PROTOCOL, {HEAD("\x82\x87\x84\x41\x00")}},
	{"8.3.1", ":authority with a line end", STREAM, PROTOCOL, {HEAD("\x82\x87\x84\x41\x04" "a\r\nb")}},
	{"8.3.1", ":authority with a blank", STREAM, PROTOCOL, {HEAD("\x82\x87\x84\x41\x03" "a b")}},
	{"8.3.1", ":authority with two ports", STREAM, PROTOCOL, {HEAD("\x82\x87\x84\x41\x05" "a:1:2")}},
	{"8.3.1", ":authority with a port over 65535", STREAM, PROTOCOL, {HEAD("\x82\x87\x84\x41\x07" "a:65536")}},
	{"8.3.1", ":authority of two names", STREAM, PROTOCOL, {HEAD("\x82\x87\x84\x41\x03" "a,b")}},
	{"8.3.1", ":authority with a query", STREAM, PROTOCOL, {HEAD("\x82\x87\x84\x41\x03" "a?b")}},
	{"8.3.1", ":authority with a fragment", STREAM, PROTOCOL, {HEAD("\x82\x87\x84\x41\x03" "a#b")}},
	{"8.3.1", "host twice", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x04", "host", "\x09", "a.example") LITERAL("\x04", "host", "\x09", "a.example"))}},
	{"8.3.1", "host with another port", STREAM, PROTOCOL, {HEAD(GET LITERAL("\x04", "host", "\x0c", "a.example:80"))}},
	{"8.3.1", "host that is :authority", FINE, 0, {HEAD(GET LITERAL("\x04", "host", "\x09", "a.example"))}},
	{"8.3.1", ":path without a slash", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x01" "a" "\x41\x01" "a")}},
	{"8.3.1", ":path of another authority", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x0f" "https://b.test/" "\x41\x01" "a")}},
	{"8.3.1", ":path with a line end", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x05" "/a\r\nb" "\x41\x01" "a")}},
	{"8.3.1", ":path with a LF", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x03" "/a\n" "\x41\x01" "a")}},
	{"8.3.1", ":path with NUL", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x03" "/a\0" "\x41\x01" "a")}},
	{"8.3.1", ":path with a tab", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x04" "/a\tb" "\x41\x01" "a")}},
	{"8.3.1", ":path with a request behind it", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x1b" "/ HTTP/1.1\r\nHost: b\r\n\r\nGET " "\x41\x01" "a")}},
	{"8.3.1", ":path with a fragment", STREAM, PROTOCOL, {HEAD("\x82\x87\x44\x04" "/a#b" "\x41\x01" "a")}},
	{"8.3.1", "OPTIONS for *", FINE, 0, {HEAD("\x42\x07" "OPTIONS" "\x87\x44\x01" "*" "\x41\x01" "a")}},
	{"8.3.1", ":method with a line end", STREAM, PROTOCOL, {HEAD("\x42\x05" "G\r\nET" "\x87\x84\x41\x01" "a")}},
	{"8.3.1", ":method that is a request line", STREAM, PROTOCOL, {HEAD("\x42\x10" "GET / HTTP/1.1\r\n" "\x87\x84\x41\x01" "a")}},
	{"8.3.1", ":scheme with a URL behind it", STREAM, PROTOCOL, {HEAD("\x82\x46\x0d" "https://b.c/?" "\x84\x41\x01" "a")}},
	{"8.3.2", ":status in a request", STREAM, PROTOCOL, {HEAD("\x88" GET)}},
	{"8.5", "CONNECT with a scheme", STREAM, PROTOCOL, {HEAD_OPEN("\x42\x07" "CONNECT" "\x87\x41\x05" "a:443")}},
	{"8.5", "CONNECT with a length", STREAM, PROTOCOL, {HEAD_OPEN("\x42\x07" "CONNECT" "\x41\x05" "a:443" LITERAL("\x0e", "content-length", "\x01", "3"))}},
	{"8441 4", ":protocol twice", STREAM, PROTOCOL, {HEAD_OPEN("\x42\x07" "CONNECT" "\x87\x84\x41\x01" "a" LITERAL("\x09", ":protocol", "\x01", "a") LITERAL("\x09", ":protocol", "\x01", "a"))}},
	{"8441 4", ":protocol with a line end", STREAM, PROTOCOL, {HEAD_OPEN("\x42\x07" "CONNECT" "\x87\x84\x41\x01" "a" LITERAL("\x09", ":protocol", "\x03", "a\r\n"))}},
	{"9218 7.1", "PRIORITY_UPDATE on a stream", WHOLE, PROTOCOL, {{0x10, 0, 1, H("\0\0\0\x01" "u=1")}}},
	{"9218 7.1", "PRIORITY_UPDATE for stream 0", WHOLE, PROTOCOL, {{0x10, 0, 0, H("\0\0\0\0" "u=1")}}},
	{"9218 7.1", "PRIORITY_UPDATE that is too short", WHOLE, SIZE, {{0x10, 0, 0, H("\0\0\x01")}}},
	{"9218 7.1", "PRIORITY_UPDATE", FINE, 0, {ASK_OPEN, {0x10, 0, 0, H("\0\0\0\x01" "u=1")}}},
};

/* Our client has sent GET on stream 1. */
static const struct rule towards_client[] = {
	{"8.1", "a response", FINE, 0, {HEAD(OK_200)}},
	{"8.1", "1xx before it", FINE, 0, {HEAD_OPEN("\x48\x03" "103"), HEAD(OK_200)}},
	{"8.1", "a 1xx that ends its stream", STREAM, PROTOCOL, {HEAD("\x48\x03" "103")}},
	{"8.1", "DATA before HEADERS", EITHER, PROTOCOL, {{FRAME_DATA, 0, 1, H("abc")}}},
	{"8.1", "trailers without END_STREAM", STREAM, PROTOCOL, {HEAD_OPEN(OK_200), HEAD_OPEN(LITERAL("\x01", "a", "\x01", "b"))}},
	{"8.1", "set-cookie in trailers", STREAM, PROTOCOL, {HEAD_OPEN(OK_200), HEAD(LITERAL("\x0a", "set-cookie", "\x01", "b"))}},
	{"8.1", "DATA behind END_STREAM", EITHER, STREAM_CLOSED, {HEAD(OK_200), {FRAME_DATA, 0, 1, H("abc")}}},
	{"8.1.1", "content-length over the body", STREAM, PROTOCOL, {HEAD_OPEN(OK_200 LITERAL("\x0e", "content-length", "\x01", "4")), {FRAME_DATA, END_STREAM, 1, H("abc")}}},
	{"8.1.1", "content-length under the body", STREAM, PROTOCOL, {HEAD_OPEN(OK_200 LITERAL("\x0e", "content-length", "\x01", "2")), {FRAME_DATA, END_STREAM, 1, H("abc")}}},
	{"8.3.2", "no :status", STREAM, PROTOCOL, {HEAD(LITERAL("\x01", "a", "\x01", "b"))}},
	{"8.3.2", ":status twice", STREAM, PROTOCOL, {HEAD(OK_200 OK_200)}},
	{"8.3.2", ":status of two digits", STREAM, PROTOCOL, {HEAD("\x48\x02" "20")}},
	{"8.3.2", ":status with a reason", STREAM, PROTOCOL, {HEAD("\x48\x06" "200 OK")}},
	{"8.3", "a pseudo-field of requests", STREAM, PROTOCOL, {HEAD(OK_200 "\x82")}},
	{"8.6", "101", STREAM, PROTOCOL, {HEAD_OPEN("\x48\x03" "101")}},
	{"8.2.2", "connection", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x0a", "connection", "\x05", "close"))}},
	{"8.2.2", "transfer-encoding", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x11", "transfer-encoding", "\x07", "chunked"))}},
	{"8.2.1", "a name in upper case", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x01", "A", "\x01", "b"))}},
	{"8.2.1", "a value with a line end", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x01", "a", "\x04", "b\r\nc"))}},
	{"6.6", "PUSH_PROMISE although refused", WHOLE, PROTOCOL, {{FRAME_PUSH_PROMISE, END_HEADERS, 1, H("\0\0\0\x02" GET)}}},
	{"6.5.2", "ENABLE_PUSH of 1 from a server", WHOLE, PROTOCOL, {{FRAME_SETTINGS, 0, 0, H("\0\x02\0\0\0\x01")}}},
	{"5.1.1", "HEADERS on a stream of the server", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_HEADERS, 2, H(OK_200)}}},
	{"5.1", "HEADERS on an idle stream", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_HEADERS, 7, H(OK_200)}}},
	{"5.1", "DATA on an idle stream", WHOLE, PROTOCOL, {{FRAME_DATA, 0, 7, H("abc")}}},
	{"6.9", "WINDOW_UPDATE of 0", WHOLE, PROTOCOL, {{FRAME_WINDOW_UPDATE, 0, 0, H("\0\0\0\0")}}},
	{"6.4", "RST_STREAM", FINE, 0, {{FRAME_RST_STREAM, 0, 1, H("\0\0\0\x08")}}},
	{"4.3", "a block that does not decompress", WHOLE, COMPRESSION, {HEAD("\xff\xff\xff\xff\xff\xff\xff\xff")}},
	{"4.1", "unknown frames are ignored", FINE, 0, {{0x42, 0xff, 1, H("abc")}, HEAD(OK_200)}},
	{"4.3", "an index out of the table", WHOLE, COMPRESSION, {HEAD(OK_200 "\xfe")}},
	{"4.3", "a table size over the limit", WHOLE, COMPRESSION, {HEAD("\x3f\xff\xff\x03" OK_200)}},
	{"5.1", "RST_STREAM on an idle stream", WHOLE, PROTOCOL, {{FRAME_RST_STREAM, 0, 7, H("\0\0\0\x08")}}},
	{"5.1", "WINDOW_UPDATE on an idle stream", WHOLE, PROTOCOL, {{FRAME_WINDOW_UPDATE, 0, 7, H("\0\0\0\x08")}}},
	{"5.1", "WINDOW_UPDATE on a closed stream", FINE, 0, {HEAD(OK_200), {FRAME_WINDOW_UPDATE, 0, 1, H("\0\0\0\x08")}}},
	{"5.1", "DATA on a stream of the server", WHOLE, PROTOCOL, {{FRAME_DATA, 0, 2, H("abc")}}},
	{"6.1", "DATA on stream 0", WHOLE, PROTOCOL, {{FRAME_DATA, 0, 0, H("abc")}}},
	{"6.1", "DATA with too much padding", WHOLE, PROTOCOL, {HEAD_OPEN(OK_200), {FRAME_DATA, END_STREAM | PADDED, 1, H("\x05" "abc")}}},
	{"6.1", "DATA with padding", FINE, 0, {HEAD_OPEN(OK_200), {FRAME_DATA, END_STREAM | PADDED, 1, H("\x02" "abc\0\0")}}},
	{"6.2", "HEADERS on stream 0", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_HEADERS, 0, H(OK_200)}}},
	{"6.2", "HEADERS with too much padding", WHOLE, PROTOCOL, {{FRAME_HEADERS, END_HEADERS | PADDED, 1, H("\x20" OK_200)}}},
	{"6.2", "HEADERS interrupted by DATA", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(OK_200)}, {FRAME_DATA, 0, 1, H("abc")}}},
	{"6.2", "HEADERS interrupted by an unknown frame", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(OK_200)}, {0x42, 0, 1, H("")}}},
	{"6.3", "PRIORITY on stream 0", WHOLE, PROTOCOL, {{FRAME_PRIORITY, 0, 0, H("\0\0\0\0\x10")}}},
	{"6.4", "RST_STREAM on stream 0", WHOLE, PROTOCOL, {{FRAME_RST_STREAM, 0, 0, H("\0\0\0\x08")}}},
	{"6.4", "RST_STREAM of a wrong size", WHOLE, SIZE, {{FRAME_RST_STREAM, 0, 1, H("\0\0\x08")}}},
	{"6.5", "SETTINGS acknowledged with a payload", WHOLE, SIZE, {{FRAME_SETTINGS, ACK, 0, H("\0\0\0\0\0\0")}}},
	{"6.5", "SETTINGS on a stream", WHOLE, PROTOCOL, {{FRAME_SETTINGS, 0, 1, H("")}}},
	{"6.5", "SETTINGS of a wrong size", WHOLE, SIZE, {{FRAME_SETTINGS, 0, 0, H("\0\0\0")}}},
	{"6.5.2", "ENABLE_PUSH of 0 from a server", FINE, 0, {{FRAME_SETTINGS, 0, 0, H("\0\x02\0\0\0\0")}, HEAD(OK_200)}},
	{"6.5.2", "a window over 2^31-1", WHOLE, FLOW, {{FRAME_SETTINGS, 0, 0, H("\0\x04\x80\0\0\0")}}},
	{"6.5.2", "a frame size under 16384", WHOLE, PROTOCOL, {{FRAME_SETTINGS, 0, 0, H("\0\x05\0\0\x3f\xff")}}},
	{"6.5.2", "a frame size over 2^24-1", WHOLE, PROTOCOL, {{FRAME_SETTINGS, 0, 0, H("\0\x05\x01\0\0\0")}}},
	{"6.5.2", "unknown settings are ignored", FINE, 0, {{FRAME_SETTINGS, 0, 0, H("\x42\x42\0\0\0\x01")}, HEAD(OK_200)}},
	{"8441 3", "extended CONNECT of 2", WHOLE, PROTOCOL, {{FRAME_SETTINGS, 0, 0, H("\0\x08\0\0\0\x02")}}},
	{"6.6", "PUSH_PROMISE on our stream", WHOLE, PROTOCOL, {{FRAME_PUSH_PROMISE, END_HEADERS, 1, H("\0\0\0\x02" GET)}, HEAD(OK_200)}},
	{"7838 4", "ALTSVC is of no concern", FINE, 0, {{0x0a, 0, 0, H("\0\x09" "a.example" "h3=\":443\"")}, HEAD(OK_200)}},
	{"8336 2", "ORIGIN is of no concern", FINE, 0, {{0x0c, 0, 0, H("\0\x09" "a.example")}, HEAD(OK_200)}},
	{"9218 7.1", "PRIORITY_UPDATE from a server", WHOLE, PROTOCOL, {{0x10, 0, 0, H("\0\0\0\x01" "u=1")}}},
	{"6.7", "PING on a stream", WHOLE, PROTOCOL, {{FRAME_PING, 0, 1, H("12345678")}}},
	{"6.7", "PING of a wrong size", WHOLE, SIZE, {{FRAME_PING, 0, 0, H("123456")}}},
	{"6.8", "GOAWAY on a stream", WHOLE, PROTOCOL, {{FRAME_GOAWAY, 0, 1, H("\0\0\0\0\0\0\0\0")}}},
	{"6.8", "GOAWAY that is too short", WHOLE, SIZE, {{FRAME_GOAWAY, 0, 0, H("\0\0\0\0")}}},
	{"6.8", "GOAWAY twice, going up", WHOLE, PROTOCOL, {{FRAME_GOAWAY, 0, 0, H("\0\0\0\x01\0\0\0\0")}, {FRAME_GOAWAY, 0, 0, H("\0\0\0\x05\0\0\0\0")}}},
	{"6.9", "WINDOW_UPDATE of 0 for a stream", EITHER, PROTOCOL, {{FRAME_WINDOW_UPDATE, 0, 1, H("\0\0\0\0")}}},
	{"6.9", "WINDOW_UPDATE of a wrong size", WHOLE, SIZE, {{FRAME_WINDOW_UPDATE, 0, 0, H("\0\0\x01")}}},
	{"6.9.1", "a connection's window over 2^31-1", WHOLE, FLOW, {{FRAME_WINDOW_UPDATE, 0, 0, H("\x7f\xff\xff\xff")}, {FRAME_WINDOW_UPDATE, 0, 0, H("\x7f\xff\xff\xff")}}},
	{"6.10", "CONTINUATION", FINE, 0, {{FRAME_HEADERS, END_STREAM, 1, H(OK_200)}, {FRAME_CONTINUATION, END_HEADERS, 1, H(LITERAL("\x01", "a", "\x01", "b"))}}},
	{"6.10", "CONTINUATION out of nowhere", WHOLE, PROTOCOL, {{FRAME_CONTINUATION, END_HEADERS, 1, H(OK_200)}}},
	{"6.10", "CONTINUATION of another stream", WHOLE, PROTOCOL, {{FRAME_HEADERS, 0, 1, H(OK_200)}, {FRAME_CONTINUATION, END_HEADERS, 3, H("\x84")}}},
	{"8.1", "DATA behind a 1xx", EITHER, PROTOCOL, {HEAD_OPEN("\x48\x03" "103"), {FRAME_DATA, 0, 1, H("abc")}}},
	{"8.1", "1xx behind the response", STREAM, PROTOCOL, {HEAD_OPEN(OK_200), HEAD_OPEN("\x48\x03" "103")}},
	{"8.1", "a second response", STREAM, PROTOCOL, {HEAD_OPEN(OK_200), HEAD(OK_200)}},
	{"8.1", "trailers", FINE, 0, {HEAD_OPEN(OK_200), {FRAME_DATA, 0, 1, H("abc")}, HEAD(LITERAL("\x01", "a", "\x01", "b"))}},
	{"8.1", "content-length in trailers", STREAM, PROTOCOL, {HEAD_OPEN(OK_200), HEAD(LITERAL("\x0e", "content-length", "\x01", "0"))}},
	{"8.1.1", "content-length without a body", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x0e", "content-length", "\x01", "4"))}},
	{"8.1.1", "content-length twice", STREAM, PROTOCOL, {HEAD_OPEN(OK_200 LITERAL("\x0e", "content-length", "\x01", "3") LITERAL("\x0e", "content-length", "\x01", "3"))}},
	{"8.1.1", "content-length that is no number", STREAM, PROTOCOL, {HEAD_OPEN(OK_200 LITERAL("\x0e", "content-length", "\x02", "3a"))}},
	{"8.1.1", "204 with a body", STREAM, PROTOCOL, {HEAD_OPEN("\x89"), {FRAME_DATA, END_STREAM, 1, H("abc")}}},
	{"8.1.1", "304 with a length and no body", FINE, 0, {HEAD("\x8b" LITERAL("\x0e", "content-length", "\x01", "4"))}},
	{"8.1.1", "304 with a body", STREAM, PROTOCOL, {HEAD_OPEN("\x8b"), {FRAME_DATA, END_STREAM, 1, H("abc")}}},
	{"8.2.1", "a name with a colon", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x03", "a:b", "\x01", "b"))}},
	{"8.2.1", "a name with a line end", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x03", "a\r\n", "\x01", "b"))}},
	{"8.2.1", "a name with a blank", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x03", "a b", "\x01", "b"))}},
	{"8.2.1", "an empty name", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x00", "", "\x01", "b"))}},
	{"8.2.1", "a value with NUL", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x01", "a", "\x03", "b\0c"))}},
	{"8.2.1", "a value with a blank before it", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x01", "a", "\x02", " b"))}},
	{"8.2.2", "keep-alive", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x0a", "keep-alive", "\x01", "1"))}},
	{"8.2.2", "upgrade", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x07", "upgrade", "\x02", "h2"))}},
	{"8.2.2", "proxy-connection", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x10", "proxy-connection", "\x01", "1"))}},
	{"8.3", ":status behind a field", STREAM, PROTOCOL, {HEAD(LITERAL("\x01", "a", "\x01", "b") OK_200)}},
	{"8.3", "an unknown pseudo-field", STREAM, PROTOCOL, {HEAD(OK_200 LITERAL("\x02", ":a", "\x01", "b"))}},
	{"8.3.2", "an empty :status", STREAM, PROTOCOL, {HEAD("\x48\x00")}},
	{"8.3.2", ":status of 099", STREAM, PROTOCOL, {HEAD("\x48\x03" "099")}},
	{"8.3.2", ":status of four digits", STREAM, PROTOCOL, {HEAD("\x48\x04" "2000")}},
	{"8.3.2", ":status with a sign", STREAM, PROTOCOL, {HEAD("\x48\x03" "+20")}},
};
// clang-format on

static bool
is_as_told(const struct h2_frames *f, const struct rule *rule)
{
	bool stream = f->reset == rule->code + 1 && f->goaway == 0 && !f->over;
	bool whole = f->goaway == rule->code + 1;

	switch (rule->answer) {
	case FINE:
		return f->reset == 0 && f->goaway == 0 && !f->over;
	case STREAM:
		return stream;
	case WHOLE:
		return whole;
	case EITHER:
		return stream || whole;
	}
	return false;
}

static void
send_frames(struct h2_frames *f, const struct rule *rule)
{
	for (size_t i = 0; i < COUNT_OF(rule->frames); i++) {
		const struct frame *x = &rule->frames[i];
		if (x->type != 0 || x->id != 0 || x->body.n > 0)
			h2_frames_add(f, x->type, x->flags, x->id, x->body);
	}
}

static void
check_rule(const struct rule *rule, const struct h2_frames *f)
{
	if (!is_as_told(f, rule))
		print_error("RFC 9113 section %s, %s: reset %d goaway %d %s\n",
			rule->section, rule->what, (int)f->reset - 1,
			(int)f->goaway - 1, f->err.text);
	CHECK(is_as_told(f, rule));
}

static void
a_client_is_held_to_the_rules(void)
{
	for (size_t i = 0; i < COUNT_OF(towards_server); i++) {
		struct h2_frames f;
		h2_frames_open(&f, H2_SERVER);
		h2_frames_greet(&f);
		send_frames(&f, &towards_server[i]);
		h2_frames_run(&f);
		check_rule(&towards_server[i], &f);
		h2_frames_close(&f);
	}
}

static struct h2_stream *
ask(struct h2_frames *f, struct arena *a, struct h2_user *user)
{
	struct http_head head;
	struct err err = {0};

	http_request_make(&head, a, HTTP_GET, SPAN("a.example"), SPAN("/"));
	struct h2_stream *x = h2_request(&f->h2, &head, user, &err);
	CHECK_OK(x != NULL, &err);
	return x;
}

static void
an_origin_is_held_to_the_rules(void)
{
	for (size_t i = 0; i < COUNT_OF(towards_client); i++) {
		struct h2_frames f;
		struct h2_user user;
		struct arena a;
		arena_init(&a, 65536);
		h2_frames_open(&f, H2_CLIENT);
		h2_frames_greet(&f);
		(void)ask(&f, &a, &user);
		h2_flush(&f.h2);
		buf_drop(&f.out, buf_len(&f.out));
		send_frames(&f, &towards_client[i]);
		h2_frames_run(&f);
		check_rule(&towards_client[i], &f);
		h2_frames_close(&f);
		arena_fini(&a);
	}
}

static void
octet_by_octet_is_the_same(void)
{
	for (size_t i = 0; i < COUNT_OF(towards_server); i++) {
		struct h2_frames f;
		struct buf whole;
		h2_frames_open(&f, H2_SERVER);
		h2_frames_greet(&f);
		send_frames(&f, &towards_server[i]);
		buf_init(&whole, 1 << 20);
		(void)buf_move(&whole, &f.in, 1 << 20);
		while (!buf_empty(&whole)) {
			h2_frames_raw(&f, span_first(buf_peek(&whole), 1));
			buf_drop(&whole, 1);
			h2_frames_run(&f);
		}
		check_rule(&towards_server[i], &f);
		buf_fini(&whole);
		h2_frames_close(&f);
	}
}

static void
a_wrong_preface_ends_it(void)
{
	struct h2_frames f;

	h2_frames_open(&f, H2_SERVER);
	h2_frames_raw(&f, SPAN("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"));
	h2_frames_run(&f);
	CHECK(f.over);
	CHECK_INT(f.err.code, ERR_H2_PROTOCOL);
	h2_frames_close(&f);
}

static void
something_before_settings_ends_it(void)
{
	struct h2_frames f;

	h2_frames_open(&f, H2_SERVER);
	h2_frames_raw(&f, SPAN(H2_PREFACE));
	h2_frames_add(&f, FRAME_PING, 0, 0, SPAN("12345678"));
	h2_frames_run(&f);
	CHECK_INT(f.goaway, PROTOCOL + 1);
	h2_frames_close(&f);
}

static void
settings_and_pings_are_answered_once(void)
{
	struct h2_frames f;

	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	h2_frames_add(&f, FRAME_SETTINGS, 0, 0, SPAN(""));
	h2_frames_add(&f, FRAME_PING, 0, 0, SPAN("12345678"));
	h2_frames_add(&f, FRAME_PING, ACK, 0, SPAN("12345678"));
	h2_frames_run(&f);
	CHECK_INT(f.settings_acks, 2);
	CHECK_INT(f.pongs, 1);
	h2_frames_close(&f);
}

static void
a_frame_over_the_largest_size_ends_it(void)
{
	uint8_t *big = mem_alloc(16385);
	struct h2_frames f;

	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	h2_frames_add(&f, FRAME_HEADERS, END_HEADERS, 1, SPAN(POST));
	h2_frames_add(&f, FRAME_DATA, END_STREAM, 1, span_of(big, 16385));
	h2_frames_run(&f);
	CHECK(f.goaway == SIZE + 1 || f.reset == SIZE + 1);
	mem_free(big);
	h2_frames_close(&f);
}

/* RFC 9113 §5.1.2: once the peer knows the limit, the library takes it as an attack. */
static void
a_stream_too_many_is_refused(void)
{
	struct h2_frames f;

	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	for (uint32_t i = 0; i < 100; i++)
		h2_frames_add(&f, FRAME_HEADERS, END_HEADERS | END_STREAM, 2 * i + 1,
			SPAN(GET));
	h2_frames_run(&f);
	CHECK_INT(f.reset + f.goaway, 0);
	CHECK_INT(h2_open_streams(&f.h2), 100);
	h2_frames_add(&f, FRAME_HEADERS, END_HEADERS | END_STREAM, 201, SPAN(GET));
	h2_frames_run(&f);
	CHECK(f.reset == REFUSED + 1 || f.goaway == PROTOCOL + 1);
	CHECK_INT(h2_open_streams(&f.h2), 100);
	h2_frames_close(&f);
}

static void
more_than_the_window_ends_it(void)
{
	uint8_t *big = mem_alloc(16384);
	struct h2_frames f;

	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	h2_frames_add(&f, FRAME_HEADERS, END_HEADERS, 1, SPAN(POST));
	for (unsigned i = 0; i < 5; i++)
		h2_frames_add(&f, FRAME_DATA, 0, 1, span_of(big, 16384));
	h2_frames_run(&f);
	CHECK(f.goaway == FLOW + 1 || f.reset == FLOW + 1);
	mem_free(big);
	h2_frames_close(&f);
}

/* RFC 9113 §5.1: both ends have ended the stream, and it goes on. */
static void
headers_on_a_closed_stream_end_the_connection(void)
{
	struct http_head answer;
	struct http_head *head;
	struct span body;
	struct arena a;
	struct h2_frames f;

	arena_init(&a, 4096);
	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	h2_frames_add(&f, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(GET));
	h2_frames_run(&f);
	struct h2_stream *x = h2_ready(&f.h2);
	CHECK_INT(h2_step(x, &head, &body, &f.err), H2_HEAD);
	http_response_make(&answer, &a, 204);
	CHECK_INT(h2_write_head(x, &answer, &f.err), H2_WROTE);
	h2_release(x);
	h2_flush(&f.h2);
	h2_frames_add(&f, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(GET));
	h2_frames_run(&f);
	CHECK_INT(f.goaway, STREAM_CLOSED + 1);
	h2_frames_close(&f);
	arena_fini(&a);
}

/* RFC 9113 §5.4.1: and not only when the peer says something more. */
static void
a_broken_connection_is_over_once_that_was_told(void)
{
	struct h2_frames f;

	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	h2_frames_add(&f, FRAME_PING, 0, 0, SPAN("1234"));
	h2_frames_run(&f);
	h2_flush(&f.h2);
	CHECK_INT(f.goaway, SIZE + 1);
	CHECK(f.h2.over);
	h2_frames_close(&f);
}

/* RFC 9113 §6.8: between the warning and the last word streams may still begin. */
static void
a_first_goodbye_leaves_the_connection_open(void)
{
	struct h2_frames f;

	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	h2_frames_run(&f);
	h2_drain(&f.h2);
	h2_flush(&f.h2);
	CHECK(!f.h2.over);
	h2_frames_add(&f, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(GET));
	h2_frames_run(&f);
	CHECK(h2_ready(&f.h2) != NULL);
	h2_frames_close(&f);
}

TESTS(a_first_goodbye_leaves_the_connection_open,
	headers_on_a_closed_stream_end_the_connection,
	a_broken_connection_is_over_once_that_was_told, a_client_is_held_to_the_rules,
	an_origin_is_held_to_the_rules, octet_by_octet_is_the_same,
	a_wrong_preface_ends_it, something_before_settings_ends_it,
	settings_and_pings_are_answered_once, a_frame_over_the_largest_size_ends_it,
	a_stream_too_many_is_refused, more_than_the_window_ends_it)
