// SPDX-License-Identifier: Apache-2.0
#include "net/ipc.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "tests/test.h"

static struct {
	struct loop loop;
	struct ipc_out out;
	struct ipc_in in;
	size_t n_came;
	size_t n_ended;
	size_t next; /* number the next frame should carry */
	bool disorder;
	char last[64];
} t;

static void
note(struct ipc_in *in, struct span frame)
{
	(void)in;
	t.n_came++;
	if (!span_copy(t.last, sizeof(t.last), frame))
		t.last[0] = '\0';
}

static void
note_end(struct ipc_in *in)
{
	(void)in;
	t.n_ended++;
}

static void
open_all(size_t most)
{
	struct err err = {0};
	int fds[2];
	memset(&t, 0, sizeof(t));
	CHECK_OK(loop_init(&t.loop, &err), &err);
	CHECK_OK(ipc_pair(fds, &err), &err);
	t.in.came = note;
	t.in.ended = note_end;
	ipc_out_open(&t.out, &t.loop, fds[0], most);
	ipc_in_open(&t.in, &t.loop, fds[1]);
}

static void
close_all(void)
{
	(void)ipc_out_close(&t.out);
	ipc_in_close(&t.in);
	loop_fini(&t.loop);
}

static void
turn(int times)
{
	for (int i = 0; i < times; i++)
		loop_turn(&t.loop, 0);
}

static void
a_turns_frames_are_one_packet_and_come_out_whole(void)
{
	open_all(100000);
	CHECK(ipc_put(&t.out, SPAN("one")) && ipc_put(&t.out, SPAN("")) &&
		ipc_put(&t.out, SPAN("three")));
	CHECK(t.out.first == t.out.last);
	turn(2);
	CHECK(t.n_came == 3 && t.in.n_came == 3 && t.out.n_sent == 3 &&
		t.out.n_lost == 0);
	CHECK_STR(t.last, "three");
	close_all();
}

static void
check_number(struct ipc_in *in, struct span frame)
{
	uint64_t v = 0;
	(void)in;
	t.n_came++;
	bool ok = text_u64(span_first(frame, 8), UINT64_MAX, &v) && v >= t.next;
	t.disorder = t.disorder || !ok;
	t.next = (size_t)v + 1;
}

static void
put_number(size_t i)
{
	char bytes[1024] = "";
	text_format(bytes, sizeof(bytes), "%08zu", i);
	(void)ipc_put(&t.out, span_of(bytes, sizeof(bytes)));
}

static void
a_slow_receiver_costs_frames_that_are_counted_and_never_waits(void)
{
	enum { N = 30000 };
	open_all(200000);
	t.in.came = check_number;
	loop_watch(&t.loop, &t.in.watch, 0); /* it is busy elsewhere */
	for (size_t i = 0; i < N; i++) {
		put_number(i);
		if (i % 50 == 0)
			turn(1);
	}
	CHECK(t.out.n_lost > 0 && t.out.queued <= 200000);
	loop_watch(&t.loop, &t.in.watch, LOOP_READ);
	for (int i = 0; i < 1000; i++)
		loop_turn(&t.loop, 0);
	CHECK(!t.disorder);
	CHECK_INT(t.n_came, t.out.n_sent);
	CHECK_INT(t.out.n_sent + t.out.n_lost, N);
	put_number(N);
	turn(3);
	CHECK_INT(t.n_came, t.out.n_sent);
	close_all();
}

static void
the_largest_frame_passes(void)
{
	uint8_t *bytes = mem_alloc(IPC_FRAME);
	open_all(200000);
	CHECK(ipc_put(&t.out, span_of(bytes, IPC_FRAME)));
	CHECK(ipc_put(&t.out, SPAN("after")));
	turn(3);
	CHECK_INT(t.n_came, 2);
	CHECK_STR(t.last, "after");
	mem_free(bytes);
	close_all();
}

static void
the_end_of_the_sender_is_told_after_its_last_frames(void)
{
	open_all(100000);
	CHECK(ipc_put(&t.out, SPAN("bye")));
	CHECK_INT(ipc_out_close(&t.out), 0);
	turn(2);
	CHECK(t.n_came == 1 && t.n_ended == 1);
	close_all();
}

static void
without_a_receiver_everything_is_lost_and_counted(void)
{
	open_all(100000);
	ipc_in_close(&t.in);
	CHECK(ipc_put(&t.out, SPAN("a")));
	turn(1);
	CHECK_INT(t.out.n_lost, 1);
	CHECK(!ipc_put(&t.out, SPAN("b")));
	CHECK_INT(t.out.n_lost, 2);
	close_all();
}

static void
every_truncation_of_a_packet_gives_whole_frames_only(void)
{
	const struct span whole = SPAN("\0\0\0\2hi\0\0\0\0\0\0\0\3abc");
	const size_t ends[] = {6, 10, 17};
	for (size_t n = 0; n <= whole.n; n++) {
		struct span packet = span_first(whole, n);
		struct span frame = {0};
		size_t frames = 0;
		size_t want = 0;
		size_t used = 0;
		for (size_t i = 0; i < COUNT_OF(ends); i++) {
			want += ends[i] <= n;
			used = ends[i] <= n ? ends[i] : used;
		}
		while (ipc_next(&packet, &frame))
			frames++;
		CHECK_INT(frames, want);
		CHECK_INT(packet.n, n - used);
	}
}

static void
a_length_beyond_the_packet_is_refused(void)
{
	struct span packet = SPAN("\xff\xff\xff\xff"
				  "abc");
	struct span frame;
	CHECK(!ipc_next(&packet, &frame));
	CHECK_INT(packet.n, 7);
}

static void
descriptors_pass_with_their_message(void)
{
	struct err err = {0};
	struct ipc_received got;
	int fds[2];
	int pipes[2];
	char byte = 0;
	CHECK_OK(ipc_pair(fds, &err), &err);
	CHECK(pipe(pipes) == 0);
	CHECK_OK(ipc_send_fds(fds[0], SPAN("two"), pipes, 2, &err), &err);
	CHECK_OK(ipc_send_fds(fds[0], SPAN("none"), NULL, 0, &err), &err);
	CHECK_OK(ipc_recv_fds(fds[1], &got, &err), &err);
	CHECK(got.n_fds == 2 && got.n_bytes == 3);
	CHECK(fcntl(got.fds[0], F_GETFD) & FD_CLOEXEC);
	CHECK(write(got.fds[1], "x", 1) == 1 && read(pipes[0], &byte, 1) == 1);
	CHECK_INT(byte, 'x');
	(void)close(got.fds[0]);
	(void)close(got.fds[1]);
	CHECK_OK(ipc_recv_fds(fds[1], &got, &err), &err);
	CHECK(got.n_fds == 0 && got.n_bytes == 4);
	(void)close(fds[0]);
	CHECK(!ipc_recv_fds(fds[1], &got, &err));
	CHECK_INT(err.code, ERR_NET_ENDED);
	(void)close(fds[1]);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

TESTS(a_turns_frames_are_one_packet_and_come_out_whole,
	a_slow_receiver_costs_frames_that_are_counted_and_never_waits,
	the_largest_frame_passes, the_end_of_the_sender_is_told_after_its_last_frames,
	without_a_receiver_everything_is_lost_and_counted,
	every_truncation_of_a_packet_gives_whole_frames_only,
	a_length_beyond_the_packet_is_refused, descriptors_pass_with_their_message)
