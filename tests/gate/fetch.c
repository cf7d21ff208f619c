// SPDX-License-Identifier: Apache-2.0
#include "gate/fetch.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/listen.h"
#include "tests/test.h"

/* A server on loopback that says the same to everybody. */
static struct {
	struct loop loop;
	struct resolver *resolver;
	struct listener port;
	struct listen_limit limit;
	struct addr addr;
	struct io peer;
	const char *answer;
	size_t n_answer;
	bool hangs_up;
	char heard[4096];
	struct fetch fetch;
	unsigned told;
	bool forbidden;
} w;

static void
peer_moved(struct io *io)
{
	struct span s = buf_peek(&io->in);
	size_t n = strlen(w.heard);
	CHECK(n + s.n < sizeof(w.heard));
	memcpy(w.heard + n, s.p ? s.p : (const uint8_t *)"", s.n);
	buf_drop(&io->in, s.n);
	if (!strstr(w.heard, "\r\n\r\n") || !w.answer)
		return;
	CHECK(buf_put(&io->out, span_of(w.answer, w.n_answer)));
	w.answer = NULL;
	if (w.hangs_up)
		io_shut(io);
}

static void
accepted(struct listener *l, int fd, const struct addr *peer)
{
	(void)l;
	(void)peer;
	w.peer.moved = peer_moved;
	io_open(&w.peer, &w.loop, fd, 65536, 400000);
}

static void
told(struct fetch *f)
{
	CHECK(f == &w.fetch);
	w.told++;
}

static bool
may(struct fetch *f, const struct addr *to, struct err *err)
{
	(void)f;
	(void)to;
	return !w.forbidden || err_set(err, ERR_GATE_ADDRESS, "not there");
}

static void
begin(const char *answer)
{
	struct err err = {0};
	int fd = -1;
	struct listen_fds fds = {&fd, 1};
	const struct listen_options options = {0};
	const struct addr any = {.ip = ip_v4(0x7f000001)};
	memset(&w, 0, sizeof(w));
	CHECK_OK(loop_init(&w.loop, &err), &err);
	w.resolver = resolve_open(
		&w.loop, &(struct resolve_options){.hosts_path = ""}, &err);
	CHECK(w.resolver != NULL);
	CHECK_OK(listen_open(&any, &options, &w.addr, &fds, &err), &err);
	listen_limit_init(&w.limit, 10);
	w.port.accepted = accepted;
	listen_start(&w.port, &w.loop, fd, &w.limit);
	w.answer = answer;
	w.n_answer = answer ? strlen(answer) : 0;
	w.hangs_up = true;
}

static void
end(void)
{
	fetch_cancel(&w.fetch);
	io_close(&w.peer);
	listen_stop(&w.port);
	resolve_close(w.resolver);
	loop_fini(&w.loop);
}

static void
start(const char *path, struct span post)
{
	char url[128];
	const struct fetch_place at = {&w.loop, w.resolver};
	text_format(url, sizeof(url), "http://127.0.0.1:%u%s", w.addr.port, path);
	const struct fetch_ask ask = {.url = span_str(path[0] == '/' ? url : path),
		.post = post,
		.type = "application/ocsp-request",
		.accept = "application/ocsp-response",
		.limit = 1000,
		.deadline_ms = clock_now() + 5000};
	w.fetch = (struct fetch){.done = told, .allowed = may};
	fetch_start(&w.fetch, &at, &ask);
	CHECK_INT(w.told, 0); /* never from inside */
}

static void
turn_until_told(void)
{
	for (int i = 0; i < 400 && w.told == 0; i++)
		loop_turn(&w.loop, 5);
	CHECK_INT(w.told, 1);
}

static void
expect(const char *answer, bool ok, const char *said)
{
	begin(answer);
	start("/x?y", (struct span){0});
	turn_until_told();
	if (w.fetch.ok != ok || (said && !strstr(w.fetch.err.text, said)))
		print_error("%s: %s\n", answer, w.fetch.err.text);
	CHECK_INT(w.fetch.ok, ok);
	CHECK(!said || strstr(w.fetch.err.text, said));
	end();
}

static void
a_whole_answer_comes(void)
{
	begin("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	start("/a/b.cer", (struct span){0});
	turn_until_told();
	CHECK(w.fetch.ok && span_eq(buf_peek(&w.fetch.body), SPAN("hello")));
	CHECK(strstr(w.heard, "GET /a/b.cer HTTP/1.1\r\n") == w.heard);
	CHECK(strstr(w.heard, "\r\nConnection: close\r\n") ||
		strstr(w.heard, "\r\nconnection: close\r\n"));
	end();
	expect("HTTP/1.0 200 OK\r\n\r\nto the end", true, NULL);
	expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	       "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		true, NULL);
}

static void
a_question_is_posted(void)
{
	begin("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	start("/", SPAN("DER\0!"));
	turn_until_told();
	CHECK(w.fetch.ok);
	CHECK(strstr(w.heard, "POST / HTTP/1.1\r\n") == w.heard);
	CHECK(strstr(w.heard, "application/ocsp-request"));
	end();
}

static void
whatever_is_no_whole_200_fails(void)
{
	expect("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: "
	       "0\r\n\r\n",
		false, "no 200");
	expect("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false, "no 200");
	expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", false, NULL);
	expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: "
	       "chunked\r\n\r\n",
		false, NULL);
	expect("SSH-2.0-OpenSSH\r\n\r\n", false, NULL);
	expect("", false, NULL);
}

static void
more_than_was_asked_for_is_cut_off(void)
{
	static char large[3000];
	expect("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", false,
		"larger than allowed");
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, "HTTP/1.1 200 OK\r\n\r\n", 19);
	expect(large, false, "larger than allowed");
}

static void
only_plain_http_to_allowed_addresses(void)
{
	static const char *const urls[] = {"https://127.0.0.1/", "ldap:///x",
		"file:///etc/passwd", "http://user@127.0.0.1/", "http://0x7f.1/",
		"http:///x", "x"};
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		begin(NULL);
		start(urls[i], (struct span){0});
		turn_until_told();
		CHECK(!w.fetch.ok && w.fetch.err.code != ERR_NONE);
		end();
	}
	begin("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	w.forbidden = true;
	start("/", (struct span){0});
	turn_until_told();
	CHECK_INT(w.fetch.err.code, ERR_GATE_ADDRESS);
	CHECK_INT(w.heard[0], 0);
	end();
}

static void
who_says_nothing_is_left_at_the_deadline(void)
{
	begin(NULL);
	start("/", (struct span){0});
	for (int i = 0; i < 400 && !w.heard[0]; i++)
		loop_turn(&w.loop, 5);
	CHECK_INT(w.told, 0);
	clock_fake(clock_now() + 5001, clock_wall_ms());
	turn_until_told();
	clock_real();
	CHECK(!w.fetch.ok && strstr(w.fetch.err.text, "not in time"));
	end();
}

static void
a_cancelled_one_is_not_told(void)
{
	begin("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	start("/", (struct span){0});
	loop_turn(&w.loop, 5);
	fetch_cancel(&w.fetch);
	for (int i = 0; i < 10; i++)
		loop_turn(&w.loop, 1);
	CHECK_INT(w.told, 0);
	end();
}

TESTS(a_whole_answer_comes, a_question_is_posted, whatever_is_no_whole_200_fails,
	more_than_was_asked_for_is_cut_off, only_plain_http_to_allowed_addresses,
	who_says_nothing_is_left_at_the_deadline, a_cancelled_one_is_not_told)
