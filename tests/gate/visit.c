// SPDX-License-Identifier: Apache-2.0
#include "gate/visit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/test.h"

enum { BIG = 300000, POSTED_MOST = 8, VISIT_MS = 5000 };

static struct {
	struct loop loop;
	struct visit_desk desk;
	char *big;    /* BIG octets, what /big answers */
	char *answer; /* what came */
	char posted[POSTED_MOST + 1];
	unsigned asked;
	unsigned left;
} t;

static void
note_asked(struct visit *v)
{
	t.asked++;
	CHECK(span_copy(t.posted, sizeof(t.posted), v->posted));
	bool is_big = span_eq(v->request.path, SPAN("/big"));
	visit_answer(v,
		&(struct visit_answer){
			.status = 200,
			.type = SPAN("text/x-test"),
			.cache = is_big ? SPAN("max-age=1") : (struct span){0},
			.body = is_big ? span_of(t.big, BIG) : SPAN("here"),
		});
}

static void
note_left(struct visit *v)
{
	t.left++;
	mem_free(v);
}

static void
open_desk(size_t most)
{
	struct err err = {0};

	memset(&t, 0, sizeof(t));
	clock_real();
	t.answer = mem_alloc(2 * BIG);
	t.big = mem_alloc(BIG);
	memset(t.big, 'b', BIG);
	CHECK_OK(loop_init(&t.loop, &err), &err);
	t.desk = (struct visit_desk){
		.loop = &t.loop,
		.most_ms = VISIT_MS,
		.posted_most = POSTED_MOST,
		.asked = note_asked,
		.left = note_left,
	};
	visit_desk_open(&t.desk, most);
}

static void
close_desk(void)
{
	visit_desk_close(&t.desk);
	loop_turn(&t.loop, 0);
	CHECK(visit_desk_is_idle(&t.desk));
	loop_fini(&t.loop);
	mem_free(t.answer);
	mem_free(t.big);
	clock_real();
}

/* Our end of a visit that has just begun. */
static int
enter(void)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	t.desk.limit.open++; /* as a listener does */
	visit_begin(&t.desk, mem_alloc(sizeof(struct visit)), fds[1]);
	return fds[0];
}

static void
say(int fd, const char *text)
{
	CHECK(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
	loop_turn(&t.loop, 0);
}

/* Reads to the end, closes, and sees the visit off. */
static void
finish(int fd)
{
	size_t n = 0;
	ssize_t got = 1;

	for (int i = 0; i < 2000 && got != 0; i++) {
		loop_turn(&t.loop, 1);
		got = recv(fd, t.answer + n, (size_t)2 * BIG - 1 - n, MSG_DONTWAIT);
		n += got > 0 ? (size_t)got : 0;
	}
	CHECK_INT(got, 0);
	t.answer[n] = '\0';
	(void)close(fd);
	for (int i = 0; i < 3; i++)
		loop_turn(&t.loop, 1);
	CHECK_INT(t.desk.limit.open, 0);
	CHECK(visit_desk_is_idle(&t.desk));
}

static void
an_answer_longer_than_the_buffers_comes_whole(void)
{
	open_desk(4);
	int fd = enter();
	say(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	finish(fd);
	char *body = strstr(t.answer, "\r\n\r\n");
	CHECK(body && strlen(body + 4) == BIG && strspn(body + 4, "b") == BIG);
	CHECK(strstr(t.answer, "Cache-Control: max-age=1\r\n"));
	CHECK(strstr(t.answer, "Connection: close\r\n"));
	CHECK_INT(t.left, 1);
	close_desk();
}

static void
what_is_not_to_be_kept_says_so(void)
{
	open_desk(4);
	int fd = enter();
	say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	finish(fd);
	CHECK(strstr(t.answer, "Cache-Control: no-store\r\n"));
	CHECK(strstr(t.answer, "Content-Type: text/x-test\r\n"));
	CHECK(strstr(t.answer, "\r\n\r\nhere"));
	close_desk();
}

static void
a_body_in_pieces_is_put_together(void)
{
	open_desk(4);
	int fd = enter();
	say(fd, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	say(fd, "3\r\nabc\r\n");
	CHECK_INT(t.asked, 0);
	say(fd, "5\r\ndefgh\r\n");
	CHECK_INT(t.asked, 0);
	say(fd, "0\r\n\r\n");
	CHECK_INT(t.asked, 1);
	CHECK_STR(t.posted, "abcdefgh");
	finish(fd);
	close_desk();
}

static void
one_octet_too_many_is_refused(void)
{
	open_desk(4);
	int fd = enter();
	say(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabcdefghi");
	finish(fd);
	CHECK(strncmp(t.answer, "HTTP/1.1 413 ", 13) == 0);
	CHECK_INT(t.asked, 0);
	CHECK_INT(t.left, 1);
	close_desk();
}

/* Each beginning of a request waits, and ends with the visitor. */
static void
a_request_cut_anywhere_is_never_answered(void)
{
	static const char whole[] =
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";
	char part[sizeof(whole)];

	open_desk(4);
	for (size_t n = 0; n + 1 < sizeof(whole); n++) {
		CHECK(span_copy(part, sizeof(part), span_of(whole, n)));
		int fd = enter();
		say(fd, part);
		CHECK_INT(t.desk.limit.open, 1);
		(void)close(fd);
		loop_turn(&t.loop, 1);
		loop_turn(&t.loop, 1);
		CHECK_INT(t.desk.limit.open, 0);
		CHECK_INT(t.left, n + 1);
	}
	CHECK_INT(t.asked, 0);
	close_desk();
}

static void
nonsense_is_told_so(void)
{
	open_desk(4);
	int fd = enter();
	say(fd, "\x16\x03\x01\r\n\r\n");
	finish(fd);
	CHECK(strncmp(t.answer, "HTTP/1.1 400 ", 13) == 0);
	CHECK_INT(t.asked, 0);
	close_desk();
}

static void
who_does_not_read_is_seen_off_in_time(void)
{
	open_desk(4);
	int fd = enter();
	say(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	CHECK_INT(t.desk.limit.open, 1);
	clock_fake(clock_now() + VISIT_MS + 1, 0);
	loop_turn(&t.loop, 0);
	CHECK_INT(t.desk.limit.open, 0);
	CHECK_INT(t.left, 1);
	(void)close(fd);
	close_desk();
}

static void
closing_the_desk_ends_every_visit(void)
{
	open_desk(4);
	int one = enter();
	int two = enter();
	say(one, "GET /");
	visit_desk_close(&t.desk);
	loop_turn(&t.loop, 0);
	CHECK_INT(t.left, 2);
	(void)close(one);
	(void)close(two);
	close_desk();
}

TESTS(an_answer_longer_than_the_buffers_comes_whole, what_is_not_to_be_kept_says_so,
	a_body_in_pieces_is_put_together, one_octet_too_many_is_refused,
	a_request_cut_anywhere_is_never_answered, nonsense_is_told_so,
	who_does_not_read_is_seen_off_in_time, closing_the_desk_ends_every_visit)
