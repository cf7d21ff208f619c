// SPDX-License-Identifier: Apache-2.0
/*
 * sandbox: a process gives up what its duty does not need.
 *
 * First the user, then files (landlock), then system calls (seccomp). Each kind of
 * process has its list in its own file; what all need is here. A call that is not in a
 * list fails with EPERM; those that only an intruder makes end the process.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct settings;

/* Whom to become. */
struct owner {
	bool drops; /* started as root: become this user */
	uid_t uid;
	gid_t gid;
};

/* The user of the settings when we are root, else ourselves. ERR_PROC_USER. */
MUST_USE bool sandbox_find_owner(
	const struct settings *s, struct owner *out, struct err *err);
/* Becomes it, for good; and nothing that is executed can gain privileges again. */
MUST_USE bool sandbox_become(const struct owner *o, struct err *err);

/* No core dumps, no ptrace by the same user, and memory that is not swapped (as far as
 * the limits allow): for the process that holds keys. Before sandbox_become(). */
void sandbox_hide_memory(void);

/* A directory or file that stays reachable. */
struct sandbox_path {
	const char *path;
	bool writes; /* or reads only */
};

/* Everything else in the file system goes out of reach. A kernel without landlock is
 * logged and otherwise no error. A path that is not there is skipped. */
MUST_USE bool sandbox_files(
	const struct sandbox_path *paths, size_t n, struct err *err);

/* System calls beyond those every process of ours needs. */
struct sandbox_calls {
	const int *calls;
	size_t n;
	bool connects;      /* may open sockets of IPv4 and IPv6 */
	bool connects_here; /* … and Unix sockets */
};
MUST_USE bool sandbox_calls(const struct sandbox_calls *more, struct err *err);
