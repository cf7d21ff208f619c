// SPDX-License-Identifier: Apache-2.0
/*
 * log: for the operator of this program (what travellers did are *events*, elsewhere).
 *
 *	log_warn("upstream.verify", "session=%s host=%s code=%s", …);
 *
 * A dotted name, then key=value; one line per fact, where it is decided, once. Levels:
 * error (someone must act), warn (degraded), info (rare state changes), debug (per
 * session). Never a secret, a body, a cookie or an Authorization value. One write(2) per
 * line, to standard error, prefixed for journald when started by systemd.
 */
#pragma once

#include "base/attr.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_error(const char *name, const char *fmt, ...) PRINTF(2, 3) COLD;
void log_warn(const char *name, const char *fmt, ...) PRINTF(2, 3) COLD;
void log_info(const char *name, const char *fmt, ...) PRINTF(2, 3);
void log_debug(const char *name, const char *fmt, ...) PRINTF(2, 3);

/* Once per process, before the first line: what to print, and who we are ("worker.0").
 */
void log_setup(enum log_level most, const char *who);
/* Whether lines of this level are printed: to skip preparing them. */
MUST_USE bool log_wants(enum log_level level);
