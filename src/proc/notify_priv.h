// SPDX-License-Identifier: Apache-2.0
/*
 * notify: telling systemd how we are (sd_notify(3)), and the sockets it opened for us
 * (sd_listen_fds(3)); both are a few lines over the environment, without its library.
 */
#pragma once

#include "base/span.h"

/* Sends "READY=1" and the like to $NOTIFY_SOCKET, if there is one. */
void notify_send(const char *state);
/* "RELOADING=1" with the time systemd wants beside it. */
void notify_reloading(void);
/* How often WATCHDOG=1 is expected, ms; 0: not at all. */
uint64_t notify_watchdog_ms(void);
/* How many descriptors from 3 on were handed to this process; they become
 * close-on-exec, and the variables go, so that it is answered once. */
size_t notify_listen_fds(void);
