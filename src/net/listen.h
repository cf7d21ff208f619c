// SPDX-License-Identifier: Apache-2.0
/*
 * listen: ports, and the connections that come in.
 *
 * The master opens ports with listen_open(), one socket per worker; a worker accepts
 * with listen_start(). Accepting stops by itself at a limit, and for a moment when
 * descriptors run out; then one kept in reserve answers the caller with a close instead
 * of leaving it in the queue.
 */
#pragma once

#include "net/addr.h"
#include "net/loop.h"

struct listen_options {
	int backlog;      /* 0: 4096 */
	bool transparent; /* IP_TRANSPARENT, for TPROXY; needs CAP_NET_RAW */
	/* hold back connections that send nothing (TCP_DEFER_ACCEPT) */
	unsigned defer_s;
};

/* Sockets of one port, one per worker. */
struct listen_fds {
	int *fd; /* caller's memory, n of them */
	size_t n;
};

/*
 * Opens fds->n sockets on one address with SO_REUSEPORT; all or none. Port 0
 * takes a free one, the same for all; *bound (may be NULL) tells which. IPv6 any also
 * takes IPv4. They are non-blocking, close-on-exec, and accepted sockets inherit
 * TCP_NODELAY.
 */
MUST_USE bool listen_open(const struct addr *a, const struct listen_options *o,
	struct addr *bound, struct listen_fds *fds, struct err *err);

/* A socket in the file system with these permissions; a dead one at path is replaced, a
 * living one is an error. */
MUST_USE bool listen_open_unix(
	const char *path, unsigned mode, int *fd, struct err *err);

/* How many connections may be open; shared by the listeners of a process, or not. */
struct listen_limit {
	size_t open; /* now */
	size_t most;
	struct list waiting; /* listeners that stopped because of it */
};

struct listener {
	/* A new connection: fd is the callee's, non-blocking, close-on-exec. It counts
	 * against the limit until listen_release(). peer is zero on unix sockets. */
	void (*accepted)(struct listener *l, int fd, const struct addr *peer);

	uint64_t n_accepted;
	uint64_t n_shed; /* closed at once, for want of descriptors */

	/* Private. */
	struct loop *loop;
	struct watch watch;
	int reserve;        /* a descriptor kept for shedding */
	unsigned batch;     /* accepts per turn, as of late */
	uint64_t full_turn; /* the last that took a whole batch */
	struct timer pause;
	struct listen_limit *limit; /* borrowed */
	struct list waiting;
};

/* most is the number of connections allowed at once. */
void listen_limit_init(struct listen_limit *limit, size_t most);
/* Begins accepting on fd, which is taken. limit outlives the listener. */
void listen_start(
	struct listener *l, struct loop *loop, int fd, struct listen_limit *limit);
/* Stops accepting and closes the socket here; other holders keep it. */
void listen_stop(struct listener *l);
/* A connection has ended; a listener waiting for that goes on. */
void listen_release(struct listen_limit *limit);
