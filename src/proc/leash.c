// SPDX-License-Identifier: Apache-2.0
#include "proc/leash_priv.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/read.h"

enum { TEXT_MOST = 240 };

bool
leash_pair(int fds[2], struct err *err)
{
	return ipc_pair(fds, err);
}

static bool
read_message(const struct ipc_received *got, struct leash_message *m)
{
	struct read r = read_from(span_of(got->bytes, got->n_bytes));

	m->word = (enum leash_word)read_be(&r, 1);
	m->fd = got->n_fds == 1 ? got->fds[0] : -1;
	if (m->word == LEASH_FAILED) {
		uint32_t code = read_be(&r, 2);
		struct span text = r.left;
		if (r.bad || code >= ERR_COUNT)
			return false;
		err_set(&m->err, (enum err_code)code, "%.*s", SPAN_ARG(text));
		return got->n_fds == 0;
	}
	return read_done(&r) && got->n_fds <= 1;
}

static void
drop_fds(const struct ipc_received *got)
{
	for (size_t i = 0; i < got->n_fds; i++)
		(void)close(got->fds[i]);
}

/* False when there is nothing more to read now. */
static bool
take_one(struct leash *l)
{
	struct ipc_received got = {0};
	struct leash_message m = {.fd = -1};
	struct err err = {0};

	if (!ipc_recv_fds(l->watch.fd, &got, &err)) {
		if (err.code != ERR_NET_ENDED && errno == EAGAIN)
			return false;
		if (err.code != ERR_NET_ENDED && errno == ECONNRESET)
			return true; /* it left words of ours unread; its own follow */
		leash_close(l);
		l->ended(l);
		return false;
	}
	if (!read_message(&got, &m)) {
		log_error("proc.leash", "octets=%zu fds=%zu", got.n_bytes, got.n_fds);
		drop_fds(&got);
		return true;
	}
	l->came(l, &m);
	return l->loop != NULL;
}

void
leash_look(struct leash *l)
{
	bool more = l->loop != NULL;
	while (more)
		more = take_one(l);
}

static void
tell_ready(struct watch *w, unsigned events)
{
	(void)events;
	leash_look(CONTAINER_OF(w, struct leash, watch));
}

void
leash_open(struct leash *l, struct loop *loop, int fd)
{
	l->loop = loop;
	l->watch = (struct watch){.fd = fd, .ready = tell_ready};
	loop_watch(loop, &l->watch, LOOP_READ);
}

void
leash_close(struct leash *l)
{
	if (!l->loop)
		return;
	loop_forget(l->loop, &l->watch);
	(void)close(l->watch.fd);
	l->watch.fd = -1;
	l->loop = NULL;
}

void
leash_say(struct leash *l, enum leash_word word, int fd)
{
	const uint8_t byte = (uint8_t)word;
	struct err err = {0};
	if (l->loop &&
		!ipc_send_fds(l->watch.fd, span_of(&byte, 1), &fd, fd >= 0, &err))
		log_debug("proc.leash", "word=%c reason=\"%s\"", word, err.text);
}

void
leash_confess(int fd, const struct err *err)
{
	uint8_t bytes[256];
	struct write w = write_to(bytes, sizeof(bytes));
	struct err ignored = {0};

	write_be(&w, LEASH_FAILED, 1);
	write_be(&w, (uint32_t)err->code, 2); /* below ERR_COUNT */
	write_span(&w, span_first(span_str(err->text), TEXT_MOST));
	if (!ipc_send_fds(fd, write_done(&w), NULL, 0, &ignored)) {
		log_error("proc.failed", "code=%s reason=\"%s\"", err_id(err->code),
			err->text);
	}
}
