// SPDX-License-Identifier: Apache-2.0
#include "proc/control_priv.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

enum {
	CALLS_MOST = 16,
	LINE_MOST = 8192,
	ANSWER_MOST = 128 * 1024,
	CALL_MS = 60000, /* a reload waits for its generation */
};

static void
bury_call(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct control_call, corpse));
}

static void
end_call(struct control_call *call)
{
	struct control *c = call->control;
	timer_stop(c->loop, &call->late);
	io_close(&call->io);
	list_leave(&call->in);
	listen_release(&c->limit);
	loop_bury(c->loop, &call->corpse);
}

static void
drop_call(struct control_call *call)
{
	if (call->asked)
		call->control->dropped(call->control, call);
	end_call(call);
}

static void
tell_late(struct timer *t)
{
	drop_call(CONTAINER_OF(t, struct control_call, late));
}

static void
tell_moved(struct io *io)
{
	struct control_call *call = CONTAINER_OF(io, struct control_call, io);
	struct span line = buf_peek(&io->in);
	size_t end = span_chr(line, '\n');

	if (io->failed != 0 || (io->shut && io->eof) ||
		(end == line.n && (io->eof || buf_full(&io->in)))) {
		drop_call(call);
		return;
	}
	if (call->answered || call->asked || end == line.n)
		return;
	call->asked = true;
	call->word = span_trim(span_first(line, end));
	call->control->asked(call->control, call);
}

void
control_answer(struct control_call *call, const struct json_out *answer)
{
	call->asked = false;
	call->answered = true;
	bool fits = buf_put(&call->io.out, json_text(answer)) &&
		buf_put(&call->io.out, SPAN("\n"));
	if (fits) {
		io_shut(&call->io);
	} else {
		io_abort(&call->io);
	}
}

static void
tell_accepted(struct listener *l, int fd, const struct addr *peer)
{
	struct control *c = CONTAINER_OF(l, struct control, listener);
	struct control_call *call = mem_alloc(sizeof(*call));
	(void)peer;
	call->control = c;
	call->late.fired = tell_late;
	call->corpse.bury = bury_call;
	call->io.moved = tell_moved;
	list_push(&c->calls, &call->in);
	io_open(&call->io, c->loop, fd, LINE_MOST, ANSWER_MOST);
	timer_set(c->loop, &call->late, clock_now() + CALL_MS);
}

static bool
make_directory(const char *path, struct err *err)
{
	char *dir = mem_cstr(span_str(path));
	char *slash = strrchr(dir, '/');
	bool ok = true;
	if (slash && slash != dir) {
		*slash = '\0';
		ok = file_mkdir(dir, 0750, err);
	}
	mem_free(dir);
	return ok;
}

void
control_adopt(struct control *c, struct loop *loop, struct span path, int fd)
{
	c->path = mem_cstr(path);
	c->loop = loop;
	list_init(&c->calls);
	listen_limit_init(&c->limit, CALLS_MOST);
	c->listener.accepted = tell_accepted;
	listen_start(&c->listener, loop, fd, &c->limit);
}

bool
control_open(struct control *c, struct loop *loop, struct span path, struct err *err)
{
	int fd = -1;
	char *name = mem_cstr(path);
	bool ok = make_directory(name, err) && listen_open_unix(name, 0600, &fd, err);
	mem_free(name);
	if (!ok)
		return err_within(err, "control socket");
	control_adopt(c, loop, path, fd);
	return true;
}

static void
close_listener(struct control *c)
{
	listen_stop(&c->listener);
	mem_free(c->path);
	c->path = NULL;
}

void
control_leave(struct control *c)
{
	if (c->path)
		close_listener(c);
}

void
control_close(struct control *c)
{
	if (!c->loop)
		return;
	LIST_EACH (l, &c->calls)
		end_call(CONTAINER_OF(l, struct control_call, in));
	if (!c->path)
		return;
	(void)unlink(c->path);
	close_listener(c);
}
