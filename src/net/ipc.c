// SPDX-License-Identifier: Apache-2.0
#include "net/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/read.h"

enum {
	HEAD = 4,
	KERNEL_BYTES = 4 << 20, /* asked for; net.core.wmem_max may give less */
	PACKETS_PER_EVENT = 16,
};

struct ipc_packet {
	struct ipc_packet *next;
	size_t n;
	size_t frames;
	uint8_t bytes[IPC_PACKET];
};

bool
ipc_pair(int fds[2], struct err *err)
{
	const int size = KERNEL_BYTES;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		    fds) != 0)
		return err_errno(err, ERR_SYSTEM, errno, "socketpair");
	for (int i = 0; i < 2; i++)
		(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return true;
}

bool
ipc_next(struct span *packet, struct span *frame)
{
	struct read r = read_from(*packet);
	struct read body = read_vec(&r, HEAD);
	if (packet->n == 0 || body.bad)
		return false;
	*frame = body.left;
	*packet = r.left;
	return true;
}

/* ---- sending */

static void
drop_first(struct ipc_out *o)
{
	struct ipc_packet *p = o->first;
	o->first = p->next;
	if (!o->first)
		o->last = NULL;
	o->queued -= p->n;
	mem_free(p);
}

static void
lose_all(struct ipc_out *o)
{
	while (o->first) {
		o->n_lost += o->first->frames;
		drop_first(o);
	}
}

/* Sends while the kernel takes packets; the rest waits for LOOP_WRITE. */
static void
send_queue(struct ipc_out *o)
{
	while (o->first) {
		struct ipc_packet *p = o->first;
		ssize_t n =
			send(o->watch.fd, p->bytes, p->n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
			break;
		if (n < 0) { /* nobody is there any more */
			o->closed = true;
			lose_all(o);
			break;
		}
		o->n_sent += p->frames;
		drop_first(o);
	}
}

static void
flush(struct hook *h)
{
	struct ipc_out *o = CONTAINER_OF(h, struct ipc_out, flush);
	send_queue(o);
	loop_watch(o->loop, &o->watch, o->first ? LOOP_WRITE : 0);
}

static void
tell_writable(struct watch *w, unsigned events)
{
	struct ipc_out *o = CONTAINER_OF(w, struct ipc_out, watch);
	(void)events;
	flush(&o->flush);
}

void
ipc_out_open(struct ipc_out *o, struct loop *loop, int fd, size_t most)
{
	*o = (struct ipc_out){.loop = loop, .most = most};
	o->watch = (struct watch){.fd = fd, .ready = tell_writable};
	o->flush.run = flush;
}

size_t
ipc_out_close(struct ipc_out *o)
{
	if (!o->loop)
		return 0;
	uint64_t before = o->n_lost;
	send_queue(o);
	lose_all(o);
	loop_unhook(&o->flush);
	loop_forget(o->loop, &o->watch);
	(void)close(o->watch.fd);
	o->loop = NULL;
	return (size_t)(o->n_lost - before);
}

/* A packet with room for n more octets at the end of the queue; NULL when it is full.
 */
static struct ipc_packet *
find_room(struct ipc_out *o, size_t n)
{
	if (o->closed || o->queued + n > o->most)
		return NULL;
	if (o->last && o->last->n + n <= IPC_PACKET)
		return o->last;
	struct ipc_packet *p = mem_resize(NULL, sizeof(*p)); /* not worth zeroing */
	p->next = NULL;
	p->n = p->frames = 0;
	if (o->last) {
		o->last->next = p;
	} else {
		o->first = p;
	}
	o->last = p;
	return p;
}

bool
ipc_put(struct ipc_out *o, struct span frame)
{
	must(frame.n <= IPC_FRAME);
	struct ipc_packet *p = find_room(o, HEAD + frame.n);
	if (!p) {
		o->n_lost++;
		return false;
	}
	struct write w = write_to(p->bytes + p->n, IPC_PACKET - p->n);
	write_be(&w, (uint32_t)frame.n, HEAD); /* at most IPC_FRAME */
	write_span(&w, frame);
	p->n += write_done(&w).n;
	p->frames++;
	o->queued += HEAD + frame.n;
	if (o->watch.mask == 0)
		loop_soon(o->loop, &o->flush);
	return true;
}

/* ---- receiving */

static void
tell_frames(struct ipc_in *in, struct span packet)
{
	struct span frame;
	while (in->loop && ipc_next(&packet, &frame)) {
		in->n_came++;
		in->came(in, frame);
	}
	if (packet.n > 0 && in->loop)
		in->n_bad++;
}

static void
end_in(struct ipc_in *in)
{
	ipc_in_close(in);
	in->ended(in);
}

static void
tell_readable(struct watch *w, unsigned events)
{
	struct ipc_in *in = CONTAINER_OF(w, struct ipc_in, watch);
	(void)events;
	for (int i = 0; i < PACKETS_PER_EVENT && in->loop; i++) {
		ssize_t n = recv(w->fd, in->bytes, IPC_PACKET, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			end_in(in);
			return;
		}
		tell_frames(in, span_of(in->bytes, (size_t)n));
	}
}

void
ipc_in_open(struct ipc_in *in, struct loop *loop, int fd)
{
	in->loop = loop;
	in->bytes = mem_resize(NULL, IPC_PACKET);
	in->watch = (struct watch){.fd = fd, .ready = tell_readable};
	loop_watch(loop, &in->watch, LOOP_READ);
}

static void
bury_bytes(struct corpse *c)
{
	struct ipc_in *in = CONTAINER_OF(c, struct ipc_in, corpse);
	mem_free(in->bytes);
	in->bytes = NULL;
}

void
ipc_in_close(struct ipc_in *in)
{
	if (!in->loop)
		return;
	loop_forget(in->loop, &in->watch);
	(void)close(in->watch.fd);
	in->watch.fd = -1;
	in->corpse.bury = bury_bytes;
	loop_bury(in->loop, &in->corpse);
	in->loop = NULL;
}

/* ---- descriptors */

enum { FDS_MOST = 8 };

union control {
	char bytes[CMSG_SPACE(FDS_MOST * sizeof(int))];
	struct cmsghdr align;
};

bool
ipc_send_fds(int sock, struct span bytes, const int *fds, size_t n, struct err *err)
{
	must(n <= FDS_MOST && bytes.n > 0);
	union control control = {.bytes = ""};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes.p, .iov_len = bytes.n};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (n > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) == (ssize_t)bytes.n)
		return true;
	return err_errno(err, ERR_NET_IPC, errno, "sendmsg");
}

static void
take_fds(struct ipc_received *out, struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	size_t n = (c->cmsg_len - CMSG_LEN(0)) /
		sizeof(int); /* the kernel's, ≤ FDS_MOST */
	must(n <= FDS_MOST);
	memcpy(out->fds, CMSG_DATA(c), n * sizeof(int));
	out->n_fds = n;
}

bool
ipc_recv_fds(int sock, struct ipc_received *out, struct err *err)
{
	union control control = {.bytes = ""};
	struct iovec iov = {.iov_base = out->bytes, .iov_len = sizeof(out->bytes)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return err_errno(err, ERR_NET_IPC, errno, "recvmsg");
	out->n_fds = 0;
	out->n_bytes = (size_t)n;
	take_fds(out, &msg);
	if (n > 0 && !(msg.msg_flags & (MSG_CTRUNC | MSG_TRUNC)))
		return true;
	for (size_t i = 0; i < out->n_fds; i++)
		(void)close(out->fds[i]);
	out->n_fds = 0;
	if (n == 0)
		return err_set(err, ERR_NET_ENDED, "end of messages");
	return err_set(err, ERR_NET_IPC, "a message did not fit");
}
