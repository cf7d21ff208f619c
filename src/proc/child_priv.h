// SPDX-License-Identifier: Apache-2.0
/*
 * child: one process of ours, as the master sees it, and what it is given at birth.
 */
#pragma once

#include <sys/types.h>

#include "proc/leash_priv.h"
#include "proc/pages_priv.h"
#include "proc/sandbox_priv.h"

struct settings;

enum child_kind { CHILD_VAULT, CHILD_SCRIBE, CHILD_WORKER, CHILD_KINDS };

/* "vault", "scribe", "worker". */
const char *child_kind_name(enum child_kind kind);

/* All a process may touch. Descriptors are the process's own from the fork on; in the
 * master they stay the master's to close. */
struct duty {
	enum child_kind kind;
	unsigned number; /* of the worker */
	unsigned generation;
	const struct settings *settings;
	const struct owner *owner;
	struct pages *pages;
	struct page *page;
	int leash_fd;
	int vault_fd;          /* worker: stream to the vault; else -1 */
	int event_fd;          /* worker: packets to the scribe; else -1 */
	int admin_fd;          /* scribe: listener; -1: none */
	const int *listen_fds; /* worker: in the order of settings->listens */
	size_t n_listen_fds;
};

struct child {
	enum child_kind kind;
	unsigned number;
	pid_t pid; /* 0: there is none */
	bool ready;
	bool told; /* to end */
	uint64_t born_ms;
	struct page *page;
	struct leash leash;
};

/*
 * Forks; the child does its duty and never returns. leash_fd of duty and its other end
 * are made here; set c->leash's callbacks before. *duty is filled in further.
 */
MUST_USE bool child_start(
	struct child *c, struct loop *loop, struct duty *duty, struct err *err);
/* The process has ended (waitpid() said so). */
void child_gone(struct child *c, struct pages *pages);
void child_kill(const struct child *c);

/* The three duties; the exit code. Each narrows itself, says LEASH_READY and serves. */
int vault_run(const struct duty *duty);
int scribe_run(const struct duty *duty);
int work_run(const struct duty *duty);
