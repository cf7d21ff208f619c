// SPDX-License-Identifier: Apache-2.0
/*
 * ipc: records from one of our processes to another, one way, never in the way.
 *
 * A SOCK_SEQPACKET pair carries packets of up to 64 KiB, each holding whole frames
 *
 *	u32 length | length octets
 *
 * The sender collects a turn's frames into one packet and sends it when the turn ends.
 * When the receiver is slow it keeps a bounded queue, and beyond that drops and counts:
 * traffic is never held up by its own records.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "net/loop.h"

enum {
	IPC_PACKET = 65536,         /* octets in a packet */
	IPC_FRAME = IPC_PACKET - 4, /* octets in a frame */
};

/* A connected pair, non-blocking and close-on-exec, with large kernel buffers. */
MUST_USE bool ipc_pair(int fds[2], struct err *err);

/* The next frame of a packet into *frame (borrowed from it); false at the end, or when
 * the rest is malformed: then *packet is not empty. */
MUST_USE bool ipc_next(struct span *packet, struct span *frame);

struct ipc_packet;

struct ipc_out {
	uint64_t n_sent; /* frames */
	uint64_t n_lost;

	/* Private. */
	struct loop *loop;
	struct watch watch;
	struct hook flush;
	struct ipc_packet *first; /* owned queue, oldest first */
	struct ipc_packet *last;
	size_t queued; /* octets */
	size_t most;
	bool closed; /* the receiver is gone */
};

/* Takes fd. At most `most` octets are queued. */
void ipc_out_open(struct ipc_out *o, struct loop *loop, int fd, size_t most);
/* Sends what the kernel takes at once, and closes. Returns frames lost by that. */
size_t ipc_out_close(struct ipc_out *o);
/* Queues a frame of at most IPC_FRAME octets. False when it was dropped (and counted).
 */
bool ipc_put(struct ipc_out *o, struct span frame);

struct ipc_in {
	void (*came)(struct ipc_in *in, struct span frame); /* borrowed for the call */
	void (*ended)(struct ipc_in *in); /* the other end is gone; closed already */

	uint64_t n_came;
	uint64_t n_bad; /* packets with a malformed rest */

	/* Private. */
	struct loop *loop;
	struct watch watch;
	uint8_t *bytes; /* owned: one packet */
	struct corpse corpse;
};

/* Takes fd; set both callbacks before. */
void ipc_in_open(struct ipc_in *in, struct loop *loop, int fd);
/* in must outlive the turn (loop_bury() it, or keep it embedded in what does). */
void ipc_in_close(struct ipc_in *in);

/* One message of at most 256 octets with at most 8 descriptors over a unix socket. The
 * sender keeps its own copies, those received are close-on-exec and the receiver.s.
 * False with ERR_NET_ENDED at the end of the stream. */
MUST_USE bool ipc_send_fds(
	int sock, struct span bytes, const int *fds, size_t n, struct err *err);

struct ipc_received {
	uint8_t bytes[256];
	size_t n_bytes;
	int fds[8];
	size_t n_fds;
};
MUST_USE bool ipc_recv_fds(int sock, struct ipc_received *out, struct err *err);
