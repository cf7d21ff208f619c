// SPDX-License-Identifier: Apache-2.0
/*
 * master: the process that starts the others and carries no traffic.
 *
 * It reads the configuration, opens ports, forks a generation of processes, replaces
 * what dies, and passes on what signals and the control socket ask for:
 *
 *	SIGHUP, `ctl reload`     check the file; a new generation, the old one drains
 *	`ctl upgrade`            another program takes over (upgrade_priv.h)
 *	SIGTERM, SIGINT, `ctl drain`   drain, then end; a second time: end now
 *
 * Started as root it stays root, to open ports and read keys at a reload; it reads
 * nothing that comes from the network. Its children become another user.
 */
#pragma once

#include "base/err.h"

struct settings;

/* Runs until told to end. *s is taken: heap memory from settings_load(). path is read
 * again at a reload. False when it could not begin. */
MUST_USE bool master_run(const char *path, struct settings *s, struct err *err);
