// SPDX-License-Identifier: Apache-2.0
/*
 * upgrade: a new program takes over from a running one.
 *
 *	old master ── fork, exec ──▶ new master   with the listening sockets and the
 *	                                          secret of the tickets
 *	           ◀── "ready" ─────              its first generation serves
 *	drains, ends                              goes on
 *
 * The sockets are the same ones, so that no connection is refused and none that waits
 * is lost. Until the new one is ready the old one serves as before; if the new one ends,
 * or is not ready in time, nothing has happened.
 */
#pragma once

#include <sys/types.h>

#include "net/loop.h"
#include "net/timer.h"
#include "proc/ports_priv.h"

enum { UPGRADE_SECRET = 32, UPGRADE_FDS_MOST = 2048 };

struct upgrade_spec {
	struct loop *loop;
	const char *program; /* upgrade_program() at our own start */
	const char *config;
	const struct ports *ports;
	int control_fd;
	const uint8_t *secret; /* UPGRADE_SECRET octets */
};

struct upgrade {
	struct loop *loop;
	struct watch line; /* fd −1: none is under way */
	struct timer late;
	pid_t pid;
	/* Set by the owner: it took over (ERR_NONE), or did not. */
	void (*ended)(struct upgrade *u, const struct err *why);
};

/* The path of this program, while it is still there; to be freed. NULL: unknown. */
char *upgrade_program(void);
void upgrade_init(struct upgrade *u);
MUST_USE bool upgrade_start(
	struct upgrade *u, const struct upgrade_spec *spec, struct err *err);
MUST_USE bool upgrade_runs(const struct upgrade *u);
/* Nothing is waited for any more. */
void upgrade_cancel(struct upgrade *u);

/* ---- the new program ---- */

struct upgrade_given {
	int line; /* −1: nothing was given */
	int control_fd;
	uint8_t secret[UPGRADE_SECRET];
};
/* Takes what an old program gave, its listening sockets into p. False: something was
 * given that cannot be used. */
MUST_USE bool upgrade_take(struct upgrade_given *out, struct ports *p, struct err *err);
/* Tells the old program that it may go. */
void upgrade_ready(struct upgrade_given *given);
