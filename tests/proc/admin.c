// SPDX-License-Identifier: Apache-2.0
#include "proc/admin_priv.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/test.h"

enum { ANSWER_MOST = 300000 };

static struct {
	struct loop loop;
	struct admin admin;
	struct pages *pages;
	struct addr at;
	char *answer;
} t;

static void
open_all(void)
{
	struct err err = {0};
	int fd = -1;
	struct listen_fds fds = {&fd, 1};
	struct addr a = {.ip = ip_v4(0x7f000001)};
	memset(&t, 0, sizeof(t));
	clock_real();
	t.answer = mem_alloc(ANSWER_MOST);
	t.pages = pages_map();
	CHECK_OK(loop_init(&t.loop, &err), &err);
	CHECK_OK(listen_open(&a, &(struct listen_options){0}, &t.at, &fds, &err), &err);
	admin_open(&t.admin, &t.loop, fd, t.pages);
}

static void
close_all(void)
{
	admin_close(&t.admin);
	loop_fini(&t.loop);
	mem_free(t.answer);
	clock_real();
}

static int
call(const char *text)
{
	struct sockaddr_storage sa;
	unsigned n = addr_to_sockaddr(&t.at, &sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&sa, n) == 0);
	CHECK(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
	return fd;
}

/* Reads the whole answer and closes. */
static void
finish(int fd)
{
	size_t n = 0;
	ssize_t got = 1;
	for (int i = 0; i < 500 && got != 0; i++) {
		loop_turn(&t.loop, 2);
		got = recv(fd, t.answer + n, ANSWER_MOST - 1 - n, MSG_DONTWAIT);
		n += got > 0 ? (size_t)got : 0;
	}
	CHECK_INT(got, 0);
	t.answer[n] = '\0';
	(void)close(fd);
	for (int i = 0; i < 4; i++)
		loop_turn(&t.loop, 2);
	CHECK_INT(t.admin.desk.limit.open, 0);
}

static void
metrics_come_as_prometheus_text(void)
{
	open_all();
	struct page *page = pages_take(t.pages, "worker", 4);
	page->stats.v[STAT_SESSIONS_OPENED] = 1234;
	finish(call("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	CHECK(strncmp(t.answer, "HTTP/1.1 200 OK\r\n", 17) == 0);
	CHECK(strstr(t.answer, "text/plain; version=0.0.4"));
	CHECK(strstr(t.answer, "\nsekisho_sessions_opened_total 1234\n"));
	close_all();
}

static void
other_paths_methods_and_nonsense_are_answered_too(void)
{
	open_all();
	finish(call("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	CHECK(strncmp(t.answer, "HTTP/1.1 404 ", 13) == 0);
	finish(call("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
		    "1\r\n\r\nx"));
	CHECK(strncmp(t.answer, "HTTP/1.1 405 ", 13) == 0);
	finish(call("GET /metrics HTTP/1.1\r\nHost: lured.example\r\n\r\n"));
	CHECK(strncmp(t.answer, "HTTP/1.1 421 ", 13) == 0);
	finish(call("nonsense\r\n\r\n"));
	CHECK(strncmp(t.answer, "HTTP/1.1 400 ", 13) == 0);
	close_all();
}

static void
silence_and_half_a_request_end(void)
{
	open_all();
	int silent = call("GET /metr");
	for (int i = 0; i < 4; i++)
		loop_turn(&t.loop, 2);
	CHECK_INT(t.admin.desk.limit.open, 1);
	clock_fake(clock_now() + 10001, 0);
	loop_turn(&t.loop, 0);
	CHECK_INT(t.admin.desk.limit.open, 0);
	(void)close(silent);
	close_all();
}

TESTS(metrics_come_as_prometheus_text,
	other_paths_methods_and_nonsense_are_answered_too,
	silence_and_half_a_request_end)
