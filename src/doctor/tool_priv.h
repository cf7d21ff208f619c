// SPDX-License-Identifier: Apache-2.0
/*
 * tool_priv: between the files that look at one tool.
 */
#pragma once

#include "doctor/tool.h"

/* Adds every setting that is there to v->sets, the one that wins first. */
void tool_add_sets(struct home *h, const struct bundle *b, struct tool_view *v);
/* Adds what is wrong to v->findings, and marks settings that others silence. */
void tool_judge(struct home *h, const struct bundle *b, struct tool_view *v);
