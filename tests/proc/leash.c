// SPDX-License-Identifier: Apache-2.0
#include "proc/leash_priv.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/test.h"

static struct {
	struct loop loop;
	struct leash leash;
	int far;
	struct leash_message last;
	size_t n_came;
	size_t n_ended;
} t;

static void
note(struct leash *l, const struct leash_message *m)
{
	(void)l;
	t.last = *m;
	t.n_came++;
}

static void
note_end(struct leash *l)
{
	(void)l;
	t.n_ended++;
}

static void
open_all(void)
{
	struct err err = {0};
	int fds[2];
	memset(&t, 0, sizeof(t));
	CHECK_OK(loop_init(&t.loop, &err), &err);
	CHECK_OK(leash_pair(fds, &err), &err);
	t.far = fds[1];
	t.leash.came = note;
	t.leash.ended = note_end;
	leash_open(&t.leash, &t.loop, fds[0]);
}

static void
close_all(void)
{
	leash_close(&t.leash);
	if (t.far >= 0)
		(void)close(t.far);
	loop_fini(&t.loop);
}

static void
a_word_comes_with_its_descriptor(void)
{
	struct leash other = {.came = note, .ended = note_end};
	int pipes[2];
	char byte = 0;
	open_all();
	leash_open(&other, &t.loop, t.far);
	t.far = -1;
	CHECK(pipe(pipes) == 0);
	leash_say(&other, LEASH_PEER, pipes[1]);
	loop_turn(&t.loop, 0);
	CHECK(t.n_came == 1 && t.last.word == LEASH_PEER && t.last.fd >= 0);
	CHECK(write(t.last.fd, "x", 1) == 1 && read(pipes[0], &byte, 1) == 1);
	(void)close(t.last.fd);
	leash_say(&other, LEASH_READY, -1);
	loop_turn(&t.loop, 0);
	CHECK(t.n_came == 2 && t.last.word == LEASH_READY && t.last.fd == -1);
	leash_close(&other);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	close_all();
}

static void
a_confession_arrives_although_words_to_it_were_never_read(void)
{
	struct err err = {0};
	open_all();
	leash_say(&t.leash, LEASH_DRAIN, -1);
	err_set(&err, ERR_FILE_READ, "it is not there");
	leash_confess(t.far, &err);
	(void)close(t.far); /* with our word unread: the kernel resets the line */
	t.far = -1;
	leash_look(&t.leash);
	CHECK_INT(t.n_came, 1);
	CHECK(t.last.word == LEASH_FAILED && t.last.err.code == ERR_FILE_READ);
	CHECK_STR(t.last.err.text, "it is not there");
	CHECK_INT(t.n_ended, 1);
	close_all();
}

static void
a_malformed_message_is_skipped_and_its_descriptors_are_closed(void)
{
	struct err err = {0};
	int pipes[2];
	char byte;
	open_all();
	CHECK(pipe(pipes) == 0);
	CHECK_OK(ipc_send_fds(t.far, SPAN("r and more"), &pipes[1], 1, &err), &err);
	CHECK_OK(ipc_send_fds(t.far, SPAN("f\xff\xff"), NULL, 0, &err), &err);
	CHECK_OK(ipc_send_fds(t.far, SPAN("d"), NULL, 0, &err), &err);
	leash_look(&t.leash);
	CHECK(t.n_came == 1 && t.last.word == LEASH_DRAIN);
	(void)close(pipes[1]);
	CHECK_INT(read(pipes[0], &byte, 1), 0); /* no writer is left */
	(void)close(pipes[0]);
	close_all();
}

static void
the_end_is_told_once_and_a_closed_leash_says_nothing(void)
{
	open_all();
	(void)close(t.far);
	t.far = -1;
	loop_turn(&t.loop, 0);
	loop_turn(&t.loop, 0);
	CHECK_INT(t.n_ended, 1);
	leash_say(&t.leash, LEASH_DRAIN, -1);
	leash_look(&t.leash);
	close_all();
}

TESTS(a_word_comes_with_its_descriptor,
	a_confession_arrives_although_words_to_it_were_never_read,
	a_malformed_message_is_skipped_and_its_descriptors_are_closed,
	the_end_is_told_once_and_a_closed_leash_says_nothing)
