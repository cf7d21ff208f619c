// SPDX-License-Identifier: Apache-2.0
/* reply: what is said to who asks over the control socket. Each sets *call to NULL;
 * with NULL in it nobody waits any more. */
#pragma once

#include "base/json.h"
#include "proc/control_priv.h"
#include "proc/generation_priv.h"

void reply_json(struct control_call **call, const struct json_out *json);
void reply_done(struct control_call **call);
void reply_err(struct control_call **call, const struct err *err);
/* A process. */
void reply_child(struct json_out *json, const struct child *c);
/* A generation with its processes, into an open array. */
void reply_generation(struct json_out *json, const struct generation *g);
