// SPDX-License-Identifier: Apache-2.0
#include "proc/control_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/test.h"

static struct {
	struct loop loop;
	struct control control;
	char dir[40];
	char path[64];
	struct control_call *call;
	char word[32];
	size_t n_asked;
	size_t n_dropped;
	bool keeps; /* answer later */
} t;

static void
answer(struct control_call *call)
{
	struct json_out json;
	json_init(&json, 1000);
	json_object(&json, NULL);
	json_bool(&json, "ok", true);
	json_end(&json);
	control_answer(call, &json);
	json_fini(&json);
}

static void
note(struct control *c, struct control_call *call)
{
	(void)c;
	t.n_asked++;
	t.call = call;
	CHECK(span_copy(t.word, sizeof(t.word), call->word));
	if (!t.keeps)
		answer(call);
}

static void
note_dropped(struct control *c, struct control_call *call)
{
	(void)c;
	CHECK(call == t.call);
	t.n_dropped++;
}

static void
open_all(void)
{
	struct err err = {0};
	memset(&t, 0, sizeof(t));
	clock_real();
	text_format(t.dir, sizeof(t.dir), "/tmp/sekisho-control-XXXXXX");
	CHECK(mkdtemp(t.dir) != NULL);
	text_format(t.path, sizeof(t.path), "%s/run/sock", t.dir);
	CHECK_OK(loop_init(&t.loop, &err), &err);
	t.control.asked = note;
	t.control.dropped = note_dropped;
	CHECK_OK(control_open(&t.control, &t.loop, span_str(t.path), &err), &err);
}

static void
close_all(void)
{
	char run[64];
	control_close(&t.control);
	loop_fini(&t.loop);
	text_format(run, sizeof(run), "%s/run", t.dir);
	CHECK(rmdir(run) == 0 && rmdir(t.dir) == 0); /* the socket has gone */
	clock_real();
}

static int
call(const char *line)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	CHECK(span_copy(sa.sun_path, sizeof(sa.sun_path), span_str(t.path)));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	CHECK(write(fd, line, strlen(line)) == (ssize_t)strlen(line));
	return fd;
}

static void
turn(int times)
{
	for (int i = 0; i < times; i++)
		loop_turn(&t.loop, 1);
}

static void
check_answer(int fd)
{
	char got[64] = "";
	CHECK(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	CHECK_STR(got, "{\"ok\":true}\n");
	CHECK_INT(recv(fd, got, 1, MSG_DONTWAIT), 0);
	(void)close(fd);
}

static void
one_line_is_one_question_with_one_answer(void)
{
	struct stat st;
	open_all();
	CHECK(stat(t.path, &st) == 0 && (st.st_mode & 0777) == 0600);
	int fd = call("status\nreload\n");
	turn(4);
	CHECK_INT(t.n_asked, 1);
	CHECK_STR(t.word, "status");
	check_answer(fd);
	turn(4);
	CHECK_INT(t.control.limit.open, 0);
	close_all();
}

static void
an_answer_may_come_later(void)
{
	open_all();
	t.keeps = true;
	int fd = call("reload\n");
	turn(4);
	CHECK_INT(t.n_asked, 1);
	answer(t.call);
	turn(2);
	check_answer(fd);
	turn(2);
	CHECK_INT(t.n_dropped, 0);
	close_all();
}

static void
who_went_away_gets_no_answer_and_who_is_silent_for_long_is_dropped(void)
{
	open_all();
	t.keeps = true;
	(void)close(call("reload\n"));
	turn(4);
	CHECK_INT(t.n_asked, 1); /* half-closed or gone: only the answer will tell */
	answer(t.call);
	turn(4);
	CHECK_INT(t.control.limit.open, 0);
	int fd = call("reload\n");
	turn(4);
	clock_fake(clock_now() + 60001, 0);
	turn(2);
	CHECK(t.n_dropped == 1 && t.control.limit.open == 0);
	(void)close(fd);
	close_all();
}

static void
a_line_without_end_and_silence_are_cut_off(void)
{
	static char line[9000];
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	open_all();
	int longest = call(line);
	turn(4);
	CHECK_INT(t.control.limit.open, 0);
	int silent = call("stat");
	turn(4);
	CHECK_INT(t.control.limit.open, 1);
	clock_fake(clock_now() + 60001, 0);
	turn(2);
	CHECK(t.control.limit.open == 0 && t.n_asked == 0);
	(void)close(longest);
	(void)close(silent);
	close_all();
}

TESTS(one_line_is_one_question_with_one_answer, an_answer_may_come_later,
	who_went_away_gets_no_answer_and_who_is_silent_for_long_is_dropped,
	a_line_without_end_and_silence_are_cut_off)
