// SPDX-License-Identifier: Apache-2.0
/*
 * sinks_priv: the kinds of sinks there are, each in a file of its own.
 */
#pragma once

#include "event/sinks.h"

extern const struct sink_kind sink_file;
extern const struct sink_kind sink_stdout;
