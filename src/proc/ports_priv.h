// SPDX-License-Identifier: Apache-2.0
/*
 * ports: the sockets we listen on, kept by the master through all generations.
 *
 * One per worker and address, with SO_REUSEPORT: worker i of every generation inherits
 * socket i, so what waits in its queue is served by the next one. Sockets that systemd
 * opened are one per address and shared by all workers.
 */
#pragma once

#include "base/err.h"
#include "base/list.h"
#include "net/addr.h"

struct settings;

struct port {
	struct list in;
	struct addr addr;
	int *fds; /* owned */
	size_t n;
	size_t n_before; /* how many there were before ports_prepare() */
	bool wanted;
	bool shared; /* one for all workers: given to us, or a Unix socket */
	bool is_path;
};

struct ports {
	struct list all;
};

/* Takes in what socket activation gave. */
void ports_init(struct ports *p);
/* Takes a socket of the program before us: one of those of its address, in order, or
 * the only one, if systemd had opened it. */
void ports_adopt(struct ports *p, int fd);
/* Closes all. */
void ports_fini(struct ports *p);

/* Opens what these settings need beyond what is open: n sockets for each listener, one
 * for the admin address. On failure everything is as before. */
MUST_USE bool ports_prepare(
	struct ports *p, const struct settings *s, size_t n, struct err *err);
/* The new settings serve: what they do not need is closed. */
void ports_keep(struct ports *p);
/* They will not: what was opened for them is closed. */
void ports_revert(struct ports *p);
/* The socket of worker i, or -1. The port keeps it. */
MUST_USE int ports_fd(const struct ports *p, const struct addr *a, size_t i);
/* Where /metrics is served: loopback unless the settings say otherwise. */
struct addr ports_admin(const struct settings *s);
